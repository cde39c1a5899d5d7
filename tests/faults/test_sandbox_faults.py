"""Faults of pods, nodes and networks under load, with the prod stack deployed on a sandbox.

With KEEP_SANDBOX=1 the sandbox of the previous run is reused and left running.
"""

import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from sandbox import lifecycle
from sandbox.layout import SandboxInstance
from sandbox.progress import Report
from tests.faults.audit import Audit
from tests.faults.conftest import assert_nothing_lost
from tests.faults.kubernetes_faults import DELETIONS, KILLS, KUBERNETES_FAULTS
from tests.faults.results import record
from tests.faults.sandbox_audit import audit_on_sandbox
from tests.faults.sandbox_cluster import SandboxCluster, attach
from tests.faults.stack_changes import NEW_GROUP

AuditOnSandbox: TypeAlias = Callable[..., Audit]

pytestmark = pytest.mark.long

NODE_LOSSES = ("node-lost", "node-of-master-and-leader-lost")
TIMED = ("node-drained", "master-pod-deleted", "master-pod-deleted-20-times", "master-killed-10-times")
ONE_OUTAGE = sorted(set(KUBERNETES_FAULTS) - {*TIMED, *NODE_LOSSES})


@pytest.fixture(scope="session")
def sandbox_cluster() -> Iterator[SandboxCluster]:
    """Return the deployed prod stack of a sandbox of its own."""
    keep = os.environ.get("KEEP_SANDBOX") == "1"
    instance, report = SandboxInstance("faults"), Report()
    if not keep:
        lifecycle.down(instance, report)
    tools = lifecycle.start_platform(instance, report)
    lifecycle.deploy(instance, tools, report)
    with attach(instance) as cluster:
        yield cluster
    if not keep:
        lifecycle.down(instance, report)


@pytest.fixture
def audit_fault(sandbox_cluster: SandboxCluster, tmp_path: Path, request: pytest.FixtureRequest) -> AuditOnSandbox:
    """Return a function that runs a fault under a load, given by name.

    No acknowledged message may be lost, damaged or reordered.
    """

    def run(fault: str, load: str = "normal") -> Audit:
        audit = audit_on_sandbox(sandbox_cluster, fault, tmp_path, load)
        record(request.node, audit.row, load=load, on="sandbox")
        assert_nothing_lost(audit)
        return audit

    return run


def assert_writes_continue(audit: Audit, within: float, *, median: float | None = None) -> None:
    """Assert the seconds without writes of each event. Clients of the proxies may need a second more."""
    for client, allowance in (("java-normal", 0), ("grpc-normal", 1)):
        gaps = audit.event_gaps[client]
        assert max(gaps) <= within + allowance, (client, gaps)
        assert median is None or statistics.median(gaps) <= median + allowance, (client, gaps)


# Tests with limits of time come last, the strictest at the end: the faults on bare processes have ended by then. See
# `shared_machine`.
@pytest.mark.parametrize("fault", ONE_OUTAGE)
def test_no_acknowledged_message_is_lost(audit_fault: AuditOnSandbox, fault: str) -> None:
    audit_fault(fault)


@pytest.mark.parametrize("fault", NODE_LOSSES)
def test_writes_continue_within_20_seconds_of_the_loss_of_a_node(audit_fault: AuditOnSandbox, fault: str) -> None:
    audit = audit_fault(fault, "steady" if fault == "node-lost" else "normal")
    # A client of a proxy on the lost node waits until TCP gives up.
    assert audit.event_gaps["java-normal"][0] <= 20, audit.row


def test_writes_continue_within_2_seconds_while_a_group_is_added_by_pulumi_up(
    audit_fault: AuditOnSandbox, sandbox_cluster: SandboxCluster
) -> None:
    try:
        audit = audit_fault("group-added")
    finally:
        sandbox_cluster.remove_group(NEW_GROUP)
    # Three JVMs start on the processors of the other brokers.
    assert_writes_continue(audit, within=2)


def test_writes_continue_within_4_seconds_of_each_restart_by_pulumi_up(audit_fault: AuditOnSandbox) -> None:
    audit = audit_fault("settings-changed", "steady")
    assert len(audit.event_gaps["java-normal"]) == 2
    assert_writes_continue(audit, within=4)


def test_writes_continue_within_4_seconds_of_most_kills_of_the_master(audit_fault: AuditOnSandbox) -> None:
    audit = audit_fault("master-killed-10-times", "steady")
    assert len(audit.event_gaps["java-normal"]) == KILLS
    assert_writes_continue(audit, within=10, median=4)


def test_writes_continue_within_4_seconds_of_a_drain_of_the_node_of_master_and_controller_leader(
    audit_fault: AuditOnSandbox,
) -> None:
    assert_writes_continue(audit_fault("node-drained"), within=4)


def test_the_guide_changes_the_number_of_controllers_and_loses_no_acknowledged_message(
    audit_fault: AuditOnSandbox,
) -> None:
    audit_fault("controllers-changed")


def test_twenty_graceful_deletions_of_the_master_stop_writes_for_two_seconds_each(audit_fault: AuditOnSandbox) -> None:
    audit = audit_fault("master-pod-deleted-20-times", "steady")
    assert len(audit.event_gaps["java-normal"]) == DELETIONS
    assert_writes_continue(audit, within=5, median=2)
