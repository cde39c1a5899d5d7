"""Comparison of the stores of a group's members, and the checks of an audit that need no broker."""

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import cluster as clusters
from tests.faults.audit import Audit, wait_until_few_fail
from tests.faults.cluster import Cluster, wait_for_equal_queues
from tests.faults.faults import FaultTimes
from tests.faults.ledger import Attempt

TOPIC = "topic"
FILE_SIZE = 64
MESSAGES = [b"first message", b"second", b"third one"]


def write_store(store: Path, messages: list[bytes]) -> None:
    """Write a log of two files, and a queue with an entry for each message, as a broker does."""
    log, queue = bytearray(2 * FILE_SIZE), b""
    for number, message in enumerate(messages):
        place = number * 50  # the third one is in the second file
        log[place : place + len(message)] = message
        queue += struct.pack(">qiq", place, len(message), 0)
    (store / "commitlog").mkdir(parents=True)
    for begin in (0, FILE_SIZE):
        (store / "commitlog" / f"{begin:020}").write_bytes(log[begin : begin + FILE_SIZE])
    folder = store / "consumequeue" / TOPIC / "0"
    folder.mkdir(parents=True)
    (folder / f"{0:020}").write_bytes(queue.ljust(400, b"\0"))


def build_cluster(folder: Path, stores: list[list[bytes]]) -> Cluster:
    """Return a cluster whose members have these messages."""
    for number, messages in enumerate(stores):
        write_store(folder / str(number), messages)
    members = [str(number) for number in range(len(stores))]
    return cast("Cluster", SimpleNamespace(members=members, find_store=lambda name: folder / name))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def require(answer: Any, _seconds: float, what: str) -> None:
        if not answer():
            raise TimeoutError(what)

    monkeypatch.setattr(clusters, "require", require)


def test_members_with_the_same_messages_are_equal(tmp_path: Path) -> None:
    wait_for_equal_queues(build_cluster(tmp_path, [MESSAGES] * 3), [TOPIC])


@pytest.mark.parametrize(
    "other",
    [MESSAGES[:2], [*MESSAGES[:2], b"third ONE"], [*MESSAGES[:2], b"\0" * 9], [b"First message", *MESSAGES[1:]]],
    ids=["one message less", "another last message", "zeros", "another first message"],
)
def test_another_message_of_one_member_is_found(tmp_path: Path, other: list[bytes]) -> None:
    with pytest.raises(TimeoutError, match="the same messages"):
        wait_for_equal_queues(build_cluster(tmp_path, [MESSAGES, other, MESSAGES]), [TOPIC])


def test_members_without_the_queue_are_not_equal(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no member has a queue"):
        wait_for_equal_queues(build_cluster(tmp_path, [MESSAGES] * 3), ["other"])


def attempt(number: int, code: str, begin: int = 0, end: int = 1) -> Attempt:
    return Attempt(f"a-0-{number}", "a", TOPIC, number, begin, end=end, code=code)


def test_failures_of_a_whole_group_are_found() -> None:
    late = 2**62
    sent = [attempt(number, "SEND_OK", late, late) for number in range(76)]
    rolled_back = [attempt(number, "ROLLED_BACK", late, late) for number in range(76, 96)]
    failed = [attempt(number, "BROKER_2", late, late) for number in range(76, 100)]
    hanging = [Attempt(f"a-1-{number}", "a", TOPIC, number, 0) for number in range(24)]

    def wait(*ledgers: list[Attempt], seconds: float = 0) -> None:
        attempts = iter(ledgers)
        load = SimpleNamespace(attempts=lambda: next(attempts), workloads=[SimpleNamespace(client="a")])
        wait_until_few_fail(cast("Any", load), 0, seconds)

    wait([], [*sent, *failed], [*sent, *hanging], [*sent, *rolled_back], seconds=60)
    with pytest.raises(AssertionError, match=r"'a': Counter\(\{'SEND_OK': 76, 'BROKER_2': 24"):
        wait([*sent, *failed])
    with pytest.raises(AssertionError, match=r"'a': Counter\(\{'SEND_OK': 76, 'hangs': 24"):
        wait([*sent, *hanging])
    with pytest.raises(AssertionError, match=r"'a': Counter\(\)"):
        wait([])


def test_an_acknowledgement_while_a_single_member_runs_is_found() -> None:
    sent = [
        attempt(0, "SEND_OK", 5, 12),
        attempt(1, "SEND_OK", 11, 12),
        attempt(2, "SEND_OK", 19, 25),
        attempt(3, "FLUSH_SLAVE_TIMEOUT", 13, 14),
    ]
    times = FaultTimes(8, 22, "master", alone=(10, 20))
    audit = Audit("fault", times, "", 0.0, 1, cast("Any", None), sent)
    assert audit.single_copies == ["a-0-1"]
