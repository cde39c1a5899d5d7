"""Faults. Each is a function of a cluster that injects the fault, ends it, and returns the times of both.

Times are nanoseconds of CLOCK_MONOTONIC. A process that a fault has killed is running again when the fault has ended,
unless its function says otherwise.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.polling import wait_until
from tests.faults.cluster import (
    CLIENTS,
    Cluster,
    block,
    count_readable,
    elect,
    find_master,
    is_master,
    list_slaves,
    read_state,
    require,
)

PARTITION_SECONDS = 28.0
REPLICATED_SECONDS = 2.0
"""Until a master shows its clients all messages that had reached the slaves before they were cut off."""
RESTART_SECONDS = 10.0
HANG_SECONDS = 40.0
PAUSE_SECONDS = 25.0
WRITABLE_SECONDS = 60.0
LEAVE_SECONDS = 20.0
"""Time in which a slave that is silent leaves the in-sync set."""
RETURN_SECONDS = 120.0
ELECTIONS = 5
ELECTED_SECONDS = 6.0
"""Time between two elections."""


@dataclass(frozen=True)
class FaultTimes:
    """When a fault began and ended, and which member was master before."""

    begin: int
    end: int
    master: str
    events: tuple[int, ...] = ()
    """Begin of each event, for a fault that consists of several."""
    other_brokers: tuple[str, ...] = ()
    """Masters of other groups, `host:port`, which store messages of the load too. They have the topics of the group."""
    epoch: int | None = None
    """Epoch of the group just before the fault, if the fault elected a master to prepare itself."""
    alone: tuple[int, int] | None = None
    """Time in which a single member ran, so that no message could get a second copy."""
    unreplicated: int = 0
    """Messages that an isolated master has shown its clients, and that no other member has. Other faults count none."""


Fault: TypeAlias = Callable[[Cluster], FaultTimes]


def isolate_master_with_clients(cluster: Cluster) -> FaultTimes:
    """Cut the master and the clients off from everything else."""
    master = find_master(cluster)
    others = [*list_slaves(cluster, master), *cluster.controllers, *cluster.name_servers]
    begin = time.monotonic_ns()
    try:
        block(cluster, [master, CLIENTS], others)
        time.sleep(REPLICATED_SECONDS)
        replicated = count_readable(cluster, master)
        time.sleep(PARTITION_SECONDS - REPLICATED_SECONDS)
        unreplicated = count_readable(cluster, master) - replicated
    finally:
        cluster.heal()
    return FaultTimes(begin, time.monotonic_ns(), master, unreplicated=unreplicated)


def isolate_controllers_from_master(cluster: Cluster) -> FaultTimes:
    """Cut the controllers off from the master. Slaves, clients and name servers reach both."""
    master = find_master(cluster)
    return _partition(cluster, master, [master], cluster.controllers)


def isolate_master_except_from_slaves(cluster: Cluster) -> FaultTimes:
    """Cut the master and the clients off from controllers and name servers. Slaves reach both sides."""
    master = find_master(cluster)
    return _partition(cluster, master, [master, CLIENTS], [*cluster.controllers, *cluster.name_servers])


def disconnect_slave_from_master(cluster: Cluster) -> FaultTimes:
    """Cut the master off from one slave. Both reach everything else.

    Raises TimeoutError if the slave does not leave the in-sync set.
    """
    master = find_master(cluster)
    slave = list_slaves(cluster, master)[0]

    def disturb() -> None:
        block(cluster, [master], [slave])
        _await_leaving(cluster, slave)

    return disturb_network(cluster, master, PARTITION_SECONDS, disturb)


def deafen_master(cluster: Cluster) -> FaultTimes:
    """Drop what the master receives from all but the clients. What it sends still arrives."""
    master = find_master(cluster)
    senders = [*list_slaves(cluster, master), *cluster.controllers, *cluster.name_servers]
    return disturb_network(cluster, master, PARTITION_SECONDS, lambda: cluster.drop([master], senders))


def pause_master(cluster: Cluster) -> FaultTimes:
    """Stop all processes of the master's machine with SIGSTOP, and continue them when another member is master.

    Raises AssertionError if no other member becomes master.
    """
    master = find_master(cluster)
    begin = time.monotonic_ns()
    with cluster.pause(master):
        time.sleep(PAUSE_SECONDS)
        assert find_master(cluster) != master, f"{master} is still master"
    return FaultTimes(begin, time.monotonic_ns(), master)


def kill_master(cluster: Cluster) -> FaultTimes:
    """Kill the master with SIGKILL, and start it again after some seconds. Its page cache stays."""
    master = find_master(cluster)
    return kill_for(cluster, master, [master])


def elect_returning_master(cluster: Cluster) -> FaultTimes:
    """Kill the master with SIGKILL, start it again after some seconds, and elect it as soon as it is in sync."""
    master = find_master(cluster)
    times = kill_for(cluster, master, [master])

    def has_returned() -> bool:
        state = read_state(cluster)
        return state is not None and cluster.address(master) in state.in_sync

    require(has_returned, RETURN_SECONDS, f"{master} is in sync", every=0.05)
    state = read_state(cluster)
    assert state is not None
    elected = time.monotonic_ns()
    elect(cluster, state.ids[cluster.address(master)])
    require(lambda: is_master(cluster, master), RETURN_SECONDS, f"{master} is master")
    return FaultTimes(times.begin, time.monotonic_ns(), master, (times.begin, elected))


def kill_slave(cluster: Cluster) -> FaultTimes:
    """Kill one slave with SIGKILL, and start it again after some seconds."""
    master = find_master(cluster)
    return kill_for(cluster, master, list_slaves(cluster, master)[:1])


def kill_two_members(cluster: Cluster) -> FaultTimes:
    """Kill the master and one slave at once, and start them again after some seconds."""
    master = find_master(cluster)
    return kill_for(cluster, master, [master, *list_slaves(cluster, master)[:1]])


def kill_everything(cluster: Cluster) -> FaultTimes:
    """Kill all members, controllers and name servers at once, and start them again after some seconds."""
    master = find_master(cluster)
    return kill_for(cluster, master, [*cluster.name_servers, *cluster.controllers, *cluster.members])


def hang_slave(cluster: Cluster) -> FaultTimes:
    """Stop one slave with SIGSTOP, and do not continue it.

    Raises TimeoutError if it does not leave the in-sync set.
    """
    master = find_master(cluster)
    slave = list_slaves(cluster, master)[0]
    begin = time.monotonic_ns()
    cluster.hang(slave)
    _await_leaving(cluster, slave)
    time.sleep(HANG_SECONDS)
    return FaultTimes(begin, time.monotonic_ns(), master)


def hang_master(cluster: Cluster) -> FaultTimes:
    """Stop the master with SIGSTOP, and do not continue it."""
    master = find_master(cluster)
    return hang(cluster, master, master)


def elect_other_masters(cluster: Cluster) -> FaultTimes:
    """Let the controllers elect another member in sync several times, while the master takes writes."""
    master = find_master(cluster)
    begin = time.monotonic_ns()
    for _ in range(ELECTIONS):
        state = read_state(cluster)
        assert state is not None
        others = sorted(state.ids[address] for address in state.in_sync - {state.master})
        elect(cluster, others[0])
        assert wait_until(lambda: _can_write(cluster), WRITABLE_SECONDS, every=0.5), (
            f"after the election of {others[0]}"
        )
        time.sleep(ELECTED_SECONDS)
    return FaultTimes(begin, time.monotonic_ns(), master)


def kill_for(cluster: Cluster, master: str, names: Iterable[str], seconds: float = RESTART_SECONDS) -> FaultTimes:
    """Kill processes with SIGKILL, and start them again after some seconds."""
    names = list(names)
    begin = time.monotonic_ns()
    for name in names:
        cluster.kill(name)
    killed = time.monotonic_ns()
    time.sleep(seconds)
    started = time.monotonic_ns()
    for name in names:
        cluster.start(name)
    alone = (killed, started) if leaves_single_member(cluster, names) else None
    return FaultTimes(begin, time.monotonic_ns(), master, alone=alone)


def leaves_single_member(cluster: Cluster, stopped: Iterable[str]) -> bool:
    """Return whether fewer than two members run while these machines are stopped."""
    return len(set(cluster.members) - set(stopped)) < 2


def hang(cluster: Cluster, master: str, name: str, seconds: float = HANG_SECONDS) -> FaultTimes:
    """Stop a process with SIGSTOP, and do not continue it."""
    begin = time.monotonic_ns()
    cluster.hang(name)
    time.sleep(seconds)
    return FaultTimes(begin, time.monotonic_ns(), master)


def _await_leaving(cluster: Cluster, slave: str) -> None:
    def has_left() -> bool:
        state = read_state(cluster)
        return state is not None and cluster.address(slave) not in state.members_in_set

    require(has_left, LEAVE_SECONDS, f"{slave} has left the in-sync set")


def _can_write(cluster: Cluster) -> bool:
    state = read_state(cluster)
    return state is not None and bool(state.master) and len(state.in_sync) > 1


def disturb_network(cluster: Cluster, master: str, seconds: float, disturb: Callable[[], None]) -> FaultTimes:
    """Disturb the network for some seconds."""
    begin = time.monotonic_ns()
    try:
        disturb()
        time.sleep(seconds)
    finally:
        cluster.heal()
    return FaultTimes(begin, time.monotonic_ns(), master)


def _partition(cluster: Cluster, master: str, left: Iterable[str], right: Iterable[str]) -> FaultTimes:
    return disturb_network(cluster, master, PARTITION_SECONDS, lambda: block(cluster, left, right))


FAULTS: dict[str, Fault] = {
    "master-isolated-with-clients": isolate_master_with_clients,
    "controllers-isolated-from-master": isolate_controllers_from_master,
    "master-isolated-except-from-slaves": isolate_master_except_from_slaves,
    "master-and-slave-disconnected": disconnect_slave_from_master,
    "master-deaf": deafen_master,
    "master-paused": pause_master,
    "master-killed": kill_master,
    "returning-master-elected": elect_returning_master,
    "slave-killed": kill_slave,
    "two-members-killed": kill_two_members,
    "everything-killed": kill_everything,
    "master-hung": hang_master,
    "slave-hung": hang_slave,
    "masters-elected": elect_other_masters,
}
