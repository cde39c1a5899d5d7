"""What in a namespace collides with the objects of a RocketMQ: names, labels, selectors, claims. Pure.

The usual case is a namespace in which a team already runs brokers of its own, labelled `app: rocketmq-broker`. That
label is also on the pods and claims of a RocketMq, so that runbooks which select by it work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.rocketmq.naming import labels

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

KINDS: Mapping[str, str] = {
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Service": "/api/v1/namespaces/{}/services",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "/api/v1/namespaces/{}/pods",
}
"""Path of the list of each kind that can collide."""
_MARK = {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}
_ADDRESSED = frozenset({labels.NAME_SERVER, labels.PROXY})
"""Roles whose Services clients connect to. Clients get the addresses of brokers from name servers."""


@dataclass(frozen=True)
class Workload:
    """A set or a Deployment that is going to be created."""

    namespace: str
    kind: str
    name: str
    role: str
    selector: Mapping[str, str]
    labels: Mapping[str, str]
    """Labels of its objects."""
    pod_labels: Mapping[str, str]
    services: Sequence[str] = ()
    """Names of its Services."""
    claims: Sequence[str] = ()
    """Names of its claims, by ordinal."""


@dataclass(frozen=True)
class Collisions:
    """`errors` stop the create, `warnings` do not."""

    errors: list[str]
    warnings: list[str]


def collisions(own: Workload, found: Mapping[str, Sequence[Object]]) -> Collisions:
    """Return what collides with a workload.

    Args:
        own: the workload.
        found: the objects of its namespace by kind; those of an earlier run of the same stack among them do not count.
    """
    others = {kind: [each for each in objects if not _is_own(own, each)] for kind, objects in found.items()}
    return Collisions(
        errors=[*_same_name(own, others), *_selected(own, others), *_wrong_address(own, others)],
        warnings=[*_selecting(own, others), *_shared_label(own, others), *_existing_claims(own, found)],
    )


def _same_name(own: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    names = {kind: {own.name} for kind in (own.kind, "PodDisruptionBudget", "NetworkPolicy")}
    names["Service"] = set(own.services)
    for kind, wanted in names.items():
        yield from (
            f"{_reference(kind, each)} has a name that this RocketMQ needs. Rename or delete it, or use another "
            "namespace."
            for each in others.get(kind, ())
            if each["metadata"]["name"] in wanted
        )


def _selected(own: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Pods of others that the selectors of this workload pick."""
    for pod in others.get("Pod", ()):
        if own.selector.items() <= _labels(pod).items():
            yield (
                f"{_reference('Pod', pod)} has all labels by which {own.name} selects its pods "
                f"({_said(own.selector)}): its Services and policies would apply to that pod. Change a label of the "
                "pod, or use another namespace."
            )


def _wrong_address(own: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    if own.role in _ADDRESSED:
        for service, selector in _selectors(own, others, "Service"):
            yield (
                f"{_reference('Service', service)} selects the pods of {own.name} too ({selector}): its clients would "
                "reach either RocketMQ. Give it a selector that only its own pods match, or use another namespace."
            )


def _selecting(own: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Selectors of others that pick the pods of this workload."""
    if own.role not in _ADDRESSED:
        for service, selector in _selectors(own, others, "Service"):
            yield (
                f"{_reference('Service', service)} selects the {own.role} pods of this RocketMQ too ({selector}). "
                "RocketMQ's clients do not use it; its other clients reach both. Give it a selector that only its own "
                "pods match."
            )
    for budget, selector in _selectors(own, others, "PodDisruptionBudget"):
        yield (
            f"{_reference('PodDisruptionBudget', budget)} covers the {own.role} pods of this RocketMQ too "
            f"({selector}). Kubernetes evicts no pod with two budgets, so no node with such a pod can be drained. Give "
            "it a selector that only its own pods match."
        )
    for policy, selector in _selectors(own, others, "NetworkPolicy"):
        if policy["spec"].get("ingress") or "Egress" in policy["spec"].get("policyTypes", ()):
            yield (
                f"{_reference('NetworkPolicy', policy)} applies to the {own.role} pods of this RocketMQ too "
                f"({selector}). What it allows is added to what this stack allows, and if it limits egress the pods "
                "may not reach each other. Give it a selector that only its own pods match."
            )


def _shared_label(own: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    app = own.selector["app"]
    claims = [each for each in others.get("PersistentVolumeClaim", ()) if _labels(each).get("app") == app]
    if own.claims and claims:
        names = ", ".join(each["metadata"]["name"] for each in claims)
        yield (
            f"The claims of {own.namespace} with the label app={app} are not all of this RocketMQ ({names} are not): "
            f"`kubectl -n {own.namespace} delete pvc -l app={app}` deletes all of them. Select those of this RocketMQ "
            f"by {_said(own.selector)}."
        )


def _existing_claims(own: Workload, found: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    there = {each["metadata"]["name"] for each in found.get("PersistentVolumeClaim", ())}
    taken, missing = ([name for name in own.claims if (name in there) is here] for here in (True, False))
    if taken:
        line = f"{own.name} uses the claims that exist already, with the data on them: {', '.join(taken)}."
        if missing and own.role == labels.BROKER:
            line += (
                " The members without a claim start empty. If one of them is elected first, consumers find an empty "
                "group: start with one member (docs/how-to/migrate-a-statefulset.md)."
            )
        yield line


def _selectors(own: Workload, others: Mapping[str, Sequence[Object]], kind: str) -> Iterator[tuple[Object, str]]:
    """Objects whose selector matches the pods of the workload, with the selector as text."""
    for each in others.get(kind, ()):
        spec = each.get("spec") or {}
        chosen = spec.get("podSelector" if kind == "NetworkPolicy" else "selector")
        if kind == "Service":
            matches = bool(chosen) and chosen.items() <= own.pod_labels.items()
            said = _said(chosen or {})
        else:
            matches = chosen is not None and _matches(chosen, own.pod_labels)
            said = _said(chosen.get("matchLabels") or {}) if matches else ""
        if matches:
            yield each, said or "all pods of the namespace"


def _matches(selector: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches the labels of a pod."""
    tests = {
        "In": lambda value, values: value in values,
        "NotIn": lambda value, values: value not in values,
        "Exists": lambda value, _: value is not None,
        "DoesNotExist": lambda value, _: value is None,
    }
    return (selector.get("matchLabels") or {}).items() <= pod.items() and all(
        tests[each["operator"]](pod.get(each["key"]), each.get("values") or [])
        for each in selector.get("matchExpressions") or []
    )


def _is_own(own: Workload, each: Object) -> bool:
    """Whether an object is one of a RocketMq: from an earlier run, or of another role."""
    given = _labels(each)
    if "accessModes" in (each.get("spec") or {}):
        # A claim has the labels of its set's selector and no others.
        component = given.get("app.kubernetes.io/component")
        return given.get("app.kubernetes.io/name") == labels.APP and given.get("app") == f"{labels.APP}-{component}"
    return all(given.get(key) == own.labels[key] for key in _MARK)


def _labels(each: Object) -> Mapping[str, str]:
    return each["metadata"].get("labels") or {}


def _reference(kind: str, each: Object) -> str:
    return f"{kind} {each['metadata']['namespace']}/{each['metadata']['name']}"


def _said(selector: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())
