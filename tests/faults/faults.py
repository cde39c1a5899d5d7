"""Faults. Each is a function of a cluster that injects the fault, ends it, and returns the times of both.

Times are nanoseconds of CLOCK_MONOTONIC. A process that a fault has killed is running again when the fault has ended,
unless its function says otherwise.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tests.faults.cluster import CLIENTS, Cluster, find_master

PARTITION_SECONDS = 28.0
RESTART_SECONDS = 10.0


@dataclass(frozen=True)
class FaultTimes:
    """When a fault began and ended, and which member was master before."""

    begin: int
    end: int
    master: str


Fault: TypeAlias = Callable[[Cluster], FaultTimes]


def isolate_master_with_clients(cluster: Cluster, seconds: float = PARTITION_SECONDS) -> FaultTimes:
    """Cut the master and the clients off from everything else."""
    master = find_master(cluster)
    others = [*(name for name in cluster.members if name != master), *cluster.controllers, *cluster.name_servers]
    return _partition(cluster, master, [master, CLIENTS], others, seconds)


def isolate_controllers_from_master(cluster: Cluster, seconds: float = PARTITION_SECONDS) -> FaultTimes:
    """Cut the controllers off from the master. Slaves, clients and name servers reach both."""
    master = find_master(cluster)
    return _partition(cluster, master, [master], cluster.controllers, seconds)


def isolate_master_except_from_slaves(cluster: Cluster, seconds: float = PARTITION_SECONDS) -> FaultTimes:
    """Cut the master and the clients off from controllers and name servers. Slaves reach both sides."""
    master = find_master(cluster)
    return _partition(cluster, master, [master, CLIENTS], [*cluster.controllers, *cluster.name_servers], seconds)


def kill_master(cluster: Cluster, seconds: float = RESTART_SECONDS) -> FaultTimes:
    """Kill the master with SIGKILL, and start it again after some seconds. Its page cache stays."""
    master = find_master(cluster)
    begin = time.monotonic_ns()
    cluster.kill(master)
    time.sleep(seconds)
    cluster.start(master)
    return FaultTimes(begin, time.monotonic_ns(), master)


def _partition(cluster: Cluster, master: str, left: Iterable[str], right: Iterable[str], seconds: float) -> FaultTimes:
    begin = time.monotonic_ns()
    try:
        cluster.block(left, right)
        time.sleep(seconds)
    finally:
        cluster.heal()
    return FaultTimes(begin, time.monotonic_ns(), master)


FAULTS: dict[str, Fault] = {
    "master-isolated-with-clients": isolate_master_with_clients,
    "controllers-isolated-from-master": isolate_controllers_from_master,
    "master-isolated-except-from-slaves": isolate_master_except_from_slaves,
    "master-killed": kill_master,
}
