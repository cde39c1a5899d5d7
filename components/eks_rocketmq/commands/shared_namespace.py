"""Workloads and claims in a stack's namespace that the stack did not create. Pure.

Deleting a namespace deletes all objects in it, for example brokers that a team deployed with kubectl.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from eks_rocketmq.commands.destroy import CLAIM, NAMESPACE, STATEFUL_SET
from eks_rocketmq.lookups.kubernetes_objects import CLAIM_KIND
from eks_rocketmq.lookups.volumes import KubernetesObject

_NAME_LABEL = "app.kubernetes.io/name"
_COMPONENT_LABEL = "app.kubernetes.io/component"


def find_foreign_objects(export: Mapping[str, Any], found: Mapping[str, Collection[KubernetesObject]]) -> list[str]:
    """Return a line for each object that the stack did not create, such as `StatefulSet rocketmq/rocketmq-broker`.

    `export` is the output of `pulumi stack export`. `found` has the objects in the stack's namespaces, by kind.
    """
    resources = (export.get("deployment") or {}).get("resources") or []
    known = {f"{resource['type'].rpartition(':')[2]} {resource.get('id', '')}" for resource in resources}
    claims = [
        prefix
        for resource in resources
        if resource["type"] == STATEFUL_SET
        for prefix in _list_claim_prefixes(resource)
    ]
    listed = {each["metadata"]["uid"] for objects in found.values() for each in objects}
    return [
        line
        for kind, objects in found.items()
        for each in objects
        if (line := f"{kind} {each['metadata']['namespace']}/{each['metadata']['name']}") not in known
        and not _is_deleted_automatically(each["metadata"], listed)
        and not (kind == CLAIM_KIND and (_has_rocketmq_labels(each) or _is_member(line, claims)))
    ]


def retain_namespaces(export: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state in which a destroy leaves the namespaces in the cluster.

    `export` is the output of `pulumi stack export`.
    """
    deployment = export["deployment"]
    resources = [
        each | {"retainOnDelete": True} if each["type"] == NAMESPACE else each for each in deployment["resources"]
    ]
    return {**export, "deployment": {**deployment, "resources": resources}}


def _list_claim_prefixes(resource: Mapping[str, Any]) -> list[str]:
    """Return the prefixes of a StatefulSet's claims, with kind and namespace."""
    namespace, _, name = resource.get("id", "").rpartition("/")
    templates = resource.get("inputs", {}).get("spec", {}).get("volumeClaimTemplates") or []
    return [f"{CLAIM.rpartition(':')[2]} {namespace}/{each['metadata']['name']}-{name}-" for each in templates]


def _is_member(line: str, prefixes: Iterable[str]) -> bool:
    return any(line.startswith(prefix) and line.removeprefix(prefix).isdigit() for prefix in prefixes)


def _has_rocketmq_labels(claim: KubernetesObject) -> bool:
    """Return whether a claim has the labels of RocketMq. An interrupted run may have deleted its StatefulSet."""
    labels = claim["metadata"].get("labels") or {}
    return labels.get(_NAME_LABEL) == "rocketmq" and labels.get("app") == f"rocketmq-{labels.get(_COMPONENT_LABEL)}"


def _is_deleted_automatically(metadata: Mapping[str, Any], listed: Collection[str]) -> bool:
    """Return whether the object is being deleted, or has an owner whose uid is in `listed`.

    An owner of another kind, such as the custom resource of an operator, would be deleted without being reported.
    """
    owners = metadata.get("ownerReferences") or []
    return "deletionTimestamp" in metadata or any(each["uid"] in listed for each in owners)
