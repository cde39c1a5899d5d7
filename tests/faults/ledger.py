"""Ledger of a load and read-back of its topics: JSON lines that any client can write.

A ledger has two lines for each attempt: `begin` (id, client, topic, key, sequence, at) and `end` (id, at, code). An
attempt without `end` is one whose client was killed. Times are nanoseconds of CLOCK_MONOTONIC, which Java and Python
share. `code` is SEND_OK only for an acknowledged message, and ROLLED_BACK for a transaction that its producer did not
commit. A read-back has one line for each stored message.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ACKNOWLEDGED = "SEND_OK"
ROLLED_BACK = "ROLLED_BACK"


@dataclass(frozen=True)
class Attempt:
    """One attempt to send one message. `key` is its sharding key; `sequence` counts per key, or per thread."""

    id: str
    client: str
    topic: str
    sequence: int
    begin: int
    key: str | None = None
    end: int | None = None
    code: str | None = None

    @property
    def acknowledged(self) -> bool:
        return self.code == ACKNOWLEDGED

    @property
    def failed(self) -> bool:
        return self.code is not None and self.code not in {ACKNOWLEDGED, ROLLED_BACK}

    @property
    def worker(self) -> str:
        """What sends one message after the other: a sharding key, or a thread."""
        return self.key or self.id.rpartition("-")[0]


@dataclass(frozen=True)
class StoredMessage:
    """One message at one offset of a queue. `intact` says that its body is that of its id, and the offset its own."""

    id: str
    topic: str
    queue: int
    offset: int
    intact: bool = True
    age: float = 0.0
    """Seconds from its sending until it was stored in the queue."""


def parse_ledger(lines: Iterable[str]) -> list[Attempt]:
    """Return the attempts of a ledger.

    Raises ValueError for an id that begins twice, or that ends without a beginning: the ledger is not to be trusted.
    """
    attempts: dict[str, Attempt] = {}
    for line in _parse(lines):
        known = attempts.get(line["id"])
        if line["event"] == "begin":
            if known is not None:
                raise ValueError(f"{line['id']} begins twice")
            attempts[line["id"]] = Attempt(
                id=line["id"],
                client=line["client"],
                topic=line["topic"],
                sequence=line["sequence"],
                begin=line["at"],
                key=line.get("key"),
            )
        elif known is None or known.code is not None:
            raise ValueError(f"{line['id']} ends {'twice' if known else 'without a beginning'}")
        else:
            attempts[line["id"]] = replace(known, end=line["at"], code=line["code"])
    return list(attempts.values())


def parse_messages(lines: Iterable[str]) -> list[StoredMessage]:
    """Return the messages of a read-back."""
    return [
        StoredMessage(
            line["id"], line["topic"], line["queue"], line["offset"], line["intact"], line["ageMillis"] / 1000
        )
        for line in _parse(lines)
    ]


def read_ledger(path: Path) -> list[Attempt]:
    """Return the attempts in a file. The last line may be incomplete while its client runs."""
    return parse_ledger(line for line in path.open(encoding="utf-8") if line.endswith("\n"))


def read_messages(path: Path) -> list[StoredMessage]:
    """Return the messages in a file."""
    return parse_messages(path.open(encoding="utf-8"))


def _parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in lines)
