"""Faults of power and of volumes, for clusters of processes with volumes of their own.

As in `faults`, each is a function of a cluster that injects the fault, ends it, and returns the times of both.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from tests.faults.bare_cluster import BareCluster
from tests.faults.cluster import find_master
from tests.faults.faults import FAULTS, RESTART_SECONDS, Fault, FaultTimes

DiskFault: TypeAlias = Callable[[BareCluster], FaultTimes]

FREEZE_SECONDS = 40.0


def cut_power_of_master(cluster: BareCluster) -> FaultTimes:
    """Cut the power of the master for some seconds."""
    master = find_master(cluster)
    return _cut_power(cluster, master, [master])


def cut_power_of_slave(cluster: BareCluster) -> FaultTimes:
    """Cut the power of one slave for some seconds."""
    master = find_master(cluster)
    return _cut_power(cluster, master, _list_slaves(cluster, master)[:1])


def cut_power_of_two_members(cluster: BareCluster) -> FaultTimes:
    """Cut the power of the master and of one slave at once."""
    master = find_master(cluster)
    return _cut_power(cluster, master, [master, _list_slaves(cluster, master)[0]])


def cut_power_of_all_members(cluster: BareCluster) -> FaultTimes:
    """Cut the power of all members and of all controllers at once."""
    master = find_master(cluster)
    return _cut_power(cluster, master, [*cluster.members, *cluster.controllers])


def freeze_volume_of_master(cluster: BareCluster, seconds: float = FREEZE_SECONDS) -> FaultTimes:
    """Let the master's volume hang for some seconds."""
    master = find_master(cluster)
    return _freeze(cluster, master, master, seconds)


def freeze_volume_of_slave(cluster: BareCluster, seconds: float = FREEZE_SECONDS) -> FaultTimes:
    """Let the volume of one slave hang for some seconds."""
    master = find_master(cluster)
    return _freeze(cluster, master, _list_slaves(cluster, master)[0], seconds)


def _list_slaves(cluster: BareCluster, master: str) -> list[str]:
    return [name for name in cluster.members if name != master]


def _cut_power(cluster: BareCluster, master: str, names: Iterable[str]) -> FaultTimes:
    names = list(names)
    begin = time.monotonic_ns()
    cluster.lose_power(names)
    time.sleep(RESTART_SECONDS)
    cluster.restore_power(names)
    return FaultTimes(begin, time.monotonic_ns(), master)


def _freeze(cluster: BareCluster, master: str, name: str, seconds: float) -> FaultTimes:
    begin = time.monotonic_ns()
    cluster.volumes[name].freeze()
    try:
        time.sleep(seconds)
    finally:
        cluster.volumes[name].thaw()
    return FaultTimes(begin, time.monotonic_ns(), master)


DISK_FAULTS: dict[str, DiskFault] = {
    "power-lost-by-master": cut_power_of_master,
    "power-lost-by-slave": cut_power_of_slave,
    "power-lost-by-two-members": cut_power_of_two_members,
    "power-lost-by-all": cut_power_of_all_members,
    "volume-hung-under-master": freeze_volume_of_master,
    "volume-hung-under-slave": freeze_volume_of_slave,
}


def find_fault(name: str, cluster: BareCluster) -> Fault:
    """Return a fault by its name, of this module or of `faults`."""
    if name in DISK_FAULTS:
        return lambda _: DISK_FAULTS[name](cluster)
    return FAULTS[name]
