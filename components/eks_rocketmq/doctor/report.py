"""Report of a diagnosis as text and as JSON. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from eks_rocketmq.doctor.checks.chain import BEHIND_CAUSE, ChainResult, Finding, LinkState
from eks_rocketmq.doctor.diagnosis import Diagnosis, ExitCode
from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts, ClusterFacts, Facts
from eks_rocketmq.doctor.facts.fact_queries import list_missing_permissions

FORMAT = 1
"""Version of the JSON report, whose schema is `report.schema.json`."""
_COLORS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}
_STATES: dict[LinkState, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "broken": ("BROKEN", "red"),
    "also-broken": ("broken too", "red"),
    "not-judged": ("not judged", "yellow"),
    "skipped": ("skipped", "yellow"),
}
_VERDICTS = {
    ExitCode.HEALTHY: ("healthy: no fault found", "green"),
    ExitCode.BROKEN: ("broken", "red"),
    ExitCode.NOT_JUDGED: ("not judged: no fault found, but not everything could be judged", "yellow"),
}
_WIDTH = 150
_MAX_AFFECTED = 5


def render_text(diagnosis: Diagnosis, facts: Facts, *, color: bool = False) -> str:
    """Return the report for a terminal: findings first, then each chain in one line per link."""
    return "\n".join(_render_lines(diagnosis, facts, color=color)) + "\n"


def _render_lines(diagnosis: Diagnosis, facts: Facts, *, color: bool) -> Iterator[str]:
    verdict, tint = _VERDICTS[diagnosis.exit_code]
    count = len(diagnosis.findings)
    causes = f", {count} cause{'s' if count > 1 else ''}" if count else ""
    yield f"{_describe_cluster(facts)}: {_paint(verdict + causes, tint, color=color)}"
    for chain in diagnosis.chains:
        if chain.cause:
            yield ""
            yield from render_cause(chain, color=color)
    yield ""
    for chain in diagnosis.chains:
        yield from _render_chain(chain, color=color)
    if permissions := list_missing_permissions(facts):
        yield ""
        yield f"Missing permissions: {'; '.join(permissions)}"


def render_cause(chain: ChainResult, *, color: bool = False) -> Iterator[str]:
    """Yield the lines about the cause of a chain, and about the faults behind it that configuration alone proves."""
    for finding, label in ((chain.cause, "BROKEN"), *((each, "AND THEN") for each in chain.further)):
        if finding:
            yield from _render_finding(finding, label, color=color)


def _describe_cluster(facts: Facts) -> str:
    cluster, account = facts.cluster, facts.account
    name = f"cluster {cluster.name} {cluster.version}" if isinstance(cluster, ClusterFacts) else "cluster"
    place = f" ({account.account}, {account.region})" if isinstance(account, AccountFacts) else ""
    return f"{name}{place}"


def _render_finding(finding: Finding, label: str, *, color: bool) -> Iterator[str]:
    yield f"{_paint(label, 'red', color=color)}  {_paint(finding.id_, 'bold', color=color)}: {finding.cause}"
    affected = list(finding.affected[:_MAX_AFFECTED])
    more = len(finding.affected) - len(affected)
    rows: list[tuple[str, Sequence[str]]] = [
        ("is", [finding.is_]),
        ("should be", [finding.should_be]),
        ("evidence", finding.evidence),
        ("affects", [", ".join([*affected, *([f"and {more} more"] if more > 0 else [])])] if affected else []),
        ("settings", [finding.settings.replace("`", "")]),
    ]
    for name, texts in rows:
        for index, text in enumerate(texts):
            yield from _wrap(name if index == 0 else "", text)
    # Commands stay on one line, so that they can be copied.
    for index, command in enumerate(finding.commands):
        yield f"  {'commands' if index == 0 else '':<10} {command}"


def _wrap(name: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH - 13, break_on_hyphens=False, break_long_words=False) or [""]
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<10} {line}"


def _render_chain(chain: ChainResult, *, color: bool) -> Iterator[str]:
    """Yield the chain: one line if nothing is wrong, else one for each link that is not ok."""
    remarkable = [each for each in chain.links if each.state != "ok" and each.reason != BEHIND_CAUSE]
    behind = [each.title for each in chain.links if each.reason == BEHIND_CAUSE]
    good = sum(each.state == "ok" for each in chain.links)
    text, tint = _STATES["broken" if chain.cause else "not-judged" if chain.undecided else "ok"]
    count = f"{good} of {len(chain.links)} links ok"
    yield f"{_paint(f'{text:<10}', tint, color=color)}  {chain.chain}: {chain.subject}, {count}"
    for each in remarkable:
        text, tint = _STATES[each.state]
        detail = each.finding.id_ if each.finding else each.reason
        yield f"    {_paint(f'{text:<10}', tint, color=color)}  {each.title}: {detail}"
    if behind:
        yield f"    not judged, because behind the cause: {', '.join(behind)}"


def _paint(text: str, name: str, *, color: bool) -> str:
    return f"\x1b[{_COLORS[name]}m{text}\x1b[0m" if color else text


def build_json(diagnosis: Diagnosis, facts: Facts) -> dict[str, Any]:
    """Return the report as JSON. Its schema is `report.schema.json`."""
    cluster, account = facts.cluster, facts.account
    return {
        "format": FORMAT,
        "result": diagnosis.exit_code.name.lower().replace("_", "-"),
        "cluster": cluster.name if isinstance(cluster, ClusterFacts) else None,
        "account": account.account if isinstance(account, AccountFacts) else None,
        "region": account.region if isinstance(account, AccountFacts) else None,
        "missingPermissions": list(list_missing_permissions(facts)),
        "chains": [_build_chain(each) for each in diagnosis.chains],
    }


def _build_chain(chain: ChainResult) -> dict[str, Any]:
    return {
        "chain": chain.chain,
        "subject": chain.subject,
        "links": [
            {
                "title": each.title,
                "state": each.state,
                "reason": each.reason,
                "permission": each.permission,
                "finding": _build_finding(each.finding) if each.finding else None,
            }
            for each in chain.links
        ],
    }


def _build_finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id_,
        "cause": finding.cause,
        "is": finding.is_,
        "shouldBe": finding.should_be,
        "evidence": list(finding.evidence),
        "affected": list(finding.affected),
        "settings": finding.settings,
        "commands": list(finding.commands),
    }
