"""One audit: a load, a fault, one more failover, and the comparison of ledger and read-back."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.faults import cluster as clusters
from tests.faults.checker import NANOSECONDS, Findings, build_row, build_timeline, check, compute_event_gaps
from tests.faults.cluster import Cluster
from tests.faults.faults import Fault, FaultTimes
from tests.faults.ledger import Attempt
from tests.faults.load import (
    STEADY,
    JavaLoad,
    Load,
    Loads,
    Workload,
    build_java_load,
    wait_for_successes,
    wait_until_received,
)

FIRST_SECONDS = 180.0
STEADY_SECONDS = 5.0
"""Load before the fault, and after the group is whole again."""
STEADY_FAILURES = 0.05
"""Share of a client's attempts that may fail when the group is whole. A queue that refuses writes fails a quarter."""
HANGS = "hangs"
SETTLED_SECONDS = 60.0
"""Time after which no more may fail. Brokers refuse writes while they do not get the processor."""
RECOVERY_SECONDS = 300.0
SETTLE_SECONDS = 120.0
"""Delayed messages and transactions whose end was lost reach their topic later: checks come every 30 s."""
ASYNCHRONOUS = frozenset({"delayed", "transaction"})
SUCCESSES = 20
RECEIVE_SECONDS = 120.0
"""A message that a consumer has received but not acknowledged comes again after 20 s, and later after a failover."""
OTHER_QUEUES = 1000
"""Above the number of queues of a topic on one broker."""


@dataclass(frozen=True)
class Audit:
    """Result of one audit."""

    fault: str
    times: FaultTimes
    final_master: str
    whole_seconds: float
    """Time under load after the end of the fault until the group was whole."""
    elections: int
    """Masters that were elected between the begin of the load and its end."""
    findings: Findings
    attempts: Sequence[Attempt]
    ended: Sequence[str] = ()
    """Processes that ended by themselves, by the name of their machine."""

    @property
    def row(self) -> dict[str, Any]:
        row = build_row(self.fault, self.findings, self.whole_seconds) | {"elections": self.elections}
        row |= {"single_copies": len(self.single_copies), "ended": len(self.ended)}
        return row | ({"event_gaps": self.event_gaps} if self.times.events else {})

    @property
    def event_gaps(self) -> dict[str, list[float]]:
        """Longest time without an acknowledged message after the begin of each event, in seconds by client."""
        return {
            client: [
                round(gap, 2)
                for gap in compute_event_gaps([one for one in self.attempts if one.client == client], self.times.events)
            ]
            for client in sorted({one.client for one in self.attempts})
        }

    @property
    def single_copies(self) -> list[str]:
        """Messages that were sent and acknowledged while a single member ran."""
        if self.times.alone is None:
            return []
        begin, end = self.times.alone
        return [one.id for one in self.attempts if one.acknowledged and begin < one.begin and (one.end or end) < end]

    def lost(self) -> list[dict[str, Any]]:
        """Return what is known of each lost message: times in seconds after the begin of the fault."""
        by_id = {attempt.id: attempt for attempt in self.attempts}
        return [
            {
                "id": id_,
                "sent": round((by_id[id_].begin - self.times.begin) / NANOSECONDS, 2),
                "acknowledged": round(((by_id[id_].end or 0) - self.times.begin) / NANOSECONDS, 2),
            }
            for id_ in self.findings.lost
        ]

    def write(self, folder: Path) -> None:
        """Write `audit.json`: the row, all ids, lost messages with their times, and results by second."""
        seconds = round((self.times.end - self.times.begin) / NANOSECONDS, 2)
        document = {
            "row": self.row,
            "old_master": self.times.master,
            "final_master": self.final_master,
            "fault_seconds": seconds,
            "lost": self.lost(),
            "timeline": build_timeline(self.attempts, self.times.begin),
            "findings": asdict(self.findings),
        }
        (folder / "audit.json").write_text(json.dumps(document, indent=1) + "\n")


def run_audit(
    cluster: Cluster,
    name: str,
    fault: Fault,
    folder: Path,
    *,
    workloads: Sequence[Workload] = STEADY,
    other_loads: Sequence[Load] = (),
) -> Audit:
    """Inject a fault under load and compare the ledger with what the master after one more failover stores.

    The other members have the same messages, so each of them would have been as good a master. The load runs until
    members that come back are in sync. Delayed messages and transactions must arrive before the failover, which would
    repeat what a master has left out.

    Args:
        cluster: deployment, whole.
        name: name of the fault in the result.
        fault: function that injects the fault and ends it.
        folder: existing folder for ledger, read-back and `audit.json`.
        workloads: producers of the remoting protocol.
        other_loads: further clients, each with its own workloads.

    Raises:
        AssertionError: clients fail although the group is whole, a consumer receives messages out of order, delayed
            messages or transactions are missing, or the final master does not have the offsets of a consumer group.
        TimeoutError: a client or the group does not recover, the members do not have the same queues, or a consumer
            does not receive an acknowledged message.
    """
    everything = [*workloads, *(each for one in other_loads for each in one.workloads)]
    topics = [each.topic for each in everything]
    clusters.wait_until_whole(cluster)
    clusters.create_topics(cluster, ((each.topic, each.topic_kind) for each in everything))
    epoch = clusters.read_epoch(cluster)
    remoting = build_java_load(cluster, folder, workloads)
    load = Loads([remoting, *other_loads])
    load.start()
    try:
        times, whole = _inject(cluster, fault, load, topics)
        load.stop()
        attempts = load.attempts()
        clusters.wait_until_whole(cluster, topics)
        elections = clusters.read_epoch(cluster) - (epoch if times.epoch is None else times.epoch)
        clusters.wait_for_equal_queues(cluster, topics)
        wait_until_received(load, RECEIVE_SECONDS)
        disordered = load.list_received_out_of_order()
        assert not disordered, f"received after a later message of the same key: {disordered[:20]}"
        late = {each.topic: each for each in everything if each.kind in ASYNCHRONOUS}
        if late:
            master = cluster.address(clusters.find_master(cluster))
            own = [one for one in attempts if one.topic in late]
            missing = _settle(remoting, [master, *times.other_brokers], own, list(late.values())).lost
            assert not missing, f"{len(missing)} messages have not arrived before the failover: {missing[:20]}"
        failovers = [*(times.events or (times.begin,)), time.monotonic_ns()]
        final_master = clusters.fail_over(cluster)
        skipped = clusters.find_skipped_offsets(cluster, final_master, topics)
        assert not skipped, f"{final_master} does not have the offsets of the consumers: {skipped}"
        brokers = [cluster.address(final_master), *times.other_brokers]
        findings = _settle(remoting, brokers, attempts, everything, failovers)
    finally:
        load.close()
    whole_seconds = (whole - times.end) / NANOSECONDS
    audit = Audit(name, times, final_master, whole_seconds, elections, findings, attempts)
    audit.write(folder)
    return audit


def _inject(cluster: Cluster, fault: Fault, load: Load, topics: Sequence[str]) -> tuple[FaultTimes, int]:
    """Return the times of the fault, and when the group was whole again. The load goes on until few sends fail.

    Slaves copy topics and offsets every 10 s. They have those of the load before the fault, and get other offsets
    while the load goes on.
    """
    started = time.monotonic_ns()
    wait_for_successes(load, started, SUCCESSES, FIRST_SECONDS)
    time.sleep(STEADY_SECONDS)
    clusters.wait_until_whole(cluster, topics)
    times = fault(cluster)
    wait_for_successes(load, times.end, SUCCESSES, RECOVERY_SECONDS)
    clusters.wait_until_whole(cluster)
    whole = time.monotonic_ns()
    clusters.commit_offsets(cluster, topics)
    wait_until_few_fail(load, STEADY_SECONDS, SETTLED_SECONDS)
    return times, whole


def wait_until_few_fail(load: Load, steady: float, seconds: float) -> None:
    """Wait for a period of `steady` seconds in which every client sends. Assert that it ends within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        begin = time.monotonic_ns()
        time.sleep(steady)
        failing = _find_failing(load, begin, time.monotonic_ns())
        if not failing:
            return
        assert time.monotonic() < deadline, f"the group is whole, and clients fail: {failing}"


def _find_failing(load: Load, begin: int, end: int) -> dict[str, Counter[str]]:
    """Return the results in a period by client, of clients with more than few failures or without any result.

    An attempt that lasts for the whole period is a failure.
    """
    results: dict[str, Counter[str]] = {each.client: Counter() for each in load.workloads}
    failures: Counter[str] = Counter()
    for one in load.attempts():
        hangs = one.begin < begin and (one.end is None or one.end > end)
        if hangs or (one.begin > begin and one.code):
            results[one.client][HANGS if hangs else str(one.code)] += 1
            failures[one.client] += hangs or one.failed
    return {
        client: codes
        for client, codes in results.items()
        if not codes or failures[client] > STEADY_FAILURES * codes.total()
    }


def _settle(
    remoting: JavaLoad,
    brokers: Sequence[str],
    attempts: Sequence[Attempt],
    workloads: Sequence[Workload],
    failovers: Sequence[int] = (),
) -> Findings:
    """Read the topics until no delayed message and no transaction is missing, or the time for them is over."""
    topics = [each.topic for each in workloads]
    late = {each.topic for each in workloads if each.kind in ASYNCHRONOUS}
    delays = {each.topic: each.delay_seconds for each in workloads if each.kind == "delayed"}
    topic_of = {attempt.id: attempt.topic for attempt in attempts}
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        stored = [
            # A queue of another broker is another queue.
            replace(message, queue=message.queue + index * OTHER_QUEUES)
            for index, broker in enumerate(brokers)
            for message in remoting.read_topics(broker, topics)
        ]
        findings = check(attempts, stored, delays, failovers)
        missing = [id_ for id_ in findings.lost if topic_of[id_] in late]
        if not missing or time.monotonic() > deadline:
            return findings
        time.sleep(5)
