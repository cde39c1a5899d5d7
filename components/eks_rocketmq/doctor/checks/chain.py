"""Chains of checks. The first broken link of a chain is the cause. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from eks_rocketmq.doctor.catalogue.causes import CAUSES
from eks_rocketmq.doctor.facts.unreadable_fact import ALL_OF_AWS, Unreadable

Case = TypeVar("Case")
LinkState = Literal["ok", "broken", "also-broken", "not-judged", "skipped"]


@dataclass(frozen=True)
class Finding:
    """Fault: what is, what should be, and how to fix it."""

    id_: str
    """Id of a cause in `CAUSES`."""
    is_: str
    should_be: str
    evidence: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """Commands of aws and kubectl that fix it. Placeholders are in angle brackets."""
    affected: tuple[str, ...] = ()
    """Objects that the fault affects, such as `claim rocketmq/data-0`."""

    @property
    def cause(self) -> str:
        """Return the cause in one clause."""
        return CAUSES[self.id_].text

    @property
    def settings(self) -> str:
        """Return the fix with settings of this library."""
        return CAUSES[self.id_].settings


@dataclass(frozen=True)
class NotJudged:
    """Check that could not be decided."""

    reason: str
    permission: str = ""
    """Permission that is missing; empty if another reason prevents the check."""
    optional: bool = False
    """Whether the other checks of the chain suffice for a judgement."""
    needs_aws: bool = False
    """Whether it can be decided as soon as AWS answers."""
    unexplained: bool = False
    """Whether something is wrong and the check does not know why. A cause in another chain may explain it."""


Outcome = Finding | NotJudged | None
"""Result of a check. None means that nothing is wrong."""


@dataclass(frozen=True)
class Check(Generic[Case]):
    """Link of a chain."""

    title: str
    judge: Callable[[Case], Outcome]
    standalone: bool = False
    """Whether the check is judged from configuration alone, so that it is valid behind a broken link too."""
    last_resort: bool = False
    """Whether its fault is named only if each link before it was judged, because one of them would explain it."""


@dataclass(frozen=True)
class Link:
    """Result of one check within its chain."""

    title: str
    state: LinkState
    finding: Finding | None = None
    reason: str = ""
    permission: str = ""
    needs_aws: bool = False
    unexplained: bool = False


@dataclass(frozen=True)
class ChainResult:
    """Results of a chain."""

    chain: str
    """Kind of the chain."""
    subject: str
    """Object that was judged."""
    links: tuple[Link, ...]

    @property
    def cause(self) -> Finding | None:
        """Return the first fault."""
        return next((each.finding for each in self.links if each.state == "broken"), None)

    @property
    def further(self) -> tuple[Finding, ...]:
        """Return the faults behind the cause that configuration alone proves."""
        return tuple(each.finding for each in self.links if each.state == "also-broken" and each.finding)

    @property
    def undecided(self) -> tuple[Link, ...]:
        """Return the links that could not be judged although no link before them is broken."""
        return tuple(each for each in self.links if each.state == "not-judged" and each.reason != BEHIND_CAUSE)


BEHIND_CAUSE = "behind the cause"


def run_chain(
    chain: str, subject: str, checks: Sequence[Check[Case]], case: Case, affected: tuple[str, ...] = ()
) -> ChainResult:
    """Judge the checks in their order. Findings that name no objects get `affected`, which depend on the chain."""
    links: list[Link] = []
    broken = False
    for check in checks:
        if broken and not check.standalone:
            links.append(Link(check.title, "not-judged", reason=BEHIND_CAUSE))
            continue
        outcome = check.judge(case)
        if check.last_resort and isinstance(outcome, Finding) and any(each.state == "not-judged" for each in links):
            seen = "; ".join([outcome.is_, *outcome.evidence])
            outcome = NotJudged(f"{seen}; a link before it could not be judged")
        if isinstance(outcome, Finding):
            finding = outcome if outcome.affected else replace(outcome, affected=affected)
            links.append(Link(check.title, "also-broken" if broken else "broken", finding))
            broken = True
        elif isinstance(outcome, NotJudged):
            reason = BEHIND_CAUSE if broken and not outcome.permission else outcome.reason
            state = "skipped" if outcome.optional else "not-judged"
            links.append(
                Link(check.title, state, None, reason, outcome.permission, outcome.needs_aws, outcome.unexplained)
            )
        else:
            links.append(Link(check.title, "ok"))
    return ChainResult(chain, subject, tuple(links))


def explain_unreadable(fact: Unreadable) -> NotJudged:
    """Return the result for a fact that could not be read."""
    return NotJudged(f"{fact.call} failed: {fact.reason}", fact.permission, needs_aws=fact.call == ALL_OF_AWS)


def report_unexplained(state: str, message: str) -> NotJudged:
    """Return the result for something that is wrong without a known cause.

    `state` is what no check explains, such as `why it is Pending`. `message` is the latest message about it, or empty.
    """
    return NotJudged(f"no check explains {state}: {message or 'no event'}", unexplained=True)
