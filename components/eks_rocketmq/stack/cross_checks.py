"""Checks of settings of several components that cannot work together. Pure."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, raise_all
from eks_rocketmq.args.kubernetes_names import POD_IDENTITY_AGENT
from eks_rocketmq.args.planned_args import get_plan
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.eks.addons.addon_plan import IDENTITY_FIELDS, AddonPlan
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.cluster.cluster_plan import ADMIN_POLICY, is_admin
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.ebs.storage_class_plan import plan_storage_class
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.stack_file import NAMESPACES_OF_EVERY_CLUSTER
from eks_rocketmq.stack.stack_paths import (
    ADDONS,
    CLUSTER,
    EBS_CSI,
    LOAD_BALANCER,
    NETWORK,
    OIDC,
    ROCKETMQ,
    STORAGE,
    get_setting_path,
    list_roles,
)

_NEW_CLUSTER_CLASS = "gp2"
"""StorageClass that EKS creates in a new cluster. The EBS CSI addon may create one too, but too late."""


def warn_about_key(ebs_csi: EbsCsiAddonArgs, storage: EbsStorageClassArgs) -> ArgumentMessage | None:
    """Return a warning if the stack cannot give the driver access to the KMS key of the class."""
    if "kms_key_id" not in storage or not (ebs_csi.get("existing") or ebs_csi.get("auto_mode")):
        return None
    return ArgumentMessage(
        STORAGE / "kms_key_id",
        "key-without-grant",
        "the stack does not change the role of an existing driver or of Auto Mode. Claims stay Pending unless the role "
        "or the policy of the key allows the driver to use the key",
        remedy="Allow kms:CreateGrant, kms:Decrypt and kms:GenerateDataKeyWithoutPlaintext through EC2",
    )


@raise_all
def check_existing(
    oidc: ClusterOidcProviderArgs, ebs_csi: EbsCsiAddonArgs, storage: EbsStorageClassArgs
) -> Iterator[ArgumentError]:
    """Reject existing resources that a new cluster cannot have yet."""
    existing = {OIDC / "existing": oidc.get("existing", False), EBS_CSI / "existing": ebs_csi.get("existing", False)}
    existing |= {
        EBS_CSI / "self_managed": "self_managed" in ebs_csi,
        EBS_CSI / "auto_mode": ebs_csi.get("auto_mode", False),
        # The stack sets it too if the driver is that of Auto Mode.
        STORAGE / "auto_mode": storage.get("auto_mode", False) and not ebs_csi.get("auto_mode", False),
    }
    for path, given in existing.items():
        if given:
            yield ArgumentError(
                path,
                "existing-in-new-cluster",
                "a new cluster does not have it",
                remedy="Leave the argument out, and the stack creates what the cluster needs",
            )
    name = storage["class_name"]
    if not storage.get("create", False) and name != _NEW_CLUSTER_CLASS:
        yield ArgumentError(
            STORAGE / "class_name",
            "class-in-new-cluster",
            "a new cluster has no StorageClass {given!r}",
            accepted="{default!r}, which EKS creates, or any name with {create} true",
            given=name,
            default=_NEW_CLUSTER_CLASS,
            create=STORAGE / "create",
        )


def check_service_block(cluster: EksClusterArgs, vpc: IPv4Network) -> None:
    """Reject service addresses that overlap the network, as EKS does."""
    services = cluster.get("service_cidr")
    if services is not None and vpc.overlaps(IPv4Network(services)):
        raise ArgumentError(
            CLUSTER / "service_cidr",
            "service-block-overlap",
            "{given!r} overlaps {vpc!r}, the block of {network}",
            accepted="a block outside the VPC's own",
            remedy="Take another block, or leave the argument out and EKS chooses it",
            given=services,
            vpc=str(vpc),
            network=NETWORK / "cidr_block",
        )


def check_role_names(driver: str, cni: VpcCniArgs) -> None:
    """Reject one name for both roles of the stack. IAM ignores the case of names.

    `driver` is the name of the EBS CSI driver's role.
    """
    creates_role = "role_name" in IDENTITY_FIELDS[cni.get("identity", "irsa")]
    if creates_role and driver.lower() == cni["role_name"].lower():
        raise ArgumentError(
            EBS_CSI / "role_name",
            "role-name-twice",
            "{given!r} is also the name of the pod network's role, {cni} or its default",
            accepted="two different names",
            given=driver,
            cni=ADDONS / "vpc_cni" / "role_name",
        )


def check_token_role(cluster: EksClusterArgs) -> None:
    """Reject a role without access to create the stack's objects. With `creator_is_admin` the creator has access."""
    role = cluster.get("role_arn")
    if role is None or cluster.get("creator_is_admin", True):
        return
    entries = CLUSTER / "access_entries"
    own = [(i, entry) for i, entry in enumerate(cluster.get("access_entries", [])) if entry["principal_arn"] == role]
    if not own:
        raise ArgumentError(
            CLUSTER / "role_arn",
            "role-without-access",
            "{given!r} gets no access to the cluster: {creator} is false, and it is in none of {entries}",
            remedy="Add an entry for the role, or name another one. Its default is the last role of {assumed}",
            given=role,
            creator=CLUSTER / "creator_is_admin",
            entries=entries,
            assumed=get_setting_path("aws:assumeRoles"),
        )
    if not any(is_admin(entry) for _, entry in own):
        index, entry = own[0]
        raise ArgumentError(
            entries.index(index, entry),
            "role-without-admin",
            "the entry does not allow {role}, {given!r}, to create the namespaces and StorageClasses of this stack",
            accepted="the policy {policy!r} without namespaces",
            remedy="Add the policy. A Kubernetes group does not help, because a new cluster has no RBAC binding for it",
            role=CLUSTER / "role_arn",
            given=role,
            policy=ADMIN_POLICY,
        )


def check_namespace(rocketmq: RocketMqArgs) -> None:
    """Reject the creation of a namespace that every cluster has."""
    namespace = rocketmq["namespace"]
    if namespace in NAMESPACES_OF_EVERY_CLUSTER and rocketmq.get("create_namespace", True):
        raise ArgumentError(
            ROCKETMQ / "namespace",
            "namespace-of-every-cluster",
            "every cluster has the namespace {given!r}, and {create} is true",
            remedy="Choose another name, or set {create} to false",
            given=namespace,
            create=ROCKETMQ / "create_namespace",
        )


def check_balancer(balancer: Mapping[str, Any]) -> None:
    """Reject a load balancer of EKS Auto Mode, which `EksCluster` does not enable."""
    if balancer.get("autoMode", False):
        raise ArgumentError(
            LOAD_BALANCER / "auto_mode",
            "balancer-needs-auto-mode",
            "the new cluster does not have EKS Auto Mode",
            accepted="false, with the AWS Load Balancer Controller in the cluster",
        )


@raise_all
def check_zones(rocketmq: RocketMqArgs, region: str | None, network: NetworkArgs | None) -> Iterator[ArgumentError]:
    """Reject zones that the region does not have, and zones of pods that have no nodes.

    `network` is None for an existing cluster, `region` if it is unknown.
    """
    own = [] if network is None else network.get("zones", [])
    of_pods = list(_list_pod_zones(rocketmq))
    for path, zone in [*((NETWORK / "zones", zone) for zone in own), *of_pods]:
        if region and not _is_zone_of(region, zone):
            yield ArgumentError(
                path,
                "zone-of-other-region",
                "{given!r} is no zone of {setting}, {region!r}",
                accepted="zones such as '{region}a'",
                given=zone,
                setting=get_setting_path("aws:region"),
                region=region,
            )
        elif region and path == NETWORK / "zones" and not zone.removeprefix(region).isalpha():
            yield ArgumentError(
                path,
                "local-zone",
                "{given!r} is a local zone, and EKS places no control plane there",
                accepted="zones such as '{region}a'",
                given=zone,
                region=region,
            )
    for path, zone in of_pods:
        if own and zone not in own:
            yield ArgumentError(
                path,
                "zone-without-network",
                "{given!r} is no zone of the network",
                accepted="{zones}",
                given=zone,
                zones=", ".join(own),
            )


def check_agent(identity: str, addons: list[AddonPlan]) -> None:
    """Reject a driver whose credentials no agent provides. Its claims would stay Pending.

    `addons` are the addons of the new cluster before the nodes.
    """
    if identity == "pod_identity" and not has_agent(addons):
        raise ArgumentError(
            EBS_CSI / "identity",
            "pod-identity-without-agent",
            "'pod_identity' needs the agent of EKS Pod Identity, which the new cluster does not have",
            remedy="Set {agent} to true, or take 'irsa'",
            agent=ADDONS / "pod_identity_agent",
        )


def has_agent(addons: list[AddonPlan]) -> bool:
    """Return whether the addons contain the agent of EKS Pod Identity."""
    return any(addon.name == POD_IDENTITY_AGENT for addon in addons)


def _is_zone_of(region: str, zone: str) -> bool:
    # A zone is the region and a letter. A local zone, such as `us-west-2-lax-1a`, is the region and a location.
    return re.fullmatch(rf"{re.escape(region)}([a-z]|-[a-z].+)", zone) is not None


def _list_pod_zones(rocketmq: RocketMqArgs) -> Iterator[tuple[ArgumentPath, str]]:
    given: Mapping[str, Any] = {**rocketmq}
    for path, holder in {ROCKETMQ: given, **list_roles(given)}.items():
        for zone in holder.get("pods", {}).get("zones", []):
            yield path / "pods" / "zones", zone


@raise_all
def check_class(storage: EbsStorageClassArgs, rocketmq: RocketMqArgs) -> Iterator[ArgumentError]:
    """Reject claims that are too large for the volumes of the stack's class, or too small for its IOPS."""
    volumes = get_plan(storage, plan_storage_class)
    least, most = volumes.min_size, volumes.max_size
    rocketmq_plan = get_plan(rocketmq, plan)
    claims = [(ROCKETMQ / "controllers", rocketmq.get("controllers", {}), rocketmq_plan.controllers.storage)]
    claims += [
        ((ROCKETMQ / "broker_groups").index(i, group.name), given, group.role.storage)
        for i, (group, given) in enumerate(zip(rocketmq_plan.groups, rocketmq["broker_groups"], strict=True))
    ]
    for path, given, size in claims:
        if "storage_class" in given:
            continue
        if parse_bytes(size, path / "storage") > most * 1024**3:
            yield ArgumentError(
                path / "storage",
                "volume-too-large",
                "{given!r} is larger than an EBS volume of {storage} can be",
                accepted="{most}Gi or less",
                remedy="Lower the size, and add broker groups for more messages",
                given=size,
                storage=STORAGE,
                most=most,
            )
        if parse_bytes(size, path / "storage") < least * 1024**3:
            yield ArgumentError(
                path / "storage",
                "volume-too-small-for-iops",
                "{given!r} is too small for {iops}",
                accepted="{least}Gi or more",
                remedy="Raise the size, or lower {iops}",
                given=size,
                iops=STORAGE / "iops",
                least=least,
            )
