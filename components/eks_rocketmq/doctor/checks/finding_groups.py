"""Findings of several chains with the same cause and the same fix. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from eks_rocketmq.doctor.checks.chain import ChainResult, Finding


@dataclass(frozen=True)
class FindingGroup:
    """Fault with one fix, and the chains that it breaks."""

    finding: Finding
    """The finding. It affects what the findings of all chains affect."""
    chains: tuple[ChainResult, ...]


def group_findings(findings: Iterable[tuple[ChainResult, Finding]]) -> tuple[FindingGroup, ...]:
    """Return the findings, those with the same cause and the same commands as one, in their order."""
    groups: dict[tuple[str, ...], list[tuple[ChainResult, Finding]]] = {}
    for chain, finding in findings:
        groups.setdefault((finding.id_, *finding.commands), []).append((chain, finding))
    return tuple(_merge(each) for each in groups.values())


def _merge(members: Sequence[tuple[ChainResult, Finding]]) -> FindingGroup:
    chains, findings = tuple(chain for chain, _ in members), [finding for _, finding in members]
    first = findings[0]
    if len(members) == 1:
        return FindingGroup(first, chains)
    affected = [name for each in findings for name in each.affected]
    claims = [each for each in affected if each.startswith("claim ")]
    # Service accounts without a pod affect nothing that the finding names.
    subjects = [each.subject for each in chains if not each.subject.startswith("claim ")]
    merged = replace(
        first,
        is_="; ".join(dict.fromkeys(each.is_ for each in findings)),
        should_be="; ".join(dict.fromkeys(each.should_be for each in findings)),
        evidence=tuple(dict.fromkeys(text for each in findings for text in each.evidence)),
        affected=tuple(dict.fromkeys([*claims, *subjects, *affected])),
    )
    return FindingGroup(merged, chains)
