"""All pods of a new cluster against its node groups."""

import json
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.eks.nodes.node_plan import AMI_TYPES
from eks_rocketmq.stack import settings
from tests.unit.harness import run, stack_config
from tests.unit.stack.test_settings_fuzzed import STAGING, parsed

ARM64 = {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
DEDICATED = [{"key": "dedicated", "effect": "NoSchedule"}]
TOLERATED = [{"key": "dedicated"}]
EXISTS = [{"key": "dedicated", "operator": "Exists"}]


def group(**changed: Any) -> dict[str, Any]:
    return {"instanceTypes": ["m7i.large"], "desiredSize": 1, "maxSize": 2, **changed}


def groups(*given_: dict[str, Any]) -> dict[str, Any]:
    return {"nodeGroups": {f"group-{i}": one for i, one in enumerate(given_)}}


def required(key: str, operator: str, *values: str) -> dict[str, Any]:
    one = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"nodeAffinity": {"required": [one]}}


def coredns(**configuration: Any) -> dict[str, Any]:
    return {"clusterAddons": {"addons": [{"name": "coredns", "configuration": configuration}]}}


def driver(**configuration: Any) -> dict[str, Any]:
    return {"ebsCsi": {"configuration": configuration}}


def loaded(overrides: dict[str, Any]) -> None:
    run(settings.load, config=stack_config("staging", overrides), stack="staging")


NOT_TOLERATED = "do not tolerate the taint 'dedicated:NoSchedule', and each node that they select has such a taint"
BROKER = {"name": "broker-a"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    # Labels, architecture, capacity type.
    ({"pods": ARM64}, "nameServers select nodes by kubernetes.io/arch=arm64, and no node has that"),
    (
        {**groups(group(instanceTypes=["m7g.large"])), "pods": required("kubernetes.io/arch", "In", "amd64")},
        "nameServers select nodes by kubernetes.io/arch In (amd64), and no node has that",
    ),
    (
        {"proxies": {"pods": required("eks.amazonaws.com/capacityType", "In", "SPOT")}},
        "proxies select nodes by eks.amazonaws.com/capacityType In (SPOT), and no node has that",
    ),
    (
        {**groups(group(capacityType="SPOT")), "pods": required("eks.amazonaws.com/capacityType", "NotIn", "SPOT")},
        "nameServers select nodes by eks.amazonaws.com/capacityType NotIn (SPOT), and no node has that",
    ),
    (
        {"brokerGroups": [{**BROKER, "pods": {"nodeSelector": {"node.kubernetes.io/instance-type": "r7i.large"}}}]},
        "brokerGroups['broker-a'] select nodes by node.kubernetes.io/instance-type=r7i.large, and no node has that",
    ),
    (
        {"controllers": {"pods": {"nodeSelector": {"team": "mq"}}}},
        "controllers select nodes by team=mq, and no node has that",
    ),
    (
        {"topics": [{"name": "orders"}], "dashboard": {"loginSecret": "login"}, "pods": {"nodeSelector": {"a": "b"}}},
        "nameServers select nodes by a=b",
    ),
    (coredns(nodeSelector={"team": "mq"}), "coredns select nodes by team=mq, and no node has that"),
    (
        coredns(
            affinity={
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "team", "operator": "In", "values": ["mq"]}]}
                        ]
                    }
                }
            }
        ),
        "coredns select nodes by team In (mq), and no node has that",
    ),
    (
        driver(controllerNodeSelector={"team": "mq"}),
        "the EBS CSI driver's controller select nodes by team=mq, and no node has that",
    ),
    (
        driver(values={"controller": {"nodeSelector": {"team": "mq"}}}),
        "the EBS CSI driver's controller select nodes by team=mq",
    ),
    # Taints.
    (
        {**groups(group(taints=DEDICATED)), "pods": {"tolerations": TOLERATED}},
        f"coredns {NOT_TOLERATED}",
    ),
    (
        {**groups(group(taints=DEDICATED)), "pods": {"tolerations": TOLERATED}, **coredns(tolerations=EXISTS)},
        f"the EBS CSI driver's controller {NOT_TOLERATED}",
    ),
    (
        {
            **groups(group(taints=DEDICATED), group()),
            "brokerGroups": [{**BROKER, "pods": {"tolerations": TOLERATED, **ARM64}}],
        },
        "brokerGroups['broker-a'] select nodes by kubernetes.io/arch=arm64",
    ),
    # Brokers for tainted nodes of their own, where the driver's node pods do not run.
    (
        {
            **groups(group(taints=DEDICATED, labels={"role": "mq"}), group()),
            "brokerGroups": [
                {**BROKER, "pods": {"tolerations": TOLERATED, "nodeSelector": {"role": "mq"}}, "memory": "2Gi"}
            ],
            **driver(tolerateAllTaints=False),
        },
        "ebsCsi.configuration: the pods of brokerGroups['broker-a'] claim volumes and select nodes by role=mq, and no",
    ),
    (
        groups(group(instanceTypes=["a1.xlarge"])),
        "ebsCsi.configuration: the pods of controllers claim volumes and select nodes",
    ),
    # Sizes.
    (
        {"brokerGroups": [{**BROKER, "memory": "64Gi"}]},
        "brokerGroups['broker-a'] request 64 GiB of memory each, and the largest node for them has 7.342 GiB of memory",
    ),
    (
        {"proxies": {"cpu": "2"}},
        "proxies request 2 CPUs each, and the largest node for them has 1.93 CPUs at most",
    ),
    (
        {"brokerGroups": [{**BROKER, "memory": "6Gi"}, {"name": "broker-b", "memory": "2Gi"}]},
        "nameServers, controllers, brokerGroups['broker-a'], brokerGroups['broker-b'], proxies request 29.25 GiB of ",
    ),
    # Nodes that there are, and not those that there could be.
    (
        {"brokerGroups": [{**BROKER, "replicas": 5, "memory": "2Gi"}]},
        "brokerGroups['broker-a'] run each on a node of its own, and there are nodes for 3 of 5 replicas",
    ),
    (
        groups(group(perZone=False, desiredSize=2, maxSize=9)),
        "controllers run each on a node of its own, and there are nodes for 2 of 3 replicas",
    ),
    # Zones: three members over three, and nodes of the only group that takes them in two.
    (
        {
            **groups(group(), group(perZone=False, desiredSize=2, labels={"role": "mq"})),
            "brokerGroups": [{**BROKER, "replicas": 3, "memory": "2Gi", "pods": {"nodeSelector": {"role": "mq"}}}],
        },
        "brokerGroups['broker-a'] run each on a node of its own, and there are nodes for 2 of 3 replicas",
    ),
]
TAKEN: list[dict[str, Any]] = [
    {},
    {**groups(group(instanceTypes=["m7g.large"])), "pods": ARM64},
    {**groups(group(capacityType="SPOT")), "pods": required("eks.amazonaws.com/capacityType", "In", "SPOT")},
    {**groups(group(labels={"team": "mq"})), "pods": {"nodeSelector": {"team": "mq"}}},
    {"pods": required("topology.k8s.aws/zone-id", "Exists")},
    {"pods": {"nodeSelector": {"topology.kubernetes.io/region": "ap-southeast-1"}}},
    # The nodes of one group that spans the zones are balanced over them.
    groups(group(perZone=False, desiredSize=3, maxSize=3)),
    # An autoscaler may add nodes up to the most.
    {**groups(group(autoscaled=True)), "brokerGroups": [{**BROKER, "replicas": 5, "memory": "2Gi"}]},
    # Tainted nodes for brokers alone, on which the driver's node pods run by themselves.
    {
        **groups(group(taints=DEDICATED, labels={"role": "mq"}), group()),
        "brokerGroups": [{**BROKER, "pods": {"tolerations": TOLERATED, "nodeSelector": {"role": "mq"}}}],
    },
    {
        **groups(group(taints=DEDICATED, labels={"role": "mq"}), group()),
        "brokerGroups": [{**BROKER, "pods": {"tolerations": TOLERATED, "nodeSelector": {"role": "mq"}}}],
        **driver(tolerateAllTaints=False, nodeTolerations=EXISTS),
    },
    # Evicted after five minutes from a node that gets the taint later; a new pod is taken.
    {
        **groups(group(taints=[{"key": "dedicated", "effect": "NoExecute"}])),
        "pods": {"tolerations": TOLERATED},
        **coredns(tolerations=EXISTS),
    },
    # Nothing is known of the size of a type of another family.
    {**groups(group(instanceTypes=["x2idn.16xlarge"])), "brokerGroups": [{**BROKER, "memory": "512Gi"}]},
    # What the schema of an addon would refuse is left to EKS.
    coredns(nodeSelector=["x"], tolerations=[{"operator": "Exists"}, 1], affinity={"nodeAffinity": 1}),
    driver(values={"node": {"affinity": {"nodeAffinity": {"x": 1}}}}),
]


@pytest.mark.parametrize(("overrides", "told"), REFUSED)
def test_pods_that_no_node_takes_are_refused(overrides: dict[str, Any], told: str) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        loaded(overrides)
    assert told in str(refusal.value)
    assert str(refusal.value).startswith(
        ("Pulumi.staging.yaml: nodeGroups: the pods of ", "Pulumi.staging.yaml: ebsCsi")
    )


@pytest.mark.parametrize("overrides", TAKEN)
def test_pods_that_find_nodes_are_taken(overrides: dict[str, Any]) -> None:
    loaded(overrides)


def test_the_error_says_what_is_accepted_and_what_to_change() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        loaded({"pods": ARM64})
    assert str(refusal.value) == (
        "Pulumi.staging.yaml: nodeGroups: the pods of nameServers select nodes by kubernetes.io/arch=arm64, and no "
        "node has that. Accepted are node groups whose nodes take them all. Change nodeGroups (labels, taints, "
        "instanceTypes, desiredSize), or what pods, or the role's own pods, say (nodeSelector, nodeAffinity, "
        "tolerations), its cpu, memory or replicas"
    )


@given(
    st.sampled_from([("m7i.2xlarge", "amd64"), ("m7g.2xlarge", "arm64"), ("t3.2xlarge", "amd64")]),
    st.sampled_from(["ON_DEMAND", "SPOT"]),
    st.dictionaries(st.sampled_from(["team", "example.com/role"]), st.sampled_from(["mq", "web"]), max_size=2),
    st.booleans(),
    st.integers(1, 3),
)
def test_pods_that_ask_for_what_a_group_has_are_never_refused(
    machine: tuple[str, str], capacity: str, labels: dict[str, str], tainted: bool, desired: int
) -> None:
    instance_type, architecture = machine
    own = group(
        instanceTypes=[instance_type],
        capacityType=capacity,
        labels=labels,
        taints=DEDICATED if tainted else [],
        desiredSize=desired,
        maxSize=desired,
    )
    known = {
        **labels,
        "kubernetes.io/arch": architecture,
        "eks.amazonaws.com/capacityType": capacity,
        "node.kubernetes.io/instance-type": instance_type,
    }
    overrides = {
        **groups(own, group()),
        "pods": {"nodeSelector": known, "tolerations": TOLERATED},
        "brokerGroups": [{**BROKER, "replicas": 3}],
    }
    told = parsed({**STAGING, **{key: json.dumps(value) for key, value in overrides.items()}})
    assert not isinstance(told, str), told


def test_each_image_has_an_architecture_that_kubernetes_names() -> None:
    assert set(AMI_TYPES.values()) == {"x86_64", "arm64"}
