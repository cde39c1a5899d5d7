"""Whether pods can run on nodes, as the scheduler of Kubernetes decides it. Pure.

What is not known of a node counts as fitting: the checks report pods that no node can ever take.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Labels = Mapping[str, frozenset[str] | None]
"""Possible values of each label of a node; None is any value."""

ZONE = "topology.kubernetes.io/zone"
_CLOUD = ("kubernetes.io", "k8s.io", "amazonaws.com", "k8s.aws")
"""Domains of labels that Kubernetes, EKS and drivers add to nodes by themselves."""
_KEEP_AWAY = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Nodes:
    """Nodes of one zone that are alike."""

    count: int
    zone: str
    """Tells zones apart; the name of the zone, where it is known, is a label."""
    labels: Labels
    taints: Sequence[Mapping[str, str]] = ()
    cpu: int | None = None
    """Most thousandths of a CPU that the pods of one node can request, where that is known."""
    memory: int | None = None
    """Most bytes that they can request."""
    all_labels: bool = False
    """Whether `labels` are all that a node has; otherwise Kubernetes and the cloud may add theirs."""


@dataclass(frozen=True)
class Pods:
    """Pods of one workload."""

    name: str
    """As an error calls them."""
    replicas: int
    spec: Mapping[str, Any] = field(default_factory=dict)
    """`nodeSelector`, `affinity` and `tolerations`, as a manifest has them."""
    cpu: int = 0
    """Thousandths of a CPU that each requests."""
    memory: int = 0
    """Bytes that each requests."""
    apart: bool = False
    """Each on a node of its own, and evenly over zones."""
    zones: int = 1
    """Zones without which the second pod of a zone waits (`minDomains`)."""
    where: str = ""
    """Which settings place them, for an error."""

    def at(self, nodes: Iterable[Nodes]) -> list[Nodes]:
        """Return the nodes whose labels the pods accept."""
        return [one for one in nodes if one.count and selects(self.spec, one)]


def obstacle(pods: Pods, nodes: Sequence[Nodes]) -> str | None:
    """Return why the pods cannot all run on nodes that have nothing else to do, or None when they can."""
    selected = pods.at(nodes)
    if not selected:
        return f"select nodes by {_selection(pods.spec)}, and no node has that"
    willing = [one for one in selected if tolerates_all(pods.spec, one)]
    if not willing:
        taint = next(taint for taint in selected[0].taints if not tolerates(pods.spec, taint))
        return f"do not tolerate the taint {_taint_text(taint)!r}, and each node that they select has such a taint"
    return _too_large(pods, willing) or (_too_few(pods, selected, willing) if pods.apart else None)


def shortage(workloads: Sequence[Pods], nodes: Sequence[Nodes]) -> str | None:
    """Return which resource all pods together request more of than their nodes have, or None.

    The check is made for each set of nodes that some workload is limited to: what runs there alone must fit there.
    """
    places = {pods.name: frozenset(i for i, one in enumerate(nodes) if takes(pods, one)) for pods in workloads}
    for limit in sorted({*places.values(), frozenset(range(len(nodes)))}, key=sorted):
        inside = [pods for pods in workloads if places[pods.name] and places[pods.name] <= limit]
        for resource, unit in (("cpu", _cpus), ("memory", _gib)):
            there = [getattr(nodes[i], resource) for i in limit]
            wanted = sum(pods.replicas * getattr(pods, resource) for pods in inside)
            most = sum(nodes[i].count * size for i, size in zip(limit, there, strict=True) if size is not None)
            if None not in there and wanted > most:
                names = ", ".join(pods.name for pods in inside if getattr(pods, resource))
                return f"{names} request {unit(wanted)} together, and the nodes for them have {unit(most)} at most"
    return None


def takes(pods: Pods, node: Nodes) -> bool:
    """Whether one of the pods can run on one of the nodes."""
    return bool(pods.at([node])) and tolerates_all(pods.spec, node) and _too_large(pods, [node]) is None


def selects(spec: Mapping[str, Any], node: Nodes) -> bool:
    """Whether a pod accepts the labels of a node."""
    own = all(_matches(_equal(key, value), node) for key, value in spec.get("nodeSelector", {}).items())
    terms = _required_terms(spec)
    return own and (not terms or any(all(_matches(one, node) for one in term) for term in terms))


def tolerates(spec: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    """Whether a pod may run on a node with the taint. What a toleration does not say is anything."""
    return taint["effect"] not in _KEEP_AWAY or any(_is_tolerated(taint, one) for one in spec.get("tolerations", []))


def tolerates_all(spec: Mapping[str, Any], node: Nodes) -> bool:
    """Whether a pod tolerates every taint of a node."""
    return all(tolerates(spec, taint) for taint in node.taints)


def _is_tolerated(taint: Mapping[str, str], toleration: Mapping[str, Any]) -> bool:
    exists = toleration.get("operator", "Equal") == "Exists"
    return (
        toleration.get("effect") in (None, "", taint["effect"])
        and (toleration.get("key") == taint["key"] or (exists and not toleration.get("key")))
        and (exists or toleration.get("value", "") == taint.get("value", ""))
    )


def _matches(expression: Mapping[str, Any], node: Nodes) -> bool:
    key, operator, wanted = expression["key"], expression["operator"], frozenset(expression.get("values", []))
    if key not in node.labels:
        maybe = not node.all_labels and f".{key.partition('/')[0]}".endswith(tuple(f".{one}" for one in _CLOUD))
        return maybe or operator in ("NotIn", "DoesNotExist")
    values = node.labels[key]
    if operator in ("Exists", "DoesNotExist"):
        return operator == "Exists"
    if values is None:
        return True
    if operator in ("In", "NotIn"):
        return bool(values & wanted if operator == "In" else values - wanted)
    numbers = [int(value) for value in values if value.isdigit()]
    (bound,) = map(int, wanted)
    return any(number > bound if operator == "Gt" else number < bound for number in numbers)


def _equal(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": [value]}


def _required_terms(spec: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Return the terms of the required node affinity. One of them must match."""
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    return [term.get("matchExpressions", []) for term in required.get("nodeSelectorTerms", [])]


def _too_large(pods: Pods, nodes: Sequence[Nodes]) -> str | None:
    for resource, unit in (("cpu", _cpus), ("memory", _gib)):
        sizes = [getattr(one, resource) for one in nodes]
        wanted = getattr(pods, resource)
        if None not in sizes and wanted > max(sizes):
            return f"request {unit(wanted)} each, and the largest node for them has {unit(max(sizes))} at most"
    fits = any(
        (one.cpu is None or pods.cpu <= one.cpu) and (one.memory is None or pods.memory <= one.memory) for one in nodes
    )
    return None if fits else "request more CPU or memory than any node for them has"


def _too_few(pods: Pods, selected: Sequence[Nodes], willing: Sequence[Nodes]) -> str | None:
    """Place one pod after the other, as the scheduler does with required anti-affinity and a skew of 1 over zones."""
    fitting = [one for one in willing if _too_large(pods, [one]) is None]
    there = sum(one.count for one in fitting)
    if there < pods.replicas:
        return f"run each on a node of its own, and there are nodes for {there} of {pods.replicas} replicas"
    free: dict[str, int] = {}
    for one in fitting:
        free[one.zone] = free.get(one.zone, 0) + one.count
    # The scheduler counts zones whose nodes have taints that keep the pods away, too (nodeTaintsPolicy Ignore).
    placed = dict.fromkeys((one.zone for one in selected), 0)
    for number in range(pods.replicas):
        lowest = 0 if len(placed) < pods.zones else min(placed.values())
        zone = next((zone for zone, count in placed.items() if count <= lowest and count < free.get(zone, 0)), None)
        if zone is None:
            return (
                f"are spread evenly over zones, {pods.zones} at least, and with {_of_zones(free, placed)} replica "
                f"{number + 1} of {pods.replicas} has no place"
            )
        placed[zone] += 1
    return None


def _of_zones(free: Mapping[str, int], zones: Iterable[str]) -> str:
    return " and ".join(f"{free.get(zone, 0)} nodes in {zone}" for zone in sorted(zones))


def _selection(spec: Mapping[str, Any]) -> str:
    return " and ".join(
        [f"{key}={value}" for key, value in spec.get("nodeSelector", {}).items()]
        + [" or ".join(", ".join(_told(term)) for term in terms) for terms in [_required_terms(spec)] if terms]
    )


def _told(term: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in term:
        values = f" ({', '.join(one['values'])})" if one.get("values") else ""
        yield f"{one['key']} {one['operator']}{values}"


def _taint_text(taint: Mapping[str, str]) -> str:
    return "{key}={value}:{effect}".format_map({"value": "", **taint}).replace("=:", ":")


def _cpus(thousandths: int) -> str:
    return f"{thousandths / 1000:g} CPUs"


def _gib(size: int) -> str:
    return f"{size / 1024**3:.4g} GiB of memory"
