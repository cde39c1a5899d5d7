"""Rules of EC2 for EBS volumes by type. Sizes in GiB, throughput in MiB/s; the error texts are AWS's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.aws.refusal import RefusedError


@dataclass(frozen=True)
class VolumeType:
    """Limits of a volume type. `iops` is None for types without a choice of IOPS."""

    smallest: int
    largest: int
    iops: range | None = None
    iops_per_gib: int = 0
    throughput: range | None = None


TYPES = {
    "gp2": VolumeType(1, 16384),
    "gp3": VolumeType(1, 65536, range(3000, 80001), 500, range(125, 2001)),
    "io1": VolumeType(4, 16384, range(100, 64001), 50),
    "io2": VolumeType(4, 65536, range(100, 256001), 1000),
    "st1": VolumeType(125, 16384),
    "sc1": VolumeType(125, 16384),
    "standard": VolumeType(1, 1024),
}
DEFAULT_TYPE = "gp2"
QUOTA_TIB = 50
"""Default quota of a region for the volumes of one type."""
_GP3_IOPS_EVEN_WHEN_SMALL = 3000
_GP3_IOPS_PER_MIB = 4
# Since January 2026. Before that, EC2 allowed one modification in six hours.
_MODIFICATIONS, _MODIFICATIONS_SECONDS = 4, 24 * 3600


@dataclass(frozen=True)
class Performance:
    """Performance of a volume, 0 where its type has no such figure."""

    iops: int
    throughput: int


def check_modification_rate(earlier: Sequence[float], now: float) -> None:
    """Raise RefusedError for a fifth modification within 24 hours. `earlier` are the times of the others."""
    if sum(now - at < _MODIFICATIONS_SECONDS for at in earlier) >= _MODIFICATIONS:
        raise RefusedError(
            "VolumeModificationRateExceeded",
            "You've reached the maximum modification rate per volume limit. A volume can be modified "
            f"{_MODIFICATIONS} times within 24 hours.",
        )


def check_size(kind: str, size: int) -> None:
    """Raise RefusedError for an unknown type or a size outside its limits."""
    limits = TYPES.get(kind)
    if limits is None:
        raise RefusedError("UnknownVolumeType", f"Unknown volume type: {kind}")
    if size > limits.largest:
        raise RefusedError(
            "InvalidParameterValue",
            f"Volume of {size}GiB is too large for volume type {kind}; maximum is {limits.largest}GiB.",
        )
    if size < limits.smallest:
        raise RefusedError(
            "InvalidParameterValue",
            f"Volume of {size}GiB is too small for volume type {kind}; minimum is {limits.smallest}GiB.",
        )


def check_quota(kind: str, size: int, used: int) -> None:
    """Raise RefusedError when a volume exceeds the quota of its type. `used` is the size of the existing ones."""
    if used + size > QUOTA_TIB * 1024:
        raise RefusedError(
            "VolumeLimitExceeded",
            f"You have exceeded your maximum {kind} storage limit of {QUOTA_TIB} TiB in this region. Please contact "
            "AWS Support to request an Elastic Block Store service limit increase.",
        )


def performance(kind: str, size: int, iops: int | None, throughput: int | None) -> Performance:
    """Return IOPS and throughput of a volume of a known type. None means that the request has no value.

    Raises RefusedError when the type does not support a value or it is out of range.
    """
    return Performance(_iops(kind, size, iops), _throughput(kind, iops, throughput))


def _iops(kind: str, size: int, requested: int | None) -> int:
    limits = TYPES[kind]
    if limits.iops is None:
        if requested is not None:
            raise RefusedError(
                "InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes."
            )
        return min(max(100, 3 * size), 16000) if kind == "gp2" else 0
    if requested is None:
        if kind != "gp3":
            raise RefusedError("MissingParameter", f"The parameter iops must be specified for {kind} volumes.")
        return _GP3_IOPS_EVEN_WHEN_SMALL
    if requested not in limits.iops:
        bound = "high" if requested >= limits.iops.stop else "low"
        edge = f"maximum is {limits.iops.stop - 1}" if bound == "high" else f"minimum is {limits.iops.start}"
        raise RefusedError(
            "InvalidParameterValue", f"Volume iops of {requested} is too {bound} for volume type {kind}; {edge}."
        )
    free = _GP3_IOPS_EVEN_WHEN_SMALL if kind == "gp3" else 0
    if requested > max(limits.iops_per_gib * size, free):
        raise RefusedError(
            "InvalidParameterCombination",
            f"Iops to volume size ratio of {requested / size:.6f} is too high; maximum is {limits.iops_per_gib}.000000",
        )
    return requested


def _throughput(kind: str, iops: int | None, requested: int | None) -> int:
    limits = TYPES[kind]
    if limits.throughput is None:
        if requested is not None:
            raise RefusedError(
                "InvalidParameterCombination", f"The parameter throughput is not supported for {kind} volumes."
            )
        return 0
    if requested is None:
        return limits.throughput.start
    if requested not in limits.throughput:
        raise RefusedError(
            "InvalidParameterValue",
            f"Volume throughput of {requested} is out of range for volume type {kind}; accepted are "
            f"{limits.throughput.start} to {limits.throughput.stop - 1}.",
        )
    if requested * _GP3_IOPS_PER_MIB > (iops or _GP3_IOPS_EVEN_WHEN_SMALL):
        raise RefusedError(
            "InvalidParameterCombination",
            f"Throughput (MiBps) to iops ratio of {requested / (iops or _GP3_IOPS_EVEN_WHEN_SMALL):.6f} is too high; "
            "maximum is 0.250000",
        )
    return requested
