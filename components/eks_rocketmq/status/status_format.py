"""Texts for sizes, addresses and errors. Pure."""

from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.status.status_queries import get_host


def format_bytes(size: int) -> str:
    """Return a size with a unit, such as `1.5 GiB`."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.3g} TiB"


def shorten_host(address: str) -> str:
    """Return the pod of an address such as `rocketmq-controller-0.rocketmq-controller-peers.rocketmq.svc:9878`."""
    host = get_host(address) or address
    return host if host.replace(".", "").isdigit() else host.partition(".")[0]


def describe_unreadable(fact: Unreadable) -> str:
    """Return one line about a fact that could not be read."""
    missing = f"; missing permission: {fact.permission}" if fact.permission else ""
    return f"{fact.call} failed: {fact.reason}{missing}"
