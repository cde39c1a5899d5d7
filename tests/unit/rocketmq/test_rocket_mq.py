"""Resources that RocketMq registers: inventory, order, protection, pods and policies."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from eks_rocketmq.rocketmq import agent
from eks_rocketmq.rocketmq.pods.probes import ANSWER_SECONDS, HUNG_GRACE_SECONDS, plan_drain
from tests.unit.harness import Recording
from tests.unit.rocketmq_case import (
    ARGS,
    SETS,
    config,
    config_maps,
    container,
    deploy,
    files,
    group,
    keys,
    pod,
    workload,
)

KUBERNETES = "1.35"
WORKLOADS = (*SETS, "rocketmq-proxy-deployment")
PROBE_REQUESTS = {
    "nameserver": ["127.0.0.1:9876", "106"],
    "controller": ["127.0.0.1:9878", "1005"],
    "broker": ["127.0.0.1:10911", "907"],
    "proxy": ["127.0.0.1:8080", "907"],
}


LAUNCHER = Path(agent.__file__).parent / "java" / "eks_rocketmq" / "Launcher.java"


@pytest.fixture(scope="module")
def deployed() -> Recording:
    return deploy()


@pytest.fixture(scope="module")
def without_agent() -> Recording:
    return deploy(agent=False)


@pytest.mark.parametrize("preview", [True, False])
def test_inventory_contains_exactly_the_expected_resources(preview: bool) -> None:
    assert deploy(preview=preview).inventory() == {
        "eks-rocketmq:index:BrokerMembers": 1,
        "eks-rocketmq:index:Controllers": 1,
        "eks-rocketmq:index:NameServers": 1,
        "eks-rocketmq:index:Proxies": 1,
        "eks-rocketmq:index:RocketMq": 1,
        "kubernetes:apps/v1:Deployment": 1,
        "kubernetes:apps/v1:StatefulSet": 3,
        "kubernetes:core/v1:ConfigMap": 5,
        "kubernetes:core/v1:Namespace": 1,
        "kubernetes:core/v1:Service": 5,
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": 4,
        "kubernetes:policy/v1:PodDisruptionBudget": 4,
    }


def test_manifests_conform_to_the_kubernetes_schemas(deployed: Recording) -> None:
    for manifest in deployed.manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_manifests_have_no_zero_values_that_the_api_server_drops(deployed: Recording) -> None:
    def zeros(value: object, path: str) -> list[str]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in zeros(inner, f"{path}.{key}")]
        if isinstance(value, list):
            return [found for inner in value for found in zeros(inner, f"{path}[]")]
        return [path] if value == 0 and not isinstance(value, bool) else []

    found = [path for manifest in deployed.manifests() for path in zeros(manifest.get("spec", {}), manifest["kind"])]
    assert found == ["Deployment.strategy.rollingUpdate.maxUnavailable"]  # a pointer in Kubernetes: zero is kept


def test_second_broker_group_has_its_own_stateful_set_and_selector() -> None:
    two = [*ARGS["broker_groups"], *group(name="broker-b")]
    recording = deploy(broker_groups=two)
    assert recording.inventory()["kubernetes:apps/v1:StatefulSet"] == 4
    selectors = [
        workload(recording, f"rocketmq-{name}-set")["selector"]["matchLabels"] for name in ("broker-a", "broker-b")
    ]
    assert selectors[0] != selectors[1]


def test_outputs_contain_the_client_addresses(deployed: Recording) -> None:
    assert deployed.component_outputs[deployed.one("RocketMq").urn] == {
        "namespace": "rocketmq",
        "nameServerAddresses": "rocketmq-nameserver-0.rocketmq-nameserver-peers.rocketmq.svc:9876"
        ";rocketmq-nameserver-1.rocketmq-nameserver-peers.rocketmq.svc:9876",
        "proxyEndpoint": "rocketmq-proxy.rocketmq.svc:8081",
        "passwords": {},
    }


@pytest.mark.parametrize("first", ["rocketmq-nameserver-set", "rocketmq-controller-set"])
def test_brokers_depend_on_name_servers_and_controllers(deployed: Recording, first: str) -> None:
    brokers = deployed.one("StatefulSet", "rocketmq-broker-a-set")
    assert deployed.reaches(brokers, deployed.one("StatefulSet", first))
    assert not deployed.reaches(deployed.one("StatefulSet", first), brokers)


def test_proxies_depend_on_the_brokers(deployed: Recording) -> None:
    assert deployed.reaches(deployed.one("Deployment"), deployed.one("StatefulSet", "rocketmq-broker-a-set"))


@pytest.mark.parametrize("name", SETS)
def test_stateful_set_depends_on_its_headless_service(deployed: Recording, name: str) -> None:
    service = deployed.one("Service", name.replace("-set", "-peers"))
    assert service.urn in deployed.one("StatefulSet", name).dependencies
    assert workload(deployed, name)["serviceName"] == service.inputs["metadata"]["name"]


def test_every_object_depends_on_the_namespace(deployed: Recording) -> None:
    namespace = deployed.one("Namespace")
    for resource in deployed.resources.values():
        if resource.type.startswith("kubernetes:") and resource is not namespace:
            assert deployed.reaches(resource, namespace), resource.name


def test_namespace_enforces_the_restricted_pod_security_level(deployed: Recording) -> None:
    assert deployed.one("Namespace").inputs["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }


def test_existing_namespace_is_used_without_changes() -> None:
    recording = deploy(create_namespace=False)
    assert recording.by_type("Namespace") == []
    assert recording.one("Deployment").inputs["metadata"]["namespace"] == "rocketmq"


@pytest.mark.parametrize("protect", [True, False])
def test_protect_data_applies_to_stateful_sets_with_data_and_the_namespace(protect: bool) -> None:
    recording = deploy(protect_data=protect)
    assert [recording.one("StatefulSet", name).protect for name in SETS] == [False, protect, protect]
    assert recording.one("Namespace").protect is protect


def test_data_is_protected_by_default(deployed: Recording) -> None:
    assert deployed.one("StatefulSet", "rocketmq-broker-a-set").protect
    assert deployed.one("Namespace").protect


@pytest.mark.parametrize("name", WORKLOADS)
def test_container_command_runs_the_jvm(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    launched = [role for role in ("proxy", "controller") if role in name]
    launcher = [part for role in launched for part in ("bash", f"/etc/rocketmq/{role}-start.sh")]
    assert main["command"][: len(launcher) + 1] == [*launcher, "java"]
    assert "args" not in main
    assert main["command"][-2] in {"-c", "-pc"}


def test_startup_probe_of_proxies_allows_for_the_start_of_a_broker(deployed: Recording) -> None:
    main = container(deployed, "rocketmq-proxy-deployment")
    environment = {variable["name"]: variable.get("value") for variable in main["env"]}
    assert environment["NAME_SERVERS"] == keys(deployed)["namesrvAddr"].replace(";", " ")
    assert environment["CLUSTER"] == keys(deployed)["brokerClusterName"]
    script = config(deployed, "rocketmq-proxy-config")["proxy-start.sh"]
    assert script.rstrip().endswith('\nexec "$@"'), "the JVM must receive the signals directly"
    assert startup_seconds(main) >= startup_seconds(container(deployed)) + 600


def test_shared_process_namespace_reaps_orphaned_processes_of_probes(deployed: Recording) -> None:
    for name in WORKLOADS:
        assert pod(deployed, name)["shareProcessNamespace"] is True, name
        assert "/proc/1/" not in json.dumps(config(deployed, name.rsplit("-", 1)[0] + "-config")), (
            "PID 1 is not the JVM"
        )


def test_jvm_flags_are_valid_on_jdk_8_and_17(deployed: Recording) -> None:
    main = container(deployed)
    assert not [
        flag for flag in main["command"] if flag.startswith(("--add", "-Xlog", "-Xloggc", "-XX:+AlwaysPreTouch"))
    ]
    environment = {variable["name"]: variable.get("value") for variable in main["env"]}
    assert "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED" in environment["JDK_JAVA_OPTIONS"]
    assert environment["ROCKETMQ_HOME"] == "/home/rocketmq/rocketmq-5.5.0"


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_meet_the_restricted_level_and_mount_no_token(deployed: Recording, name: str) -> None:
    spec = pod(deployed, name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 3000,
        "runAsGroup": 3000,
        "fsGroup": 3000,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for one in [*spec["containers"], *spec.get("initContainers", [])]:
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_mount_has_a_volume_and_every_container_has_probes(deployed: Recording, name: str) -> None:
    spec, main = pod(deployed, name), container(deployed, name)
    claims = [claim["metadata"]["name"] for claim in workload(deployed, name).get("volumeClaimTemplates", [])]
    volumes = {volume["name"] for volume in spec["volumes"]} | set(claims)
    assert {mount["name"] for mount in main["volumeMounts"]} == volumes
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(main)


def test_brokers_advertise_the_pod_ip_to_clients_and_slaves(deployed: Recording) -> None:
    broker = keys(deployed)
    assert (broker["brokerIP1"], broker["brokerIP2"]) == ("${POD_IP}", "${POD_IP}")
    (init,) = pod(deployed)["initContainers"]
    assert {variable["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"] for variable in init["env"]} == {
        "POD_IP": "status.podIP",
        "POD_NAME": "metadata.name",
    }
    assert init["command"][-1] == container(deployed)["command"][-1] == "/run/rocketmq/broker.conf"


def test_rendered_configuration_is_mounted_read_only(deployed: Recording) -> None:
    mounts = {mount["name"]: mount for mount in container(deployed)["volumeMounts"]}
    assert mounts["run"]["readOnly"] is True


@pytest.mark.parametrize(
    ("name", "file", "key"),
    [
        ("rocketmq-broker-a", "broker.conf", "storePathRootDir"),
        ("rocketmq-controller", "controller.conf", "controllerStorePath"),
    ],
)
def test_store_paths_are_on_the_data_volume(deployed: Recording, name: str, file: str, key: str) -> None:
    store = keys(deployed, f"{name}-config", file)[key]
    (mount,) = (m for m in container(deployed, f"{name}-set")["volumeMounts"] if m["name"] == "data")
    assert store.startswith(mount["mountPath"] + "/")


def test_claims_use_the_storage_class_and_are_retained(deployed: Recording) -> None:
    spec = workload(deployed, "rocketmq-broker-a-set")
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "gp2",
        "resources": {"requests": {"storage": "100Gi"}},
    }
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_storage_change_updates_only_the_stateful_set() -> None:
    before, after = deploy(), deploy(broker_groups=group(storage="90Gi"))
    changed = {urn for urn, old in before.resources.items() if after.resources[urn].inputs != old.inputs}
    assert {urn.rsplit("::", 1)[-1] for urn in changed} == {"rocketmq-broker-a-set"}


@pytest.mark.parametrize(
    ("name", "zones"), [("rocketmq-broker-a-set", 3), ("rocketmq-controller-set", 3), ("rocketmq-nameserver-set", None)]
)
def test_members_run_on_different_nodes_and_spread_over_zones(
    deployed: Recording, name: str, zones: int | None
) -> None:
    spec, match = pod(deployed, name), workload(deployed, name)["selector"]
    (spread,) = spec["topologySpreadConstraints"]
    assert spread == {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": match,
        **({} if zones is None else {"minDomains": zones}),
    }
    assert spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": match}
    ]


@pytest.mark.parametrize("name", WORKLOADS)
def test_disruption_budget_allows_one_unavailable_pod(deployed: Recording, name: str) -> None:
    budget = deployed.one("PodDisruptionBudget", f"{name.rsplit('-', 1)[0]}-disruption-budget").inputs["spec"]
    assert budget == {"maxUnavailable": 1, "selector": workload(deployed, name)["selector"]}


@pytest.mark.parametrize("name", WORKLOADS)
def test_selectors_match_the_pod_labels(deployed: Recording, name: str) -> None:
    spec = workload(deployed, name)
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["app"] == "rocketmq-" + container(deployed, name)["name"]


def test_grace_period_covers_every_step_of_the_drain(deployed: Recording) -> None:
    parts = plan_drain({"registerNameServerPeriod": 10000})
    environment = {variable["name"]: variable.get("value") for variable in container(deployed)["env"]}
    bounds = [int(environment[f"DRAIN_{step}_SECONDS"]) for step in ("REPLICATE", "ELECT", "REJOIN")]
    assert bounds == [parts.replicate, parts.elect, parts.rejoin]
    assert pod(deployed)["terminationGracePeriodSeconds"] >= sum(bounds) + parts.requests + parts.stop
    assert container(deployed)["lifecycle"]["preStop"]["exec"]["command"][-1] == "/etc/rocketmq/broker-drain.sh"


def test_longer_registration_period_extends_the_grace_period() -> None:
    slow = deploy(broker_groups=group(config={"registerNameServerPeriod": 30000}))
    assert pod(slow)["terminationGracePeriodSeconds"] == pod(deploy())["terminationGracePeriodSeconds"] + 20


@pytest.mark.parametrize(
    ("name", "script_command"),
    [
        ("rocketmq-nameserver-set", ["bash", "/etc/rocketmq/name-server-ready.sh", "127.0.0.1:9876"]),
        ("rocketmq-controller-set", ["bash", "/etc/rocketmq/controller-ready.sh", "127.0.0.1:9878"]),
        ("rocketmq-broker-a-set", ["bash", "/etc/rocketmq/broker-ready.sh"]),
    ],
)
def test_readiness_probe_without_agent_runs_the_script_of_the_role(
    without_agent: Recording, name: str, script_command: list[str]
) -> None:
    main = container(without_agent, name)
    assert main["readinessProbe"]["exec"]["command"] == script_command
    # A pod that waits for its peers must not be killed.
    assert "ready" not in str(main["livenessProbe"])


@pytest.mark.parametrize("name", SETS)
def test_agent_answers_the_probes_of_every_set(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    paths = {kind: main[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/started", "liveness": "/alive", "readiness": "/ready"}
    command = main["command"]
    port = main["readinessProbe"]["httpGet"]["port"]
    launcher = command.index("eks_rocketmq.Launcher")
    assert command[launcher + 1 : launcher + 4] == [main["name"], str(port), "/etc/rocketmq/watchdog.sh"]
    assert f'case "{main["name"]}":' in LAUNCHER.read_text()


def test_agent_replaces_the_scripts_of_the_probes(deployed: Recording, without_agent: Recording) -> None:
    assert set(files(without_agent)) - set(files(deployed)) == {"alive.sh", "broker-ready.sh"}
    assert set(files(deployed)) - set(files(without_agent)) == {"agent.jar", "watchdog.sh"}
    assert "agent.jar" not in str(without_agent.manifests())


def test_brokers_without_agent_wait_until_topics_and_offsets_are_copied(
    deployed: Recording, without_agent: Recording
) -> None:
    assert workload(without_agent, "rocketmq-broker-a-set")["minReadySeconds"] >= 13
    assert "minReadySeconds" not in workload(deployed, "rocketmq-broker-a-set")


def test_broker_environment_has_addresses_and_min_in_sync_replicas(deployed: Recording) -> None:
    variables = container(deployed)["env"]
    environment = {variable["name"]: variable.get("value") for variable in variables}
    assert {key: environment[key] for key in ("BROKER", "SELF", "CLUSTER", "GROUP", "MIN_IN_SYNC")} == {
        "BROKER": "127.0.0.1:10911",
        "SELF": "$(POD_IP):10911",
        "CLUSTER": keys(deployed)["brokerClusterName"],
        "GROUP": "broker-a",
        "MIN_IN_SYNC": keys(deployed)["minInSyncReplicas"],
    }
    assert environment["CONTROLLERS"].split(" ") == keys(deployed)["controllerAddr"].split(";")
    names = [variable["name"] for variable in variables]
    # Kubernetes expands $(POD_IP) only if the variable is defined earlier in the list.
    assert names.index("POD_IP") < names.index("SELF")
    assert {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}} in variables


def test_rolling_updates_wait_for_clients_and_the_controller_quorum(deployed: Recording) -> None:
    assert workload(deployed, "rocketmq-nameserver-set")["minReadySeconds"] >= 35
    assert workload(deployed, "rocketmq-controller-set")["minReadySeconds"] == 10
    # A name server without routes rejects client requests, so brokers have to register first.
    ready_after = container(deployed, "rocketmq-nameserver-set")["readinessProbe"]["initialDelaySeconds"]
    assert ready_after * 1000 > int(keys(deployed)["registerNameServerPeriod"])


@pytest.mark.parametrize("name", SETS)
def test_pods_of_a_stateful_set_start_in_parallel(deployed: Recording, name: str) -> None:
    assert workload(deployed, name)["podManagementPolicy"] == "Parallel"


def test_proxy_stops_after_its_replacement_is_ready_and_a_delay(deployed: Recording) -> None:
    spec = workload(deployed, "rocketmq-proxy-deployment")
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    main = container(deployed, "rocketmq-proxy-deployment")
    delay = main["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < delay < pod(deployed, "rocketmq-proxy-deployment")["terminationGracePeriodSeconds"]


def test_proxies_use_ready_name_servers_and_refresh_routes_every_second(deployed: Recording) -> None:
    settings = json.loads(config(deployed, "rocketmq-proxy-config")["rmq-proxy.json"])
    service = deployed.one("Service", "rocketmq-nameserver-service").inputs
    assert settings["namesrvAddr"] == f"{service['metadata']['name']}.rocketmq.svc:9876"
    assert "publishNotReadyAddresses" not in service["spec"]
    assert settings["topicRouteServiceCacheRefreshSeconds"] == 1
    assert settings["rocketMQClusterName"] == keys(deployed)["brokerClusterName"]
    assert (settings["proxyMode"], settings["grpcServerPort"], settings["remotingListenPort"]) == (
        "cluster",
        8081,
        8080,
    )


@pytest.mark.parametrize("name", WORKLOADS)
def test_jvm_has_its_class_path_and_options(deployed: Recording, without_agent: Recording, name: str) -> None:
    command = container(deployed, name)["command"]
    rocketmq = "$(ROCKETMQ_HOME)/conf:$(ROCKETMQ_HOME)/lib/*"
    assert command[command.index("-cp") + 1] == f"/etc/rocketmq/agent.jar:{rocketmq}"
    command_without_agent = container(without_agent, name)["command"]
    assert command_without_agent[command_without_agent.index("-cp") + 1] == rocketmq
    assert {"-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Dsun.net.inetaddr.ttl=5"} <= set(command)
    assert pod(deployed, name)["enableServiceLinks"] is False
    assert container(deployed, name)["resources"]["requests"]["cpu"]


def test_only_controllers_omit_the_optimizing_compiler(deployed: Recording) -> None:
    limited = [name for name in WORKLOADS if "-XX:TieredStopAtLevel=1" in container(deployed, name)["command"]]
    assert limited == ["rocketmq-controller-set"]


def test_java_options_of_the_user_follow_those_of_the_role() -> None:
    given = deploy(controllers={"pods": {"java_options": ["-XX:TieredStopAtLevel=4"]}})
    command = container(given, "rocketmq-controller-set")["command"]
    assert command.index("-XX:TieredStopAtLevel=1") < command.index("-XX:TieredStopAtLevel=4")


def startup_seconds(main: dict[str, Any]) -> int:
    """Return the seconds that the startup probe allows."""
    probe = main["startupProbe"]
    return probe["periodSeconds"] * probe["failureThreshold"]


def test_hung_broker_is_killed_within_15_seconds(deployed: Recording) -> None:
    probe = container(deployed)["livenessProbe"]
    assert probe["timeoutSeconds"] >= 60, "the kubelet cannot distinguish slow from hung processes"
    watchdog = LAUNCHER.with_name("Watchdog.java").read_text()
    (period,) = re.findall(r"PERIOD_MILLIS = (\d+);", watchdog)
    (failures,) = re.findall(r"FAILURES = (\d);", watchdog)
    # The role does not answer, but the JVM works: it halts itself.
    assert f"ANSWER_MILLIS = {ANSWER_SECONDS * 1000};" in LAUNCHER.with_name("RequestProbe.java").read_text()
    assert int(period) / 1000 * int(failures) + ANSWER_SECONDS * int(failures) <= 15
    # The JVM does not work: the script kills it.
    (silence,) = re.findall(r"SILENCE=\$\{SILENCE:-(\d+)\}", files(deployed)["watchdog.sh"])
    assert 2 * int(silence) + int(period) / 1000 <= 15


def test_hung_broker_without_agent_is_killed_within_15_seconds(without_agent: Recording) -> None:
    probe = container(without_agent)["livenessProbe"]
    assert probe["exec"]["command"] == ["bash", "/etc/rocketmq/alive.sh", "running", "127.0.0.1:10911", "907"]
    script = files(without_agent)["alive.sh"]
    assert f"\nWAIT=${{ANSWER_SECONDS:-{ANSWER_SECONDS}}} " in script
    start_seconds = 1  # for the kubelet and the container runtime to start the script
    answer_seconds = probe["failureThreshold"] * (ANSWER_SECONDS + start_seconds)
    assert probe["periodSeconds"] + answer_seconds + HUNG_GRACE_SECONDS <= 15
    assert probe["terminationGracePeriodSeconds"] == HUNG_GRACE_SECONDS


@pytest.mark.parametrize("name", WORKLOADS)
def test_probes_do_not_restart_pods_on_an_overloaded_node(
    deployed: Recording, without_agent: Recording, name: str
) -> None:
    for recording in (deployed, without_agent):
        main = container(recording, name)
        assert startup_seconds(main) >= 600
        probe = main["livenessProbe"]
        unanswered = probe["periodSeconds"] * probe["failureThreshold"]
        assert unanswered >= 300 if "httpGet" in probe else probe["failureThreshold"] >= 2
        assert main["livenessProbe"]["terminationGracePeriodSeconds"] == HUNG_GRACE_SECONDS, (
            "a hung process ignores SIGTERM"
        )
    script, mode, *request = main["livenessProbe"]["exec"]["command"][1:]
    assert (script, mode) == ("/etc/rocketmq/alive.sh", "running"), "the script distinguishes slow from hung processes"
    assert request == PROBE_REQUESTS[main["name"]]
    # The kubelet counts a probe that times out as failed, also when the process is only slow.
    assert main["livenessProbe"]["timeoutSeconds"] >= 60
    assert {"alive.sh", "ask.sh"} <= set(files(without_agent, name))


def test_startup_probe_allows_for_the_recovery_of_a_large_store(deployed: Recording) -> None:
    assert startup_seconds(container(deployed)) >= 20 * 60
    assert startup_seconds(container(deploy(broker_groups=group(storage="5Gi")))) < startup_seconds(container(deployed))


@pytest.mark.parametrize("name", WORKLOADS)
def test_heap_and_direct_memory_fit_into_the_container_limit(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    limit = int(main["resources"]["limits"]["memory"].removesuffix("Mi"))
    flags = {flag.split("=")[0]: flag for flag in main["command"] if flag.startswith("-X")}
    heap = next(int(flag[4:-1]) for flag in main["command"] if flag.startswith("-Xmx"))
    direct = int(flags["-XX:MaxDirectMemorySize"].split("=")[1][:-1])
    assert main["resources"]["requests"]["memory"] == f"{limit}Mi"
    assert heap + direct + 128 <= limit


@pytest.mark.parametrize(
    ("policy", "opened"),
    [
        ("rocketmq-nameserver", {9876: ["broker", "proxy"]}),
        ("rocketmq-controller", {9878: ["controller", "broker"], 5557: ["*"]}),
        (
            "rocketmq-broker-a",
            {10911: ["broker", "controller", "proxy"], 10909: ["broker"], 10912: ["broker"], 5557: ["*"]},
        ),
        ("rocketmq-proxy", {8081: None, 8080: None, 5557: ["*"]}),
    ],
)
def test_network_policies_open_only_the_ports_in_use(
    deployed: Recording, policy: str, opened: dict[int, list[str] | None]
) -> None:
    spec = deployed.one("NetworkPolicy", f"{policy}-network-policy").inputs["spec"]
    assert spec["policyTypes"] == ["Ingress"]

    def peer_role(peer: Any) -> str:
        every_pod = peer == {"namespaceSelector": {}}
        return "*" if every_pod else peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]

    seen = {
        rule["ports"][0]["port"]: [peer_role(peer) for peer in rule["from"]] if "from" in rule else None
        for rule in spec["ingress"]
    }
    assert seen == opened


@pytest.mark.parametrize("name", ["rocketmq-nameserver", "rocketmq-controller", "rocketmq-broker-a", "rocketmq-proxy"])
def test_config_map_is_immutable_and_mounted_by_its_full_name(deployed: Recording, name: str) -> None:
    config_map = deployed.one("ConfigMap", f"{name}-config")
    assert config_map.inputs["immutable"] is True
    suffix = "-set" if name != "rocketmq-proxy" else "-deployment"
    assert config_map.inputs["metadata"]["name"] in config_maps(pod(deployed, name + suffix))


@pytest.mark.parametrize("name", WORKLOADS)
def test_config_maps_contain_every_file_that_commands_reference(deployed: Recording, name: str) -> None:
    available = files(deployed, name)
    referenced = set(re.findall(r"/etc/rocketmq/([a-z][\w.-]+)", json.dumps(pod(deployed, name))))
    # Scripts call and source other scripts in their directory.
    for text in available.values():
        referenced |= set(re.findall(r"""(?:\$here|\$\(dirname [^)]+\))"?/([a-z][\w.-]+\.sh)""", text))
    if "CREDENTIALS" not in json.dumps(pod(deployed, name)):
        referenced.discard("sign.sh")  # only scripts that sign requests source it
    assert referenced >= {"logback.xml"}
    assert referenced - set(available) == set()


def test_broker_groups_share_one_config_map_and_have_one_each() -> None:
    two = deploy(broker_groups=[*ARGS["broker_groups"], *group(name="broker-b")])
    first, second = (config_maps(pod(two, f"rocketmq-broker-{letter}-set")) for letter in "ab")
    assert (first[1], len(first)) == (second[1], 2)
    assert set(config(two)) == set(config(two, "rocketmq-broker-b-config")) == {"broker.conf"}
    assert "broker-drain.sh" in config(two, "rocketmq-broker-shared-config")


def test_config_change_replaces_the_config_map_and_rolls_only_that_group() -> None:
    before, after = deploy(), deploy(broker_groups=group(config={"fileReservedTime": 48}))
    changed = {
        urn.rsplit("::", 1)[-1] for urn, old in before.resources.items() if after.resources[urn].inputs != old.inputs
    }
    assert changed == {"rocketmq-broker-a-config", "rocketmq-broker-a-set"}
    assert config(before) != config(after)
    assert pod(before)["volumes"][0] != pod(after)["volumes"][0]


def test_services_are_not_awaited_and_headless_services_publish_unready_pods(deployed: Recording) -> None:
    for service in deployed.by_type("Service"):
        assert service.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
        headless = service.name.endswith("-peers")
        assert (service.inputs["spec"].get("clusterIP") == "None") is headless
        assert service.inputs["spec"].get("publishNotReadyAddresses", False) is headless


def test_workloads_have_explicit_timeouts(deployed: Recording) -> None:
    for resource in [*deployed.by_type("StatefulSet"), deployed.one("Deployment")]:
        assert {"create", "update", "delete"} <= set(resource.timeouts)
