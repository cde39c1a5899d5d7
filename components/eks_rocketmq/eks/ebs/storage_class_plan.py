"""A StorageClass of the EBS CSI driver from typed arguments. Pure: no Pulumi provider.

What EBS accepts: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html; what the driver accepts:
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.aws_identifiers import key_arn
from eks_rocketmq.args.field_metadata import accepted_values
from eks_rocketmq.args.validation import one_of, whole_number
from eks_rocketmq.eks.ebs.csi_configuration import validate_volume_tags
from eks_rocketmq.eks.ebs.storage_class_args import FileSystem, ReclaimPolicy


@dataclass(frozen=True)
class VolumeLimits:
    """What can be chosen for a type of volume: IOPS, and throughput in MiB/s, lowest and highest."""

    iops: tuple[int, int] | None = None
    throughput: tuple[int, int] | None = None
    iops_needed: bool = False
    iops_per_gib: int = 0
    smallest: int = 1
    """Size in GiB of the smallest volume."""


VOLUME_TYPES: Mapping[str, VolumeLimits] = {
    "gp2": VolumeLimits(),
    "gp3": VolumeLimits(iops=(3000, 80_000), throughput=(125, 2000), iops_per_gib=500),
    "io1": VolumeLimits(iops=(100, 64_000), iops_needed=True, iops_per_gib=50, smallest=4),
    "io2": VolumeLimits(iops=(100, 256_000), iops_needed=True, iops_per_gib=1000, smallest=4),
}
"""The types that a message store can live on: those of hard disks are left out."""
FILE_SYSTEMS = accepted_values(FileSystem)
RECLAIM_POLICIES = accepted_values(ReclaimPolicy)
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
RESERVED_NAMES: Mapping[str, str] = {
    "gp2": "which EKS puts into its clusters",
    "ebs-csi-default-sc": "which the EBS CSI addon makes when it is asked for a default class",
}
"""Classes that are there without anybody's doing."""
ADOPTION_ARGS = frozenset(
    {"allow_volume_expansion", "auto_mode", "class_name", "create", "default", "default_instead_of", "kubeconfig"}
)
"""Arguments that a class which others made can be given. Its other fields cannot change any more."""

_GP3_IOPS = 3000
_IOPS_PER_THROUGHPUT = 4


def check_adoption(given: Mapping[str, object]) -> None:
    """Raises ValueError when an argument would have to change a class that others made."""
    refused = sorted(given.keys() - ADOPTION_ARGS)
    if refused:
        msg = (
            f"{', '.join(refused)} cannot be changed in the class {given['class_name']!r} that the cluster has; give "
            "create=True and a name of your own, or leave them out"
        )
        raise ValueError(msg)


def check_new_name(name: str) -> None:
    """Raises ValueError for the name of a class that EKS makes: the create would fail with AlreadyExists."""
    if name in RESERVED_NAMES:
        raise ValueError(format_name_conflict(name, RESERVED_NAMES[name]))


def format_name_conflict(name: str, why: str) -> str:
    """The error for a new class whose name another one has."""
    return (
        f"StorageClass {name!r} cannot be created: there is a class of that name, {why}. Three ways on:\n"
        "  adopt       use it as it is: leave create out\n"
        "  patch       change what can be changed in it: leave create out, and give allow_volume_expansion or default\n"
        f"  other name  create a class of your own beside it, such as 'rocketmq-{name}'"
    )


def build_parameters(given: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a new class, as the driver reads them.

    Args:
        given: an `EbsStorageClassArgs`; a key that is not known yet is not looked at.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    kind = one_of(given.get("volume_type", "gp3"), tuple(VOLUME_TYPES), "volume_type")
    found = {
        "type": kind,
        "encrypted": "true" if given.get("encrypted", True) else "false",
        "csi.storage.k8s.io/fstype": one_of(given.get("file_system", "ext4"), FILE_SYSTEMS, "file_system"),
        **_build_performance(kind, given),
    }
    if "kms_key_id" in given and not given.get("encrypted", True):
        msg = "kms_key_id is given and encrypted is False; a key needs encrypted volumes"
        raise ValueError(msg)
    if isinstance(key := given.get("kms_key_id"), str):
        validate_key_id(key)
    tags = given.get("tags", {})
    validate_volume_tags(tags, "tags")
    return found | {f"tagSpecification_{i}": f"{key}={tags[key]}" for i, key in enumerate(sorted(tags), start=1)}


def compute_min_size(given: Mapping[str, Any]) -> int:
    """GiB that a claim of the class must have to get what the class promises. On a smaller one the driver lowers the
    IOPS without a word, or EC2 refuses the volume and the claim stays Pending.

    Args:
        given: an `EbsStorageClassArgs` that `parameters` has accepted.
    """
    kind = VOLUME_TYPES[given.get("volume_type", "gp3")]
    iops = whole_number(given.get("iops", 0), "iops")
    # The IOPS of a gp3 volume without any choice come with every size.
    free = 0 if kind.iops_needed else _GP3_IOPS
    return max(kind.smallest, -(-iops // kind.iops_per_gib)) if iops > free else kind.smallest


def validate_key_id(value: str) -> str:
    """Raises ValueError unless `value` is the ARN of a key: the driver hands it on, and EC2 drops a volume with a wrong
    key after it has answered. EC2 would take an alias; the driver's permissions, which need the same key, cannot."""
    key_arn(value, "kms_key_id")
    return value


def get_reclaim_policy(given: Mapping[str, Any]) -> str:
    """Raises ValueError unless Kubernetes knows the reclaim policy; `Retain` when none is given."""
    return one_of(given.get("reclaim_policy", "Retain"), RECLAIM_POLICIES, "reclaim_policy")


def _build_performance(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    limits = VOLUME_TYPES[kind]
    iops = _validate_range(given, "iops", kind, limits.iops)
    throughput = _validate_range(given, "throughput", kind, limits.throughput)
    if limits.iops_needed and iops is None:
        msg = f"iops is missing; a volume of type {kind} needs it, from {_format_range(limits.iops)}"
        raise ValueError(msg)
    if throughput and throughput * _IOPS_PER_THROUGHPUT > (iops or _GP3_IOPS):
        msg = (
            f"throughput is {throughput} MiB/s with {iops or _GP3_IOPS} IOPS; accepted is a quarter of the IOPS: give "
            f"iops {throughput * _IOPS_PER_THROUGHPUT} or more"
        )
        raise ValueError(msg)
    return {key: str(value) for key, value in (("iops", iops), ("throughput", throughput)) if value is not None}


def _validate_range(given: Mapping[str, Any], key: str, kind: str, limits: tuple[int, int] | None) -> int | None:
    if key not in given:
        return None
    if limits is None:
        able = [name for name, type_ in VOLUME_TYPES.items() if getattr(type_, key) is not None]
        msg = f"{key} is {given[key]} with volume_type {kind!r}, which has no such choice; it needs {' or '.join(able)}"
        raise ValueError(msg)
    value = whole_number(given[key], key)
    if not limits[0] <= value <= limits[1]:
        msg = f"{key} is {value} with volume_type {kind!r}; accepted are {_format_range(limits)}"
        raise ValueError(msg)
    return value


def _format_range(limits: tuple[int, int] | None) -> str:
    return f"{limits[0]} to {limits[1]}" if limits else ""
