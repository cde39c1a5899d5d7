"""Summary of audits by fault and setting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ON_SANDBOX, ON_PROCESSES, WITHOUT_AGENT = "On the sandbox", "On processes", "Without the agent"
SECTIONS = (ON_SANDBOX, ON_PROCESSES, WITHOUT_AGENT)
_REMOTING, _GRPC = "java-normal", "grpc-normal"
WRONG = ("unexpected", "out_of_order", "moved_keys", "early", "rolled_back", "single_copies")
_OF_SECTION = frozenset({"on", "agent"})


@dataclass(frozen=True)
class Summary:
    """All audits of a fault with one setting."""

    fault: str
    setting: str
    test: str
    section: str
    runs: int
    acknowledged: int
    lost: Sequence[int]
    duplicated: int
    wrong: int
    """Messages that are damaged, at another place, unknown, out of order, early, rolled back or with a single copy, and
    sharding keys in two queues."""
    remoting: Sequence[float]
    """Longest times without an acknowledged message in seconds, by event or by run."""
    grpc: Sequence[float]


def summarize(rows: Iterable[Mapping[str, Any]]) -> list[Summary]:
    """Return one summary for each fault and setting, by section and name. A row has the name of its test."""
    audits: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        audits.setdefault((_find_section(row), row["fault"], _describe_setting(row)), []).append(row)
    return [
        Summary(
            fault=fault,
            setting=setting,
            test=same[0]["test"],
            section=section,
            runs=len(same),
            acknowledged=sum(row["acknowledged"] for row in same),
            lost=[row["lost"] for row in same],
            duplicated=sum(row["duplicated"] for row in same),
            wrong=sum(row[name] for row in same for name in WRONG),
            remoting=_list_seconds(same, _REMOTING),
            grpc=_list_seconds(same, _GRPC),
        )
        for (section, fault, setting), same in sorted(audits.items(), key=_get_position)
    ]


def describe_safety(summaries: Iterable[Summary]) -> str:
    """Return how many runs of faults lost how many messages, of those in which none may be lost."""
    promised = [one for one in summaries if one.section != WITHOUT_AGENT and not _may_lose(one)]
    lost, acknowledged = sum(sum(one.lost) for one in promised), sum(one.acknowledged for one in promised)
    return f"{sum(one.runs for one in promised)} runs of faults under load, **{lost}** of {acknowledged:,} messages"


def _may_lose(one: Summary) -> bool:
    return one.fault == "power-lost-by-all"


def _get_position(item: tuple[tuple[str, str, str], object]) -> tuple[int, str, str]:
    (section, fault, setting), _ = item
    return SECTIONS.index(section), fault, setting


def _find_section(row: Mapping[str, Any]) -> str:
    if "on" in row["setting"]:
        return ON_SANDBOX
    return ON_PROCESSES if row["setting"].get("agent") else WITHOUT_AGENT


def _describe_setting(row: Mapping[str, Any]) -> str:
    others = {name: value for name, value in row["setting"].items() if name not in {*_OF_SECTION, "load"}}
    return ", ".join([row["setting"]["load"], *(f"`{name}` {value}" for name, value in others.items())])


def _list_seconds(rows: Iterable[Mapping[str, Any]], client: str) -> list[float]:
    found: list[float] = []
    for row in rows:
        if client in row.get("event_gaps", {}):
            found += row["event_gaps"][client]
        elif client in row["gaps"]:
            found.append(row["gaps"][client])
    return found
