"""Collisions of existing objects in a namespace with a RocketMQ: names, labels, selectors, claims. Pure.

A typical case is a namespace in which a team already runs brokers with the label `app: rocketmq-broker`. The pods and
claims of a RocketMq have the same label, because runbooks select by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.lookups.create_checks import OWNER_TAG, describe_tag_removal
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
"""API path of the list of each kind that can collide."""
_IDENTITY_LABELS = {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}
_CLIENT_ROLES = frozenset({labels.NAME_SERVER, labels.PROXY})
"""Roles to whose Services clients connect. Clients get the addresses of brokers from name servers."""


@dataclass(frozen=True)
class Workload:
    """StatefulSet or Deployment to be created."""

    namespace: str
    kind: str
    name: str
    role: str
    selector: Mapping[str, str]
    labels: Mapping[str, str]
    """Labels of its objects, without those that the user adds to pods."""
    pod_labels: Mapping[str, str]
    services: Sequence[str] = ()
    """Names of its Services."""
    claims: Sequence[str] = ()
    """Names of its claims, by ordinal."""
    owner: str = ""
    """Project and stack, as in the annotation of its StatefulSet or Deployment."""
    enforces_access: bool = False
    """Whether its pods refuse requests without a user."""


@dataclass(frozen=True)
class Collisions:
    """Collisions of a workload. `errors` prevent the create, `warnings` do not."""

    errors: list[str]
    warnings: list[str]


def find_collisions(workload: Workload, found: Mapping[str, Sequence[Object]]) -> Collisions:
    """Return the collisions of a workload with existing objects.

    `found` are the existing objects of its namespace, by kind. Objects from an earlier run of the same stack do not
    count, except claims that the workload would use.
    """
    others = {kind: [each for each in objects if not _is_own(workload, each)] for kind, objects in found.items()}
    return Collisions(
        errors=[
            *_find_name_collisions(workload, others),
            *_find_selected_pods(workload, others),
            *_find_ambiguous_services(workload, others),
            *_find_missing_controller_claims(workload, found),
        ],
        warnings=[
            *_find_foreign_selectors(workload, others),
            *_find_shared_claim_labels(workload, others),
            *_find_existing_claims(workload, found),
            *_find_former_users(workload, found),
        ],
    )


def _find_name_collisions(workload: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    names = {kind: {workload.name} for kind in (workload.kind, "PodDisruptionBudget", "NetworkPolicy")}
    names["Service"] = set(workload.services)
    for kind, wanted in names.items():
        yield from (
            _format_name_collision(_format_reference(kind, each), _get_owner(each))
            for each in others.get(kind, ())
            if each["metadata"]["name"] in wanted
        )


def _format_name_collision(reference: str, owner: str) -> str:
    if owner:
        return f"{reference} belongs to stack {owner!r}. Use another namespace. {describe_tag_removal(owner)}"
    return f"{reference} has a name that this RocketMQ needs. Rename or delete it, or use another namespace."


def _find_selected_pods(workload: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Find foreign pods that match the selectors of this workload."""
    for pod in others.get("Pod", ()):
        if workload.selector.items() <= _get_labels(pod).items():
            yield (
                f"{_format_reference('Pod', pod)} has all labels by which {workload.name} selects its pods "
                f"({_format_selector(workload.selector)}): its Services and policies would apply to that pod. Change a "
                "label of the pod, or use another namespace."
            )


def _find_ambiguous_services(workload: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    if workload.role in _CLIENT_ROLES:
        for service, selector in _find_matching_selectors(workload, others, "Service"):
            yield (
                f"{_format_reference('Service', service)} selects the pods of {workload.name} too ({selector}): its "
                "clients would reach either RocketMQ. Give it a selector that only its own pods match, or use another "
                "namespace."
            )


def _find_foreign_selectors(workload: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Find foreign objects whose selectors match the pods of this workload."""
    if workload.role not in _CLIENT_ROLES:
        for service, selector in _find_matching_selectors(workload, others, "Service"):
            yield (
                f"{_format_reference('Service', service)} selects the {workload.role} pods of this RocketMQ too "
                f"({selector}). RocketMQ's clients do not use it; its other clients reach both. Give it a selector "
                "that only its own pods match."
            )
    for budget, selector in _find_matching_selectors(workload, others, "PodDisruptionBudget"):
        yield (
            f"{_format_reference('PodDisruptionBudget', budget)} covers the {workload.role} pods of this RocketMQ too "
            f"({selector}). Kubernetes evicts no pod with two budgets, so no node with such a pod can be drained. Give "
            "it a selector that only its own pods match."
        )
    for policy, selector in _find_matching_selectors(workload, others, "NetworkPolicy"):
        if policy["spec"].get("ingress") or "Egress" in policy["spec"].get("policyTypes", ()):
            yield (
                f"{_format_reference('NetworkPolicy', policy)} applies to the {workload.role} pods of this RocketMQ "
                f"too ({selector}). What it allows is added to what this stack allows, and if it limits egress the "
                "pods may not reach each other. Give it a selector that only its own pods match."
            )


def _find_shared_claim_labels(workload: Workload, others: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    app = workload.selector["app"]
    claims = [each for each in others.get("PersistentVolumeClaim", ()) if _get_labels(each).get("app") == app]
    if workload.claims and claims:
        names = ", ".join(each["metadata"]["name"] for each in claims)
        yield (
            f"The claims of {workload.namespace} with the label app={app} are not all of this RocketMQ ({names} are "
            f"not): `kubectl -n {workload.namespace} delete pvc -l app={app}` deletes all of them. Select those of "
            f"this RocketMQ by {_format_selector(workload.selector)}."
        )


def _find_missing_controller_claims(workload: Workload, found: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Find controllers that would start without a log beside others that have one.

    RocketMQ does not change the members of the Raft quorum, and empty members can be a majority.
    """
    reused, missing = _split_claims(workload, found)
    if workload.role == labels.CONTROLLER and reused and missing:
        yield (
            f"{workload.name} would use the claims that exist already, {', '.join(reused)}, and start the other "
            f"controllers empty, because these claims are missing: {', '.join(missing)}. Empty controllers can elect a "
            "leader without the log, and brokers would lose their IDs. Create the missing claims with a copy of the "
            "log (steps 2 and 3 of docs/how-to/change-the-number-of-controllers.md). If all brokers start with empty "
            "volumes, delete the existing claims instead."
        )


def _find_existing_claims(workload: Workload, found: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    reused, missing = _split_claims(workload, found)
    if reused:
        line = f"{workload.name} uses the claims that exist already, with the data on them: {', '.join(reused)}."
        if missing and workload.role == labels.BROKER:
            line += (
                " The members without a claim start empty. If one of them is elected first, consumers find an empty "
                "group: start with one member (docs/how-to/migrate-a-statefulset.md)."
            )
        yield line


def _find_former_users(workload: Workload, found: Mapping[str, Sequence[Object]]) -> Iterator[str]:
    """Find brokers whose volumes may have the internal user with a former password.

    RocketMQ does not change the password of a user that exists. A stack that was destroyed generates another password.
    """
    reused, _ = _split_claims(workload, found)
    if workload.role == labels.BROKER and workload.enforces_access and reused:
        yield (
            f"The volumes of {workload.name} may have the internal user of an earlier deployment, with another "
            "password. Members that enforce access control would then refuse each other, and the rollout would not "
            "end. If access control was on before, set its mode to 'permissive' for this update, and to 'enforcing' in "
            "the next one (docs/how-to/turn-on-access-control.md)."
        )


def _split_claims(workload: Workload, found: Mapping[str, Sequence[Object]]) -> tuple[list[str], list[str]]:
    """Return the claims of the workload that exist, and those that do not."""
    existing = {each["metadata"]["name"] for each in found.get("PersistentVolumeClaim", ())}
    reused, missing = ([name for name in workload.claims if (name in existing) is exists] for exists in (True, False))
    return reused, missing


def _find_matching_selectors(
    workload: Workload, others: Mapping[str, Sequence[Object]], kind: str
) -> Iterator[tuple[Object, str]]:
    """Find objects whose selector matches the pods of the workload. Yield each with its selector as text."""
    for each in others.get(kind, ()):
        spec = each.get("spec") or {}
        label_selector = spec.get("podSelector" if kind == "NetworkPolicy" else "selector")
        if kind == "Service":
            matches = bool(label_selector) and label_selector.items() <= workload.pod_labels.items()
            text = _format_selector(label_selector or {})
        else:
            matches = label_selector is not None and _matches_selector(label_selector, workload.pod_labels)
            text = _format_selector(label_selector.get("matchLabels") or {}) if matches else ""
        if matches:
            yield each, text or "all pods of the namespace"


def _matches_selector(selector: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    """Return whether a LabelSelector matches the labels of a pod."""
    operators = {
        "In": lambda value, values: value in values,
        "NotIn": lambda value, values: value not in values,
        "Exists": lambda value, _: value is not None,
        "DoesNotExist": lambda value, _: value is None,
    }
    return (selector.get("matchLabels") or {}).items() <= pod.items() and all(
        operators[each["operator"]](pod.get(each["key"]), each.get("values") or [])
        for each in selector.get("matchExpressions") or []
    )


def _is_own(workload: Workload, each: Object) -> bool:
    """Return whether an object belongs to a RocketMq: from an earlier run, or of another role.

    The RocketMq of another stack has the same labels.
    """
    if _get_owner(each) not in {"", workload.owner}:
        return False
    object_labels = _get_labels(each)
    if "accessModes" in (each.get("spec") or {}):
        # A claim has only the labels of its StatefulSet's selector.
        component = object_labels.get("app.kubernetes.io/component")
        return (
            object_labels.get("app.kubernetes.io/name") == labels.APP
            and object_labels.get("app") == f"{labels.APP}-{component}"
        )
    return all(object_labels.get(key) == workload.labels[key] for key in _IDENTITY_LABELS)


def _get_labels(each: Object) -> Mapping[str, str]:
    return each["metadata"].get("labels") or {}


def _get_owner(each: Object) -> str:
    return (each["metadata"].get("annotations") or {}).get(OWNER_TAG, "")


def _format_reference(kind: str, each: Object) -> str:
    return f"{kind} {each['metadata']['namespace']}/{each['metadata']['name']}"


def _format_selector(selector: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())
