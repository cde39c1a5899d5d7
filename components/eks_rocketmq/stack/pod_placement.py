"""Check whether all pods of a new cluster can run on its node groups. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any, NamedTuple

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.kubernetes_names import ZONE
from eks_rocketmq.args.validation import parse_bytes, parse_cpu
from eks_rocketmq.eks.addons.addon_plan import COREDNS, AddonPlan
from eks_rocketmq.eks.nodes.instance_sizes import estimate_allocatable
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import AMI_TYPES, ARM, EFFECTS, NodePlan
from eks_rocketmq.rocketmq.config.memory import MIB
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.plan import RocketMqPlan
from eks_rocketmq.rocketmq.pods.placement import (
    Labels,
    Nodes,
    Pods,
    Prefix,
    can_run,
    find_obstacle,
    find_shortage,
)
from eks_rocketmq.rocketmq.roles.role_plans import RolePlan
from eks_rocketmq.stack.stack_paths import ADDONS, EBS_CSI, NODE_GROUPS, ROCKETMQ

_EFFECTS = {of_eks: effect for effect, of_eks in EFFECTS.items()}
_CRITICAL = {"key": "CriticalAddonsOnly", "operator": "Exists"}
_COREDNS: Mapping[str, Any] = {
    "replicaCount": 2,
    "tolerations": [_CRITICAL, {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
}
"""Default configuration of the EKS addon."""
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.yaml
_CONTROLLER: Mapping[str, Any] = {
    "replicaCount": 2,
    "tolerations": [_CRITICAL, {"effect": "NoExecute", "operator": "Exists"}],
}
_NODE_TOLERATIONS = [{"operator": "Exists", "effect": "NoExecute"}]
_NODE_NOT_ON = [f"a1.{size}" for size in ("medium", "large", "xlarge", "2xlarge", "4xlarge")]
_QUANTITIES = {"cpu": re.compile(r"\d+m|\d+(\.\d+)?"), "memory": re.compile(r"[1-9]\d*[KMGT]i")}
"""Usual forms of requests. Others are not counted."""


@dataclass(frozen=True)
class Group:
    """A node group with its arguments."""

    name: str
    """Name of the component, which is the prefix of the groups' names in EKS."""
    args: NodeGroupArgs
    plan: NodePlan
    autoscaler: bool = True
    """Whether the cluster has an autoscaler that scales the group, if the group is autoscaled."""

    @property
    def size(self) -> int:
        """Number of nodes in each zone or in all zones: the desired number, or the maximum with an autoscaler."""
        autoscaled = self.autoscaler and self.args.get("autoscaled", False)
        return self.plan.max_size if autoscaled else self.plan.desired_size

    def list_nodes(self, zones: Sequence[str | None], region: str | None) -> Iterator[Nodes]:
        """Yield the nodes of each zone. `zones` are names, or None for each zone if only their number is known."""
        own = range(len(zones))
        counts = dict.fromkeys(own, self.size)
        if self.plan.groups == 1 and len(zones) > 1:
            # EC2 keeps one group over several zones balanced.
            filled = list(islice(cycle(own), self.size))
            counts = {place: filled.count(place) for place in own}
        sizes = [estimate_allocatable(type_) for type_ in self.args["instance_types"]]
        known = [one for one in sizes if one is not None]
        for place, count in counts.items():
            yield Nodes(
                count=count,
                zone=zones[place] or f"zone {place + 1}",
                labels=self._build_labels(place, zones[place], region),
                taints=[{**taint, "effect": _EFFECTS[taint["effect"]]} for taint in self.plan.taints],
                cpu=max(one.cpu for one in known) if len(known) == len(sizes) else None,
                memory=max(one.memory for one in known) if len(known) == len(sizes) else None,
            )

    def _build_labels(self, place: int, zone: str | None, region: str | None) -> Labels:
        types = frozenset(self.args["instance_types"])
        architecture = frozenset({"arm64" if AMI_TYPES[self.plan.ami_type] == ARM else "amd64"})
        # Until Kubernetes removes them, the cloud provider also sets the deprecated labels of zone and region.
        cloud = {
            **dict.fromkeys((ZONE, "failure-domain.beta.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone"), zone),
            **dict.fromkeys(("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"), region),
        }
        return {
            **{key: frozenset({value}) for key, value in self.args.get("labels", {}).items()},
            **{key: None if value is None else frozenset({value}) for key, value in cloud.items()},
            **{f"{domain}/arch": architecture for domain in ("kubernetes.io", "beta.kubernetes.io")},
            **{f"{domain}/os": frozenset({"linux"}) for domain in ("kubernetes.io", "beta.kubernetes.io")},
            **{f"{domain}/instance-type": types for domain in ("node.kubernetes.io", "beta.kubernetes.io")},
            # EKS appends a suffix to the name when it creates the group.
            "eks.amazonaws.com/nodegroup": Prefix(f"{self.name}-{place + 1 if self.plan.groups > 1 else 1}-"),
            "eks.amazonaws.com/capacityType": frozenset({self.args.get("capacity_type", "ON_DEMAND")}),
        }


class PlacedPods(NamedTuple):
    """Pods of the new cluster."""

    pods: Pods
    settings: list[ArgumentPath]
    """Arguments that decide where the pods run."""
    claims: bool = False
    """Whether the pods claim volumes."""


def check_placement(
    nodes: Sequence[Nodes], rocketmq: RocketMqPlan, addons: Iterable[AddonPlan], driver: str | None
) -> None:
    """Reject pods that would stay Pending on the nodes of a new cluster.

    `driver` is the configuration of the EBS CSI addon as JSON. Raise ValueError for the first obstacle, with what to
    change.
    """
    configured = _parse_configuration(driver)
    plugin = _plan_node_plugin(configured.get("node"))
    with_driver = [each for each in nodes if can_run(plugin, each)]
    workloads = [*_list_rocketmq(rocketmq), *_list_addons(addons, configured.get("controller"))]
    for workload in workloads:
        _check_workload(workload, nodes, with_driver)
    if shortage := find_shortage([workload.pods for workload in workloads], nodes):
        raise ArgumentError(
            NODE_GROUPS,
            "nodes-too-small",
            "the pods of {shortage}",
            accepted="node groups with enough CPU and memory for all pods",
            remedy="Raise {size}, take larger {types}, or lower {requests} of RocketMQ",
            shortage=shortage,
            size=Names(("desired_size",)),
            types=Names(("instance_types",)),
            requests=Names(("cpu", "memory", "replicas")),
        )


def _check_workload(workload: PlacedPods, nodes: Sequence[Nodes], with_driver: Sequence[Nodes]) -> None:
    if workload.pods.replicas < 1:
        raise ArgumentError(
            workload.settings[0],
            "addon-without-pods",
            "{workload} has {given} replicas, and RocketMQ needs it",
            accepted="a {field} of 1 or more",
            workload=workload.pods.name,
            given=workload.pods.replicas,
            field=Names(("replicaCount",)),
        )
    if obstacle := find_obstacle(workload.pods, nodes):
        raise ArgumentError(
            NODE_GROUPS,
            "pods-without-nodes",
            "the pods of {workload} {obstacle}",
            accepted="node groups whose nodes can run all pods",
            remedy="Change {fields} of a group, or {settings}",
            workload=workload.pods.name,
            obstacle=obstacle,
            fields=Names(("labels", "taints", "instance_types", "desired_size")),
            settings=workload.settings,
        )
    if workload.claims and (obstacle := _find_driver_obstacle(workload.pods, with_driver)):
        configuration = EBS_CSI / "configuration"
        raise ArgumentError(
            configuration,
            "volumes-without-driver",
            "the pods of {workload} claim volumes, and {obstacle}",
            accepted="a driver that runs on all nodes of these pods",
            remedy="Leave {everywhere} at true, or tolerate the taints in {tolerations}",
            workload=workload.pods.name,
            obstacle=obstacle,
            everywhere=configuration / "tolerate_all_taints",
            tolerations=configuration / "node_tolerations",
        )


def _find_driver_obstacle(pods: Pods, with_driver: Sequence[Nodes]) -> str | None:
    """Return why the pods cannot run on the nodes with pods of the driver, or None if they can."""
    if not with_driver:
        return "no node can run the pods of the driver"
    obstacle = find_obstacle(pods, with_driver)
    return obstacle and f"on the nodes with pods of the driver they {obstacle}"


def _list_rocketmq(plan: RocketMqPlan) -> Iterator[PlacedPods]:
    """Yield the workloads of RocketMQ."""
    servers = _plan_role_pods("the name servers", plan.name_servers)
    yield PlacedPods(replace(servers, anti_affinity=True), _list_settings(ROCKETMQ / "name_servers"))
    for name, path, role in (
        ("the controllers", ROCKETMQ / "controllers", plan.controllers),
        *(
            (f"broker group {group.name!r}", (ROCKETMQ / "broker_groups").index(i, group.name), group.role)
            for i, group in enumerate(plan.groups)
        ),
    ):
        pods = replace(_plan_role_pods(name, role), anti_affinity=True, zones=min(plan.deployment.zones, role.replicas))
        yield PlacedPods(pods, _list_settings(path), claims=True)
    yield PlacedPods(_plan_role_pods("the proxies", plan.proxies), _list_settings(ROCKETMQ / "proxies"))
    dashboard = plan.dashboard
    sizes = {} if dashboard is None else {labels.DASHBOARD: (parse_cpu(dashboard.cpu), dashboard.memory * MIB)}
    for role_name in sorted(plan.deployment.optional_roles):
        cpu, memory = sizes.get(role_name, (0, 0))
        placement = plan.deployment.other_pods.build_placement({})
        yield PlacedPods(Pods(f"the {role_name}", 1, placement, cpu, memory), [ROCKETMQ / "pods"])


def _list_settings(role: ArgumentPath) -> list[ArgumentPath]:
    return [ROCKETMQ / "pods", *(role / field for field in ("pods", "cpu", "memory", "replicas"))]


def _plan_role_pods(name: str, role: RolePlan) -> Pods:
    placement = role.pods.build_placement({})
    return Pods(name, role.replicas, placement, parse_cpu(role.cpu), role.memory.limit * MIB)


def _list_addons(addons: Iterable[AddonPlan], controller: object) -> Iterator[PlacedPods]:
    for addon in addons:
        if addon.name == COREDNS:
            values = {**_COREDNS, **_parse_configuration(addon.configuration)}
            yield PlacedPods(_plan_addon_pods(COREDNS, values), [ADDONS / "addons"])
    own = controller if isinstance(controller, Mapping) else {}
    configuration = EBS_CSI / "configuration"
    yield PlacedPods(
        _plan_addon_pods("the EBS CSI driver's controller", {**_CONTROLLER, **own}),
        [configuration / "controller_tolerations", configuration / "controller_node_selector"],
    )


def _plan_node_plugin(values: object) -> Pods:
    """Return the driver's pods on the nodes. A node without one cannot attach volumes."""
    own = values if isinstance(values, Mapping) else {}
    everywhere = [{"operator": "Exists"}]
    limited = own.get("tolerateAllTaints", True) is False
    types = {"key": "node.kubernetes.io/instance-type", "operator": "NotIn", "values": _NODE_NOT_ON}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [types]}]}
    default = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}
    tolerations = {"tolerations": own.get("tolerations", _NODE_TOLERATIONS) if limited else everywhere}
    return _plan_addon_pods("the EBS CSI driver's node pods", {**default, **own, **tolerations})


def _plan_addon_pods(name: str, values: Mapping[str, Any]) -> Pods:
    """Return the pods of an addon. Only EKS validates their affinity, by the schema of the addon."""
    replicas = values.get("replicaCount")
    spec = {key: values[key] for key in ("nodeSelector", "tolerations") if key in values}
    if _has_node_terms(values.get("affinity")):
        spec["affinity"] = values["affinity"]
    cpu, memory = _get_request(values, "cpu"), _get_request(values, "memory")
    return Pods(
        name,
        replicas if isinstance(replicas, int) else 1,
        spec,
        cpu=0 if cpu is None else parse_cpu(cpu),
        memory=0 if memory is None else parse_bytes(memory, ARGS),
    )


def _get_request(values: Mapping[str, Any], resource: str) -> str | None:
    """Return what the container requests for which an addon has resources, or None."""
    found: Any = values
    for key in ("resources", "requests", resource):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) and _QUANTITIES[resource].fullmatch(found) else None


def _has_node_terms(affinity: object) -> bool:
    found = affinity
    for key in ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, list):
        return False
    terms = [term.get("matchExpressions") if isinstance(term, Mapping) else None for term in found]
    return all(isinstance(term, list) and all(map(_is_expression, term)) for term in terms)


def _is_expression(value: object) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("key"), str):
        return False
    values = value.get("values", [])
    texts = isinstance(values, list) and all(isinstance(one, str) for one in values)
    return texts and value.get("operator") in ("In", "NotIn", "Exists", "DoesNotExist")


def _parse_configuration(text: str | None) -> Mapping[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
