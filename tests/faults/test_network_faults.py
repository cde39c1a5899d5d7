"""Faults of the network under load, with the configuration of `strict`."""

import pytest

from tests.faults.conftest import AuditFault, assert_nothing_lost
from tests.faults.load import WORKLOADS

ELECTION_SECONDS = 10.0
PARTITION_SECONDS = 28.0


@pytest.mark.parametrize(
    "fault",
    [
        "master-isolated-with-clients",
        pytest.param("controllers-isolated-from-master", marks=pytest.mark.long),
        pytest.param("master-isolated-except-from-slaves", marks=pytest.mark.long),
        pytest.param("master-deaf", marks=pytest.mark.long),
    ],
)
def test_an_isolated_master_loses_no_acknowledged_message(audit_fault: AuditFault, fault: str) -> None:
    audit = audit_fault(fault, "steady" if fault == "master-isolated-with-clients" else "normal")
    assert_nothing_lost(audit)
    if fault == "master-isolated-with-clients":
        # Consumers and timers of this master would continue after the place to which its log is truncated.
        assert audit.times.unreplicated == 0


@pytest.mark.long
def test_a_slave_that_does_not_reach_the_master_leaves_the_in_sync_set_and_loses_no_acknowledged_message(
    audit_fault: AuditFault,
) -> None:
    audit = audit_fault("master-and-slave-disconnected", "normal")
    assert_nothing_lost(audit)


@pytest.mark.long
def test_without_agent_an_isolated_master_acknowledges_the_writes_that_wait_when_it_drops_its_slaves(
    audit_fault: AuditFault,
) -> None:
    """Hold the cause of the loss: at most the one write that each thread has in flight, at the moment of the drop."""
    audit = audit_fault("master-isolated-with-clients", "normal", agent=False)
    (workload,) = WORKLOADS["normal"]
    lost = audit.lost()
    assert 0 < len(lost) <= workload.threads, audit.row
    threads = {one["id"].rsplit("-", 1)[0] for one in lost}
    assert len(threads) == len(lost)
    times = [one["acknowledged"] for one in lost]
    assert ELECTION_SECONDS < min(times) <= max(times) < PARTITION_SECONDS
    assert max(times) - min(times) < 1
    assert (audit.findings.unexpected, audit.findings.duplicated) == ([], [])
    assert audit.times.unreplicated > 0
