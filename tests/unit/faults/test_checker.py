"""Checker of the fault tests: planted faults are found, and nothing else is."""

import json
import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checker import build_row, build_timeline, check, compute_event_gaps, find_received_out_of_order
from tests.faults.ledger import ROLLED_BACK, Attempt, StoredMessage, parse_ledger, parse_messages

TOPIC = "audit-client"
SECOND = 1_000_000_000
KEYS = 3
QUEUES = 2


def attempts(number: int, code: str = "SEND_OK") -> list[Attempt]:
    """Return attempts of one client, one after the other every second, round robin over the keys."""
    return [
        Attempt(
            id=f"client-0-{i}",
            client="client",
            topic=TOPIC,
            sequence=i // KEYS,
            begin=i * SECOND,
            key=f"key-{i % KEYS}",
            end=i * SECOND + SECOND // 2,
            code=code,
        )
        for i in range(number)
    ]


def store(sent: list[Attempt]) -> list[StoredMessage]:
    """Return what a correct broker stores: each message once, the messages of a key in the order of their sending."""
    offsets = [0] * QUEUES
    stored = []
    for attempt in sent:
        queue = int((attempt.key or "-0").rpartition("-")[2]) % QUEUES
        stored.append(StoredMessage(attempt.id, attempt.topic, queue, offsets[queue]))
        offsets[queue] += 1
    return stored


def test_a_correct_broker_has_no_findings() -> None:
    sent = attempts(12)
    findings = check(sent, store(sent))
    assert findings.correct
    assert (findings.attempted, findings.acknowledged) == (12, 12)
    assert (findings.lost, findings.duplicated, findings.unexpected, findings.recovered) == ([], [], [], [])
    assert (findings.out_of_order, findings.moved_keys) == ([], [])
    assert findings.gaps == {"client": 1.0}


def test_a_lost_message_is_found() -> None:
    sent = attempts(12)
    findings = check(sent, [one for one in store(sent) if one.id != "client-0-7"])
    assert findings.lost == ["client-0-7"]
    assert not findings.correct


def test_a_message_without_acknowledgement_may_be_missing() -> None:
    sent = [*attempts(12)]
    sent[7] = replace(sent[7], code="FLUSH_SLAVE_TIMEOUT")
    sent[8] = replace(sent[8], code=None, end=None)
    findings = check(sent, [one for one in store(sent) if one.id not in {"client-0-7", "client-0-8"}])
    assert findings.correct
    assert findings.acknowledged == 10
    assert findings.codes == {"SEND_OK": 10, "FLUSH_SLAVE_TIMEOUT": 1, "NO_RESULT": 1}


@pytest.mark.parametrize("code", ["FLUSH_SLAVE_TIMEOUT", "FLUSH_DISK_TIMEOUT", "SLAVE_NOT_AVAILABLE", None])
def test_only_send_ok_is_an_acknowledgement(code: str | None) -> None:
    sent = attempts(3)
    sent[1] = replace(sent[1], code=code)
    findings = check(sent, store(sent))
    assert findings.acknowledged == 2
    assert findings.recovered == ["client-0-1"]
    assert findings.correct


def test_a_duplicate_is_found_and_is_not_out_of_order() -> None:
    sent = attempts(12)
    stored = store(sent)
    first = stored[0]
    findings = check(sent, [*stored, replace(first, offset=99)])
    assert findings.duplicated == [first.id]
    assert findings.out_of_order == []
    assert findings.correct


def test_each_further_copy_counts() -> None:
    sent = attempts(3)
    stored = store(sent)
    findings = check(sent, [*stored, *(replace(stored[0], offset=offset) for offset in (98, 99))])
    assert findings.duplicated == [stored[0].id] * 2


@pytest.mark.parametrize(
    "change",
    [{"id": "other-0-1"}, {"topic": "audit-other"}, {"intact": False}],
    ids=["unknown id", "another topic", "another body"],
)
def test_an_unexpected_message_is_found(change: dict) -> None:
    sent = attempts(4)
    stored = store(sent)
    findings = check(sent, [*stored, replace(replace(stored[0], offset=99), **change)])
    assert findings.unexpected == [change.get("id", stored[0].id)]
    assert (findings.lost, findings.duplicated) == ([], [])
    assert not findings.correct


def test_a_damaged_message_is_lost() -> None:
    sent = attempts(4)
    stored = store(sent)
    findings = check(sent, [replace(stored[0], intact=False), *stored[1:]])
    assert (findings.lost, findings.unexpected) == ([stored[0].id], [stored[0].id])


def test_exchanged_messages_of_a_key_are_out_of_order() -> None:
    sent = attempts(12)
    stored = store(sent)
    early, late = (next(one for one in stored if one.id == f"client-0-{number}") for number in (1, 7))
    others = [one for one in stored if one not in {early, late}]
    findings = check(sent, [*others, replace(early, offset=late.offset), replace(late, offset=early.offset)])
    # Of the same key are 1, 4, 7 and 10. Stored behind a later one are 4 and 1.
    assert findings.out_of_order == ["client-0-4", "client-0-1"]
    assert not findings.correct


def test_a_message_without_acknowledgement_is_never_out_of_order() -> None:
    sent = attempts(12)
    sent[1] = replace(sent[1], code="RemotingTimeoutException")
    stored = [replace(one, offset=99) if one.id == "client-0-1" else one for one in store(sent)]
    assert check(sent, stored).out_of_order == []


def test_messages_without_a_key_have_no_order() -> None:
    sent = [replace(attempt, key=None) for attempt in attempts(12)]
    stored = store(sent)
    findings = check(sent, [replace(one, offset=100 - one.offset) for one in stored])
    assert findings.correct


def test_a_key_in_two_queues_is_found() -> None:
    sent = attempts(12)
    stored = [replace(one, queue=1 - one.queue, offset=99) if one.id == "client-0-6" else one for one in store(sent)]
    findings = check(sent, stored)
    assert findings.moved_keys == ["key-0"]
    assert not findings.correct


def test_the_longest_gap_is_measured_by_client() -> None:
    first = attempts(20)
    # Nine failures between the ends at 4.5 s and at 14.5 s.
    first = [replace(one, code="BROKER_1") if 5 <= number < 14 else one for number, one in enumerate(first)]
    second = [replace(one, id=f"other-{one.id}", client="other") for one in attempts(20)]
    findings = check([*first, *second], store([*first, *second]))
    assert findings.gaps == {"client": 10.0, "other": 1.0}


def test_a_lost_message_does_not_end_a_gap() -> None:
    sent = [replace(one, code="BROKER_1") if number in {4, 6} else one for number, one in enumerate(attempts(10))]
    assert check(sent, store(sent)).gaps == {"client": 2.0}
    assert check(sent, [one for one in store(sent) if one.id != "client-0-5"]).gaps == {"client": 4.0}


def test_a_client_that_does_not_recover_has_a_gap_until_its_last_attempt() -> None:
    sent = [replace(one, code="BROKER_1") if number > 1 else one for number, one in enumerate(attempts(10))]
    assert check(sent, store(sent)).gaps == {"client": 8.0}
    never = attempts(10, code="BROKER_1")
    assert check(never, []).gaps == {"client": 9.5}


def test_a_row_has_counts_and_rounded_times() -> None:
    sent = attempts(12)
    row = build_row("master-killed", check(sent, store(sent)[1:]), 12.34)
    assert json.loads(json.dumps(row)) == {
        "fault": "master-killed",
        "attempted": 12,
        "acknowledged": 12,
        "lost": 1,
        "duplicated": 0,
        "unexpected": 0,
        "recovered": 0,
        "out_of_order": 0,
        "moved_keys": 0,
        "early": 0,
        "rolled_back": 0,
        "repeated": 0,
        "late": {"client": 0.0},
        "gaps": {"client": 1.0},
        "codes": {"SEND_OK": 12},
        "whole_seconds": 12.3,
    }


def test_the_timeline_counts_results_by_second() -> None:
    sent = attempts(3)
    sent[1] = replace(sent[1], code="BROKER_1")
    assert build_timeline(sent, SECOND) == {-1: {"SEND_OK": 1}, 0: {"BROKER_1": 1}, 1: {"SEND_OK": 1}}


def test_a_ledger_is_read_with_attempts_that_never_ended() -> None:
    lines = [
        '{"event":"begin","id":"a-0-0","client":"a","topic":"t","key":"k","sequence":4,"at":10}\n',
        '{"event":"begin","id":"a-0-1","client":"a","topic":"t","sequence":5,"at":15}\n',
        '{"event":"end","id":"a-0-0","at":20,"code":"SEND_OK"}\n',
    ]
    assert parse_ledger(lines) == [
        Attempt("a-0-0", "a", "t", 4, 10, key="k", end=20, code="SEND_OK"),
        Attempt("a-0-1", "a", "t", 5, 15),
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["begin", "begin"], "a begins twice"),
        (["end"], "a ends without a beginning"),
        (["begin", "end", "end"], "a ends twice"),
    ],
)
def test_an_inconsistent_ledger_is_rejected(lines: list[str], problem: str) -> None:
    fields = {"id": "a", "client": "a", "topic": "t", "sequence": 0, "at": 1, "code": "SEND_OK"}
    with pytest.raises(ValueError, match=problem):
        parse_ledger(json.dumps({"event": event, **fields}) for event in lines)


def test_a_read_back_is_read() -> None:
    line = '{"id":"a-0-0","topic":"t","queue":3,"offset":7,"ageMillis":1500,"intact":false}\n'
    assert parse_messages([line]) == [StoredMessage("a-0-0", "t", 3, 7, intact=False, age=1.5)]


@given(
    number=st.integers(1, 60),
    lost=st.sets(st.integers(0, 59)),
    failed=st.sets(st.integers(0, 59)),
    copied=st.sets(st.integers(0, 59)),
    foreign=st.integers(0, 3),
    random=st.randoms(use_true_random=False),
)
def test_any_planted_faults_are_found_exactly(
    number: int, lost: set[int], failed: set[int], copied: set[int], foreign: int, random: Random
) -> None:
    sent = [replace(one, code="TIMEOUT") if i in failed else one for i, one in enumerate(attempts(number))]
    kept = [one for i, one in enumerate(store(sent)) if i not in lost]
    ids = [attempt.id for attempt in sent]
    copies = [replace(one, offset=1000 + one.offset) for one in kept if ids.index(one.id) in copied]
    foreigners = [StoredMessage(f"foreign-{i}", TOPIC, 0, 5000 + i) for i in range(foreign)]
    stored = [*kept, *copies, *foreigners]
    random.shuffle(stored)

    findings = check(sent, stored)

    assert findings.lost == [ids[i] for i in range(number) if i in lost and i not in failed]
    assert findings.recovered == [ids[i] for i in range(number) if i in failed and i not in lost]
    assert sorted(findings.duplicated) == sorted(one.id for one in copies)
    assert sorted(findings.unexpected) == [one.id for one in foreigners]
    assert findings.out_of_order == []
    assert findings.moved_keys == []
    assert findings.acknowledged + sum(findings.codes.values()) - findings.codes.get("SEND_OK", 0) == number


def test_a_delayed_message_that_is_stored_before_it_is_due_is_found() -> None:
    sent = attempts(6)
    stored = [replace(one, age=5.0 if one.id != "client-0-3" else 3.9) for one in store(sent)]
    findings = check(sent, stored, {TOPIC: 5.0})
    assert findings.early == ["client-0-3"]
    assert not findings.correct
    assert findings.late == {"client": 0.0}


def test_the_first_copy_decides_how_late_a_message_is() -> None:
    sent = attempts(6)
    stored = [replace(one, age=5.5) for one in store(sent)]
    repeated = [replace(stored[0], offset=99, age=30.0)]
    assert check(sent, [*repeated, *stored], {TOPIC: 5.0}).late == {"client": 0.5}
    assert check(sent, [*repeated, *stored[1:]], {TOPIC: 5.0}).late == {"client": 25.0}


def test_a_transaction_that_was_rolled_back_must_not_be_stored() -> None:
    sent = attempts(4)
    sent[2] = replace(sent[2], code=ROLLED_BACK)
    assert check(sent, store(sent)).rolled_back == ["client-0-2"]
    assert not check(sent, store(sent)).correct
    findings = check(sent, [one for one in store(sent) if one.id != "client-0-2"])
    assert findings.correct
    assert findings.acknowledged == 3


def test_only_what_was_due_long_before_a_failover_counts_as_repeated() -> None:
    # Sent every second and due 5 s later. The failover of second 40 stores all again that were due before it.
    sent = attempts(60)
    stored = [replace(one, age=5.0) for one in store(sent)]
    failover = 40 * SECOND
    copies = [
        replace(one, offset=100 + one.offset, age=45.0 - number)
        for number, one in zip((int(one.id.rpartition("-")[2]) for one in stored), stored, strict=True)
        if number + 5 < 40
    ]
    repeated = check(sent, [*stored, *copies], {TOPIC: 5.0}, [failover]).repeated
    assert sorted(repeated) == sorted(f"client-0-{number}" for number in range(15))
    assert check(sent, [*stored, *copies], {TOPIC: 5.0}, [50 * SECOND]).repeated == []
    assert check(sent, stored, {TOPIC: 5.0}, [failover]).repeated == []
    # Messages that are due at once are no business of the timer.
    assert check(sent, [*stored, *copies], {}, [failover]).repeated == []


def test_a_message_that_is_received_after_a_later_one_of_its_key_is_found() -> None:
    sent = [*attempts(9)]
    ids = [one.id for one in sent]
    assert find_received_out_of_order(sent, ids) == []
    # Again, or those of another key first.
    assert find_received_out_of_order(sent, [*ids[:6], *ids[:4], *ids[6:]]) == []
    assert find_received_out_of_order(sent, sorted(ids, key=lambda id_: int(id_.rpartition("-")[2]) % KEYS)) == []
    assert find_received_out_of_order(sent, [ids[3], ids[0], *ids[1:]]) == [ids[0]]
    # Without an acknowledgement, the broker may store the earlier message later.
    sent[0] = replace(sent[0], code="FLUSH_SLAVE_TIMEOUT")
    assert find_received_out_of_order(sent, [ids[3], ids[0], *ids[1:]]) == []


def test_the_gap_of_each_event_is_the_longest_one_before_the_next_event() -> None:
    # Acknowledged half a second after every full second, without those of seconds 3, 4, 5 and 8.
    sent = [one for i, one in enumerate(attempts(12)) if i not in {3, 4, 5, 8}]
    assert compute_event_gaps(sent, [3 * SECOND, 8 * SECOND, 10 * SECOND]) == [4.0, 2.0, 1.0]


def test_a_gap_belongs_to_one_event() -> None:
    # The last acknowledgement before the second event begins its gap.
    sent = [one for i, one in enumerate(attempts(12)) if i != 8]
    assert compute_event_gaps(sent, [3 * SECOND, 8 * SECOND]) == [1.0, 2.0]


def test_a_failed_attempt_does_not_end_the_gap_of_an_event() -> None:
    sent = [replace(one, code="BROKER_2") if one.sequence == 1 else one for one in attempts(9)]
    assert compute_event_gaps(sent, [3 * SECOND]) == [4.0]


def test_an_event_without_an_acknowledged_message_has_an_infinite_gap() -> None:
    assert compute_event_gaps([], [SECOND]) == [math.inf]
    sent = [one for i, one in enumerate(attempts(12)) if not 3 <= i < 8]
    assert compute_event_gaps(sent, [3 * SECOND, 8 * SECOND]) == [math.inf, 6.0]


def test_a_client_that_stops_again_has_a_gap_until_its_last_attempt() -> None:
    sent = [replace(one, code="BROKER_2") if i > 5 else one for i, one in enumerate(attempts(12))]
    assert compute_event_gaps(sent, [3 * SECOND]) == [6.0]
