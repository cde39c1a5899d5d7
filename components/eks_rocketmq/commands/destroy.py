"""What `eks-rocketmq destroy` destroys first, and which volumes it waits for before it goes on. Pure.

The engine knows of no PersistentVolume: the CSI driver made them. Destroying everything at once takes the driver's
permissions while it still has volumes to delete, and those stay in AWS, where nobody looks for them, and cost money.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.lookups.aws_resources import ADDON, CLUSTER
from eks_rocketmq.lookups.volumes import EBS_DRIVER, Volume
from eks_rocketmq.pulumi_sdk.component import type_token

EBS_ADDON = "aws-ebs-csi-driver"
DELETE_POLICY = "Delete"
"""The reclaim policy under which a volume is deleted with its claim."""

NAMESPACE = "kubernetes:core/v1:Namespace"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"
_CLAIM_MAKERS = frozenset({type_token("RocketMq"), NAMESPACE, CLAIM, STATEFUL_SET})

State = Mapping[str, Any]
"""One resource of a state export."""
Object = Mapping[str, Any]
"""A Kubernetes object, or a part of one."""


@dataclass(frozen=True)
class ClaimedCluster:
    """A cluster in which the stack has claims, as far as the state knows."""

    provider: Mapping[str, Any]
    """Inputs of the stack's Kubernetes provider."""
    owned_namespaces: frozenset[str]
    """Namespaces that the stack deletes, and every claim with them."""
    namespaces: frozenset[str]
    """All namespaces in which the stack keeps data."""
    claims: frozenset[str]
    """Claims that the stack deletes by themselves, as `namespace/name`."""


@dataclass(frozen=True)
class Teardown:
    """In which order a stack can be destroyed."""

    first_targets: list[str]
    """URNs of what holds claims; whatever depends on it or is below it goes along."""
    clusters: list[ClaimedCluster]
    """Where to look for volumes."""
    removes_driver: bool
    """Whether the stack takes the EBS CSI driver away."""
    protected: list[str]
    """What is protected from being deleted, a line for each: by the engine, or by EKS itself."""
    empty: bool
    """Whether the stack has nothing at all."""


@dataclass(frozen=True)
class VolumeLosses:
    """What a person should know before agreeing."""

    deleted: list[Volume]
    """Deleted with their claims."""
    retained: list[Volume]
    """Their claims go, the volumes stay: their reclaim policy says so."""
    kept: list[Volume]
    """Claims and volumes stay: their namespace is not the stack's."""
    orphaned: list[Volume]
    """EBS volumes of other workloads, which lose their driver."""


def plan_teardown(export: Mapping[str, Any]) -> Teardown:
    """How to destroy a stack.

    Args:
        export: the document of `pulumi stack export`.
    """
    resources: list[State] = (export.get("deployment") or {}).get("resources") or []
    by_urn = {resource["urn"]: resource for resource in resources}
    makers = [resource for resource in resources if resource["type"] in _CLAIM_MAKERS and _is_deleted(resource)]
    holders: dict[str, list[State]] = {}
    for resource in makers:
        if resource.get("custom"):
            holders.setdefault(_urn_of_provider(resource), []).append(resource)
    removes_driver = any(
        resource["type"] == ADDON and resource.get("inputs", {}).get("addonName") == EBS_ADDON and _is_deleted(resource)
        for resource in resources
    )
    if removes_driver and not holders:
        # An earlier run may have come this far; the driver may still have volumes to delete.
        holders = {resource["urn"]: [] for resource in resources if resource["type"] == KUBERNETES_PROVIDER}
    return Teardown(
        first_targets=[resource["urn"] for resource in makers if not _has_ancestor(resource, makers, by_urn)],
        clusters=[_describe_cluster(by_urn[urn].get("inputs", {}), held) for urn, held in holders.items()],
        removes_driver=removes_driver,
        protected=[
            line for resource in resources if _is_deleted(resource) and (line := _describe_protection(resource))
        ],
        empty=not resources,
    )


def classify_volumes(found: Iterable[tuple[ClaimedCluster, Iterable[Volume]]], *, removes_driver: bool) -> VolumeLosses:
    """What becomes of the volumes when the stack goes.

    Args:
        found: each cluster with all the volumes that it has.
        removes_driver: whether the driver goes as well.
    """
    lost = VolumeLosses([], [], [], [])
    for cluster, volumes in found:
        for volume in volumes:
            namespace = volume.claim.partition("/")[0]
            if namespace in cluster.namespaces:
                goes = namespace in cluster.owned_namespaces or volume.claim in cluster.claims or volume.claim_has_owner
                kept = lost.kept if volume.has_claim and not goes else lost.retained
                (lost.deleted if _will_be_deleted(volume, goes=goes) else kept).append(volume)
            elif removes_driver and volume.driver == EBS_DRIVER:
                (lost.deleted if _will_be_deleted(volume, goes=False) else lost.orphaned).append(volume)
    return lost


def select_awaited_volumes(volumes: Iterable[Volume], going: Iterable[Volume], *, removes_driver: bool) -> list[Volume]:
    """The volumes that have to be gone before the driver may go.

    Args:
        volumes: what the cluster has now.
        going: what was to be deleted when the destroy began.
        removes_driver: whether the driver goes: then every volume counts that it still has to delete.
    """
    watched = {volume.uid for volume in going}
    return [
        volume
        for volume in volumes
        if volume.reclaim_policy == DELETE_POLICY
        and (
            volume.uid in watched
            or (removes_driver and volume.driver == EBS_DRIVER and _will_be_deleted(volume, goes=False))
        )
    ]


def _will_be_deleted(volume: Volume, *, goes: bool) -> bool:
    return volume.reclaim_policy == DELETE_POLICY and bool(volume.claim) and (goes or not volume.has_claim)


def _describe_cluster(provider: Mapping[str, Any], held: Iterable[State]) -> ClaimedCluster:
    owned, namespaces, claims = set(), set(), set()
    for resource in held:
        if resource["type"] == NAMESPACE:
            owned.add(resource["id"])
            continue
        namespace, _, name = resource["id"].rpartition("/")
        namespaces.add(namespace or "default")
        if resource["type"] == CLAIM:
            claims.add(f"{namespace or 'default'}/{name}")
    return ClaimedCluster(provider, frozenset(owned), frozenset(owned | namespaces), frozenset(claims))


def _is_deleted(resource: State) -> bool:
    """Whether destroying the resource deletes anything: not what was only read, nor what is kept by an option."""
    return not (resource.get("external") or resource.get("retainOnDelete"))


def _describe_protection(resource: State) -> str:
    """Who refuses to delete the resource; empty when nobody does."""
    # EKS refuses by itself, also once the engine is told not to: after RocketMQ is gone, when it is too late.
    by_eks = resource["type"] == CLUSTER and resource.get("inputs", {}).get("deletionProtection")
    by = [name for name, does in (("the engine", resource.get("protect")), ("EKS", by_eks)) if does]
    return (
        f"{resource['type']} {resource['urn'].rpartition('::')[2]} is protected by {' and by '.join(by)}" if by else ""
    )


def _has_ancestor(resource: State, others: Iterable[State], by_urn: Mapping[str, State]) -> bool:
    above = {other["urn"] for other in others}
    parent = resource.get("parent")
    while parent and parent not in above:
        parent = by_urn.get(parent, {}).get("parent")
    return bool(parent)


def _urn_of_provider(resource: State) -> str:
    return resource["provider"].rpartition("::")[0]
