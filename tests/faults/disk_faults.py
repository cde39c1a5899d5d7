"""Faults of power and of volumes, for clusters of processes with volumes of their own.

As in `faults`, each is a function of a cluster that injects the fault, ends it, and returns the times of both.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sandbox.messages import topics
from sandbox.polling import wait_until
from tests.faults import group_status
from tests.faults.bare_cluster import BareCluster
from tests.faults.cluster import elect, find_master, is_master, is_replaced, list_slaves, read_state, require
from tests.faults.faults import RESTART_SECONDS, FaultTimes, leaves_single_member
from tests.faults.volumes import GIB

DiskFault: TypeAlias = Callable[[BareCluster], FaultTimes]

FREEZE_SECONDS = 30.0
WRITTEN_SECONDS = 20.0
FILL_SECONDS = 30.0
"""Above the 10 s in which a broker looks at its disk."""
EMPTY_TOPIC = "empty"
ELECTION_SECONDS = 30.0
START_SECONDS = 300.0
FULL = 0.93
"""Above `diskSpaceWarningLevelRatio`, at which a broker refuses writes."""


def cut_power_of_master(cluster: BareCluster) -> FaultTimes:
    """Cut the power of the master for some seconds."""
    master = find_master(cluster)
    return _cut_power(cluster, master, [master])


def cut_power_of_slave(cluster: BareCluster) -> FaultTimes:
    """Cut the power of one slave for some seconds."""
    master = find_master(cluster)
    return _cut_power(cluster, master, list_slaves(cluster, master)[:1])


def cut_power_of_two_members(cluster: BareCluster) -> FaultTimes:
    """Cut the power of the master and of one slave at once."""
    master = find_master(cluster)
    return _cut_power(cluster, master, [master, list_slaves(cluster, master)[0]])


def cut_power_of_all_members(cluster: BareCluster) -> FaultTimes:
    """Cut the power of all members and of all controllers at once. The master comes back after another is elected."""
    master = find_master(cluster)
    others = [*list_slaves(cluster, master), *cluster.controllers]
    begin = time.monotonic_ns()
    cluster.lose_power([master, *others])
    time.sleep(RESTART_SECONDS)
    cluster.restore_power(others)
    require(lambda: is_replaced(cluster, master), START_SECONDS, f"another member than {master} is master")
    cluster.restore_power([master])
    return FaultTimes(begin, time.monotonic_ns(), master)


def freeze_volume_of_master(cluster: BareCluster) -> FaultTimes:
    """Let the master's volume hang for some seconds."""
    master = find_master(cluster)
    return _freeze(cluster, master, master)


def freeze_volume_of_slave(cluster: BareCluster) -> FaultTimes:
    """Let the volume of one slave hang for some seconds."""
    master = find_master(cluster)
    return _freeze(cluster, master, list_slaves(cluster, master)[0])


def fill_volumes(cluster: BareCluster) -> FaultTimes:
    """Fill the volumes of all members with another file, after some seconds of load, and grow them later."""
    master = find_master(cluster)
    time.sleep(WRITTEN_SECONDS)
    begin = time.monotonic_ns()
    for name in cluster.members:
        cluster.volumes[name].fill(FULL)
    time.sleep(FILL_SECONDS)
    for name in cluster.members:
        cluster.volumes[name].grow(4 * GIB)
    return FaultTimes(begin, time.monotonic_ns(), master)


def elect_member_with_new_volume(cluster: BareCluster) -> FaultTimes:
    """Replace a slave's volume by an empty one, and elect this slave as soon as it is ready.

    Two consumer groups have committed offsets: one that lags, and a new one.

    Raises AssertionError if the elected member does not know one of them.
    """
    master = find_master(cluster)
    slave = list_slaves(cluster, master)[0]
    offsets = {"lagging": 7, "new": 0}
    with cluster.observe():
        for group, offset in offsets.items():
            topics.create(cluster.address(master), EMPTY_TOPIC, group)
            group_status.set_offset(cluster.address(master), group, EMPTY_TOPIC, 0, offset)
    begin = time.monotonic_ns()
    cluster.replace_volume(slave)
    cluster.wait_ready(slave)
    state = read_state(cluster)
    assert state is not None
    address = cluster.address(slave)
    elect(cluster, state.ids[address])
    assert wait_until(lambda: is_master(cluster, slave), ELECTION_SECONDS), f"{slave} is not master"
    with cluster.observe():
        found = {group: group_status.get_offset(address, group, EMPTY_TOPIC, 0) for group in offsets}
        assert group_status.list_missing_metadata(address, (), [EMPTY_TOPIC]) == []
    assert found == offsets, f"consumers of {slave} skip or repeat messages: {found} instead of {offsets}"
    return FaultTimes(begin, time.monotonic_ns(), master)


def replace_volume_of_master(cluster: BareCluster) -> FaultTimes:
    """Replace the master's volume by an empty one, with its process."""
    master = find_master(cluster)
    begin = time.monotonic_ns()
    cluster.replace_volume(master)
    cluster.wait_ready(master)
    return FaultTimes(begin, time.monotonic_ns(), master)


def _cut_power(cluster: BareCluster, master: str, names: Iterable[str]) -> FaultTimes:
    names = list(names)
    begin = time.monotonic_ns()
    cluster.lose_power(names)
    lost = time.monotonic_ns()
    time.sleep(RESTART_SECONDS)
    alone = (lost, time.monotonic_ns()) if leaves_single_member(cluster, names) else None
    cluster.restore_power(names)
    return FaultTimes(begin, time.monotonic_ns(), master, alone=alone)


def _freeze(cluster: BareCluster, master: str, name: str) -> FaultTimes:
    begin = time.monotonic_ns()
    cluster.volumes[name].freeze()
    try:
        time.sleep(FREEZE_SECONDS)
    finally:
        cluster.volumes[name].thaw()
    return FaultTimes(begin, time.monotonic_ns(), master)


DISK_FAULTS: dict[str, DiskFault] = {
    "power-lost-by-master": cut_power_of_master,
    "power-lost-by-slave": cut_power_of_slave,
    "power-lost-by-two-members": cut_power_of_two_members,
    "power-lost-by-all": cut_power_of_all_members,
    "volumes-full": fill_volumes,
    "master-volume-replaced": replace_volume_of_master,
    "member-elected-with-new-volume": elect_member_with_new_volume,
    "volume-hung-under-master": freeze_volume_of_master,
    "volume-hung-under-slave": freeze_volume_of_slave,
}
