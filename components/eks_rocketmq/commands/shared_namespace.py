"""Workloads and claims in a stack's namespace that the stack did not create. Pure.

Deleting a namespace deletes everything in it, also the brokers that a team deployed with kubectl.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from eks_rocketmq.commands.destroy import CLAIM, NAMESPACE, STATEFUL_SET
from eks_rocketmq.lookups.kubernetes_objects import CLAIM_KIND

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

_NAME_LABEL = "app.kubernetes.io/name"
_COMPONENT_LABEL = "app.kubernetes.io/component"


def find_foreign_objects(export: Mapping[str, Any], found: Mapping[str, Iterable[Object]]) -> list[str]:
    """Return one line for each object that the stack did not create, such as `StatefulSet rocketmq/rocketmq-broker`.

    Args:
        export: the document of `pulumi stack export`.
        found: objects of the stack's namespaces by kind.
    """
    resources = (export.get("deployment") or {}).get("resources") or []
    known = {f"{resource['type'].rpartition(':')[2]} {resource.get('id', '')}" for resource in resources}
    claims = [
        prefix
        for resource in resources
        if resource["type"] == STATEFUL_SET
        for prefix in _list_claim_prefixes(resource)
    ]
    return [
        line
        for kind, objects in found.items()
        for each in objects
        if (line := f"{kind} {each['metadata']['namespace']}/{each['metadata']['name']}") not in known
        and not _is_deleted_automatically(each["metadata"])
        and not (kind == CLAIM_KIND and (_has_rocketmq_labels(each) or _is_member(line, claims)))
    ]


def retain_namespaces(export: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state in which the engine forgets the namespaces instead of deleting them.

    Args:
        export: the document of `pulumi stack export`.
    """
    deployment = export["deployment"]
    resources = [
        each | {"retainOnDelete": True} if each["type"] == NAMESPACE else each for each in deployment["resources"]
    ]
    return {**export, "deployment": {**deployment, "resources": resources}}


def _list_claim_prefixes(resource: Mapping[str, Any]) -> list[str]:
    """What the names of a set's claims begin with, the kind and the namespace included."""
    namespace, _, name = resource.get("id", "").rpartition("/")
    templates = resource.get("inputs", {}).get("spec", {}).get("volumeClaimTemplates") or []
    return [f"{CLAIM.rpartition(':')[2]} {namespace}/{each['metadata']['name']}-{name}-" for each in templates]


def _is_member(line: str, prefixes: Iterable[str]) -> bool:
    return any(line.startswith(prefix) and line.removeprefix(prefix).isdigit() for prefix in prefixes)


def _has_rocketmq_labels(claim: Object) -> bool:
    """Whether RocketMq's own labels are on a claim. Its set may be gone already: an earlier run was interrupted."""
    labels = claim["metadata"].get("labels") or {}
    return labels.get(_NAME_LABEL) == "rocketmq" and labels.get("app") == f"rocketmq-{labels.get(_COMPONENT_LABEL)}"


def _is_deleted_automatically(metadata: Mapping[str, Any]) -> bool:
    """Whether the object is being deleted, or belongs to another one that is listed as well."""
    return "deletionTimestamp" in metadata or bool(metadata.get("ownerReferences"))
