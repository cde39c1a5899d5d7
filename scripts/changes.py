"""Table of the planned changes of a preview, in Markdown. Replacements and deletions of data come first.

Reads the engine's event log, so one preview gives the table and the diff. Standard library only.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

DATA_KINDS = frozenset(
    {
        "aws:ebs/volume:Volume",
        "aws:eks/addon:Addon",
        "aws:eks/cluster:Cluster",
        "aws:eks/nodeGroup:NodeGroup",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolume",
        "kubernetes:core/v1:PersistentVolumeClaim",
        "kubernetes:storage.k8s.io/v1:StorageClass",
        "random:index/randomPassword:RandomPassword",
    }
)
"""Types whose replacement or deletion can lose data, or stops everything that uses it."""

_CONTENT_HASH = re.compile(r"-[0-9a-f]{10}$")
_SHOWN_PROPERTIES = 4
_DESTRUCTIVE = frozenset({"replace", "delete"})
# The physical halves of a replacement, and operations that change nothing outside the state.
_IGNORED = frozenset(
    {
        *("same", "read", "refresh", "discard", "read-replacement", "discard-replaced"),
        *("create-replacement", "import-replacement", "delete-replaced", "remove-pending-replace"),
    }
)


class Severity(IntEnum):
    """Order of the rows."""

    DATA = 0
    DESTRUCTIVE = 1
    OTHER = 2
    CREATE = 3
    CONFIGURATION = 4


@dataclass(frozen=True)
class ResourceChange:
    """One resource that the update would change."""

    operation: str
    """As the engine calls it, such as `replace`. `new version` for an object that takes the place of one with another
    content: both are immutable, and the name of each ends with the hash of its content."""
    kind: str
    """Type token, such as `kubernetes:apps/v1:StatefulSet`."""
    name: str
    """Name in the program."""
    properties: Sequence[str] = ()
    """Paths of the properties that cause it."""

    @property
    def severity(self) -> Severity:
        """Severity for a reviewer."""
        if self.operation == "new version":
            return Severity.CONFIGURATION
        if self.operation in _DESTRUCTIVE:
            return Severity.DATA if self.kind in DATA_KINDS else Severity.DESTRUCTIVE
        return Severity.CREATE if self.operation == "create" else Severity.OTHER


def read_changes(event_log: Iterable[str], clean: Callable[[str], str] = str) -> list[ResourceChange]:
    """Return the planned changes of an engine event log, the most severe first.

    Args:
        event_log: lines of the file that `pulumi preview --event-log` writes, one JSON object each. An engine that was
            stopped leaves its last line incomplete.
        clean: removes secrets from a name or a property path.
    """
    steps = [(each, _strip_content_hash(each)) for each in _read_steps(event_log) if each["op"] not in _IGNORED]
    created, deleted = ({stem for each, stem in steps if each["op"] == op} for op in ("create", "delete"))
    versions = created & deleted - {None}
    changes = [
        _build_change(each, "new version" if stem in versions else each["op"], clean)
        for each, stem in steps
        if each["op"] != "delete" or stem not in versions
    ]
    return sorted(changes, key=lambda change: (change.severity, change.kind, change.name))


def _read_steps(event_log: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in event_log:
        with suppress(json.JSONDecodeError):
            event = json.loads(line)
            if "resourcePreEvent" in event:
                yield event["resourcePreEvent"]["metadata"]


def _build_change(metadata: Mapping[str, Any], operation: str, clean: Callable[[str], str]) -> ResourceChange:
    *_, kind_path, name = metadata["urn"].split("::", 3)
    kind = kind_path.rpartition("$")[2]
    return ResourceChange(operation, kind, clean(name), [clean(path) for path in _list_properties(metadata)])


def _strip_content_hash(metadata: Mapping[str, Any]) -> str | None:
    """Return the URN without the hash of the content. None for a mutable object, and for one without a hash."""
    state = metadata.get("new") or metadata.get("old") or {}
    stem, hashes = _CONTENT_HASH.subn("", metadata["urn"])
    return stem if hashes and (state.get("inputs") or {}).get("immutable") is True else None


def _list_properties(metadata: Mapping[str, Any]) -> list[str]:
    """Paths of the changed properties, metadata last; of a replacement only those that force it."""
    detailed = metadata.get("detailedDiff") or {}
    if metadata["op"] == "replace":
        forcing = [path for path, diff in detailed.items() if diff["diffKind"].endswith("-replace")]
        return forcing or list(metadata.get("keys") or metadata.get("diffs") or [])
    return sorted(detailed or metadata.get("diffs") or [], key=lambda path: path.startswith("metadata"))


def render_table(changes: Sequence[ResourceChange], limit: int) -> list[str]:
    """Return the Markdown lines of the table, at most `limit` bytes. A last line counts the omitted rows."""
    if not changes:
        return []
    lines = ["| operation | kind | name | why |", "|---|---|---|---|"]
    limit -= _measure(lines) + 100  # the line with the number of omitted rows
    for number, change in enumerate(changes):
        row = _render_row(change)
        limit -= _measure([row])
        if limit < 0:
            left = _count(changes[number:])
            return [*lines, "", f"Not shown, as the comment would be too long: {left}.", ""]
        lines.append(row)
    return [*lines, ""]


def _measure(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _count(changes: Iterable[ResourceChange]) -> str:
    operations = [change.operation for change in changes]
    return ", ".join(f"{operations.count(each)} to {each}" for each in dict.fromkeys(operations))


def _render_row(change: ResourceChange) -> str:
    cells = [change.operation, _quote(change.kind), _quote(change.name)]
    if change.severity is Severity.DATA:
        cells = [f"⚠️ **{change.operation}**", *(f"**{cell}**" for cell in cells[1:])]
    elif change.severity is Severity.DESTRUCTIVE:
        cells[0] = f"**{change.operation}**"
    return f"| {' | '.join([*cells, _explain(change)])} |"


def _explain(change: ResourceChange) -> str:
    if change.operation == "new version":
        return "its content; the pods that read it roll"
    if change.operation == "delete":
        return "no longer in the program"
    shown = [_quote(path) for path in change.properties[:_SHOWN_PROPERTIES]]
    more = len(change.properties) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def _quote(text: str) -> str:
    """The text as code in a cell of a table: nothing in it ends the code, the cell or the row."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`"
