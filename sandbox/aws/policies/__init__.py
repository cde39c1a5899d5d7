"""AWS's managed policies as data: those that the stack or a node can name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCUMENTS = Path(__file__).resolve().parent / "documents"


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy that AWS publishes. `path` begins and ends with a slash, such as `/service-role/`."""

    name: str
    path: str
    version: str
    created: str
    updated: str
    document: dict[str, object]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::aws:policy{self.path}{self.name}"


def published() -> Iterator[ManagedPolicy]:
    """Yield every policy in `documents/`, sorted by name."""
    for file in sorted(DOCUMENTS.glob("*.json")):
        yield ManagedPolicy(**json.loads(file.read_text()))
