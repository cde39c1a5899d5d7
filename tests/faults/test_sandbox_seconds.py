"""Faults of the prod stack on a sandbox that may stop writes for some seconds only.

They run last, the strictest at the end, because faults on bare processes use the same machine. See `shared_machine`.
"""

import statistics

import pytest

from tests.faults.audit import Audit
from tests.faults.conftest import AuditDeployed
from tests.faults.kubernetes_faults import DELETIONS, KILLS
from tests.faults.sandbox_cluster import SandboxCluster
from tests.faults.shared import Shared
from tests.faults.stack_changes import NEW_GROUP

pytestmark = pytest.mark.long

NODE_LOSSES = ("node-lost", "node-of-master-and-leader-lost")
FAULTS_WITH_LIMITS = frozenset(
    {
        *NODE_LOSSES,
        *("node-drained", "master-pod-deleted", "master-pod-deleted-20-times", "master-killed-10-times"),
    }
)


def assert_writes_continue(audit: Audit, within: float, *, median: float | None = None) -> None:
    """Assert the seconds without writes of each event. Clients of the proxies may need a second more."""
    for client, allowance in (("java-normal", 0), ("grpc-normal", 1)):
        gaps = audit.event_gaps[client]
        assert max(gaps) <= within + allowance, (client, gaps)
        assert median is None or statistics.median(gaps) <= median + allowance, (client, gaps)


@pytest.mark.parametrize("fault", NODE_LOSSES)
def test_writes_continue_within_20_seconds_of_the_loss_of_a_node(audit_deployed: AuditDeployed, fault: str) -> None:
    audit = audit_deployed(fault, "steady" if fault == "node-lost" else "normal")
    assert audit.event_gaps["java-normal"][0] <= 20, audit.row
    # A client of a proxy on the lost node waits until TCP gives up, and may connect to it again until Kubernetes
    # removes it after 40 s. gRPC gives up a connection after 20 s.
    assert audit.event_gaps["grpc-normal"][0] <= 60, audit.row


def test_writes_continue_within_2_seconds_while_a_group_is_added_by_pulumi_up(
    audit_deployed: AuditDeployed, shared_sandbox: Shared[SandboxCluster]
) -> None:
    audit = audit_deployed("group-added")
    shared_sandbox.start().remove_group(NEW_GROUP)
    # Three JVMs start on the processors of the other brokers.
    assert_writes_continue(audit, within=2)


def test_writes_continue_within_4_seconds_of_each_restart_by_pulumi_up(audit_deployed: AuditDeployed) -> None:
    audit = audit_deployed("settings-changed", "steady")
    assert len(audit.event_gaps["java-normal"]) == 2
    assert_writes_continue(audit, within=4)


def test_writes_continue_within_4_seconds_of_most_kills_of_the_master(audit_deployed: AuditDeployed) -> None:
    audit = audit_deployed("master-killed-10-times", "steady")
    assert len(audit.event_gaps["java-normal"]) == KILLS
    assert_writes_continue(audit, within=10, median=4)


def test_writes_continue_within_4_seconds_of_a_drain_of_the_node_of_master_and_controller_leader(
    audit_deployed: AuditDeployed,
) -> None:
    assert_writes_continue(audit_deployed("node-drained"), within=4)


def test_twenty_graceful_deletions_of_the_master_stop_writes_for_two_seconds_each(
    audit_deployed: AuditDeployed,
) -> None:
    audit = audit_deployed("master-pod-deleted-20-times", "steady")
    assert len(audit.event_gaps["java-normal"]) == DELETIONS
    assert_writes_continue(audit, within=5, median=2)
