"""Plan of a StorageClass of the EBS CSI driver. Pure: without a Pulumi provider.

Limits of EBS: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
Parameters of the driver: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import (
    parse_whole_number,
    reject_ignored_args,
    validate_choice,
    validate_dns_subdomain,
    validate_pattern,
)
from eks_rocketmq.eks.ebs.csi_configuration import VOLUME_TAGS
from eks_rocketmq.eks.ebs.storage_class_args import FileSystem, ReclaimPolicy
from eks_rocketmq.eks.ebs.tag_template import validate_tag_template


@dataclass(frozen=True)
class VolumeLimits:
    """Limits of a volume type: minimum and maximum of IOPS, and of throughput in MiB/s. None: not configurable."""

    iops: tuple[int, int] | None = None
    throughput: tuple[int, int] | None = None
    iops_required: bool = False
    iops_per_gib: int = 0
    min_size: int = 1
    """Minimum size of a volume in GiB."""
    max_size: int = 16 * 1024
    """Maximum size of a volume in GiB."""


VOLUME_TYPES: Mapping[str, VolumeLimits] = {
    "gp2": VolumeLimits(),
    "gp3": VolumeLimits(iops=(3000, 80_000), throughput=(125, 2000), iops_per_gib=500, max_size=64 * 1024),
    "io1": VolumeLimits(iops=(100, 64_000), iops_required=True, iops_per_gib=50, min_size=4),
    "io2": VolumeLimits(iops=(100, 256_000), iops_required=True, iops_per_gib=1000, min_size=4, max_size=64 * 1024),
}
"""SSD volume types. HDD types are not suitable for a message store."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
RESERVED_NAMES: Mapping[str, str] = {
    "gp2": "the class that EKS creates in its clusters",
    "ebs-csi-default-sc": "the default class that the EBS CSI addon creates",
}
"""Names of classes that EKS or the addon creates, with the reason for errors."""
ADOPTION_ARGS = frozenset(
    {"allow_volume_expansion", "auto_mode", "class_name", "create", "default", "default_instead_of", "kubeconfig"}
)
"""Arguments that are valid for an existing class. Its other fields are immutable."""

_GP3_IOPS = 3000
_MOUNT_OPTION = re.compile(r"(?!ro$)[^\s,]+")
_IOPS_PER_THROUGHPUT = 4


@dataclass(frozen=True)
class StorageClassPlan:
    """A StorageClass with valid arguments. An existing class has neither parameters nor a policy."""

    parameters: Mapping[str, str]
    """Parameters in the format of the driver, without a KMS key."""
    reclaim_policy: str | None
    min_size: int
    """Minimum size in GiB of a claim that gets all IOPS of the class."""
    max_size: int
    """Maximum size in GiB of a claim."""


def plan_storage_class(args: Mapping[str, Any]) -> StorageClassPlan:
    """Return the plan of a class.

    `args` is an `EbsStorageClassArgs`. Raise ValueError for a value that is not accepted, and for arguments that are
    missing or contradict each other.
    """
    validate_dns_subdomain(args["class_name"], ARGS / "class_name")
    if args.get("default_instead_of") == args["class_name"]:
        raise ArgumentError(
            ARGS / "default_instead_of",
            "default-instead-of-itself",
            "{given!r} is the class itself",
            accepted="the name of another class",
            remedy="Leave the argument out if no other class is the default",
            given=args["class_name"],
        )
    if not args.get("create", False):
        check_adoption(args)
        return StorageClassPlan({}, None, 1, max(limits.max_size for limits in VOLUME_TYPES.values()))
    if owner := RESERVED_NAMES.get(args["class_name"]):
        # The create would fail with AlreadyExists.
        raise build_name_conflict(args["class_name"], owner)
    validate_mount_options(args.get("mount_options", []))
    parameters = build_parameters(args)
    reclaim_policy = validate_choice(
        args.get("reclaim_policy", "Retain"), get_accepted_values(ReclaimPolicy), ARGS / "reclaim_policy"
    )
    return StorageClassPlan(
        parameters, reclaim_policy, compute_min_size(args), VOLUME_TYPES[parameters["type"]].max_size
    )


@raise_all
def check_adoption(args: Mapping[str, object]) -> Iterator[ArgumentError]:
    """Raise ValueError for an argument that would change an immutable field of an existing class."""
    for argument in sorted(args.keys() - ADOPTION_ARGS):
        yield ArgumentError(
            ARGS / argument,
            "immutable-in-existing-class",
            "the argument cannot change the existing StorageClass {existing!r}",
            remedy="Leave it out, or create a class with {create} and another {name}",
            existing=args["class_name"],
            create=ARGS / "create",
            name=ARGS / "class_name",
        )


def validate_mount_options(options: Sequence[str]) -> None:
    """Raise ValueError for an option that prevents the mount of a volume, or makes it read-only."""
    for index, option in enumerate(options):
        validate_pattern(
            _MOUNT_OPTION,
            option,
            (ARGS / "mount_options").index(index),
            "mount-option",
            "one option without spaces and commas, such as 'noatime'. 'ro' prevents brokers from writing",
        )


def build_name_conflict(name: str, owner: str) -> ArgumentError:
    """Return the error for a new class with the name of an existing one.

    `owner` describes the existing class, such as `the class that EKS creates in its clusters`.
    """
    return ArgumentError(
        ARGS / "class_name",
        "class-exists",
        "there is a StorageClass {given!r}, {owner}",
        accepted="another name, such as {example!r}",
        remedy="To use the existing class, leave {create} out. You can then still set {mutable}",
        given=name,
        owner=owner,
        example=f"rocketmq-{name}",
        create=ARGS / "create",
        mutable=[ARGS / "allow_volume_expansion", ARGS / "default"],
    )


def build_parameters(args: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a new class in the format of the driver.

    `args` is an `EbsStorageClassArgs`. An unknown KMS key is not validated. Raise ValueError for a value that is not
    accepted, and for arguments that are missing or contradict each other.
    """
    volume_type = validate_choice(args.get("volume_type", "gp3"), tuple(VOLUME_TYPES), ARGS / "volume_type")
    parameters = {
        "type": volume_type,
        "encrypted": "true" if args.get("encrypted", True) else "false",
        "csi.storage.k8s.io/fstype": validate_choice(
            args.get("file_system", "ext4"), get_accepted_values(FileSystem), ARGS / "file_system"
        ),
        **_build_performance(volume_type, args),
    }
    if not args.get("encrypted", True):
        reject_ignored_args(args, ("kms_key_id",), ARGS, ARGS / "encrypted", "turns encryption off")
    if isinstance(key := args.get("kms_key_id"), str):
        # The driver does not check the key, and EC2 deletes a volume with a wrong key after a successful response. EC2
        # would accept an alias, but the driver's IAM policy needs the key itself.
        parse_kms_key_arn(key, ARGS / "kms_key_id")
    tags = args.get("tags", {})
    validate_tags(tags, ARGS / "tags", VOLUME_TAGS)
    for key, value in tags.items():
        validate_tag_template(value, (ARGS / "tags").key(key))
    return parameters | {f"tagSpecification_{i}": f"{key}={tags[key]}" for i, key in enumerate(sorted(tags), start=1)}


def compute_min_size(args: Mapping[str, Any]) -> int:
    """Return the minimum size in GiB of a claim that gets all IOPS of the class.

    With a smaller claim, the driver lowers the IOPS without a warning, or EC2 rejects the volume and the claim stays
    Pending.

    `args` is an `EbsStorageClassArgs` that `build_parameters` has accepted.
    """
    limits = VOLUME_TYPES[args.get("volume_type", "gp3")]
    iops = parse_whole_number(args.get("iops", 0), ARGS / "iops")
    # gp3 volumes of every size have the default IOPS.
    included_iops = 0 if limits.iops_required else _GP3_IOPS
    if iops <= included_iops:
        return limits.min_size
    return max(limits.min_size, math.ceil(iops / limits.iops_per_gib))


def _build_performance(volume_type: str, args: Mapping[str, Any]) -> dict[str, str]:
    limits = VOLUME_TYPES[volume_type]
    iops = _validate_range(args, "iops", volume_type, limits.iops)
    throughput = _validate_range(args, "throughput", volume_type, limits.throughput)
    if limits.iops_required and iops is None:
        raise ArgumentError(
            ARGS / "iops",
            "volume-type-requires-iops",
            "volumes of type {volume_type!r} require this argument",
            accepted="{limits[0]} to {limits[1]}",
            volume_type=volume_type,
            limits=limits.iops,
        )
    if throughput and throughput * _IOPS_PER_THROUGHPUT > (iops or _GP3_IOPS):
        raise ArgumentError(
            ARGS / "throughput",
            "throughput-exceeds-iops",
            "{given} MiB/s is more than a quarter of the {iops} IOPS",
            remedy="Set {argument} to {least} or more, or lower the throughput",
            given=throughput,
            iops=iops or _GP3_IOPS,
            argument=ARGS / "iops",
            least=throughput * _IOPS_PER_THROUGHPUT,
        )
    return {key: str(value) for key, value in (("iops", iops), ("throughput", throughput)) if value is not None}


def _validate_range(args: Mapping[str, Any], key: str, volume_type: str, limits: tuple[int, int] | None) -> int | None:
    if key not in args:
        return None
    if limits is None:
        supported = [name for name, limits_of_type in VOLUME_TYPES.items() if getattr(limits_of_type, key) is not None]
        raise ArgumentError(
            ARGS / key,
            "fixed-by-volume-type",
            "volumes of type {volume_type!r} do not support this argument",
            remedy="Leave it out, or set {argument} to {supported}",
            volume_type=volume_type,
            argument=ARGS / "volume_type",
            supported=" or ".join(map(repr, supported)),
        )
    value = parse_whole_number(args[key], ARGS / key)
    if not limits[0] <= value <= limits[1]:
        raise ArgumentError(
            ARGS / key,
            "volume-type-range",
            "{given} is out of range for volumes of type {volume_type!r}",
            accepted="{limits[0]} to {limits[1]}",
            given=value,
            volume_type=volume_type,
            limits=limits,
        )
    return value
