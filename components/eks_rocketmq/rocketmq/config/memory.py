"""From one `memory` input, the container's limit, to a JVM that cannot outgrow it. Pure.

What a JVM takes is heap, direct memory and a fixed part: metaspace, code cache, thread stacks, the collector's tables.
A broker also reads and writes its commit log through the page cache, which counts in the container's memory as well but
yields under pressure; without a share of it every read of an old message goes to the disk.
"""

from bisect import bisect_left
from dataclasses import dataclass

from eks_rocketmq.args.validation import bytes_of
from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER, NAME_SERVER, PROXY

MIB = 1024**2


@dataclass(frozen=True)
class _Share:
    """How a role divides its limit; sizes in MiB."""

    floor: int
    heap: float
    heap_most: int
    direct: float
    direct_least: int
    fixed: int
    page_cache: float
    """Least share of the limit that is left for it."""


# Seen idle on 5.5.0: name server 186 MiB with a heap of 128, controller 259 with 256, proxy 291 with 384, broker 281 to
# 364 with 512 and 591 after a load. The floors leave room above that.
_SHARES = {
    NAME_SERVER: _Share(320, heap=0.4, heap_most=4096, direct=0.1, direct_least=32, fixed=144, page_cache=0),
    CONTROLLER: _Share(512, heap=0.45, heap_most=4096, direct=0.1, direct_least=64, fixed=176, page_cache=0),
    PROXY: _Share(768, heap=0.5, heap_most=16384, direct=0.15, direct_least=128, fixed=224, page_cache=0),
    BROKER: _Share(1536, heap=0.4, heap_most=16384, direct=0.15, direct_least=256, fixed=320, page_cache=0.2),
}


@dataclass(frozen=True)
class Memory:
    """The parts of a container's limit, in MiB; together they are the limit."""

    limit: int
    heap: int
    direct: int
    fixed: int

    @property
    def page_cache(self) -> int:
        """What is left for the page cache."""
        return self.limit - self.heap - self.direct - self.fixed


def divide(role: str, quantity: str, what: str, *, direct_needed: int = 0) -> Memory:
    """The parts of a role's memory.

    Args:
        role: one of the roles in `labels`.
        quantity: the limit as a Kubernetes quantity.
        what: how an error names the input.
        direct_needed: direct memory in MiB that the configuration takes on top, such as a transient store pool.

    Raises:
        ValueError: when the limit is below the role's floor or the parts do not fit into it; it says which limit would
            do.
    """
    share = _SHARES[role]
    limit = bytes_of(quantity, what) // MIB
    least = _least(share, direct_needed)
    if limit < least:
        pool = f" with a transient store pool of {direct_needed} MiB" if direct_needed else ""
        other = "lower transientStorePoolSize" if direct_needed else "leave it out for the default"
        msg = f"{what} is {quantity}; a {role}{pool} needs {least}Mi or more: raise it, or {other}"
        raise ValueError(msg)
    heap, direct = _heap_and_direct(share, limit)
    return Memory(limit, int(heap), int(direct) + direct_needed, share.fixed)


def _heap_and_direct(share: _Share, limit: int) -> tuple[float, float]:
    return min(limit * share.heap, share.heap_most), max(limit * share.direct, share.direct_least)


def _least(share: _Share, direct_needed: int) -> int:
    """The smallest limit that has room for all parts."""

    def fits(limit: int) -> bool:
        return sum(_heap_and_direct(share, limit)) + direct_needed + share.fixed <= limit * (1 - share.page_cache)

    return bisect_left(range(share.floor, 2**62), True, key=fits) + share.floor
