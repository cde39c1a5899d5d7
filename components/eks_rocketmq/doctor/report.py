"""Report of a diagnosis as text and as JSON. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from eks_rocketmq.doctor.checks.chain import BEHIND_CAUSE, ChainResult, Finding, Link, LinkState
from eks_rocketmq.doctor.checks.finding_groups import FindingGroup, group_findings
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
_CAUSE, _BEHIND = "BROKEN", "AND THEN"
_IDENTITY, _ACCOUNT = "identity", "service account"
_MAX_NAMES = 5
"""Objects of one kind that are named in a line."""
_MAX_SAME = 2
"""Findings with the same cause and different fixes that are shown in full."""


def render_text(diagnosis: Diagnosis, facts: Facts, *, color: bool = False) -> str:
    """Return the report for a terminal: findings first, then each chain in one line per link."""
    return "\n".join(_render_lines(diagnosis, facts, color=color)) + "\n"


def _render_lines(diagnosis: Diagnosis, facts: Facts, *, color: bool) -> Iterator[str]:
    verdict, tint = _VERDICTS[diagnosis.exit_code]
    count = len(diagnosis.findings)
    causes = f", {count} cause{'s' if count > 1 else ''}" if count else ""
    yield f"{_describe_cluster(facts)}: {_paint(verdict + causes, tint, color=color)}"
    shown, left = _limit_groups(diagnosis.groups)
    for group in shown:
        yield ""
        yield from _render_finding(group.finding, _CAUSE, color=color)
        further, more = _limit_groups(group_findings((chain, each) for chain in group.chains for each in chain.further))
        for each in further:
            yield from _render_finding(each.finding, _BEHIND, color=color)
        yield from _render_left(more, _BEHIND, color=color)
    yield from ([""] if left else [])
    yield from _render_left(left, _CAUSE, color=color)
    yield ""
    for chains in _group_chains(diagnosis.chains):
        yield from _render_chains(chains, color=color)
    if permissions := list_missing_permissions(facts):
        yield ""
        yield f"Missing permissions: {'; '.join(_shorten_permissions(permissions))}"


def _limit_groups(groups: Sequence[FindingGroup]) -> tuple[list[FindingGroup], list[FindingGroup]]:
    """Return the findings that are shown in full, and the others. Of one cause a few are shown."""
    shown: list[FindingGroup] = []
    left: list[FindingGroup] = []
    for group in groups:
        same = [each for each in groups if each.finding.id_ == group.finding.id_]
        limit = _MAX_SAME if len(same) > _MAX_SAME + 1 else len(same)
        (shown if same.index(group) < limit else left).append(group)
    return shown, left


def _render_left(groups: Sequence[FindingGroup], label: str, *, color: bool) -> Iterator[str]:
    """Yield one line for the findings of each cause that are not shown in full."""
    for id_ in dict.fromkeys(each.finding.id_ for each in groups):
        subjects = [chain.subject for each in groups if each.finding.id_ == id_ for chain in each.chains]
        text = f"the same for {_join_subjects(subjects)}, each with a fix of its own, which --json prints"
        yield f"{_paint(label, 'red', color=color)}  {_paint(id_, 'bold', color=color)}: {text}"


def _shorten_permissions(permissions: Sequence[str]) -> Iterator[str]:
    """Yield the permissions, those for the same action as one."""
    for action in dict.fromkeys(each.partition(" on ")[0] for each in permissions):
        same = [each for each in permissions if each.partition(" on ")[0] == action]
        more = len(same) - 1
        yield same[0] + (f" and {more} more resource{'s' if more > 1 else ''}" if more else "")


def render_cause(chain: ChainResult) -> Iterator[str]:
    """Yield the lines about the cause of a chain, and about the faults behind it that configuration alone proves."""
    for finding, label in ((chain.cause, _CAUSE), *((each, _BEHIND) for each in chain.further)):
        if finding:
            yield from _render_finding(finding, label, color=False)


def _describe_cluster(facts: Facts) -> str:
    cluster, account = facts.cluster, facts.account
    name = f"cluster {cluster.name} {cluster.version}" if isinstance(cluster, ClusterFacts) else "cluster"
    place = f" ({account.account}, {account.region})" if isinstance(account, AccountFacts) else ""
    return f"{name}{place}"


def _render_finding(finding: Finding, label: str, *, color: bool) -> Iterator[str]:
    yield f"{_paint(label, 'red', color=color)}  {_paint(finding.id_, 'bold', color=color)}: {finding.cause}"
    rows: list[tuple[str, Sequence[str]]] = [
        ("is", [finding.is_]),
        ("should be", [finding.should_be]),
        ("evidence", finding.evidence),
        ("affects", ["; ".join(_shorten_affected(finding.affected))] if finding.affected else []),
        ("settings", [finding.settings.replace("`", "")]),
    ]
    for name, texts in rows:
        for index, text in enumerate(texts):
            yield from _wrap(name if index == 0 else "", text)
    # Commands stay on one line, so that they can be copied.
    for index, command in enumerate(finding.commands):
        yield f"  {'commands' if index == 0 else '':<10} {command}"


def _shorten_affected(affected: Sequence[str]) -> Iterator[str]:
    """Yield the affected objects of each kind, at most five of them by name."""
    for kind in dict.fromkeys(each.rpartition(" ")[0] for each in affected):
        yield _shorten([each for each in affected if each.rpartition(" ")[0] == kind])


def _shorten(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join([*names[:_MAX_NAMES], *([f"and {more} more"] if more > 0 else [])])


def _join_subjects(subjects: Sequence[str]) -> str:
    """Return the subjects of chains, at most five of them by name."""
    names = [name for each in subjects for name in each.split(", ")]
    if len(subjects) > 1 and all(each.startswith(_ACCOUNT) for each in names):
        return f"{len(names)} {_ACCOUNT}s {_shorten([each.removeprefix(_ACCOUNT).strip() for each in names])}"
    return _shorten(names)


def _wrap(name: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH - 13, break_on_hyphens=False, break_long_words=False) or [""]
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<10} {line}"


def _group_chains(chains: Sequence[ChainResult]) -> list[list[ChainResult]]:
    """Return the chains, those with the same result together."""
    groups: dict[tuple[object, ...], list[ChainResult]] = {}
    for chain in chains:
        # The reasons of identities differ by the name of the role only.
        own = [each.reason for each in chain.links if chain.chain != _IDENTITY]
        states = [(each.title, each.state, each.reason == BEHIND_CAUSE, _name_finding(each)) for each in chain.links]
        groups.setdefault((chain.chain, *states, *own), []).append(chain)
    return list(groups.values())


def _name_finding(link: Link) -> str:
    return link.finding.id_ if link.finding else ""


def _render_chains(chains: Sequence[ChainResult], *, color: bool) -> Iterator[str]:
    """Yield chains with the same result: one line if nothing is wrong, else one for each link that is not ok."""
    chain = chains[0]
    behind = [each.title for each in chain.links if each.reason == BEHIND_CAUSE]
    good = sum(each.state == "ok" for each in chain.links)
    text, tint = _STATES["broken" if chain.cause else "not-judged" if chain.undecided else "ok"]
    count = f"{good} of {len(chain.links)} links ok"
    subject = _join_subjects([each.subject for each in chains])
    yield f"{_paint(f'{text:<10}', tint, color=color)}  {chain.chain}: {subject}, {count}"
    for index, link in enumerate(chain.links):
        if link.state == "ok" or link.reason == BEHIND_CAUSE:
            continue
        reasons = dict.fromkeys(each.links[index].reason for each in chains)
        more = f" (and {len(reasons) - 1} similar)" if len(reasons) > 1 else ""
        text, tint = _STATES[link.state]
        detail = f"{_name_finding(link) or link.reason}{more}"
        yield f"    {_paint(f'{text:<10}', tint, color=color)}  {link.title}: {detail}"
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
        "findings": [_build_finding(each) for each in diagnosis.findings],
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
