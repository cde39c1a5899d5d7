"""What a fault and an audit need of a deployment, wherever it runs."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sandbox.polling import until
from tests.faults import group_status
from tests.faults.group_status import GroupState

CLIENTS = "clients"
"""Name of the clients' machine, beside the names of members, controllers and name servers."""


class Cluster(Protocol):
    """One broker group with its controllers and name servers. Machines have names; addresses may change."""

    @property
    def group(self) -> str: ...

    @property
    def members(self) -> Sequence[str]: ...

    @property
    def controllers(self) -> Sequence[str]: ...

    @property
    def name_servers(self) -> Sequence[str]: ...

    def address(self, name: str) -> str:
        """Return `host:port` of a member, controller or name server."""

    def list_client_name_servers(self) -> Sequence[str]:
        """Return the addresses, `host:port`, at which clients ask the name servers."""

    def observe(self) -> AbstractContextManager[None]:
        """Let this thread reach every machine, also those that are cut off from each other."""

    def in_client_network(self, argv: list[str]) -> list[str]:
        """Return the command that runs `argv` on the clients' machine."""

    def block(self, left: Iterable[str], right: Iterable[str]) -> None:
        """Drop all packets between two sets of machines, without an answer."""

    def heal(self) -> None:
        """Undo every `block`."""

    def kill(self, name: str) -> None:
        """End a process with SIGKILL. It stays ended."""

    def start(self, name: str) -> None:
        """Start a process that was killed, with its store."""

    def hang(self, name: str) -> None:
        """Stop a process with SIGSTOP. Whatever the deployment has for hung processes may kill and restart it."""

    def running(self, name: str) -> bool: ...


def read_state(cluster: Cluster) -> GroupState | None:
    """Return what the controllers know of the group, or None while no leader answers."""
    with cluster.observe():
        return group_status.read_group([cluster.address(name) for name in cluster.controllers], cluster.group)


def find_master(cluster: Cluster) -> str:
    """Return the name of the member that the controllers know as master.

    Raises LookupError while there is none.
    """
    state = read_state(cluster)
    for name in cluster.members:
        if state is not None and cluster.address(name) == state.master:
            return name
    raise LookupError(f"the controllers know no master of {cluster.group}: {state}")


def create_topics(cluster: Cluster, topics: Iterable[tuple[str, str]], seconds: float = 60.0) -> None:
    """Create topics, given by name and kind, and wait until every member has them.

    Raises TimeoutError.
    """
    wanted = list(topics)
    master = cluster.address(find_master(cluster))
    members = [cluster.address(name) for name in cluster.members]
    with cluster.observe():
        for topic, kind in wanted:
            group_status.create_topic(master, topic, kind)
        _require(
            lambda: group_status.have_equal_metadata(members, [topic for topic, _ in wanted]),
            seconds,
            "every member has the topics",
        )


def wait_until_whole(cluster: Cluster, topics: Iterable[str] = (), seconds: float = 300.0) -> float:
    """Wait until all members are in sync, with the same topics and consumer offsets. Return the seconds that it took.

    Raises TimeoutError.
    """
    wanted = list(topics)

    def whole() -> bool:
        state = read_state(cluster)
        members = [cluster.address(name) for name in cluster.members]
        if state is None or not state.master or state.in_sync != frozenset(members):
            return False
        with cluster.observe():
            return group_status.have_equal_metadata(members, wanted)

    started = time.monotonic()
    _require(whole, seconds, "all members are in sync, with the same topics and offsets")
    return time.monotonic() - started


def fail_over(cluster: Cluster, in_sync: int = 2, seconds: float = 180.0) -> str:
    """Kill the master. Return the next one, once `in_sync` members are in sync and it has dispatched its whole log.

    Raises TimeoutError.
    """
    _require(lambda: _knows_master(cluster), seconds, "the controllers know a master")
    old = find_master(cluster)
    cluster.kill(old)
    new = ""

    def taken_over() -> bool:
        nonlocal new
        state = read_state(cluster)
        if state is None or state.master in {"", cluster.address(old)} or len(state.in_sync) < in_sync:
            return False
        new = find_master(cluster)
        with cluster.observe():
            return group_status.is_dispatched(cluster.address(new))

    _require(taken_over, seconds, f"another member than {old} is master, with {in_sync} in sync")
    return new


def _knows_master(cluster: Cluster) -> bool:
    state = read_state(cluster)
    return state is not None and bool(state.master)


def _require(answer: Callable[[], bool], seconds: float, what: str) -> None:
    if not until(answer, seconds, every=0.5):
        raise TimeoutError(f"not after {seconds:.0f} s: {what}")
