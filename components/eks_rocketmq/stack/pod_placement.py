"""Whether all pods of a new cluster can run on its node groups. Pure.

Errors call everything what the stack file calls it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from eks_rocketmq.eks.addons.addon_plan import COREDNS, AddonPlan
from eks_rocketmq.eks.nodes.instance_sizes import estimate_allocatable
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import AMI_TYPES, ARM, EFFECTS, NodePlan
from eks_rocketmq.rocketmq.config.memory import MIB
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.plan import RocketMqPlan
from eks_rocketmq.rocketmq.pods.placement import ZONE, Labels, Nodes, Pods, can_run, find_obstacle, find_shortage
from eks_rocketmq.rocketmq.roles.role_plans import RolePlan

_EFFECTS = {of_eks: effect for effect, of_eks in EFFECTS.items()}
_CRITICAL = {"key": "CriticalAddonsOnly", "operator": "Exists"}
_COREDNS: Mapping[str, Any] = {
    "replicaCount": 2,
    "tolerations": [_CRITICAL, {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
}
"""What the addon of EKS does when it is not configured."""
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.yaml
_CONTROLLER: Mapping[str, Any] = {
    "replicaCount": 2,
    "tolerations": [_CRITICAL, {"effect": "NoExecute", "operator": "Exists"}],
}
_NODE_TOLERATIONS = [{"operator": "Exists", "effect": "NoExecute"}]
_NODE_NOT_ON = [f"a1.{size}" for size in ("medium", "large", "xlarge", "2xlarge", "4xlarge")]
_PLACES = ("affinity", "nodeSelector", "tolerations")


@dataclass(frozen=True)
class Group:
    """A node group and what the stack file says of it."""

    args: NodeGroupArgs
    plan: NodePlan
    autoscaler: bool = True
    """Whether the cluster has an autoscaler, for a group that is left to one."""

    @property
    def size(self) -> int:
        """Nodes that it has in each zone, or altogether: the desired ones, as nothing in the stack adds more. An
        autoscaler, where the group is left to one, goes up to the most."""
        autoscaled = self.autoscaler and self.args.get("autoscaled", False)
        return self.plan.max_size if autoscaled else self.plan.desired_size

    def nodes(self, zones: Sequence[str | None], region: str | None) -> Iterator[Nodes]:
        """Yield its nodes of each zone.

        Args:
            zones: names of the network's zones, None where only their number is known.
            region: the stack's region, where it is known.
        """
        own = range(len(zones))
        counts = dict.fromkeys(own, self.size)
        if self.plan.groups == 1 and len(zones) > 1:
            # EC2 keeps one group over several zones balanced.
            filled = list(islice(cycle(own), self.size))
            counts = {place: filled.count(place) for place in own}
        rooms = [estimate_allocatable(type_) for type_ in self.args["instance_types"]]
        known = [one for one in rooms if one is not None]
        for place, count in counts.items():
            yield Nodes(
                count=count,
                zone=zones[place] or f"zone {place + 1}",
                labels=self._labels(zones[place], region),
                taints=[{**taint, "effect": _EFFECTS[taint["effect"]]} for taint in self.plan.taints],
                cpu=max(one.cpu for one in known) if len(known) == len(rooms) else None,
                memory=max(one.memory for one in known) if len(known) == len(rooms) else None,
            )

    def _labels(self, zone: str | None, region: str | None) -> Labels:
        types = frozenset(self.args["instance_types"])
        architecture = frozenset({"arm64" if AMI_TYPES[self.plan.ami_type] == ARM else "amd64"})
        place = {ZONE: zone, "topology.kubernetes.io/region": region}
        return {
            **{key: frozenset({value}) for key, value in self.args.get("labels", {}).items()},
            **{key: None if value is None else frozenset({value}) for key, value in place.items()},
            **{f"{domain}/arch": architecture for domain in ("kubernetes.io", "beta.kubernetes.io")},
            **{f"{domain}/os": frozenset({"linux"}) for domain in ("kubernetes.io", "beta.kubernetes.io")},
            **{f"{domain}/instance-type": types for domain in ("node.kubernetes.io", "beta.kubernetes.io")},
            "eks.amazonaws.com/capacityType": frozenset({self.args.get("capacity_type", "ON_DEMAND")}),
        }


def check_placement(
    nodes: Sequence[Nodes], made: RocketMqPlan, addons: Iterable[AddonPlan], driver: str | None
) -> None:
    """Reject pods that would stay Pending on the nodes of a new cluster.

    Args:
        nodes: all nodes.
        made: RocketMQ.
        addons: those of the new cluster.
        driver: configuration of the EBS CSI addon as JSON, where it has one.

    Raises:
        ValueError: naming the workload, what keeps it away and what to change.
    """
    configured = _configuration(driver)
    plugin = _node_plugin(configured.get("node"))
    reached = [one for one in nodes if can_run(plugin, one)]
    every = [*_rocketmq(made), *_addons(addons, configured.get("controller"))]
    for pods, claims in every:
        if told := find_obstacle(pods, nodes):
            msg = (
                f"nodeGroups: the pods of {pods.name} {told}. Accepted are node groups whose nodes take them all. "
                f"Change nodeGroups (labels, taints, instanceTypes, desiredSize), or {pods.source}"
            )
            raise ValueError(msg)
        if claims and (told := find_obstacle(pods, reached)):
            msg = (
                f"ebsCsi.configuration: the pods of {pods.name} claim volumes and {told}, once nodes without the "
                "driver's own pods are left out: no volume is attached there. Accepted is a driver that runs on their "
                "nodes. Leave tolerateAllTaints at true, or tolerate the taints in nodeTolerations"
            )
            raise ValueError(msg)
    if told := find_shortage([pods for pods, _ in every], nodes):
        msg = (
            f"nodeGroups: the pods of {told}. Accepted are node groups with room for all of them. Raise desiredSize, "
            "take larger instanceTypes, or lower cpu, memory or replicas"
        )
        raise ValueError(msg)


def _rocketmq(made: RocketMqPlan) -> Iterator[tuple[Pods, bool]]:
    """Yield RocketMQ's workloads, and whether each claims volumes."""
    servers = _of_role("nameServers", made.name_servers)
    yield replace(servers, anti_affinity=True), False
    yield (
        replace(_of_role("controllers", made.controllers), anti_affinity=True, zones=_spread(made, made.controllers)),
        True,
    )
    for group in made.groups:
        pods = _of_role(f"brokerGroups[{group.name!r}]", group.role)
        yield replace(pods, anti_affinity=True, zones=_spread(made, group.role)), True
    yield _of_role("proxies", made.proxies), False
    console = made.dashboard
    sizes = {} if console is None else {labels.DASHBOARD: (_thousandths(console.cpu), console.memory * MIB)}
    for role in sorted(made.deployment.optional_roles):
        cpu, memory = sizes.get(role, (0, 0))
        yield (
            Pods(
                role,
                1,
                made.deployment.other_pods.build_placement({}),
                cpu,
                memory,
                source="what pods says of all roles",
            ),
            False,
        )


def _of_role(name: str, role: RolePlan) -> Pods:
    where = (
        "what pods, or the role's own pods, say (nodeSelector, nodeAffinity, tolerations), its cpu, memory or replicas"
    )
    return Pods(
        name,
        role.replicas,
        role.pods.build_placement({}),
        _thousandths(role.cpu),
        role.memory.limit * MIB,
        source=where,
    )


def _spread(made: RocketMqPlan, role: RolePlan) -> int:
    return min(made.deployment.zones, role.replicas)


def _addons(addons: Iterable[AddonPlan], controller: object) -> Iterator[tuple[Pods, bool]]:
    for addon in addons:
        if addon.name == COREDNS:
            where = "configuration of coredns in clusterAddons.addons, such as its tolerations"
            yield _of_addon(COREDNS, {**_COREDNS, **_configuration(addon.configuration)}, where), False
    own = controller if isinstance(controller, Mapping) else {}
    where = "controllerTolerations and controllerNodeSelector in ebsCsi.configuration"
    yield _of_addon("the EBS CSI driver's controller", {**_CONTROLLER, **own}, where), False


def _node_plugin(values: object) -> Pods:
    """Return the driver's pods on the nodes: a node without one attaches no volume."""
    own = values if isinstance(values, Mapping) else {}
    everywhere = [{"operator": "Exists"}]
    limited = own.get("tolerateAllTaints", True) is False
    types = {"key": "node.kubernetes.io/instance-type", "operator": "NotIn", "values": _NODE_NOT_ON}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [types]}]}
    default = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}
    tolerations = {"tolerations": own.get("tolerations", _NODE_TOLERATIONS) if limited else everywhere}
    return _of_addon("the EBS CSI driver's node pods", {**default, **own, **tolerations}, "")


def _of_addon(name: str, values: Mapping[str, Any], where: str) -> Pods:
    """Return the pods of an addon. What its schema would refuse is left to EKS."""
    replicas = values.get("replicaCount")
    spec = {key: values[key] for key in _PLACES if _is_well_formed(key, values.get(key))}
    return Pods(name, replicas if isinstance(replicas, int) else 1, spec, source=where)


def _is_well_formed(key: str, value: object) -> bool:
    if key == "nodeSelector":
        return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())
    if key == "tolerations":
        return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)
    return _has_node_terms(value)


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


def _configuration(text: str | None) -> Mapping[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _thousandths(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)
