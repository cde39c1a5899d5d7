"""Cause of the claims of pods that do not start, as `eks-rocketmq doctor` finds it. It sends reading requests only."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from eks_rocketmq.doctor.checks.chain import Link
from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, TargetError, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.doctor.live_cluster import AwsSessionError, read_live_facts
from eks_rocketmq.doctor.report import render_cause
from eks_rocketmq.lookups.kubeconfig_files import EksContext, read_eks_context

_FRESH_SECONDS = 30.0
"""Age of facts that another set may use. The sets of a stack fail at the same time."""
_LOCK = threading.Lock()
_recent: dict[tuple[str, str], tuple[float, Facts]] = {}


def explain_claims(provider: Mapping[str, str], claims: Sequence[str]) -> list[str]:
    """Return the first cause that the doctor finds for claims, with its fix; then what could not be judged.

    `provider` has the kubeconfig and context of the cluster. `claims` are claims of one workload as `namespace/name`.
    """
    context = read_eks_context(provider.get("kubeconfig", ""), provider.get("context", ""))
    facts, problem = _read_facts(provider, context, claims)
    diagnoses = [found for each in claims if (found := _diagnose(facts, each))]
    broken = next((each for each in diagnoses if each.findings), None)
    judged = broken or next(iter(diagnoses), None)
    if judged is None:
        return []
    return [*_render(judged, problem), f"Run `{_build_command(judged.target.claim, context)}` to see every check."]


def _read_facts(provider: Mapping[str, str], context: EksContext, claims: Sequence[str]) -> tuple[Facts, str]:
    """Return the facts, and why AWS was not asked; an empty text if it was."""
    key, problem = (provider.get("kubeconfig", ""), provider.get("context", "")), ""
    with _LOCK:
        read_at, facts = _recent.get(key, (0.0, None))
        if facts and time.monotonic() - read_at < _FRESH_SECONDS and _contains(facts, claims):
            return facts, ""
        read_at = time.monotonic()
        try:
            facts = read_live_facts(context, provider, DiagnosisTarget(claim=claims[0]), offline=True)
        except (AwsSessionError, ModuleNotFoundError) as error:
            problem = f"AWS was not asked: {error}"
            facts = read_live_facts(EksContext(), provider, DiagnosisTarget(claim=claims[0]), offline=True)
        else:
            _recent[key] = read_at, facts
    return facts, problem


def _contains(facts: Facts, claims: Sequence[str]) -> bool:
    return {*claims} <= {each.id_ for each in list_readable(facts.claims)}


def _diagnose(facts: Facts, claim: str) -> Diagnosis | None:
    try:
        return diagnose(facts, DiagnosisTarget(claim=claim))
    except TargetError:
        return None


def _render(diagnosis: Diagnosis, problem: str) -> Iterator[str]:
    chain = next((each for each in diagnosis.chains if each.cause), None)
    if chain:
        yield from render_cause(chain)
    if problem:  # instead of one line for each check that needs AWS
        yield f"not judged: {problem}"
    undecided = [link for each in ([chain] if chain else diagnosis.chains) for link in each.undecided]
    yield from dict.fromkeys(_format_undecided(each) for each in undecided if not (problem and each.needs_aws))


def _format_undecided(link: Link) -> str:
    permission = f"; missing permission: {link.permission}" if link.permission else ""
    return f"not judged: {link.title}: {link.reason}{permission}"


def _build_command(claim: str, context: EksContext) -> str:
    options = {"cluster": context.cluster, "region": context.region, "profile": context.profile}
    return " ".join(
        ["eks-rocketmq doctor", f"--claim {claim}", *(f"--{name} {value}" for name, value in options.items() if value)]
    )
