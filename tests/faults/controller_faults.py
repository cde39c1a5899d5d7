"""Faults of controllers and name servers under load. See `tests.faults.faults`."""

import time

from sandbox.polling import wait_until
from tests.faults.bare_cluster import BareCluster
from tests.faults.cluster import Cluster, find_master
from tests.faults.controller_events import add_events, add_group, find_leader, read_epoch, require_leader
from tests.faults.faults import Fault, FaultTimes, hang, kill_for

MANY_EVENTS = 1100
"""DLedger takes a snapshot after 1,000 events."""
QUORUM_SECONDS = 20.0
HANG_SECONDS = 30.0
READY_SECONDS = 120.0


def kill_controller_leader(cluster: Cluster) -> FaultTimes:
    """Kill the controller leader with SIGKILL, and start it again after some seconds."""
    leader = require_leader(cluster)
    times = kill_for(cluster, find_master(cluster), [leader])
    _require_other_leader(cluster, leader)
    return times


def kill_controller_leader_and_master(cluster: Cluster) -> FaultTimes:
    """Kill the controller leader and the master at the same time, and start them again after some seconds."""
    master, leader = find_master(cluster), require_leader(cluster)
    times = kill_for(cluster, master, [leader, master])
    _require_other_leader(cluster, leader)
    return times


def lose_controller_quorum(cluster: Cluster) -> FaultTimes:
    """Kill two of three controllers, including the leader, and start them again after some seconds."""
    leader = require_leader(cluster)
    other = next(name for name in cluster.controllers if name != leader)
    return kill_for(cluster, find_master(cluster), [leader, other], QUORUM_SECONDS)


def kill_name_servers(cluster: Cluster) -> FaultTimes:
    """Kill all name servers, and start them again after some seconds."""
    return kill_for(cluster, find_master(cluster), cluster.name_servers, QUORUM_SECONDS)


def hang_controller_leader(cluster: Cluster) -> FaultTimes:
    """Stop the controller leader with SIGSTOP, and do not continue it."""
    leader = require_leader(cluster)
    times = hang(cluster, find_master(cluster), leader, HANG_SECONDS)
    _require_other_leader(cluster, leader)
    return times


def _require_other_leader(cluster: Cluster, former: str) -> None:
    """Assert that another controller leads."""
    leader = require_leader(cluster)
    assert leader != former, f"{leader} still leads"


def empty_controllers_after_many_events(cluster: BareCluster) -> FaultTimes:
    """Give the followers empty volumes, one after the other, after many events. Then kill the leader.

    Raises:
        AssertionError: a controller does not get ready, or the epoch of a group changes.
        TimeoutError: no controller leads afterwards.
    """
    master = find_master(cluster)
    add_group(cluster)
    add_events(cluster, MANY_EVENTS)
    begin = time.monotonic_ns()
    replace_followers_and_leader(cluster, read_epoch(cluster))
    return FaultTimes(begin, time.monotonic_ns(), master)


def replace_followers_and_leader(cluster: BareCluster, epoch: int) -> None:
    """Give the followers empty volumes, then kill the leader for a while. The group keeps its epoch.

    Raises:
        AssertionError: a controller does not get ready, or the epoch changes.
        TimeoutError: no controller leads afterwards.
    """
    leader = require_leader(cluster)
    for follower in [name for name in cluster.controllers if name != leader]:
        cluster.kill(follower)
        cluster.clear_volume(follower)
        cluster.start(follower)
        assert wait_until(lambda name=follower: cluster.ready(name), READY_SECONDS, every=0.5), (
            f"{follower} is not ready"
        )
    cluster.kill(leader)
    found = read_epoch(cluster)
    assert found == epoch, f"the epoch is {found} at {find_leader(cluster)}, and {epoch} before"
    cluster.start(leader)
    assert wait_until(lambda: cluster.ready(leader), READY_SECONDS, every=0.5), f"{leader} is not ready"


CONTROLLER_FAULTS: dict[str, Fault] = {
    "controller-leader-killed": kill_controller_leader,
    "controller-leader-and-master-killed": kill_controller_leader_and_master,
    "controller-leader-hung": hang_controller_leader,
    "controller-quorum-lost": lose_controller_quorum,
    "name-servers-killed": kill_name_servers,
}
