"""Order of `eks-rocketmq destroy`, and the volumes that it waits for. Pure.

The engine does not know the PersistentVolumes, because the CSI driver created them. If everything is destroyed at once,
the driver loses its permissions before it has deleted its volumes. These volumes stay in AWS, unnoticed, and cost
money.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.kubernetes_names import EBS_CSI, EBS_DRIVER
from eks_rocketmq.lookups.aws_resources import ADDON, CLUSTER
from eks_rocketmq.lookups.volumes import Volume
from eks_rocketmq.pulumi_sdk.component import type_token
from eks_rocketmq.pulumi_sdk.engine_values import get_provider_urn

DELETE_POLICY = "Delete"
"""Reclaim policy of volumes that Kubernetes deletes after their claims."""

NAMESPACE = "kubernetes:core/v1:Namespace"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
SERVICE_ACCOUNT_PATCH = "kubernetes:core/v1:ServiceAccountPatch"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"
_CLAIM_OWNER_TYPES = frozenset({type_token("RocketMq"), NAMESPACE, CLAIM, STATEFUL_SET})

State = Mapping[str, Any]
"""A resource of a state export."""


@dataclass(frozen=True)
class ClaimedCluster:
    """A cluster in which the stack has claims, according to the state."""

    provider: Mapping[str, Any]
    """Inputs of the stack's Kubernetes provider."""
    owned_namespaces: frozenset[str]
    """Namespaces that the stack deletes, with all claims in them."""
    namespaces: frozenset[str]
    """All namespaces in which the stack stores data."""
    claims: frozenset[str]
    """Claims that the stack deletes individually, as `namespace/name`."""
    stateful_sets: frozenset[str]
    """StatefulSets that the stack deletes, with the claims that they own, as `namespace/name`."""


@dataclass(frozen=True)
class Teardown:
    """Order in which a stack is destroyed."""

    first_targets: list[str]
    """URNs of the resources that own claims. Their children and dependents are destroyed with them."""
    clusters: list[ClaimedCluster]
    """Clusters whose volumes are checked."""
    removes_driver: bool
    """Whether the stack removes the EBS CSI driver, or the role of a self-managed one."""
    protected: list[str]
    """A line for each resource that the engine or EKS protects from deletion."""
    empty: bool
    """Whether the stack has no resources."""


@dataclass(frozen=True)
class VolumeLosses:
    """Effect of the destroy on volumes, shown before the user confirms."""

    deleted: list[Volume]
    """Volumes that are deleted with their claims."""
    retained: list[Volume]
    """Volumes that stay because of their reclaim policy. Their claims are deleted."""
    kept: list[Volume]
    """Volumes that stay with their claims. The stack does not own their namespace."""
    orphaned: list[Volume]
    """EBS volumes of other workloads, which lose their driver."""


def plan_teardown(export: Mapping[str, Any], *, cluster_gone: bool = False) -> Teardown:
    """Return the order in which to destroy a stack.

    `export` is the output of `pulumi stack export`. `cluster_gone` says that the cluster no longer exists. EKS then
    protects nothing, but the state still says so.
    """
    resources: list[State] = (export.get("deployment") or {}).get("resources") or []
    by_urn = {resource["urn"]: resource for resource in resources}
    owners = [resource for resource in resources if resource["type"] in _CLAIM_OWNER_TYPES and _is_deleted(resource)]
    owners_by_provider: dict[str, list[State]] = {}
    for resource in owners:
        if resource.get("custom"):
            owners_by_provider.setdefault(get_provider_urn(resource), []).append(resource)
    removes_driver = any(_is_driver(resource, by_urn) and _is_deleted(resource) for resource in resources)
    if removes_driver and not owners_by_provider:
        # An earlier run may have deleted RocketMQ already. The driver may still have volumes to delete.
        owners_by_provider = {resource["urn"]: [] for resource in resources if resource["type"] == KUBERNETES_PROVIDER}
    return Teardown(
        first_targets=[resource["urn"] for resource in owners if not _has_ancestor(resource, owners, by_urn)],
        clusters=[_describe_cluster(by_urn[urn].get("inputs", {}), owned) for urn, owned in owners_by_provider.items()],
        removes_driver=removes_driver,
        protected=[
            line
            for resource in resources
            if _is_deleted(resource) and (line := _describe_protection(resource, by_eks=not cluster_gone))
        ],
        empty=not resources,
    )


def classify_volumes(
    volumes_by_cluster: Iterable[tuple[ClaimedCluster, Iterable[Volume]]], *, removes_driver: bool
) -> VolumeLosses:
    """Return the effect of the destroy on volumes. `volumes_by_cluster` has all volumes of each cluster."""
    lost = VolumeLosses([], [], [], [])
    for cluster, volumes in volumes_by_cluster:
        for volume in volumes:
            namespace = volume.claim.partition("/")[0]
            if namespace in cluster.namespaces:
                deletes_claim = (
                    namespace in cluster.owned_namespaces
                    or volume.claim in cluster.claims
                    or volume.stateful_set in cluster.stateful_sets
                )
                retained = lost.kept if volume.has_claim and not deletes_claim else lost.retained
                (lost.deleted if _will_be_deleted(volume, deletes_claim=deletes_claim) else retained).append(volume)
            elif removes_driver and volume.driver == EBS_DRIVER:
                (lost.deleted if _will_be_deleted(volume, deletes_claim=False) else lost.orphaned).append(volume)
    return lost


def select_awaited_volumes(
    volumes: Iterable[Volume], expected: Iterable[Volume], *, removes_driver: bool
) -> list[Volume]:
    """Return the volumes that must be deleted before the driver is removed.

    `expected` are the volumes that were to be deleted when the destroy began. With `removes_driver`, all volumes that
    the driver has yet to delete count.
    """
    expected_uids = {volume.uid for volume in expected}
    return [
        volume
        for volume in volumes
        if volume.reclaim_policy == DELETE_POLICY
        and (
            volume.uid in expected_uids
            or (removes_driver and volume.driver == EBS_DRIVER and _will_be_deleted(volume, deletes_claim=False))
        )
    ]


def _will_be_deleted(volume: Volume, *, deletes_claim: bool) -> bool:
    return volume.reclaim_policy == DELETE_POLICY and bool(volume.claim) and (deletes_claim or not volume.has_claim)


def _describe_cluster(provider: Mapping[str, Any], owners: Iterable[State]) -> ClaimedCluster:
    owned, namespaces, claims, stateful_sets = set(), set(), set(), set()
    for resource in owners:
        if resource["type"] == NAMESPACE:
            owned.add(resource["id"])
            continue
        namespace, _, name = resource["id"].rpartition("/")
        namespaces.add(namespace or "default")
        (claims if resource["type"] == CLAIM else stateful_sets).add(f"{namespace or 'default'}/{name}")
    return ClaimedCluster(
        provider, frozenset(owned), frozenset(owned | namespaces), frozenset(claims), frozenset(stateful_sets)
    )


def _is_driver(resource: State, by_urn: Mapping[str, State]) -> bool:
    """Return whether the driver needs the resource to delete volumes: it is the addon, or gives the driver its role."""
    if resource["type"] == SERVICE_ACCOUNT_PATCH:
        return by_urn.get(resource.get("parent", ""), {}).get("type") == type_token("EbsCsiAddon")
    return resource["type"] == ADDON and resource.get("inputs", {}).get("addonName") == EBS_CSI


def _is_deleted(resource: State) -> bool:
    """Return whether the destroy deletes the resource: it is neither only read nor retained by an option."""
    return not (resource.get("external") or resource.get("retainOnDelete"))


def _describe_protection(resource: State, *, by_eks: bool) -> str:
    """Return who protects the resource from deletion; an empty text if it is not protected."""
    # EKS rejects the delete independently of the engine, and only after RocketMQ has been deleted.
    by_eks = by_eks and resource["type"] == CLUSTER and resource.get("inputs", {}).get("deletionProtection")
    protectors = [name for name, protects in (("the engine", resource.get("protect")), ("EKS", by_eks)) if protects]
    return (
        f"{resource['type']} {resource['urn'].rpartition('::')[2]} is protected by {' and by '.join(protectors)}"
        if protectors
        else ""
    )


def _has_ancestor(resource: State, others: Iterable[State], by_urn: Mapping[str, State]) -> bool:
    ancestors = {other["urn"] for other in others}
    parent = resource.get("parent")
    while parent and parent not in ancestors:
        parent = by_urn.get(parent, {}).get("parent")
    return bool(parent)
