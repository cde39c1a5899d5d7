"""Settings of pods, for all roles and for single roles, and rejected settings."""

from functools import cache
from typing import Any

import kubernetes_validate
import pytest

from eks_rocketmq.args import argument_path
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.pods.placement import tolerates
from eks_rocketmq.rocketmq.pods.pod_settings import RESERVED_VARIABLES, PodSettings, plan_image_pull, plan_role_pods
from tests.unit.harness import Recording
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import ARGS, SETS, args, config, container, deploy, group, pod, workload

WORKLOADS = (*SETS, "rocketmq-proxy-deployment")
ZONE = "topology.kubernetes.io/zone"
ZONES = ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]
EVERYTHING: dict[str, Any] = {
    "zones": ZONES,
    "node_selector": {"workload": "messaging"},
    "node_affinity": {
        "required": [
            {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm64"]},
            {"key": "example.com/spot", "operator": "DoesNotExist"},
            {"key": "example.com/cpus", "operator": "Gt", "values": ["3"]},
        ],
        "preferred": [
            {"weight": 50.0, "match": [{"key": "disk", "operator": "In", "values": ["fast", ""]}]},
            {
                "weight": 100,
                "match": [{"key": "local", "operator": "Exists"}, {"key": "age", "operator": "Lt", "values": ["9"]}],
            },
        ],
    },
    "tolerations": [
        {"key": "dedicated", "value": "rocketmq", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "seconds": 30.0},
        {},
    ],
    "priority_class": "messaging.high",
    "labels": {"example.com/team": "payments"},
    "annotations": {"example.com/note": "any text, at any length"},
    "environment": {"TZ": "Asia/Singapore"},
    "java_options": ["-XX:MaxGCPauseMillis=100", "-Dcom.rocketmq.remoting.frameMaxLength=33554432"],
}


@pytest.fixture(scope="module")
def placed() -> Recording:
    return deploy(pods=EVERYTHING, image_pull_policy="Always", image_pull_secrets=["mirror"])


@pytest.mark.parametrize("name", WORKLOADS)
def test_pod_settings_apply_to_every_role(placed: Recording, name: str) -> None:
    spec, plain = pod(placed, name), pod(deploy_plain(), name)
    # A node must match all expressions of a term. A second term would be an alternative.
    expressions = [
        {"key": ZONE, "operator": "In", "values": ZONES},
        {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm64"]},
        {"key": "example.com/spot", "operator": "DoesNotExist"},
        {"key": "example.com/cpus", "operator": "Gt", "values": ["3"]},
    ]
    assert spec["affinity"]["nodeAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": expressions}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 50,
                "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast", ""]}]},
            },
            {
                "weight": 100,
                "preference": {
                    "matchExpressions": [
                        {"key": "local", "operator": "Exists"},
                        {"key": "age", "operator": "Lt", "values": ["9"]},
                    ]
                },
            },
        ],
    }
    assert spec["affinity"].get("podAntiAffinity") == plain.get("affinity", {}).get("podAntiAffinity")
    assert spec["topologySpreadConstraints"] == plain["topologySpreadConstraints"]
    assert spec["nodeSelector"] == {"workload": "messaging"}
    assert spec["tolerations"] == [
        {"operator": "Equal", "key": "dedicated", "value": "rocketmq", "effect": "NoSchedule"},
        {
            "operator": "Exists",
            "key": "node.kubernetes.io/unreachable",
            "effect": "NoExecute",
            "tolerationSeconds": 30,
        },
        {"operator": "Exists"},
    ]
    assert spec["priorityClassName"] == "messaging.high"
    assert spec["imagePullSecrets"] == [{"name": "mirror"}]
    assert {one["imagePullPolicy"] for one in [*spec["containers"], *spec.get("initContainers", [])]} == {"Always"}
    metadata = workload(placed, name)["template"]["metadata"]
    assert metadata["labels"] == workload(deploy_plain(), name)["template"]["metadata"]["labels"] | EVERYTHING["labels"]
    assert metadata["annotations"] == EVERYTHING["annotations"]
    main = container(placed, name)
    assert main["env"][-1] == {"name": "TZ", "value": "Asia/Singapore"}
    assert main["command"].index("-XX:MaxGCPauseMillis=100") < main["command"].index("-cp")


TWO_ZONES = {"required": [{"key": ZONE, "operator": "In", "values": ZONES[1:]}]}


def test_manifests_conform_to_the_kubernetes_schemas(placed: Recording) -> None:
    for manifest in placed.manifests():
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_pod_settings_change_only_the_pod_templates(placed: Recording) -> None:
    plain = deploy_plain()
    changed = {
        urn.rsplit("::", 1)[-1] for urn, old in plain.resources.items() if placed.resources[urn].inputs != old.inputs
    }
    assert changed == set(WORKLOADS)
    assert set(plain.resources) == set(placed.resources)
    for name in WORKLOADS:
        without = [
            {key: value for key, value in workload(r, name).items() if key != "template"} for r in (plain, placed)
        ]
        assert without[0] == without[1]


def test_omitted_pod_settings_render_no_fields() -> None:
    spec = pod(deploy_plain())
    assert not {"nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"} & set(spec)
    assert set(spec["affinity"]) == {"podAntiAffinity"}
    assert set(workload(deploy_plain(), SETS[0])["template"]["metadata"]) == {"labels"}


@pytest.mark.parametrize("affinity", [{}, {"preferred": []}])
def test_empty_node_affinity_is_not_rendered(affinity: dict[str, Any]) -> None:
    assert set(pod(deploy(pods={"node_affinity": affinity}))["affinity"]) == {"podAntiAffinity"}


def test_required_and_preferred_affinity_work_separately() -> None:
    one = {"key": "a", "operator": "Exists"}
    required = pod(deploy(pods={"node_affinity": {"required": [one]}}), "rocketmq-proxy-deployment")["affinity"]
    assert required == {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [one]}]}
        }
    }
    preferred = pod(deploy(pods={"node_affinity": {"preferred": [{"weight": 1, "match": [one]}]}}))["affinity"]
    assert preferred["nodeAffinity"] == {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchExpressions": [one]}}]
    }


def test_node_affinity_of_a_role_replaces_the_general_one() -> None:
    all_roles, brokers = (
        {"required": [{"key": key, "operator": "Exists"}], "preferred": []} for key in ("general", "storage")
    )
    recording = deploy(pods={"node_affinity": all_roles}, broker_groups=group(pods={"node_affinity": brokers}))
    assert "general" not in str(pod(recording)["affinity"])
    assert "storage" in str(pod(recording)["affinity"]["nodeAffinity"])
    assert "general" in str(pod(recording, "rocketmq-controller-set")["affinity"]["nodeAffinity"])


def test_pod_settings_of_a_role_override_single_fields() -> None:
    all_roles = {
        "zones": ZONES,
        "priority_class": "low",
        "node_selector": {"a": "1", "b": "1"},
        "labels": {"team": "x"},
    }
    brokers = {"zones": ZONES[::-1], "priority_class": "high", "node_selector": {"b": "2"}, "tolerations": [{}]}
    recording = deploy(pods=all_roles, broker_groups=group(pods=brokers), proxies={"pods": {"zones": ZONES[:1]}})
    spec = pod(recording)
    assert spec["priorityClassName"] == "high"
    assert spec["nodeSelector"] == {"a": "1", "b": "2"}
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert zones_of(spec) == ZONES[::-1]
    assert workload(recording, "rocketmq-broker-a-set")["template"]["metadata"]["labels"]["team"] == "x"
    others = pod(recording, "rocketmq-controller-set")
    assert (others["priorityClassName"], others["nodeSelector"], zones_of(others)) == (
        "low",
        {"a": "1", "b": "1"},
        ZONES,
    )
    assert "tolerations" not in others
    assert zones_of(pod(recording, "rocketmq-proxy-deployment")) == ZONES[:1]


def test_broker_groups_can_differ_in_resources_placement_storage_and_durability() -> None:
    small = {
        "name": "small",
        "replicas": 4,
        "memory": "2Gi",
        "cpu": "250m",
        "storage": "20Gi",
        "storage_class": "gp3",
        "min_in_sync_replicas": 3,
        "pods": {"priority_class": "low"},
    }
    recording = deploy(broker_groups=[*ARGS["broker_groups"], small])
    claims = [
        workload(recording, f"rocketmq-{name}-set")["volumeClaimTemplates"][0]["spec"] for name in ("broker-a", "small")
    ]
    assert [claim["storageClassName"] for claim in claims] == ["gp2", "gp3"]
    assert [claim["resources"]["requests"]["storage"] for claim in claims] == ["100Gi", "20Gi"]
    environments = [
        {one["name"]: one.get("value") for one in container(recording, f"rocketmq-{name}-set")["env"]}
        for name in ("broker-a", "small")
    ]
    assert [one["MIN_IN_SYNC"] for one in environments] == ["2", "3"]
    assert "minInSyncReplicas=3\n" in config(recording, "rocketmq-small-config")["broker.conf"]
    assert "minInSyncReplicas=2\n" in config(recording)["broker.conf"]
    assert [pod(recording, f"rocketmq-{name}-set").get("priorityClassName") for name in ("broker-a", "small")] == [
        None,
        "low",
    ]
    assert workload(recording, "rocketmq-small-set")["replicas"] == 4


def test_controllers_can_have_their_own_storage_class() -> None:
    recording = deploy(controllers={"storage_class": "io2"})
    (claim,) = workload(recording, "rocketmq-controller-set")["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "io2"


def test_labels_and_annotations_apply_to_every_object_but_not_to_pods() -> None:
    plain = deploy_plain()
    recording = deploy(labels={"cost": "42"}, annotations={"example.com/owner": "team messaging"})
    objects = [r for r in recording.resources.values() if r.type.startswith("kubernetes:")]
    assert len(objects) == 28
    for resource in objects:
        metadata, before = resource.inputs["metadata"], plain.resources[resource.urn].inputs
        assert metadata["labels"] == before["metadata"]["labels"] | {"cost": "42"}, resource.name
        own = before["metadata"].get("annotations", {})
        assert metadata["annotations"] == own | {"example.com/owner": "team messaging"}, resource.name
        assert resource.inputs.get("spec") == before.get("spec"), resource.name


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"pods": {"zones": ZONES[:2]}}, "pods.zones", "profile-zones"),
        (
            {"pods": {"zones": ZONES}, "broker_groups": group(pods={"zones": ZONES[:1]})},
            "broker_groups['broker-a'].pods.zones",
            "profile-zones",
        ),
        ({"profile": "balanced", "pods": {"zones": ZONES[:1]}}, "pods.zones", "profile-zones"),
        ({"pods": {"node_selector": {ZONE: ZONES[0]}}}, "pods.node_selector", "profile-zones"),
        (
            {
                "pods": {"node_selector": {ZONE: ZONES[0]}, "node_affinity": TWO_ZONES},
                "controllers": {"pods": {"node_selector": {"a": "b"}, "node_affinity": {}}},
            },
            "pods.node_selector",
            "profile-zones",
        ),
        ({"pods": {"node_affinity": TWO_ZONES}}, "pods.node_affinity", "profile-zones"),
        (
            {
                "pods": {
                    "zones": ZONES,
                    "node_affinity": {"required": [{"key": ZONE, "operator": "NotIn", "values": ZONES[:1]}]},
                }
            },
            "pods.node_affinity",
            "profile-zones",
        ),
        ({"pods": {"zones": ZONES, "node_selector": {ZONE: "elsewhere"}}}, "pods.node_selector", "profile-zones"),
        *(
            ({"pods": {"node_affinity": given}}, f"pods.node_affinity{path}", code)
            for given, path, code in [
                ([], "", "wrong-type"),
                ({"require": []}, ".require", "unknown-field"),
                ({"required": []}, ".required", "empty-list"),
                ({"required": [{"key": "a"}]}, ".required[0].operator", "missing"),
                ({"required": [{"key": "a b", "operator": "Exists"}]}, ".required[0].key", "qualified-name"),
                ({"required": [{"key": "a", "operator": "exists"}]}, ".required[0].operator", "choice"),
                (
                    {"required": [{"key": "a", "operator": "In", "values": ["x y"]}]},
                    ".required[0].values[0]",
                    "label-value",
                ),
                ({"required": [{"key": "a", "operator": "Gt", "values": [3]}]}, ".required[0].values[0]", "wrong-type"),
                ({"preferred": [{"weight": 1, "match": []}]}, ".preferred[0].match", "empty-node-preference"),
                (
                    {"preferred": [{"weight": 1, "match": [{"key": "a", "operator": "Exists", "values": ["b"]}]}]},
                    ".preferred[0].match[0].values",
                    "node-expression-values",
                ),
                *(
                    (
                        {"required": [{"key": "a", "operator": operator, "values": values}]},
                        ".required[0].values",
                        "node-expression-values",
                    )
                    for operator, values in [
                        ("In", []),
                        ("NotIn", []),
                        ("DoesNotExist", ["x"]),
                        ("Gt", []),
                        ("Gt", ["1", "2"]),
                        ("Lt", ["8Gi"]),
                        ("Lt", ["9223372036854775808"]),
                    ]
                ),
                *(
                    (
                        {"preferred": [{"weight": weight, "match": [{"key": "a", "operator": "Exists"}]}]},
                        ".preferred[0].weight",
                        "range",
                    )
                    for weight in (0, 101)
                ),
            ]
        ),
        ({"pods": {"zones": []}}, "pods.zones", "empty-list"),
        ({"pods": {"zones": [ZONES[0]] * 3}}, "pods.zones", "duplicate"),
        ({"pods": {"zones": [*ZONES, ""]}}, "pods.zones[3]", "empty-zone"),
        ({"pods": {"zones": ["zone a"]}}, "pods.zones[0]", "label-value"),
        ({"pods": {"zones": "ap-southeast-1a"}}, "pods.zones", "wrong-type"),
        ({"pods": {"zone": ZONES}}, "pods.zone", "unknown-field"),
        ({"pods": {"node_selector": {"a b": "c"}}}, "pods.node_selector", "qualified-name"),
        ({"pods": {"node_selector": {"a": "b c"}}}, "pods.node_selector['a']", "label-value"),
        ({"pods": {"node_selector": {"a": True}}}, "pods.node_selector['a']", "wrong-type"),
        ({"proxies": {"pods": {"priority_class": "High"}}}, "proxies.pods.priority_class", "dns-subdomain"),
        ({"pods": {"tolerations": [{"effect": "NoExec"}]}}, "pods.tolerations[0].effect", "choice"),
        ({"pods": {"tolerations": [{"value": "x"}]}}, "pods.tolerations[0].key", "toleration-without-key"),
        ({"pods": {"tolerations": [{"seconds": 5}]}}, "pods.tolerations[0].seconds", "toleration-seconds"),
        ({"pods": {"tolerations": [{"effect": "NoExecute", "seconds": 0}]}}, "pods.tolerations[0].seconds", "range"),
        ({"pods": {"tolerations": [{"operator": "Exists"}]}}, "pods.tolerations[0].operator", "unknown-field"),
        ({"pods": {"labels": {"app": "mine"}}}, "pods.labels", "set-by-deployment"),
        ({"labels": {"app.kubernetes.io/name": "x"}}, "labels", "set-by-deployment"),
        ({"labels": {"rocketmq.apache.org/broker-group": "x"}}, "labels", "set-by-deployment"),
        ({"labels": {"a": "x" * 64}}, "labels['a']", "label-value"),
        ({"labels": {"Example.com/a": "b"}}, "labels", "qualified-name"),
        ({"annotations": {"pulumi.com/skipAwait": "true"}}, "annotations", "set-by-deployment"),
        ({"annotations": {"a": 1}}, "annotations['a']", "wrong-type"),
        ({"pods": {"environment": {"POD_IP": "1"}}}, "pods.environment", "set-by-deployment"),
        ({"pods": {"environment": {"_JAVA_OPTIONS": "-Xmx1g"}}}, "pods.environment", "set-by-deployment"),
        ({"pods": {"environment": {"A-B": "1"}}}, "pods.environment", "variable-name"),
        ({"pods": {"java_options": ["-Xmx8g"]}}, "pods.java_options[0]", "java-option-set-by-deployment"),
        ({"pods": {"java_options": ["--add-opens=a/b=c"]}}, "pods.java_options[0]", "java-option-of-newer-jdk"),
        ({"pods": {"java_options": ["org.example.Main"]}}, "pods.java_options[0]", "java-option"),
        ({"pods": {"java_options": "-Xss1m"}}, "pods.java_options", "wrong-type"),
        ({"image_pull_policy": "always"}, "image_pull_policy", "choice"),
        (
            {"pods": {"tolerations": [{"effect": "NoExecute", "seconds": 2**63}]}},
            "pods.tolerations[0].seconds",
            "range",
        ),
        ({"image_pull_secrets": ["mirror", "mirror"]}, "image_pull_secrets", "duplicate"),
        ({"image_pull_secrets": ["Mirror"]}, "image_pull_secrets[0]", "dns-subdomain"),
        ({"pod_security": "open"}, "pod_security", "choice"),
        ({"pod_security": "baseline", "create_namespace": False}, "pod_security", "ignored-argument"),
        (
            {"broker_groups": group(min_in_sync_replicas=3)},
            "broker_groups['broker-a'].min_in_sync_replicas",
            "group-in-sync-members",
        ),
    ],
)
def test_invalid_pod_settings_are_rejected_before_any_resource_is_registered(
    changes: dict[str, Any], path: str, code: str
) -> None:
    with rejects((path, code)):
        plan(args(**changes))


@pytest.mark.parametrize(
    "option",
    [
        "-Xms1g",
        "-Xmx1g",
        "-XX:MaxHeapSize=1g",
        "-Dtls.server.mode=disabled",
        "-Dio.netty.maxDirectMemory=0",
        "-XX:InitialHeapSize=1g",
        "-XX:MaxDirectMemorySize=1g",
        "-XX:MaxMetaspaceSize=1g",
        "-XX:MetaspaceSize=1g",
        "-XX:CompressedClassSpaceSize=2g",
        "-XX:ReservedCodeCacheSize=2g",
        "-XX:InitialCodeCacheSize=2g",
        "-XX:StringTableSize=100000000",
        "-Xmn100g",
        "-XX:NewSize=10g",
        "-XX:MaxNewSize=10g",
        "-XX:OldSize=10g",
        "-Xss1g",
        "-Xss1025k",
        "-Xss2097152",
        "-Xss64k",
        "-Xss",
        "-Xssmuch",
        "-XX:ThreadStackSize=1048576",
        "-XX:CompilerThreadStackSize=1048576",
        "-XX:InitialRAMPercentage=90",
        "-XX:InitialRAMFraction=1",
        "-XX:MaxRAMFraction=1",
        "-XX:DefaultMaxRAMFraction=1",
        "-XX:+AggressiveHeap",
        "-XX:MaxRAMPercentage=80",
        "-XX:MaxRAM=1g",
        "-XX:+UseParallelGC",
        "-XX:-UseG1GC",
        "-XX:-ExitOnOutOfMemoryError",
        "-XX:ErrorFile=/x",
        "-cp",
        "-jar",
        "-version",
        "-Duser.home=/x",
        "-Drmq.logback.configurationFile=/x",
        "-Xlog:gc",
        "@file",
    ],
)
def test_java_options_that_override_the_deployment_are_rejected(option: str) -> None:
    newer = option.startswith(("-Xlog", "@"))
    code = "of-newer-jdk" if newer else "set-by-deployment"
    expected = "java-stack-size" if option.startswith("-Xss") else f"java-option-{code}"
    with rejects(("broker_groups['broker-a'].pods.java_options[0]", expected)):
        plan(args(broker_groups=group(pods={"java_options": [option]})))


@pytest.mark.parametrize(
    "option",
    [
        "-Xss512k",
        "-Xss1m",
        "-Xss262144",
        "-XX:NewRatio=3",
        "-XX:G1HeapRegionSize=8m",
        "-XX:GCLogFileSize=10m",
        "-XX:MaxGCPauseMillis=50",
        "-XX:+PrintGCDetails",
        "-Da.b=c d",
    ],
)
def test_other_java_options_are_accepted(option: str) -> None:
    assert plan(args(pods={"java_options": [option]})).proxies.pods.java_options == [option]


def test_all_variables_of_the_deployment_are_reserved() -> None:
    recording = deploy_plain()
    own = {
        variable["name"]
        for name in WORKLOADS
        for one in [*pod(recording, name)["containers"], *pod(recording, name).get("initContainers", [])]
        for variable in one["env"]
    }
    assert own <= RESERVED_VARIABLES


def test_single_member_is_accepted_in_one_zone() -> None:
    dev = args(profile="dev", controllers={"replicas": 1}, broker_groups=group(replicas=1), pods={"zones": ZONES[:1]})
    assert plan(dev).groups[0].role.pods.zones == ZONES[:1]


def zones_of(spec: dict[str, Any]) -> list[str]:
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return term["matchExpressions"][0]["values"]


@cache
def deploy_plain() -> Recording:
    """Return a deployment without pod settings."""
    return deploy()


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({}, True),
        ({"effect": "NoSchedule"}, True),
        ({"effect": "NoExecute"}, False),
        ({"key": "dedicated"}, True),
        ({"key": "other"}, False),
        ({"key": "dedicated", "value": "mq"}, True),
        ({"key": "dedicated", "value": "other"}, False),
        ({"key": "dedicated", "value": ""}, False),
        ({"key": "dedicated", "value": "mq", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "mq", "effect": "PreferNoSchedule"}, False),
    ],
)
def test_toleration_matches_taints_as_in_kubernetes(toleration: dict[str, str], tolerated: bool) -> None:
    taint = {"key": "dedicated", "value": "mq", "effect": "NoSchedule"}
    pods = plan_role_pods(plan_image_pull(args()), [(argument_path.ARGS / "pods", {"tolerations": [toleration]})])  # ty: ignore[invalid-argument-type]
    assert tolerates(pods.build_placement({}), taint) is tolerated
    assert tolerates(pods.build_placement({}), {**taint, "effect": "PreferNoSchedule"})
    assert not tolerates(PodSettings().build_placement({}), taint)


def test_empty_toleration_value_matches_a_taint_without_value() -> None:
    pods = PodSettings(tolerations=[{"key": "dedicated", "operator": "Equal", "value": ""}])
    assert tolerates(pods.build_placement({}), {"key": "dedicated", "value": "", "effect": "NoSchedule"})
