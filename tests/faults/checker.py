"""Comparison of a ledger with what the final master stores. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.ledger import ROLLED_BACK, Attempt, StoredMessage

NANOSECONDS = 1e9
EARLY_SECONDS = 1.0
"""By which a delayed message may come early: the precision of RocketMQ's timer."""
REPEATED_SECONDS = 20.0
"""A new master repeats the delayed messages that were due after its positions. A slave copies that of the timer every
3 s, and those of the delay levels every 10 s. The rest is for the election and a busy machine."""


@dataclass(frozen=True)
class Findings:
    """Result of one audit. Lists have ids, in the order of the ledger or of the read-back."""

    attempted: int
    acknowledged: int
    lost: list[str]
    """Acknowledged, and not stored."""
    duplicated: list[str]
    """Stored more than once; an id for each copy after the first."""
    unexpected: list[str]
    """Stored, but never sent, sent to another topic, or with another body."""
    recovered: list[str]
    """Stored, although the client got no acknowledgement."""
    out_of_order: list[str]
    """Acknowledged, and stored behind a later message of the same sharding key in the same queue."""
    moved_keys: list[str]
    """Sharding keys with acknowledged messages in more than one queue."""
    early: list[str]
    """Delayed messages that were stored in their topic before they were due."""
    rolled_back: list[str]
    """Transactions that their producer rolled back, and that were stored in their topic."""
    repeated: list[str]
    """Delayed messages that were stored again after a failover, although they were due long before it."""
    late: dict[str, float]
    """Longest time by which the first copy of a message was stored after it was due, in seconds by client."""
    gaps: dict[str, float]
    """Longest time without an acknowledged message that is stored, in seconds by client."""
    codes: dict[str, int] = field(default_factory=dict)
    """Number of attempts by result."""

    @property
    def correct(self) -> bool:
        """Whether nothing was lost, damaged or reordered. Duplicates are allowed: delivery is at least once."""
        return not any((self.lost, self.unexpected, self.out_of_order, self.moved_keys, self.early, self.rolled_back))


def check(
    attempts: Sequence[Attempt],
    stored: Sequence[StoredMessage],
    delays: Mapping[str, float] = {},
    failovers: Sequence[int] = (),
) -> Findings:
    """Compare all attempts of a load with all messages of its topics.

    Args:
        attempts: the ledger.
        stored: messages of all topics of the ledger.
        delays: seconds after which messages are due, by topic. They are due at once in other topics.
        failovers: times of the failovers, in nanoseconds.
    """
    by_id = {attempt.id: attempt for attempt in attempts}
    expected = [one for one in stored if one.intact and one.id in by_id and by_id[one.id].topic == one.topic]
    accepted = set(map(_place, expected))
    found = {one.id for one in expected}
    lost = [attempt.id for attempt in attempts if attempt.acknowledged and attempt.id not in found]
    firsts, copies = _split_copies(expected)
    return Findings(
        attempted=len(attempts),
        acknowledged=sum(attempt.acknowledged for attempt in attempts),
        lost=lost,
        duplicated=[one.id for one in copies],
        unexpected=[one.id for one in stored if _place(one) not in accepted],
        recovered=[attempt.id for attempt in attempts if not attempt.acknowledged and attempt.id in found],
        out_of_order=_find_out_of_order(firsts, by_id),
        early=[one.id for one in expected if one.age < delays.get(one.topic, 0) - EARLY_SECONDS],
        rolled_back=sorted({one.id for one in expected if by_id[one.id].code == ROLLED_BACK}),
        repeated=_find_repeated(expected, by_id, delays, failovers),
        late=_compute_late(expected, by_id, delays),
        moved_keys=_find_moved_keys(firsts, by_id),
        gaps=_compute_gaps(attempts, set(lost)),
        codes=dict(Counter(attempt.code or "NO_RESULT" for attempt in attempts)),
    )


def find_received_out_of_order(attempts: Iterable[Attempt], received: Iterable[str]) -> list[str]:
    """Return the acknowledged messages that a consumer received first after a later one of the same sharding key."""
    ordered = {one.id: one for one in attempts if one.acknowledged and one.key is not None}
    highest: dict[str | None, int] = {}
    found = []
    for id_ in dict.fromkeys(received):
        if (one := ordered.get(id_)) is not None:
            if one.sequence < highest.get(one.key, -1):
                found.append(id_)
            highest[one.key] = max(one.sequence, highest.get(one.key, -1))
    return found


def build_timeline(attempts: Iterable[Attempt], zero: int) -> dict[int, dict[str, int]]:
    """Return the number of attempts by result, by whole seconds after `zero`."""
    seconds: dict[int, Counter[str]] = defaultdict(Counter)
    for attempt in attempts:
        if attempt.end is not None:
            seconds[int((attempt.end - zero) // NANOSECONDS)][attempt.code or ""] += 1
    return {second: dict(codes) for second, codes in sorted(seconds.items())}


def compute_event_gaps(attempts: Iterable[Attempt], events: Sequence[int]) -> list[float]:
    """Return the longest time without an acknowledged message after each event and before the next one, in seconds.

    A gap that has begun before an event counts from the last acknowledgement, and for this event only. It is infinite
    if no message is acknowledged before the next event. A client that does not recover has a gap until its last
    attempt.
    """
    own = list(attempts)
    successes = sorted(one.end for one in own if one.acknowledged and one.end is not None)
    times = [*successes, _find_last(own)] if own else []
    ends = [*events[1:], math.inf]
    return [
        max((later - earlier for earlier, later in pairwise(times) if begin <= later < end), default=math.inf)
        / NANOSECONDS
        for begin, end in zip(events, ends, strict=True)
    ]


def build_row(fault: str, findings: Findings, whole_seconds: float | None) -> dict[str, Any]:
    """Return one row of the table: counts instead of ids."""
    counts = {name: len(value) if isinstance(value, list) else value for name, value in asdict(findings).items()}
    seconds = {name: _round(getattr(findings, name)) for name in ("gaps", "late")}
    whole = None if whole_seconds is None else round(whole_seconds, 1)
    return {"fault": fault, **counts, **seconds, "whole_seconds": whole}


def _round(seconds: Mapping[str, float]) -> dict[str, float]:
    return {client: round(one, 1) for client, one in seconds.items()}


def _place(one: StoredMessage) -> tuple[str, int, int]:
    return one.topic, one.queue, one.offset


def _split_copies(stored: Iterable[StoredMessage]) -> tuple[list[StoredMessage], list[StoredMessage]]:
    """Return the first copy of each message, in the order of the queues, and all further copies."""
    firsts: list[StoredMessage] = []
    copies: list[StoredMessage] = []
    seen: set[str] = set()
    for one in sorted(stored, key=_place):
        (copies if one.id in seen else firsts).append(one)
        seen.add(one.id)
    return firsts, copies


def _select_ordered(
    firsts: Iterable[StoredMessage], by_id: dict[str, Attempt]
) -> Iterable[tuple[StoredMessage, str, int]]:
    """Yield the acknowledged messages that have a sharding key.

    A client sends the next message of a key after the result of the one before. Without an acknowledgement, the broker
    may store the earlier message later.
    """
    for one in firsts:
        attempt = by_id[one.id]
        if attempt.acknowledged and attempt.key is not None:
            yield one, attempt.key, attempt.sequence


def _find_out_of_order(firsts: Iterable[StoredMessage], by_id: dict[str, Attempt]) -> list[str]:
    highest: dict[tuple[str, str, int], int] = {}
    found = []
    for one, key, sequence in _select_ordered(firsts, by_id):
        queue = (one.topic, key, one.queue)
        if sequence < highest.get(queue, -1):
            found.append(one.id)
        highest[queue] = max(sequence, highest.get(queue, -1))
    return found


def _find_moved_keys(firsts: Iterable[StoredMessage], by_id: dict[str, Attempt]) -> list[str]:
    queues: dict[tuple[str, str], set[int]] = defaultdict(set)
    for one, key, _ in _select_ordered(firsts, by_id):
        queues[one.topic, key].add(one.queue)
    return sorted(key for (_, key), found in queues.items() if len(found) > 1)


def _find_repeated(
    stored: Iterable[StoredMessage], by_id: Mapping[str, Attempt], delays: Mapping[str, float], failovers: Iterable[int]
) -> list[str]:
    copies: dict[str, list[float]] = defaultdict(list)
    for one in stored:
        if one.topic in delays:
            copies[one.id].append(by_id[one.id].begin / NANOSECONDS + one.age)
    due = {id_: by_id[id_].begin / NANOSECONDS + delays[by_id[id_].topic] for id_ in copies}
    times = [each / NANOSECONDS for each in failovers]
    return [
        id_
        for id_, copied in copies.items()
        if any(min(copied) < time < max(copied) and due[id_] < time - REPEATED_SECONDS for time in times)
    ]


def _compute_late(
    stored: Iterable[StoredMessage], by_id: Mapping[str, Attempt], delays: Mapping[str, float]
) -> dict[str, float]:
    first: dict[str, float] = {}
    for one in stored:
        first[one.id] = min(one.age - delays.get(one.topic, 0), first.get(one.id, math.inf))
    late: dict[str, float] = {}
    for id_, seconds in first.items():
        client = by_id[id_].client
        late[client] = max(seconds, late.get(client, 0.0))
    return late


def _compute_gaps(attempts: Iterable[Attempt], lost: set[str]) -> dict[str, float]:
    """Return the longest gap by client, from its first success to the end of its last attempt.

    An acknowledged message that is lost is no success. A client without any success has a gap from its first attempt.
    """
    by_client: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_client[attempt.client].append(attempt)
    gaps = {}
    for client, own in by_client.items():
        successes = sorted(one.end for one in own if one.acknowledged and one.id not in lost and one.end is not None)
        times = [*(successes or [min(attempt.begin for attempt in own)]), _find_last(own)]
        gaps[client] = max(later - earlier for earlier, later in pairwise(times)) / NANOSECONDS
    return gaps


def _find_last(attempts: Iterable[Attempt]) -> int:
    return max(one.begin if one.end is None else one.end for one in attempts)
