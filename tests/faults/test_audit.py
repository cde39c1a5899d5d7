"""Load generator, reader and checker together, against a broker in memory that acknowledges every message."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.cache import java
from sandbox.progress import Report
from tests.faults.checker import Findings, check
from tests.faults.fake_broker import FakeBroker, Store, start_broker
from tests.faults.load import JavaLoad, Workload, wait_for_successes

WORKLOAD = Workload("java-fifo", kind="fifo", threads=2, keys=2, rate=100.0)
SENT = 40
START_SECONDS = 240


@pytest.fixture(scope="session")
def class_path() -> str:
    return java.ensure(java.AUDIT, Report())


def audit(
    store: Store, class_path: str, folder: Path, damage: Callable[[FakeBroker], None] = lambda _: None
) -> Findings:
    with start_broker(store) as broker:
        load = JavaLoad(
            class_path=class_path,
            name_servers=[broker.address],
            folder=folder,
            workloads=[WORKLOAD],
            in_client_network=lambda argv: argv,
        )
        load.start()
        try:
            wait_for_successes(load, time.monotonic_ns(), SENT, START_SECONDS)
            load.stop()
        finally:
            load.close()
        damage(broker)
        stored = load.read_topics(broker.address, [WORKLOAD.topic])
    return check(load.attempts(), stored)


def test_a_broker_that_stores_everything_has_no_findings(class_path: str, tmp_path: Path) -> None:
    findings = audit(lambda _id: 1, class_path, tmp_path)
    assert findings.correct
    assert findings.codes == {"SEND_OK": findings.attempted}
    assert findings.acknowledged >= SENT
    assert findings.duplicated == []


def test_a_broker_that_acknowledges_what_it_drops_is_found(class_path: str, tmp_path: Path) -> None:
    dropped, doubled = {"java-fifo-0-3", "java-fifo-1-7"}, {"java-fifo-0-5"}
    findings = audit(lambda id_: 0 if id_ in dropped else 1 + (id_ in doubled), class_path, tmp_path)
    assert set(findings.lost) == dropped
    assert set(findings.duplicated) == doubled
    assert not findings.correct
    assert (findings.unexpected, findings.recovered, findings.out_of_order) == ([], [], [])


def test_messages_at_each_others_places_are_found(class_path: str, tmp_path: Path) -> None:
    # Each says the offset that it had. A consumer gets them in the order of the queue.
    exchanged: list[bytes] = []

    def exchange(broker: FakeBroker) -> None:
        queue = next(one for one in broker.queues if len(one) > 3)
        queue[2], queue[3] = queue[3], queue[2]
        exchanged.extend(queue[2:4])

    findings = audit(lambda _id: 1, class_path, tmp_path, exchange)
    assert len(findings.lost) == len(findings.unexpected) == len(exchanged) == 2
    assert not findings.correct
