"""What the keys of a stack file accept one by one and that can never come up together. Pure.

Errors call everything what the stack file calls it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from eks_rocketmq.args.arg_schema import to_camel_case
from eks_rocketmq.args.aws_identifiers import is_arn, parse_arn
from eks_rocketmq.args.validation import parse_bytes, reject_ignored_args
from eks_rocketmq.eks.addons.addon_plan import IDENTITY_FIELDS, KUBE_PROXY, POD_IDENTITY_AGENT, AddonPlan
from eks_rocketmq.eks.addons.cluster_addons import CNI_POLICY
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.cluster.cluster_plan import ADMIN_POLICY, is_admin
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.ebs.storage_class_plan import compute_min_size
from eks_rocketmq.eks.iam.role_checks import validate_provider_audiences
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs
from eks_rocketmq.eks.nodes.node_plan import NodePlan, get_kubernetes_release
from eks_rocketmq.rocketmq.config import durability
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.stack_file import NAMESPACES_OF_EVERY_CLUSTER

_ROLES = ("name_servers", "controllers", "proxies")
SKEW = 3
"""Minor versions that nodes may be older than the control plane: https://kubernetes.io/releases/version-skew-policy/"""
_NEW_CLUSTER_CLASS = "gp2"
"""The class that EKS puts into a cluster. The EBS CSI addon may make one too, but after the stack has looked for it."""
NO_ROLE: Mapping[str, str] = {
    "existing": "which uses the addon and its role as they are",
    "auto-mode": "which needs no role of the stack",
}
"""Values of `ebsCsiDriver` for which the stack creates no role."""
KEY_UNSEEN = (
    "newStorageClass.kmsKeyId with ebsCsiDriver 'existing' or 'auto-mode': the stack leaves that driver's role as it "
    "is (in Auto Mode, the role of the cluster). Unless the role or the key's policy lets it use the key through EC2 "
    "(kms:CreateGrant, kms:Decrypt, kms:GenerateDataKeyWithoutPlaintext), every claim of the class stays Pending"
)


def check_existing(values: Mapping[str, Any], storage: EbsStorageClassArgs) -> None:
    """Refuses to use as existing what a cluster that the stack makes cannot have yet.

    Args:
        values: the settings by key.
        storage: the class of the claims.

    Raises:
        ValueError: naming the key and what is accepted.
    """
    for key, why in (
        ("oidcProvider", "its issuer is new, and no provider of it is there"),
        ("ebsCsiDriver", "there is no driver in it"),
    ):
        if values[key] != "create":
            msg = f"{key} is {values[key]!r}, and newCluster makes the cluster: {why}; take 'create'"
            raise ValueError(msg)
    name = storage["class_name"]
    if not storage.get("create", False) and name != _NEW_CLUSTER_CLASS:
        msg = (
            f"storageClass is {name!r}, and newCluster makes a cluster with no class but EKS's own; accepted are "
            f"{_NEW_CLUSTER_CLASS!r}, and any other name with newStorageClass, which makes it"
        )
        raise ValueError(msg)


def client_ids(given: list[Any]) -> list[str]:
    """Return the audiences of the OIDC provider beside STS's own.

    Raises:
        ValueError: naming the key and what is accepted.
    """
    for each in given:
        if not isinstance(each, str):
            msg = f"oidcClientIds has {each!r}; accepted are strings, each one audience such as 'vault'"
            raise ValueError(msg)
    try:
        validate_provider_audiences(given)
    except ValueError as error:
        msg = f"oidcClientIds: {error}"
        raise ValueError(msg) from error
    return given


def check_driver(driver: str, values: Mapping[str, Any], own: Iterable[str]) -> None:
    """Rejects settings that the chosen driver makes meaningless.

    Args:
        driver: `ebsCsiDriver`.
        values: the settings by key.
        own: settings of the driver's role that differ from their default.

    Raises:
        ValueError: naming the keys and what is accepted.
    """
    if driver in NO_ROLE:
        reject_ignored_args(values, own, f"ebsCsiDriver {driver!r}, {NO_ROLE[driver]}")
    if driver != "self-managed" and "selfManaged" in values["ebsCsi"]:
        msg = (
            f"ebsCsi.selfManaged is given and ebsCsiDriver is {driver!r}; it belongs to 'self-managed': take that, or "
            "leave selfManaged out"
        )
        raise ValueError(msg)


def check_service_block(cluster: EksClusterArgs, vpc: IPv4Network) -> None:
    """Refuses addresses of services that the network has as well, as EKS would.

    Raises:
        ValueError: naming both blocks.
    """
    services = cluster.get("service_cidr")
    if services is not None and vpc.overlaps(IPv4Network(services)):
        msg = (
            f"newCluster.serviceCidr is {services!r} and network.cidrBlock {str(vpc)!r}; accepted are two blocks that "
            "do not overlap: take another one, or leave serviceCidr out and AWS chooses it"
        )
        raise ValueError(msg)


def check_role_names(driver: str, cni: VpcCniArgs) -> None:
    """Refuses one name for the two roles that the stack makes. IAM does not tell upper from lower case.

    Args:
        driver: name of the EBS CSI driver's role.
        cni: as whom the pod network works.

    Raises:
        ValueError: naming both keys.
    """
    makes_role = "role_name" in IDENTITY_FIELDS[cni.get("identity", "irsa")]
    if makes_role and driver.lower() == cni["role_name"].lower():
        msg = (
            f"ebsCsiRoleName is {driver!r}, and the pod network's role has that name too, by itself or from "
            "clusterAddons.vpcCni.roleName; accepted are two names: change one of them"
        )
        raise ValueError(msg)


def check_let_in(cluster: EksClusterArgs) -> None:
    """Refuses a role for what the stack puts into the cluster that may not do so. With `creatorIsAdmin` it may be the
    creator's own.

    Raises:
        ValueError: naming the role and what it needs.
    """
    role = cluster.get("role_arn")
    if role is None or cluster.get("creator_is_admin", True):
        return
    own = [entry for entry in cluster.get("access_entries", []) if entry["principal_arn"] == role]
    if not own:
        msg = (
            f"clusterRoleArn is {role!r}, if not given the last role of aws:assumeRoles. newCluster lets it in neither "
            "as its creator (creatorIsAdmin is false) nor by one of its accessEntries: give it an entry there, or name "
            "another role in clusterRoleArn"
        )
        raise ValueError(msg)
    if not any(is_admin(entry) for entry in own):
        msg = (
            f"newCluster.accessEntries[{own[0]['name']!r}] lets clusterRoleArn, {role!r}, in without rights for the "
            f"namespaces and StorageClasses that this stack makes. Accepted is the policy {ADMIN_POLICY!r} without "
            "namespaces, as a new cluster has no roles of its own. Give the entry that policy"
        )
        raise ValueError(msg)


def check_namespace(rocketmq: RocketMqArgs) -> None:
    """Refuses to create a namespace that every cluster has.

    Raises:
        ValueError: naming both keys.
    """
    namespace = rocketmq["namespace"]
    if namespace in NAMESPACES_OF_EVERY_CLUSTER and rocketmq.get("create_namespace", True):
        msg = (
            f"namespace is {namespace!r}, which every cluster has, and createNamespace is true. Accepted is another "
            "name. Choose one, or set createNamespace to false"
        )
        raise ValueError(msg)


def check_balancer(values: Mapping[str, Any]) -> None:
    """Refuses a load balancer of EKS Auto Mode, which `EksCluster` does not switch on.

    Raises:
        ValueError: naming the key.
    """
    if values["external"].get("networkLoadBalancer", {}).get("autoMode", False):
        msg = (
            "external.networkLoadBalancer.autoMode is true, and newCluster makes a cluster without EKS Auto Mode. "
            "Accepted is false, with the AWS Load Balancer Controller in the cluster. Leave autoMode out"
        )
        raise ValueError(msg)


def check_versions(cluster: str, groups: Mapping[str, NodeGroupArgs], addons: Iterable[AddonPlan]) -> None:
    """Refuses nodes and a kube-proxy that EKS does not run with the control plane.

    Args:
        cluster: version of the control plane.
        groups: arguments of the node groups by their place in the stack file.
        addons: those of the cluster.

    Raises:
        ValueError: naming both versions and what is accepted.
    """
    said = {f"{place}.version": args["version"] for place, args in groups.items() if "version" in args}
    said |= {
        f"{place}.releaseVersion": release
        for place, args in groups.items()
        # Bottlerocket counts its releases by itself.
        if "version" not in args and (release := get_kubernetes_release(args)) is not None
    }
    pinned = [addon.version for addon in addons if addon.name == KUBE_PROXY and addon.version is not None]
    if pinned:
        said["version of kube-proxy in clusterAddons.addons"] = pinned[0]
    newest = int(cluster.split(".")[1])
    for what, version in said.items():
        if not newest - SKEW <= int(str(version).split(".")[1]) <= newest:
            msg = (
                f"{what} is {version!r} and newCluster.version {cluster!r}. Accepted are the minor version of the "
                f"control plane and the {SKEW} before it, 1.{newest - SKEW} to {cluster}. Take one of these"
            )
            raise ValueError(msg)


def check_pod_network(cni: VpcCniArgs, groups: Mapping[str, NodeGroupArgs]) -> None:
    """Refuses nodes that may not ask for the addresses of their pods: they never become ready.

    Args:
        cni: as whom the pod network works.
        groups: arguments of the node groups by their place in the stack file.

    Raises:
        ValueError: naming the group and the policy.
    """
    if cni.get("identity", "irsa") != "node":
        return
    for place, args in groups.items():
        # A role or a policy of one's own may allow it.
        own = [policy for policy in args.get("managed_policies", []) if _may_allow_addresses(policy)]
        if "role_arn" not in args and not own:
            msg = (
                f"{place}.managedPolicies has no {CNI_POLICY!r}, and clusterAddons.vpcCni.identity is 'node': no pod "
                f"gets an address, and no node becomes ready. Accepted are nodes with that policy. Add {CNI_POLICY!r}, "
                "or take identity 'irsa'"
            )
            raise ValueError(msg)


def _may_allow_addresses(policy: str) -> bool:
    return policy.rsplit("/", 1)[-1] == CNI_POLICY or (is_arn(policy) and parse_arn(policy).account != "aws")


def check_nodes(zones: int, groups: Sequence[NodePlan], rocketmq: RocketMqArgs) -> None:
    """Refuses a cluster without nodes, or with too few zones for what it is made for.

    Args:
        zones: how many the network has.
        groups: the node groups.
        rocketmq: what runs on them.

    Raises:
        ValueError: naming the key, what was given and what is accepted.
    """
    if not groups:
        msg = "nodeGroups is empty; accepted is one group or more, RocketMQ and the addons run on their nodes"
        raise ValueError(msg)
    if not any(plan.desired_size for plan in groups):
        msg = (
            "nodeGroups: desiredSize is 0 in every group; accepted is 1 or more in one of them, as EKS waits for the "
            "pods of coredns and of the EBS CSI driver"
        )
        raise ValueError(msg)
    name = rocketmq.get("profile", "strict")
    needed = durability.find_profile(name).zones
    if zones < needed:
        msg = (
            f"network has {zones} zones; durability {name!r} spreads the members of a group over {needed}: take "
            f"zoneCount {needed} or more (or as many names in zones), or a durability that promises less"
        )
        raise ValueError(msg)


def check_zones(rocketmq: RocketMqArgs, region: str | None, network: NetworkArgs | None) -> None:
    """Refuses zones that the region does not have, and zones for pods that no node can be in.

    Args:
        rocketmq: what names the zones of pods.
        region: the stack's region, where it is known.
        network: the network of a new cluster.

    Raises:
        ValueError: naming the zone and where it stands.
    """
    own = [] if network is None else network.get("zones", [])
    of_pods = list(_pod_zones(rocketmq))
    for what, zone in [*(("network.zones", zone) for zone in own), *of_pods]:
        if region and not _is_in(region, zone):
            msg = (
                f"{what} has {zone!r}, no zone of aws:region, {region!r}: no node can be there; name zones such as "
                f"'{region}a', or leave zones out"
            )
            raise ValueError(msg)
    for what, zone in of_pods:
        if own and zone not in own:
            msg = f"{what} has {zone!r}, and the network has no such zone; accepted are {', '.join(own)}"
            raise ValueError(msg)


def check_agent(identity: str, addons: list[AddonPlan]) -> None:
    """Refuses a driver that waits for credentials which nobody hands out: its claims would stay Pending.

    Args:
        identity: of the driver.
        addons: those of the new cluster that come before the nodes.

    Raises:
        ValueError: naming both keys.
    """
    if identity == "pod_identity" and not has_agent(addons):
        msg = (
            "ebsCsi.identity is 'pod_identity', and the new cluster has no agent that hands roles out: set "
            "clusterAddons.podIdentityAgent to true, or take identity 'irsa'"
        )
        raise ValueError(msg)


def has_agent(addons: list[AddonPlan]) -> bool:
    """Whether something hands out roles by EKS Pod Identity."""
    return any(addon.name == POD_IDENTITY_AGENT for addon in addons)


def _is_in(region: str, zone: str) -> bool:
    """A zone is the region and a letter, a local one, such as `us-west-2-lax-1a`, the region and a place."""
    return re.fullmatch(rf"{re.escape(region)}([a-z]|-[a-z].+)", zone) is not None


def _pod_zones(rocketmq: RocketMqArgs) -> Iterator[tuple[str, str]]:
    given: Mapping[str, Any] = {**rocketmq}
    places: dict[str, Mapping[str, Any]] = {"pods": given}
    places |= {f"{to_camel_case(role)}.pods": given.get(role, {}) for role in _ROLES}
    places |= {f"brokerGroups[{group['name']!r}].pods": group for group in given["broker_groups"]}
    for what, holder in places.items():
        for zone in holder.get("pods", {}).get("zones", []):
            yield f"{what}.zones", zone


def check_class(storage: EbsStorageClassArgs, rocketmq: RocketMqArgs) -> None:
    """Refuses claims of the stack's new class that are too small for what the class promises.

    Args:
        storage: the new class.
        rocketmq: what claims volumes of it, where it names no other class.

    Raises:
        ValueError: naming the claim and the least size.
    """
    least = compute_min_size(storage)
    made = plan(rocketmq)
    own = {"controllers": (rocketmq.get("controllers", {}), made.controllers.storage)}
    own |= {
        f"brokerGroups[{group.name!r}]": (given, group.role.storage)
        for group, given in zip(made.groups, rocketmq["broker_groups"], strict=True)
    }
    for what, (given, size) in own.items():
        if "storage_class" not in given and parse_bytes(size, what) < least * 1024**3:
            msg = (
                f"{what}.storage is {size}; newStorageClass with its iops needs volumes of {least}Gi or more: raise "
                "it, or take fewer iops"
            )
            raise ValueError(msg)
