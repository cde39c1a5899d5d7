"""Allocatable CPU and memory of EC2 instance types. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_TYPE = re.compile(
    r"(?P<family>[cmr])(?P<generation>[5-9])(?P<options>[a-z]*)(-flex)?\.(?P<size>medium|large|(?P<times>\d*)xlarge)"
)
_BURSTABLE = re.compile(r"(t3|t3a|t4g)\.(?P<size>[a-z0-9]+)")
_BURSTABLE_SIZES: Mapping[str, tuple[int, float, int]] = {
    "nano": (2, 0.5, 4),
    "micro": (2, 1, 4),
    "small": (2, 2, 11),
    "medium": (2, 4, 17),
    "large": (2, 8, 35),
    "xlarge": (4, 16, 58),
    "2xlarge": (8, 32, 58),
}
"""CPUs, memory in GiB and lower bound of the maximum number of pods of the types t3, t3a and t4g."""
_GIB_PER_CPU = {"c": 2, "m": 4, "r": 8}
_MIB = 1024**2
_RESERVED_MIB, _RESERVED_MIB_PER_POD = 255 + 100, 11
"""Memory in MiB: reserved by the kubelet of EKS images plus its eviction threshold, and reserved for each possible
pod."""
_MAX_PODS: Mapping[str, int] = {"medium": 8, "large": 29}
_MIN_PODS_OF_LARGER_SIZES = 58
"""Lower bound of the maximum number of pods, for all other sizes."""
_RESERVED_CPU = (60, 10, 5, 5)
"""Millicores of the first four CPUs that the kubelet reserves; 2.5 of each further one."""


class Allocatable(NamedTuple):
    """Upper limits of what pods can request on one node."""

    cpu: int
    """CPU in millicores."""
    memory: int
    """Memory in bytes."""


def estimate_allocatable(instance_type: str) -> Allocatable | None:
    """Return the most that pods can request on an instance; None if the type's name does not determine its size.

    The families c, m and r have 2, 4 and 8 GiB per CPU: https://aws.amazon.com/ec2/instance-types/
    """
    burstable = _BURSTABLE.fullmatch(instance_type)
    if burstable is not None:
        size = _BURSTABLE_SIZES.get(burstable["size"])
        return None if size is None else _build_allocatable(*size)
    match = _TYPE.fullmatch(instance_type)
    if match is None or (match["family"], match["generation"], match["options"]) == ("c", "5", "n"):
        return None
    cpus = {"medium": 1, "large": 2}.get(match["size"], 4 * int(match["times"] or 1))
    pods = _MAX_PODS.get(match["size"], _MIN_PODS_OF_LARGER_SIZES)
    return _build_allocatable(cpus, cpus * _GIB_PER_CPU[match["family"]], pods)


def _build_allocatable(cpus: int, gib: float, pods: int) -> Allocatable:
    reserved = sum(_RESERVED_CPU[:cpus]) + 2.5 * max(0, cpus - len(_RESERVED_CPU))
    memory = int(gib * 1024) - _RESERVED_MIB - _RESERVED_MIB_PER_POD * pods
    return Allocatable(int(1000 * cpus - reserved), memory * _MIB)
