"""Faults of single processes under load, with the configuration of `strict`."""

import statistics
import time

import pytest

from sandbox.polling import wait_until
from tests.faults import cluster as clusters
from tests.faults.bare_cluster import BareCluster
from tests.faults.conftest import AuditFault, assert_nothing_lost
from tests.faults.shared import Shared

ELECTIONS = 4
FOLLOW_SECONDS = 4.0
REGISTRATION_SECONDS = 10.0


@pytest.mark.long
def test_a_new_group_that_is_killed_as_a_whole_loses_no_acknowledged_message(
    audit_fault: AuditFault, shared_cluster: Shared[BareCluster]
) -> None:
    """The controllers know the master of the first epoch. In this epoch, slaves can truncate their logs to nothing."""
    shared_cluster.close()
    audit = audit_fault("everything-killed", "normal")
    assert_nothing_lost(audit)


def test_a_killed_master_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-killed", "steady")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_hung_master_is_replaced_and_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("master-hung", "steady")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_master_that_pauses_until_another_one_is_elected_loses_no_acknowledged_message(
    audit_fault: AuditFault,
) -> None:
    """As a virtual machine does that its host pauses. It goes on as master, with all its connections."""
    audit = audit_fault("master-paused", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_master_that_is_elected_as_soon_as_it_is_back_loses_and_repeats_nothing(audit_fault: AuditFault) -> None:
    audit = audit_fault("returning-master-elected", "steady")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_elections_under_load_lose_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("masters-elected", "saturated")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_killed_slave_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("slave-killed", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_a_hung_slave_leaves_the_in_sync_set_and_loses_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("slave-hung", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_two_killed_members_lose_no_acknowledged_message(audit_fault: AuditFault) -> None:
    audit = audit_fault("two-members-killed", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_slaves_follow_an_elected_master_before_they_register_again(shared_cluster: Shared[BareCluster]) -> None:
    """RocketMQ alone needs up to the period of registrations, and longer if the answer is late.

    These processes have the lowest priority, so a single election may take longer.
    """
    cluster = shared_cluster.start()
    cluster.start_killed()
    clusters.wait_until_whole(cluster)
    took = [_elect_another(cluster) for _ in range(ELECTIONS)]
    print(took)
    assert statistics.median(took) <= FOLLOW_SECONDS, took
    assert max(took) < REGISTRATION_SECONDS, took


def _elect_another(cluster: BareCluster) -> float:
    """Elect the next member. Return the seconds until all members are in sync with it."""
    state = clusters.read_state(cluster)
    assert state is not None
    target = min(state.ids[address] for address in state.in_sync - {state.master})
    clusters.elect(cluster, target)
    begun = time.monotonic()

    def all_follow() -> bool:
        now = clusters.read_state(cluster)
        return now is not None and now.ids.get(now.master) == target and len(now.in_sync) == len(cluster.members)

    assert wait_until(all_follow, 60, every=0.1)
    return time.monotonic() - begun
