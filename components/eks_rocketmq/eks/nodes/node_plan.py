"""Plan of a node group. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eks_rocketmq.args.aws_identifiers import parse_arn, parse_kms_key_arn, parse_role_arn, validate_kubernetes_version
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import (
    parse_whole_number,
    reject_ignored_args,
    validate_choice,
    validate_label_value,
    validate_labels,
    validate_qualified_name,
)
from eks_rocketmq.eks.iam.role_checks import validate_policy_names
from eks_rocketmq.eks.nodes.node_group_args import CapacityType, NodeGroupArgs, NodeTaintArgs, NodeUpdateStrategy

X86, ARM = "x86_64", "arm64"
AMI_TYPES = {
    "AL2023_x86_64_STANDARD": X86,
    "AL2023_ARM_64_STANDARD": ARM,
    "BOTTLEROCKET_x86_64": X86,
    "BOTTLEROCKET_ARM_64": ARM,
    "BOTTLEROCKET_x86_64_FIPS": X86,
    "BOTTLEROCKET_ARM_64_FIPS": ARM,
}
"""Accepted AMI types, and the architecture of each."""
CAPACITY_TYPES = get_accepted_values(CapacityType)
UPDATE_STRATEGIES = get_accepted_values(NodeUpdateStrategy)
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
"""Taint effects as Kubernetes and as EKS spell them."""
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""Minimum policies of a node: to join the cluster and to pull images. The pod network has its own role
(`ClusterAddons`). https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html"""
_JOIN_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy")
_PULL_POLICIES = (
    *("AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"),
    *("AmazonEC2ContainerRegistryPowerUser", "AmazonEC2ContainerRegistryFullAccess"),
)
RESERVED_DOMAINS = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")
"""Label domains that managed nodes cannot have. EKS rejects the group, or starts instances whose kubelet does not
start, so they never join. https://github.com/aws/containers-roadmap/issues/1451, /2465"""
KUBELET_DOMAINS = ("node.kubernetes.io", "kubelet.kubernetes.io")
"""Exceptions that the kubelet accepts:
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction"""
MAX_NAME_LENGTH = 37  # https://docs.aws.amazon.com/eks/latest/APIReference: 63, less the provider's suffix of 26

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]*")
_RELEASE = re.compile(r"\d+\.\d+\.\d+-\w+", re.ASCII)
_INSTANCE_TYPE = re.compile(r"(?P<family>[a-z][a-z0-9-]*)\.[a-z0-9-]+")
_GRAVITON = re.compile(r"a1|[a-z]+\d+g[a-z]*(-[a-z0-9]+)?")
"""Families with Graviton (arm64) processors have a `g` after the generation, such as `m7g`, `c7gn` or `im4gn`."""


@dataclass(frozen=True)
class NodePlan:
    """A node group with valid arguments."""

    groups: int
    """Number of EKS node groups: one for each zone, or one."""
    zones: int | None
    """Required number of subnets, if it is known or given."""
    ami_type: str
    min_size: int
    desired_size: int
    max_size: int
    disk_size: int
    hop_limit: int
    max_unavailable: int
    taints: Sequence[dict[str, str]]

    @property
    def volumes(self) -> dict[str, int | None]:
        """Root volumes by device, with a size in GiB, or None for the size of the image."""
        if self.ami_type.startswith("BOTTLEROCKET"):
            # The first volume has the operating system, the second one images and logs.
            return {"/dev/xvda": None, "/dev/xvdb": self.disk_size}
        return {"/dev/xvda": self.disk_size}


def plan_nodes(name: str, args: NodeGroupArgs) -> NodePlan:
    """Validate the arguments of a node group and return its plan.

    Args:
        name: name of the component, which is the prefix of the groups' names in EKS.
        args: arguments of the component.

    Raises:
        ValueError: for the first argument that is not valid.
    """
    zones = _count_zones(args)
    groups = zones if zones is not None and args.get("per_zone", True) else 1
    if len(longest := f"{name}-{groups}-") > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        msg = (
            f"the name {name!r} makes node groups that begin with {longest!r}, {len(longest)} letters; accepted are up "
            f"to {MAX_NAME_LENGTH} letters, digits, '-' and '_', the first a letter or a digit: take another name"
        )
        raise ValueError(msg)
    validate_choice(args.get("capacity_type", "ON_DEMAND"), CAPACITY_TYPES, "capacity_type")
    validate_choice(args.get("update_strategy", "DEFAULT"), UPDATE_STRATEGIES, "update_strategy")
    desired = _validate_range(args.get("desired_size", 1), 0, "desired_size")
    smallest = _validate_range(args.get("min_size", desired), 0, "min_size")
    largest = _validate_range(args.get("max_size", max(desired, 1)), 1, "max_size")
    if not smallest <= desired <= largest:
        msg = f"min_size {smallest}, desired_size {desired}, max_size {largest}; accepted are sizes in rising order"
        raise ValueError(msg)
    _check_versions(args)
    _check_arns(args)
    _check_policies(args)
    for key in validate_labels(args.get("labels", {}), "labels"):
        _check_label(key)
    return NodePlan(
        groups=groups,
        zones=zones,
        ami_type=_select_ami_type(args),
        min_size=smallest,
        desired_size=desired,
        max_size=largest,
        disk_size=_validate_range(args.get("disk_size", 50), 20, "disk_size"),
        hop_limit=_validate_range(args.get("metadata_hop_limit", 1), 1, "metadata_hop_limit", 64),
        max_unavailable=_validate_range(args.get("max_unavailable", 1), 1, "max_unavailable", 100),
        taints=[_convert_taint(taint) for taint in args.get("taints", [])],
    )


def _check_label(key: str) -> None:
    domain, slash, _ = key.rpartition("/")
    if slash and _is_in_domains(domain, RESERVED_DOMAINS) and not _is_in_domains(domain, KUBELET_DOMAINS):
        msg = (
            f"labels has {key!r}; EKS or the kubelet refuses labels of {', '.join(RESERVED_DOMAINS)} and what is "
            f"below them, except {' and '.join(KUBELET_DOMAINS)}: take a domain of your own, as in 'example.com/role'"
        )
        raise ValueError(msg)


def _is_in_domains(domain: str, domains: Sequence[str]) -> bool:
    return f".{domain}".endswith(tuple(f".{parent}" for parent in domains))


def _check_versions(args: NodeGroupArgs) -> None:
    if isinstance(version := args.get("version"), str):
        validate_kubernetes_version(version, "version")
    release = args.get("release_version")
    if release is not None and not _RELEASE.fullmatch(release):
        msg = f"release_version is {release!r}; accepted is the release of an image, such as '1.35.2-20260715'"
        raise ValueError(msg)
    kubernetes_release = get_kubernetes_release(args)
    if kubernetes_release is not None and isinstance(version, str) and not kubernetes_release.startswith(f"{version}."):
        msg = (
            f"release_version is {kubernetes_release!r} and version {version!r}: an image has the kubelet of its "
            f"own version. Accepted is a release of {version}. "
            f"Take one that begins with '{version}.', or leave one of the two out"
        )
        raise ValueError(msg)


def get_kubernetes_release(args: NodeGroupArgs) -> str | None:
    """Return the AMI release version if it begins with a Kubernetes version.

    Return None for Bottlerocket, which has its own release versions.
    """
    bottlerocket = args.get("ami_type", "").startswith("BOTTLEROCKET")
    return None if bottlerocket else args.get("release_version")


def _check_arns(args: NodeGroupArgs) -> None:
    """Validate the ARNs that are known."""
    if isinstance(role := args.get("role_arn"), str):
        parse_role_arn(role, "role_arn")
    if isinstance(key := args.get("disk_kms_key_arn"), str):
        parse_kms_key_arn(key, "disk_kms_key_arn")


def _check_policies(args: NodeGroupArgs) -> None:
    if "role_arn" in args:
        reject_ignored_args({**args}, ("managed_policies",), "role_arn, a role that is not made here")
    validate_policy_names([*NODE_POLICIES, *args.get("managed_policies", [])], [], [])


def find_missing_policies(attached: Sequence[str], inline: Sequence[str]) -> list[str]:
    """Return the names of the AWS managed policies that a node role does not have but needs.

    Return nothing if the role has inline or customer managed policies: their content is not checked.

    Args:
        attached: ARNs of the role's managed policies.
        inline: names of the role's inline policies.
    """
    names = {arn.rsplit("/", 1)[-1] for arn in attached}
    if inline or "AdministratorAccess" in names or any(parse_arn(arn).account != "aws" for arn in attached):
        return []
    return [alternatives[0] for alternatives in (_JOIN_POLICIES, _PULL_POLICIES) if names.isdisjoint(alternatives)]


def select_subnet(subnet_ids: Sequence[str], group: int, zones: int) -> list[str]:
    """Return the subnet of one of several groups.

    Raises:
        ValueError: if the number of subnets is not that of the zones.
    """
    if len(subnet_ids) != zones:
        msg = f"zone_count is {zones}, subnet_ids has {len(subnet_ids)}; accepted is one subnet for each zone"
        raise ValueError(msg)
    return [subnet_ids[group]]


def _count_zones(args: NodeGroupArgs) -> int | None:
    """Return the number of zones: that of the subnets if they are listed, otherwise `zone_count`."""
    subnets = args["subnet_ids"]
    listed = len(subnets) if isinstance(subnets, list | tuple) else None
    zone_count = args.get("zone_count")
    if zone_count is not None:
        zone_count = _validate_range(zone_count, 1, "zone_count")
    if listed == 0 or (None not in (listed, zone_count) and listed != zone_count):
        msg = f"subnet_ids has {listed}, zone_count is {zone_count}; accepted is one subnet for each zone"
        raise ValueError(msg)
    if listed is None and zone_count is None and args.get("per_zone", True):
        msg = (
            "subnet_ids come from another resource and their number is not known yet; say it with zone_count, as in "
            "{'zone_count': 3}, or make one group over all of them with {'per_zone': False}"
        )
        raise ValueError(msg)
    return zone_count if listed is None else listed


def _select_ami_type(args: NodeGroupArgs) -> str:
    types = args["instance_types"]
    types_by_architecture: dict[str, str] = {}
    for type_ in types:
        match = _INSTANCE_TYPE.fullmatch(type_)
        if match is None:
            msg = f"instance_types has {type_!r}; accepted are types such as 'm7i.large' or 'm7g.large'"
            raise ValueError(msg)
        types_by_architecture[ARM if _GRAVITON.fullmatch(match["family"]) else X86] = type_
    if len(types_by_architecture) != 1:
        description = (
            " and ".join(f"{type_} ({architecture})" for architecture, type_ in types_by_architecture.items()) or "none"
        )
        msg = f"instance_types has {description}; accepted are types of one architecture, one at least"
        raise ValueError(msg)
    (architecture,) = types_by_architecture
    default = "AL2023_ARM_64_STANDARD" if architecture == ARM else "AL2023_x86_64_STANDARD"
    ami_type = args.get("ami_type", default)
    validate_choice(ami_type, AMI_TYPES, "ami_type")
    if AMI_TYPES[ami_type] != architecture:
        instance_type = types_by_architecture[architecture]
        msg = f"ami_type is {ami_type!r}, {instance_type} has {architecture}: choose an image of the same"
        raise ValueError(msg)
    return ami_type


def _convert_taint(taint: NodeTaintArgs) -> dict[str, str]:
    effect = taint.get("effect", "NoSchedule")
    validate_choice(effect, EFFECTS, f"effect of the taint {taint['key']!r}")
    key, value = validate_qualified_name(taint["key"], "taints"), taint.get("value", "")
    return {"key": key, "value": validate_label_value(value, f"value of the taint {key!r}"), "effect": EFFECTS[effect]}


def _validate_range(value: float, least: int, what: str, most: int | None = None) -> int:
    whole = parse_whole_number(value, what)
    if whole < least or (most is not None and whole > most):
        msg = (
            f"{what} is {whole}; accepted are {least} to {most}"
            if most
            else f"{what} is {whole}; accepted are {least} and more"
        )
        raise ValueError(msg)
    return whole
