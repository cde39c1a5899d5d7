"""Plan of a node group. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.aws_identifiers import parse_arn, parse_kms_key_arn, parse_role_arn, validate_kubernetes_version
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import (
    reject_duplicates,
    reject_ignored_args,
    validate_choice,
    validate_label_value,
    validate_labels,
    validate_pattern,
    validate_qualified_name,
    validate_range,
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
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)", re.ASCII)
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

    `name` is the name of the component, which is the prefix of the groups' names in EKS. Raise ValueError for the first
    argument that is not valid.
    """
    zones = _count_zones(args)
    groups = zones if zones is not None and args.get("per_zone", True) else 1
    if len(longest := f"{name}-{groups}-") > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise ArgumentError(
            ARGS,
            "node-group-name",
            "the name {given!r} gives node groups the prefix {prefix!r} of {length} characters, which EKS does not "
            "accept",
            accepted="prefixes of up to {most} letters, digits, '-' and '_', beginning with a letter or a digit",
            remedy="Take another name",
            given=name,
            prefix=longest,
            length=len(longest),
            most=MAX_NAME_LENGTH,
        )
    validate_choice(args.get("capacity_type", "ON_DEMAND"), CAPACITY_TYPES, ARGS / "capacity_type")
    validate_choice(args.get("update_strategy", "DEFAULT"), UPDATE_STRATEGIES, ARGS / "update_strategy")
    smallest, desired, largest = _get_sizes(args)
    _check_versions(args)
    _check_arns(args)
    _check_policies(args)
    # The component adds the name and the owner.
    validate_tags(args.get("tags", {}), ARGS / "tags", added=2)
    for key in validate_labels(args.get("labels", {}), ARGS / "labels"):
        _check_label(key)
    return NodePlan(
        groups=groups,
        zones=zones,
        ami_type=_select_ami_type(args),
        min_size=smallest,
        desired_size=desired,
        max_size=largest,
        disk_size=validate_range(args.get("disk_size", 50), 20, None, ARGS / "disk_size"),
        hop_limit=validate_range(args.get("metadata_hop_limit", 1), 1, 64, ARGS / "metadata_hop_limit"),
        max_unavailable=validate_range(args.get("max_unavailable", 1), 1, 100, ARGS / "max_unavailable"),
        taints=[
            _convert_taint(taint, (ARGS / "taints").index(index)) for index, taint in enumerate(args.get("taints", []))
        ],
    )


def _get_sizes(args: NodeGroupArgs) -> tuple[int, int, int]:
    """Return the minimum, desired and maximum number of nodes."""
    desired = validate_range(args.get("desired_size", 1), 0, None, ARGS / "desired_size")
    smallest = validate_range(args.get("min_size", desired), 0, None, ARGS / "min_size")
    largest = validate_range(args.get("max_size", max(desired, 1)), 1, None, ARGS / "max_size")
    if not smallest <= desired <= largest:
        raise ArgumentError(
            ARGS / "desired_size",
            "node-group-sizes",
            "the sizes {smallest}, {given} and {largest} are not in rising order",
            accepted="sizes in the order {sizes}",
            smallest=smallest,
            given=desired,
            largest=largest,
            sizes=Names(("min_size", "desired_size", "max_size")),
        )
    return smallest, desired, largest


def _check_label(key: str) -> None:
    domain, slash, _ = key.rpartition("/")
    if slash and _is_in_domains(domain, RESERVED_DOMAINS) and not _is_in_domains(domain, KUBELET_DOMAINS):
        raise ArgumentError(
            ARGS / "labels",
            "reserved-node-label",
            "EKS or the kubelet rejects the label {given!r}",
            accepted="labels outside {reserved} and their subdomains, and labels of {exceptions}",
            remedy="Take a domain of your own, as in 'example.com/role'",
            given=key,
            reserved=", ".join(RESERVED_DOMAINS),
            exceptions=" and ".join(KUBELET_DOMAINS),
        )


def _is_in_domains(domain: str, domains: Sequence[str]) -> bool:
    return f".{domain}".endswith(tuple(f".{parent}" for parent in domains))


def _check_versions(args: NodeGroupArgs) -> None:
    if isinstance(version := args.get("version"), str):
        validate_kubernetes_version(version, ARGS / "version")
    path, release = ARGS / "release_version", args.get("release_version")
    if release is not None:
        validate_pattern(_RELEASE, release, path, "ami-release", "the release of an AMI, such as '1.35.2-20260715'")
    kubernetes_release = get_kubernetes_release(args)
    if kubernetes_release is not None and isinstance(version, str) and not kubernetes_release.startswith(f"{version}."):
        raise ArgumentError(
            path,
            "ami-release-of-other-version",
            "{given!r} has another kubelet than {other} {version!r}",
            accepted="releases that begin with '{version}.'",
            remedy="Take one of them, or leave one of the two arguments out",
            given=kubernetes_release,
            other=ARGS / "version",
            version=version,
        )


def get_kubernetes_release(args: NodeGroupArgs) -> str | None:
    """Return the AMI release version if it begins with a Kubernetes version.

    Return None for Bottlerocket, which has its own release versions.
    """
    bottlerocket = args.get("ami_type", "").startswith("BOTTLEROCKET")
    return None if bottlerocket else args.get("release_version")


def _check_arns(args: NodeGroupArgs) -> None:
    """Validate the ARNs that are known."""
    if isinstance(role := args.get("role_arn"), str):
        parse_role_arn(role, ARGS / "role_arn")
    if isinstance(key := args.get("disk_kms_key_arn"), str):
        parse_kms_key_arn(key, ARGS / "disk_kms_key_arn")


def _check_policies(args: NodeGroupArgs) -> None:
    if "role_arn" in args:
        reject_ignored_args({**args}, ("managed_policies",), ARGS, ARGS / "role_arn", "names a role of your own")
    validate_policy_names([*NODE_POLICIES, *args.get("managed_policies", [])], [], [])


def find_missing_policies(attached: Sequence[str], inline: Sequence[str]) -> list[str]:
    """Return the names of the AWS managed policies that a node role does not have but needs.

    Return nothing if the role has inline or customer managed policies: their content is not checked.

    `attached` are the ARNs of the role's managed policies. `inline` are the names of its inline policies.
    """
    names = {arn.rsplit("/", 1)[-1] for arn in attached}
    if inline or "AdministratorAccess" in names or any(parse_arn(arn).account != "aws" for arn in attached):
        return []
    return [alternatives[0] for alternatives in (_JOIN_POLICIES, _PULL_POLICIES) if names.isdisjoint(alternatives)]


def select_subnet(subnet_ids: Sequence[str], group: int, zones: int) -> list[str]:
    """Return the subnet of one of several groups.

    Raise ValueError if the number of subnets is not that of the zones.
    """
    _check_subnet_count(len(subnet_ids), zones)
    return [subnet_ids[group]]


def _check_subnet_count(subnets: int, zones: int | None) -> None:
    if subnets == 0 or zones not in {None, subnets}:
        raise ArgumentError(
            ARGS / "subnet_ids",
            "subnets-and-zones",
            "the list is empty" if zones is None else "the list has {subnets} subnets, but {zone_count} is {zones}",
            accepted="one subnet for each zone",
            subnets=subnets,
            zones=zones,
            zone_count=ARGS / "zone_count",
        )


def _count_zones(args: NodeGroupArgs) -> int | None:
    """Return the number of zones: that of the subnets if they are listed, otherwise `zone_count`."""
    subnets = args["subnet_ids"]
    listed = len(subnets) if isinstance(subnets, list | tuple) else None
    zone_count = args.get("zone_count")
    if zone_count is not None:
        zone_count = validate_range(zone_count, 1, None, ARGS / "zone_count")
    if listed is not None:
        _check_subnet_count(listed, zone_count)
    elif zone_count is None and args.get("per_zone", True):
        raise ArgumentError(
            ARGS / "subnet_ids",
            "unknown-subnet-count",
            "the list is an output of another resource, and preview may not know its length",
            remedy="Give the number as {zone_count}, or set {per_zone} to false for one group over all zones",
            zone_count=ARGS / "zone_count",
            per_zone=ARGS / "per_zone",
        )
    return zone_count if listed is None else listed


def _select_ami_type(args: NodeGroupArgs) -> str:
    path = ARGS / "instance_types"
    reject_duplicates(args["instance_types"], path)
    types_by_architecture: dict[str, str] = {}
    for index, type_ in enumerate(args["instance_types"]):
        accepted = "an instance type, such as 'm7i.large' or 'm7g.large'"
        validate_pattern(_INSTANCE_TYPE, type_, path.index(index), "instance-type", accepted)
        family, _, _ = type_.partition(".")
        types_by_architecture[ARM if _GRAVITON.fullmatch(family) else X86] = type_
    if len(types_by_architecture) != 1:
        raise ArgumentError(
            path,
            "instance-architectures",
            "the list has {types}" if types_by_architecture else "the list is empty",
            accepted="one or more types of the same architecture",
            types=" and ".join(f"{type_} ({architecture})" for architecture, type_ in types_by_architecture.items()),
        )
    (architecture,) = types_by_architecture
    default = "AL2023_ARM_64_STANDARD" if architecture == ARM else "AL2023_x86_64_STANDARD"
    ami_type = args.get("ami_type", default)
    validate_choice(ami_type, AMI_TYPES, ARGS / "ami_type")
    if AMI_TYPES[ami_type] != architecture:
        raise ArgumentError(
            ARGS / "ami_type",
            "ami-architecture",
            "{given!r} is for {ami_architecture}, but {instance_type} has {architecture}",
            accepted="{choices}",
            given=ami_type,
            ami_architecture=AMI_TYPES[ami_type],
            instance_type=types_by_architecture[architecture],
            architecture=architecture,
            choices=", ".join(repr(name) for name, suited in AMI_TYPES.items() if suited == architecture),
        )
    return ami_type


def _convert_taint(taint: NodeTaintArgs, path: ArgumentPath) -> dict[str, str]:
    effect = validate_choice(taint.get("effect", "NoSchedule"), EFFECTS, path / "effect")
    return {
        "key": validate_qualified_name(taint["key"], path / "key"),
        "value": validate_label_value(taint.get("value", ""), path / "value"),
        "effect": EFFECTS[effect],
    }
