"""Faults of the network under load, with the configuration of `strict` and RocketMQ's own classes."""

from collections.abc import Callable

from tests.faults.audit import Audit
from tests.faults.load import WORKLOADS

ELECTION_SECONDS = 10.0
PARTITION_SECONDS = 28.0


def test_an_isolated_master_of_5_5_0_acknowledges_the_writes_that_wait_when_it_drops_its_slaves(
    audit_fault: Callable[[str, str], Audit],
) -> None:
    """Hold the cause of the loss: at most the one write that each thread has in flight, at the moment of the drop."""
    audit = audit_fault("master-isolated-with-clients", "normal")
    (workload,) = WORKLOADS["normal"]
    lost = audit.lost()
    assert 0 < len(lost) <= workload.threads, audit.row
    threads = {one["id"].rsplit("-", 1)[0] for one in lost}
    assert len(threads) == len(lost)
    times = [one["acknowledged"] for one in lost]
    assert ELECTION_SECONDS < min(times) <= max(times) < PARTITION_SECONDS
    assert max(times) - min(times) < 1
    assert (audit.findings.unexpected, audit.findings.duplicated) == ([], [])
