"""Prediction whether pods can run on nodes, by the rules of the Kubernetes scheduler. Pure.

Unknown properties of a node count as suitable. The checks report only pods that no node can ever run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prefix:
    """Any value that begins with a text."""

    text: str


Labels = Mapping[str, frozenset[str] | Prefix | None]
"""Possible values of each label of a node. None means any value."""

_CLOUD_DOMAINS = ("kubernetes.io", "k8s.io", "amazonaws.com", "k8s.aws")
"""Domains of labels that Kubernetes, EKS and drivers add to nodes automatically."""
_HARD_EFFECTS = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Nodes:
    """Identical nodes of one zone."""

    count: int
    zone: str
    """Identifier that distinguishes zones. If the name of the zone is known, `labels` contains it."""
    labels: Labels
    taints: Sequence[Mapping[str, str]] = ()
    cpu: int | None = None
    """Maximum millicores that the pods of one node can request, or None if unknown."""
    memory: int | None = None
    """Maximum bytes that the pods of one node can request, or None if unknown."""
    all_labels: bool = False
    """Whether `labels` is complete. If not, Kubernetes and the cloud can add labels."""


@dataclass(frozen=True)
class Pods:
    """Pods of one workload."""

    name: str
    """Name of the workload in errors."""
    replicas: int
    spec: Mapping[str, Any] = field(default_factory=dict)
    """`nodeSelector`, `affinity` and `tolerations`, in the format of a manifest."""
    cpu: int = 0
    """CPU request of each pod, in millicores."""
    memory: int = 0
    """Memory request of each pod, in bytes."""
    anti_affinity: bool = False
    """Whether each pod needs a separate node, with an even spread over zones."""
    zones: int = 1
    """Number of zones that must exist before a zone gets a second pod (`minDomains`)."""

    def filter_nodes(self, nodes: Iterable[Nodes]) -> list[Nodes]:
        """Return the nodes whose labels the pods accept."""
        return [one for one in nodes if one.count and matches_labels(self.spec, one)]


def find_obstacle(pods: Pods, nodes: Sequence[Nodes]) -> str | None:
    """Return why the pods cannot all run on otherwise empty nodes, or None if they can."""
    selected = pods.filter_nodes(nodes)
    if not selected:
        return f"select nodes by {_describe_selection(pods.spec)}, and no node has that"
    tolerated = [one for one in selected if tolerates_all(pods.spec, one)]
    if not tolerated:
        taint = next(taint for taint in selected[0].taints if not tolerates(pods.spec, taint))
        return f"do not tolerate the taint {_format_taint(taint)!r}, and each node that they select has such a taint"
    return _describe_too_large(pods, tolerated) or (
        _describe_too_few(pods, selected, tolerated) if pods.anti_affinity else None
    )


def find_shortage(workloads: Sequence[Pods], nodes: Sequence[Nodes]) -> str | None:
    """Return the resource that all pods together request in excess of their nodes' capacity, or None.

    The check covers each set of nodes to which a workload is limited. The workloads that run only there must fit.
    """
    eligible = {pods.name: frozenset(i for i, one in enumerate(nodes) if can_run(pods, one)) for pods in workloads}
    for limit in sorted({*eligible.values(), frozenset(range(len(nodes)))}, key=sorted):
        limited = [pods for pods in workloads if eligible[pods.name] and eligible[pods.name] <= limit]
        for resource, unit in (("cpu", _format_cpu), ("memory", _format_memory)):
            available = [getattr(nodes[i], resource) for i in limit]
            requested = sum(pods.replicas * getattr(pods, resource) for pods in limited)
            most = sum(nodes[i].count * size for i, size in zip(limit, available, strict=True) if size is not None)
            if None not in available and requested > most:
                names = ", ".join(pods.name for pods in limited if getattr(pods, resource))
                return f"{names} request {unit(requested)} together, and the nodes for them have {unit(most)} at most"
    return None


def can_run(pods: Pods, node: Nodes) -> bool:
    """Return whether one of the pods can run on one of the nodes."""
    return (
        bool(pods.filter_nodes([node])) and tolerates_all(pods.spec, node) and _describe_too_large(pods, [node]) is None
    )


def matches_labels(spec: Mapping[str, Any], node: Nodes) -> bool:
    """Return whether the node selector and the required affinity of a pod match the labels of a node."""
    own = all(
        _matches_expression(_build_equality(key, value), node) for key, value in spec.get("nodeSelector", {}).items()
    )
    terms = _list_required_terms(spec)
    return own and (not terms or any(all(_matches_expression(one, node) for one in term) for term in terms))


def tolerates(spec: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    """Return whether a pod may run on a node with the taint. A field that a toleration omits matches any value."""
    return taint["effect"] not in _HARD_EFFECTS or any(_is_tolerated(taint, one) for one in spec.get("tolerations", []))


def tolerates_all(spec: Mapping[str, Any], node: Nodes) -> bool:
    """Return whether a pod tolerates every taint of a node."""
    return all(tolerates(spec, taint) for taint in node.taints)


def _is_tolerated(taint: Mapping[str, str], toleration: Mapping[str, Any]) -> bool:
    exists = toleration.get("operator", "Equal") == "Exists"
    return (
        toleration.get("effect") in (None, "", taint["effect"])
        and (toleration.get("key") == taint["key"] or (exists and not toleration.get("key")))
        and (exists or toleration.get("value", "") == taint.get("value", ""))
    )


def _matches_expression(expression: Mapping[str, Any], node: Nodes) -> bool:
    key, operator, requested = expression["key"], expression["operator"], frozenset(expression.get("values", []))
    if key not in node.labels:
        may_be_added = not node.all_labels and f".{key.partition('/')[0]}".endswith(
            tuple(f".{one}" for one in _CLOUD_DOMAINS)
        )
        return may_be_added or operator in ("NotIn", "DoesNotExist")
    values = node.labels[key]
    if operator in ("Exists", "DoesNotExist"):
        return operator == "Exists"
    if values is None:
        return True
    if isinstance(values, Prefix):
        return operator == "NotIn" or any(value.startswith(values.text) for value in requested)
    if operator in ("In", "NotIn"):
        return bool(values & requested if operator == "In" else values - requested)
    numbers = [int(value) for value in values if value.isdigit()]
    (bound,) = map(int, requested)
    return any(number > bound if operator == "Gt" else number < bound for number in numbers)


def _build_equality(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": [value]}


def _list_required_terms(spec: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Return the terms of the required node affinity. One of them must match."""
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    return [term.get("matchExpressions", []) for term in required.get("nodeSelectorTerms", [])]


def _describe_too_large(pods: Pods, nodes: Sequence[Nodes]) -> str | None:
    for resource, unit in (("cpu", _format_cpu), ("memory", _format_memory)):
        sizes = [getattr(one, resource) for one in nodes]
        requested = getattr(pods, resource)
        if None not in sizes and requested > max(sizes):
            return f"request {unit(requested)} each, and the largest node for them has {unit(max(sizes))} at most"
    fits = any(
        (one.cpu is None or pods.cpu <= one.cpu) and (one.memory is None or pods.memory <= one.memory) for one in nodes
    )
    return None if fits else "request more CPU or memory than any node for them has"


def _describe_too_few(pods: Pods, selected: Sequence[Nodes], tolerated: Sequence[Nodes]) -> str | None:
    """Return why the nodes are too few for required anti-affinity and a maximum skew of 1 over zones, or None.

    The function places one pod after the other, like the scheduler.
    """
    fitting = [one for one in tolerated if _describe_too_large(pods, [one]) is None]
    available = sum(one.count for one in fitting)
    if available < pods.replicas:
        return f"run each on a node of its own, and there are nodes for {available} of {pods.replicas} replicas"
    free: dict[str, int] = {}
    for one in fitting:
        free[one.zone] = free.get(one.zone, 0) + one.count
    # The scheduler also counts zones whose nodes have taints that the pods do not tolerate (nodeTaintsPolicy Ignore).
    placed = dict.fromkeys((one.zone for one in selected), 0)
    for number in range(pods.replicas):
        lowest = 0 if len(placed) < pods.zones else min(placed.values())
        zone = next((zone for zone, count in placed.items() if count <= lowest and count < free.get(zone, 0)), None)
        if zone is None:
            return (
                f"are spread evenly over zones, {pods.zones} at least, and with {_describe_zones(free, placed)} "
                f"replica {number + 1} of {pods.replicas} has no place"
            )
        placed[zone] += 1
    return None


def _describe_zones(free: Mapping[str, int], zones: Iterable[str]) -> str:
    return " and ".join(f"{free.get(zone, 0)} nodes in {zone}" for zone in sorted(zones))


def _describe_selection(spec: Mapping[str, Any]) -> str:
    return " and ".join(
        [f"{key}={value}" for key, value in spec.get("nodeSelector", {}).items()]
        + [
            " or ".join(", ".join(_describe_term(term)) for term in terms)
            for terms in [_list_required_terms(spec)]
            if terms
        ]
    )


def _describe_term(term: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in term:
        values = f" ({', '.join(one['values'])})" if one.get("values") else ""
        yield f"{one['key']} {one['operator']}{values}"


def _format_taint(taint: Mapping[str, str]) -> str:
    return "{key}={value}:{effect}".format_map({"value": "", **taint}).replace("=:", ":")


def _format_cpu(thousandths: int) -> str:
    return f"{thousandths / 1000:g} CPUs"


def _format_memory(size: int) -> str:
    return f"{size / 1024**3:.4g} GiB of memory"
