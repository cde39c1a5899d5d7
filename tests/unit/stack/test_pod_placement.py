"""Placement of pods on the node groups of a new cluster."""

from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.eks.nodes.node_plan import AMI_TYPES
from eks_rocketmq.stack import settings
from eks_rocketmq.stack.stack_paths import STACK_FILE
from tests.unit.harness import run, stack_config
from tests.unit.harness.rejections import list_rejections
from tests.unit.stack_case import parse_stack

ARM64 = {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
DEDICATED = [{"key": "dedicated", "effect": "NoSchedule"}]
TOLERATED = [{"key": "dedicated"}]
SELECT_TEAM = {"pods": {"nodeSelector": {"team": "mq"}}}
EXISTS = [{"key": "dedicated", "operator": "Exists"}]


def group(**changed: Any) -> dict[str, Any]:
    return {"instanceTypes": ["m7i.large"], "desiredSize": 1, "maxSize": 2, **changed}


def groups(*args: dict[str, Any]) -> dict[str, Any]:
    return {"nodeGroups": {"general": None, **{f"group-{i}": one for i, one in enumerate(args)}}}


def required(key: str, operator: str, *values: str) -> dict[str, Any]:
    one = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"nodeAffinity": {"required": [one]}}


def pods(given_: dict[str, Any]) -> dict[str, Any]:
    return {"rocketmq": {"pods": given_}}


def brokers(*args: dict[str, Any]) -> dict[str, Any]:
    return {"rocketmq": {"brokerGroups": [{"name": f"broker-{'ab'[i]}", **one} for i, one in enumerate(args)]}}


def coredns(**configuration: Any) -> dict[str, Any]:
    return {"addons": {"addons": [{"name": "coredns", "configuration": configuration}]}}


def driver(**configuration: Any) -> dict[str, Any]:
    return {"ebsCsi": {"configuration": configuration}}


NOT_TOLERATED = "do not tolerate the taint 'dedicated:NoSchedule', and each node that they select has such a taint"
TOO_FEW = "run each on a node of its own, and there are nodes for {} of {} replicas"
MQ_NODES = groups(group(taints=DEDICATED, labels={"role": "mq"}), group())
MQ_BROKERS = brokers({"pods": {"tolerations": TOLERATED, "nodeSelector": {"role": "mq"}}, "memory": "2Gi"})
OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
ZONES = [f"ap-southeast-1{letter}" for letter in "abc"]
REJECTED: list[tuple[dict[str, Any], str]] = [
    # Labels that EKS, the cloud provider and the driver set.
    (
        pods({"nodeSelector": {"eks.amazonaws.com/nodegroup": "general"}}),
        "the name servers select nodes by eks.amazonaws.com/nodegroup=general, and no node has that",
    ),
    (
        pods({"nodeSelector": {"eks.amazonaws.com/nodegroup": "nodes-brokers-1-2026"}}),
        "the name servers select nodes by eks.amazonaws.com/nodegroup=nodes-brokers-1-2026, and no node has that",
    ),
    (
        pods(required("eks.amazonaws.com/nodegroup", "DoesNotExist")),
        "the name servers select nodes by eks.amazonaws.com/nodegroup DoesNotExist, and no node has that",
    ),
    (
        {"network": {"zones": ZONES, "zoneCount": None}, **pods({"nodeSelector": {OLD_ZONE: "ap-southeast-1z"}})},
        f"the name servers select nodes by {OLD_ZONE}=ap-southeast-1z, and no node has that",
    ),
    (
        {
            "network": {"zones": ZONES, "zoneCount": None},
            **pods({"nodeSelector": {"topology.ebs.csi.aws.com/zone": "eu-west-1a"}}),
        },
        "the name servers select nodes by topology.ebs.csi.aws.com/zone=eu-west-1a, and no node has that",
    ),
    (
        pods({"nodeSelector": {"failure-domain.beta.kubernetes.io/region": "eu-west-1"}}),
        "the name servers select nodes by failure-domain.beta.kubernetes.io/region=eu-west-1, and no node has that",
    ),
    # Labels, architecture, capacity type.
    (pods(ARM64), "the name servers select nodes by kubernetes.io/arch=arm64, and no node has that"),
    (
        {**groups(group(instanceTypes=["m7g.large"])), **pods(required("kubernetes.io/arch", "In", "amd64"))},
        "the name servers select nodes by kubernetes.io/arch In (amd64), and no node has that",
    ),
    (
        {"rocketmq": {"proxies": {"pods": required("eks.amazonaws.com/capacityType", "In", "SPOT")}}},
        "the proxies select nodes by eks.amazonaws.com/capacityType In (SPOT), and no node has that",
    ),
    (
        {**groups(group(capacityType="SPOT")), **pods(required("eks.amazonaws.com/capacityType", "NotIn", "SPOT"))},
        "the name servers select nodes by eks.amazonaws.com/capacityType NotIn (SPOT), and no node has that",
    ),
    (
        brokers({"pods": {"nodeSelector": {"node.kubernetes.io/instance-type": "r7i.large"}}}),
        "broker group 'broker-a' select nodes by node.kubernetes.io/instance-type=r7i.large, and no node has that",
    ),
    (
        {"rocketmq": {"controllers": {"pods": {"nodeSelector": {"team": "mq"}}}}},
        "the controllers select nodes by team=mq, and no node has that",
    ),
    (
        {"rocketmq": {"topics": [{"name": "orders"}], "dashboard": {"loginSecret": "login"}, **SELECT_TEAM}},
        "the name servers select nodes by team=mq, and no node has that",
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
        "the EBS CSI driver's controller select nodes by team=mq, and no node has that",
    ),
    (
        coredns(resources={"requests": {"cpu": "64"}}),
        "coredns request 64 CPUs each, and the largest node for them has 1.93 CPUs at most",
    ),
    (
        driver(controllerResources={"requests": {"memory": "64Gi"}}),
        "the EBS CSI driver's controller request 64 GiB of memory each, and the largest node for them has 7.342 GiB of "
        "memory at most",
    ),
    (
        {**groups(group(instanceTypes=["t3.small"])), **brokers({"memory": "4Gi"})},
        "broker group 'broker-a' request 4 GiB of memory each, and the largest node for them has 1.535 GiB of memory "
        "at most",
    ),
    # Taints.
    ({**groups(group(taints=DEDICATED)), **pods({"tolerations": TOLERATED})}, f"coredns {NOT_TOLERATED}"),
    (
        {**groups(group(taints=DEDICATED)), **pods({"tolerations": TOLERATED}), **coredns(tolerations=EXISTS)},
        f"the EBS CSI driver's controller {NOT_TOLERATED}",
    ),
    (
        {**groups(group(taints=DEDICATED), group()), **brokers({"pods": {"tolerations": TOLERATED, **ARM64}})},
        "broker group 'broker-a' select nodes by kubernetes.io/arch=arm64, and no node has that",
    ),
    # Sizes.
    (
        brokers({"memory": "64Gi"}),
        "broker group 'broker-a' request 64 GiB of memory each, and the largest node for them has 7.342 GiB of memory "
        "at most",
    ),
    (
        {"rocketmq": {"proxies": {"cpu": "2"}}},
        "the proxies request 2 CPUs each, and the largest node for them has 1.93 CPUs at most",
    ),
    # The desired number of nodes counts, not the maximum.
    (brokers({"replicas": 5, "memory": "2Gi"}), f"broker group 'broker-a' {TOO_FEW.format(3, 5)}"),
    (groups(group(perZone=False, desiredSize=2, maxSize=9)), f"the controllers {TOO_FEW.format(2, 3)}"),
    # Three members need three zones. The selected node group has nodes in two zones.
    (
        {
            **groups(group(), group(perZone=False, desiredSize=2, labels={"role": "mq"})),
            **brokers({"replicas": 3, "memory": "2Gi", "pods": {"nodeSelector": {"role": "mq"}}}),
        },
        f"broker group 'broker-a' {TOO_FEW.format(2, 3)}",
    ),
]
WITHOUT_DRIVER: list[tuple[dict[str, Any], str, str]] = [
    # The driver's node pods do not run on the tainted nodes of the brokers.
    (
        {**MQ_NODES, **MQ_BROKERS, **driver(tolerateAllTaints=False)},
        "broker group 'broker-a'",
        "on the nodes with pods of the driver they select nodes by role=mq, and no node has that",
    ),
    (groups(group(instanceTypes=["a1.xlarge"])), "the controllers", "no node can run the pods of the driver"),
]
ACCEPTED: list[dict[str, Any]] = [
    {},
    # EKS appends a suffix to the names of node groups.
    pods(required("eks.amazonaws.com/nodegroup", "In", *(f"nodes-general-{i}-2026" for i in (1, 2, 3)))),
    pods(required("eks.amazonaws.com/nodegroup", "NotIn", "nodes-general-1-2026")),
    pods(required("eks.amazonaws.com/nodegroup", "Exists")),
    {"network": {"zones": ZONES, "zoneCount": None}, **pods(required(OLD_ZONE, "In", *ZONES))},
    pods(required(OLD_ZONE, "In", *ZONES)),
    pods(required("topology.ebs.csi.aws.com/zone", "In", *ZONES)),
    pods({"nodeSelector": {"failure-domain.beta.kubernetes.io/region": "ap-southeast-1"}}),
    {**groups(group(instanceTypes=["m7g.large"])), **pods(ARM64)},
    {**groups(group(capacityType="SPOT")), **pods(required("eks.amazonaws.com/capacityType", "In", "SPOT"))},
    {**groups(group(labels={"team": "mq"})), **pods({"nodeSelector": {"team": "mq"}})},
    pods(required("topology.k8s.aws/zone-id", "Exists")),
    pods({"nodeSelector": {"topology.kubernetes.io/region": "ap-southeast-1"}}),
    # EC2 balances the nodes of one group over its zones.
    groups(group(perZone=False, desiredSize=3, maxSize=3)),
    # An autoscaler can add nodes up to the maximum.
    {**groups(group(autoscaled=True)), **brokers({"replicas": 5, "memory": "2Gi"})},
    # By default, the driver's node pods run on all tainted nodes.
    {**MQ_NODES, **MQ_BROKERS},
    {**MQ_NODES, **MQ_BROKERS, **driver(tolerateAllTaints=False, nodeTolerations=EXISTS)},
    # The controller of the driver tolerates NoExecute for five minutes, so a node accepts its pods.
    {
        **groups(group(taints=[{"key": "dedicated", "effect": "NoExecute"}])),
        **pods({"tolerations": TOLERATED}),
        **coredns(tolerations=EXISTS),
    },
    # The size of an instance type of another family is unknown.
    {**groups(group(instanceTypes=["x2idn.16xlarge"])), **brokers({"memory": "512Gi"})},
    # EKS rejects what the schema of an addon does not allow.
    coredns(affinity={"nodeAffinity": 1}),
    driver(values={"node": {"affinity": {"nodeAffinity": {"x": 1}}}}),
]


def reject_staging(overrides: dict[str, Any]) -> ArgumentError:
    """Return the only error of the stack file."""
    with pytest.raises(ArgumentError) as error:
        parse_stack("staging", overrides)
    return error.value


@pytest.mark.parametrize(("overrides", "problem"), REJECTED)
def test_pods_without_suitable_nodes_are_rejected(overrides: dict[str, Any], problem: str) -> None:
    error = reject_staging(overrides)
    assert list_rejections(error) == [("node_groups", "pods-without-nodes")]
    assert error.message.render_problem(STACK_FILE) == f"the pods of {problem}"


@pytest.mark.parametrize(("overrides", "workload", "obstacle"), WITHOUT_DRIVER)
def test_pods_with_volumes_on_nodes_without_the_driver_are_rejected(
    overrides: dict[str, Any], workload: str, obstacle: str
) -> None:
    error = reject_staging(overrides)
    assert list_rejections(error) == [("ebs_csi.configuration", "volumes-without-driver")]
    assert error.message.render_problem(STACK_FILE) == f"the pods of {workload} claim volumes, and {obstacle}"


def test_requests_above_the_capacity_of_all_nodes_are_rejected() -> None:
    error = reject_staging(brokers({"memory": "6Gi"}, {"memory": "2Gi"}))
    assert list_rejections(error) == [("node_groups", "nodes-too-small")]
    assert error.message.render_problem(STACK_FILE) == (
        "the pods of the name servers, the controllers, broker group 'broker-a', broker group 'broker-b', the proxies "
        "request 29.25 GiB of memory together, and the nodes for them have 22.03 GiB of memory at most"
    )


@pytest.mark.parametrize("overrides", ACCEPTED)
def test_pods_with_suitable_nodes_are_accepted(overrides: dict[str, Any]) -> None:
    parse_stack("staging", overrides)


def test_the_error_spells_arguments_as_in_the_stack_file() -> None:
    with pytest.raises(pulumi.RunError) as error:
        run(settings.load, config=stack_config("staging", pods(ARM64)), stack="staging")
    assert str(error.value) == (
        "Pulumi.staging.yaml: nodeGroups: the pods of the name servers select nodes by kubernetes.io/arch=arm64, and "
        "no node has that. Accepted: node groups whose nodes can run all pods. Change labels, taints, instanceTypes, "
        "desiredSize of a group, or rocketmq.pods, rocketmq.nameServers.pods, rocketmq.nameServers.cpu, "
        "rocketmq.nameServers.memory, rocketmq.nameServers.replicas."
    )


@given(
    st.sampled_from([("m7i.2xlarge", "amd64"), ("m7g.2xlarge", "arm64"), ("t3.2xlarge", "amd64")]),
    st.sampled_from(["ON_DEMAND", "SPOT"]),
    st.dictionaries(st.sampled_from(["team", "example.com/role"]), st.sampled_from(["mq", "web"]), max_size=2),
    st.booleans(),
    st.integers(1, 3),
)
def test_pods_that_select_the_labels_of_a_group_are_accepted(
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
    selection = {"pods": {"nodeSelector": known, "tolerations": TOLERATED}}
    parse_stack("staging", {**groups(own, group()), "rocketmq": {**selection, **brokers({"replicas": 3})["rocketmq"]}})


def test_each_architecture_of_an_image_has_a_kubernetes_label() -> None:
    assert set(AMI_TYPES.values()) == {"x86_64", "arm64"}
