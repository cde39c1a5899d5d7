"""JVM sizes that fit into the memory limit of a container. Pure.

A JVM uses heap, direct memory and a fixed part: metaspace, code cache, thread stacks, tables of the garbage collector.
A broker also accesses its commit log through the page cache. The page cache counts towards the container's memory, but
the kernel reclaims it under pressure. Without a share for it, every read of an old message goes to the disk.
"""

from bisect import bisect_left
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER, NAME_SERVER, PROXY

MIB = 1024**2


@dataclass(frozen=True)
class _Share:
    """Division of a role's memory limit, in MiB and as ratios of the limit."""

    minimum: int
    heap: float
    heap_max: int
    direct: float
    direct_min: int
    fixed: int
    page_cache: float
    """Minimum share of the limit that is reserved for the page cache."""


# Measured idle on 5.5.0: name server 186 MiB with a heap of 128, controller 259 with 256, proxy 291 with 384, broker
# 281 to 364 with 512, and 591 after a load. The minimum limits are above these figures.
_SHARES = {
    NAME_SERVER: _Share(320, heap=0.4, heap_max=4096, direct=0.1, direct_min=32, fixed=144, page_cache=0),
    CONTROLLER: _Share(512, heap=0.45, heap_max=4096, direct=0.1, direct_min=64, fixed=176, page_cache=0),
    PROXY: _Share(768, heap=0.5, heap_max=16384, direct=0.15, direct_min=128, fixed=224, page_cache=0),
    BROKER: _Share(1536, heap=0.4, heap_max=16384, direct=0.15, direct_min=256, fixed=320, page_cache=0.2),
}


@dataclass(frozen=True)
class Memory:
    """Parts of a container's memory limit, in MiB. Their sum is the limit."""

    limit: int
    heap: int
    direct: int
    fixed: int

    @property
    def page_cache(self) -> int:
        """Memory that remains for the page cache, in MiB."""
        return self.limit - self.heap - self.direct - self.fixed


def divide_memory(role: str, quantity: str, path: ArgumentPath, *, direct_needed: int = 0) -> Memory:
    """Divide the memory limit of a role.

    Raise ValueError if the limit is below the role's minimum, or the parts do not fit into it. The error names the
    lowest limit that is accepted.

    Args:
        role: BROKER, CONTROLLER, NAME_SERVER or PROXY of `labels`.
        quantity: the limit as a Kubernetes quantity.
        direct_needed: additional direct memory in MiB, for example for a transient store pool.
    """
    share = _SHARES[role]
    limit = parse_bytes(quantity, path) // MIB
    minimum = _find_min_limit(share, direct_needed)
    if limit < minimum:
        raise ArgumentError(
            path,
            "role-memory",
            "{given!r} is too small for a {role}" + " with a transient store pool of {pool} MiB" * bool(direct_needed),
            accepted="{minimum}Mi or more",
            remedy="Or lower transientStorePoolSize" if direct_needed else "Leave the argument out for the default",
            given=quantity,
            role=role,
            pool=direct_needed,
            minimum=minimum,
        )
    heap, direct = _compute_heap_and_direct(share, limit)
    return Memory(limit, int(heap), int(direct) + direct_needed, share.fixed)


def _compute_heap_and_direct(share: _Share, limit: int) -> tuple[float, float]:
    return min(limit * share.heap, share.heap_max), max(limit * share.direct, share.direct_min)


def _find_min_limit(share: _Share, direct_needed: int) -> int:
    """Return the lowest limit in MiB that fits all parts."""

    def fits(limit: int) -> bool:
        return sum(_compute_heap_and_direct(share, limit)) + direct_needed + share.fixed <= limit * (
            1 - share.page_cache
        )

    return bisect_left(range(share.minimum, 2**62), True, key=fits) + share.minimum
