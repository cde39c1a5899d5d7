"""How much of an instance of EC2 the pods of a node can request at most. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_TYPE = re.compile(
    r"(?P<family>[cmr])(?P<generation>[5-9])(?P<options>[a-z]*)(-flex)?\.(?P<size>medium|large|(?P<times>\d*)xlarge)"
)
_GIB_PER_CPU = {"c": 2, "m": 4, "r": 8}
_MIB = 1024**2
_RESERVED_MIB, _RESERVED_MIB_PER_POD = 255 + 100, 11
"""Memory that the kubelet of EKS's images reserves, and the least that it keeps free; and for each pod it may have."""
_MAX_PODS: Mapping[str, int] = {"medium": 8, "large": 29}
_MIN_PODS_OF_LARGER_SIZES = 58
"""Pods that every instance of a size may have; larger ones may have this many or more."""
_RESERVED_CPU = (60, 10, 5, 5)
"""Thousandths of the first processors that it reserves; of each further one 2.5."""


class Allocatable(NamedTuple):
    """What pods can request on one node at most."""

    cpu: int
    """Thousandths of a CPU."""
    memory: int
    """Bytes."""


def estimate_allocatable(instance_type: str) -> Allocatable | None:
    """Return what pods can request on an instance at most; None for a type whose size does not follow from its name.

    The families c, m and r have 2, 4 and 8 GiB for each CPU: https://aws.amazon.com/ec2/instance-types/
    """
    match = _TYPE.fullmatch(instance_type)
    if match is None or (match["family"], match["generation"], match["options"]) == ("c", "5", "n"):
        return None
    cpus = {"medium": 1, "large": 2}.get(match["size"], 4 * int(match["times"] or 1))
    reserved = sum(_RESERVED_CPU[:cpus]) + 2.5 * max(0, cpus - len(_RESERVED_CPU))
    pods = _MAX_PODS.get(match["size"], _MIN_PODS_OF_LARGER_SIZES)
    memory = cpus * _GIB_PER_CPU[match["family"]] * 1024 - _RESERVED_MIB - _RESERVED_MIB_PER_POD * pods
    return Allocatable(int(1000 * cpus - reserved), memory * _MIB)
