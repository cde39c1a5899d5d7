"""Diagnosis of facts: the chains that concern a target, and what they show. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from eks_rocketmq.doctor.checks.chain import ChainResult, Check, Finding, Link, explain_unreadable, run_chain
from eks_rocketmq.doctor.checks.consumer_checks import (
    ConsumerCase,
    judge_attachment,
    judge_consumer,
    judge_node_plugin,
    judge_resize,
    judge_scheduling,
)
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.checks.identity_checks import (
    judge_audience,
    judge_cluster,
    judge_provider,
    judge_role,
    judge_role_reference,
    judge_service_account,
    judge_trust_policy,
)
from eks_rocketmq.doctor.checks.permission_checks import judge_permissions
from eks_rocketmq.doctor.checks.runtime_checks import (
    judge_agent,
    judge_controller,
    judge_pods,
    judge_reach,
    judge_start,
    judge_trial,
    judge_webhook,
)
from eks_rocketmq.doctor.checks.storage_checks import (
    StorageCase,
    judge_class,
    judge_key,
    judge_key_permission,
    judge_provisioner,
    judge_quota,
)
from eks_rocketmq.doctor.facts.cluster_facts import ClaimFacts, Facts, TrialFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import (
    DRIVER_ADDON,
    EBS_DRIVERS,
    find_addon,
    find_class,
    find_controller,
    list_claim_messages,
    list_events,
    list_pending_claims,
    list_pods_of,
    list_readable,
    name_claims,
)

IDENTITY_CHECKS: Sequence[Check[IdentityCase]] = (
    Check("cluster is active", judge_cluster),
    Check("service account exists", judge_service_account),
    Check("IAM OIDC provider of the issuer", judge_provider, standalone=True),
    Check("audience of the provider", judge_audience, standalone=True),
    Check("role of the service account", judge_role_reference, standalone=True),
    Check("role exists", judge_role, standalone=True),
    Check("trust policy allows the token", judge_trust_policy, standalone=True),
    Check("permissions of the role", judge_permissions, standalone=True),
    Check("Pod Identity agent", judge_agent),
    Check("pod identity webhook", judge_webhook),
    Check("pods have role and token", judge_pods),
    Check("pods reach STS and EC2", judge_reach),
    Check("version of the driver", judge_start),
    Check("trial: AssumeRoleWithWebIdentity", judge_trial),
    Check("controller runs", judge_controller, last_resort=True),
)
NODE_CHECKS: Sequence[Check[Facts]] = (Check("node plugin on each node", judge_node_plugin),)
STORAGE_CHECKS: Sequence[Check[StorageCase]] = (
    Check("class exists", judge_class),
    Check("driver of the class", judge_provisioner),
    Check("KMS key", judge_key),
    Check("permission for the KMS key", judge_key_permission, standalone=True),
    Check("quotas", judge_quota),
)
CONSUMER_CHECKS: Sequence[Check[ConsumerCase]] = (
    Check("a pod uses the claim", judge_consumer),
    Check("the pod has a node", judge_scheduling),
    Check("the volume is attached and mounted", judge_attachment),
    Check("resize", judge_resize),
)


class ExitCode(IntEnum):
    """Exit code of the command."""

    HEALTHY = 0
    BROKEN = 1
    NOT_JUDGED = 2


@dataclass(frozen=True)
class DiagnosisTarget:
    """What is judged. Without a value it is the whole cluster."""

    claim: str = ""
    """`namespace/name` of a claim."""
    service_account: str = ""
    """`namespace/name` of a service account."""
    addon: str = ""
    """Name of an EKS addon."""


@dataclass(frozen=True)
class Diagnosis:
    """Results of all chains."""

    target: DiagnosisTarget
    chains: tuple[ChainResult, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return the causes, in the order of the chains."""
        return tuple(each.cause for each in self.chains if each.cause)

    @property
    def exit_code(self) -> ExitCode:
        """Return whether something is broken, or could not be judged."""
        if self.findings:
            return ExitCode.BROKEN
        undecided = any(each.undecided for each in self.chains)
        return ExitCode.NOT_JUDGED if undecided or not self.chains else ExitCode.HEALTHY


class TargetError(Exception):
    """Target that the facts do not contain."""


def diagnose(facts: Facts, target: DiagnosisTarget | None = None) -> Diagnosis:
    """Judge the chains of a target.

    Raises:
        TargetError: the facts do not contain the target.
    """
    target = target or DiagnosisTarget()
    if target.service_account:
        return Diagnosis(target, (_judge_identity(_build_identity(facts, target.service_account)),))
    if target.addon and target.addon != DRIVER_ADDON:
        return Diagnosis(target, _judge_addon(facts, target.addon))
    claims = _select_claims(facts, target)
    driver = build_driver_case(facts)
    wanted = _needs_driver(facts, claims, target)
    identity = [_judge_identity(driver)] if driver and wanted else _explain_unknown_driver(facts) if wanted else []
    nodes = [run_chain("node plugin", "nodes", NODE_CHECKS, facts)] if driver and wanted else []
    storage = [] if target.addon else _judge_classes(facts, claims, driver)
    consumers = [] if target.addon else _judge_consumers(facts, claims)
    whole = target == DiagnosisTarget()
    others = [_judge_identity(each) for each in _list_other_accounts(facts, driver)] if whole else []
    found = [*identity, *nodes, *storage, *_add_unexplained(facts, consumers, [*identity, *nodes, *storage]), *others]
    return Diagnosis(target, tuple(found) or _judge_emptiness(facts))


def _explain_unknown_driver(facts: Facts) -> list[ChainResult]:
    """Return a chain that is not judged, if it is unknown whether the cluster has the driver."""
    if not isinstance(facts.workloads, Unreadable):
        return []
    outcome = explain_unreadable(facts.workloads)
    link = Link("Deployment of the driver", "not-judged", reason=outcome.reason, permission=outcome.permission)
    return [ChainResult("identity", "EBS CSI driver", (link,))]


def build_driver_case(facts: Facts) -> IdentityCase | None:
    """Return the identity of the EBS CSI driver, or None if the cluster does not have the driver."""
    controller = find_controller(facts)
    if controller is None:
        return None
    return _build_identity(facts, f"{controller.namespace}/{controller.service_account}", is_driver=True)


def _build_identity(facts: Facts, id_: str, *, is_driver: bool = False) -> IdentityCase:
    namespace, _, name = id_.partition("/")
    pods = list_pods_of(facts, namespace, name)
    pending = [each for each in list_pending_claims(facts) if is_driver and _is_of_driver(facts, each)]
    logs = [line for pod in pods if not pod.ready for line in list_readable(pod.log)]
    if pending:
        # The pods of an older driver are ready, and their errors are in the log all the same.
        logs += [line for pod in pods if pod.ready for line in list_readable(pod.log)]
    events = [
        event.message for pod in pods if not pod.ready for event in list_events(facts, "Pod", namespace, pod.name)
    ]
    case = IdentityCase(facts, namespace, name, is_driver, pods, tuple(pending))
    trial = case.trial
    errors = [trial.error] if isinstance(trial, TrialFacts) and not trial.succeeded else []
    messages = (*errors, *list_claim_messages(facts, pending), *logs, *events)
    return replace(case, messages=tuple(each for each in messages if each))


def _is_of_driver(facts: Facts, claim: ClaimFacts) -> bool:
    found = find_class(facts, claim)
    return found is not None and found.provisioner in EBS_DRIVERS


def _judge_identity(case: IdentityCase) -> ChainResult:
    affected = name_claims(case.claims) or tuple(f"pod {each.id_}" for each in case.pods)
    return run_chain("identity", f"service account {case.id_}", IDENTITY_CHECKS, case, affected)


def _select_claims(facts: Facts, target: DiagnosisTarget) -> tuple[ClaimFacts, ...]:
    """Return the claims to judge: the target, or those that are in trouble."""
    claims = list_readable(facts.claims)
    if target.claim:
        found = tuple(each for each in claims if each.id_ == target.claim)
        if not found and not isinstance(facts.claims, Unreadable):
            msg = f"claim {target.claim} does not exist. Name it as NAMESPACE/NAME."
            raise TargetError(msg)
        return found
    return tuple(each for each in claims if _is_in_trouble(facts, each))


def _is_in_trouble(facts: Facts, claim: ClaimFacts) -> bool:
    case = ConsumerCase(facts, claim)
    return claim.phase == "Pending" or claim.resizing or bool(case.unplaced or case.waiting)


def _needs_driver(facts: Facts, claims: Iterable[ClaimFacts], target: DiagnosisTarget) -> bool:
    return not target.claim or any(_is_of_driver(facts, each) for each in claims)


def _judge_classes(facts: Facts, claims: Iterable[ClaimFacts], driver: IdentityCase | None) -> list[ChainResult]:
    if isinstance(facts.claims, Unreadable):
        link = Link("claims", "not-judged", reason=facts.claims.reason, permission=facts.claims.permission)
        return [ChainResult("claims", "all claims", (link,))]
    groups: dict[str | None, list[ClaimFacts]] = {}
    for each in claims:
        if each.phase == "Pending":
            groups.setdefault(each.storage_class, []).append(each)
    return [
        run_chain(
            "storage class",
            f"StorageClass {name}" if name else "default StorageClass",
            STORAGE_CHECKS,
            StorageCase(facts, tuple(group), driver),
            name_claims(group),
        )
        for name, group in groups.items()
    ]


def _judge_consumers(facts: Facts, claims: Iterable[ClaimFacts]) -> list[ChainResult]:
    return [
        run_chain("consumer", f"claim {each.id_}", CONSUMER_CHECKS, ConsumerCase(facts, each), name_claims([each]))
        for each in claims
    ]


def _add_unexplained(facts: Facts, consumers: list[ChainResult], others: list[ChainResult]) -> list[ChainResult]:
    """Return the chains of claims, merged by cause. A Pending claim that no chain explains is not judged."""
    causes = [each.cause for each in others if each.cause]
    explained = {name for cause in causes for name in cause.affected}
    pending = {f"claim {each.id_}": each for each in list_pending_claims(facts)}
    merged: dict[tuple[str, ...], ChainResult] = {}
    for chain in consumers:
        claim = pending.get(chain.subject)
        if claim and not chain.cause and not chain.undecided and chain.subject not in explained and not causes:
            event = next(iter(list_claim_messages(facts, [claim])), "no event")
            link = Link("the claim is bound", "not-judged", reason=f"no check explains why it is Pending: {event}")
            chain = replace(chain, links=(*chain.links, link))  # noqa: PLW2901 - the chain with its last link
        namespace = chain.subject.partition(" ")[2].partition("/")[0]
        key = (namespace, chain.cause.id_ if chain.cause else "", *(each.reason for each in chain.undecided))
        merged[key] = _merge(merged[key], chain) if key in merged else chain
    return list(merged.values())


def _merge(first: ChainResult, second: ChainResult) -> ChainResult:
    """Return the first chain, with the objects that the second one affects."""
    subject = f"{first.subject}, {second.subject.removeprefix('claim ')}"
    found = second.cause
    if found is None:
        return replace(first, subject=subject)
    links = tuple(
        replace(
            each,
            finding=replace(each.finding, affected=tuple(dict.fromkeys([*each.finding.affected, *found.affected]))),
        )
        if each.state == "broken" and each.finding
        else each
        for each in first.links
    )
    return replace(first, subject=subject, links=links)


def _list_other_accounts(facts: Facts, driver: IdentityCase | None) -> list[IdentityCase]:
    """Return the other service accounts with a role, by annotation or association."""
    annotated = [each.id_ for each in list_readable(facts.service_accounts) if each.role_arn]
    associated = [f"{each.namespace}/{each.service_account}" for each in list_readable(facts.pod_identities)]
    ids = dict.fromkeys([*annotated, *associated])
    return [_build_identity(facts, each) for each in ids if driver is None or each != driver.id_]


def _judge_addon(facts: Facts, name: str) -> tuple[ChainResult, ...]:
    """Judge the service accounts that have the role of an addon."""
    addon = find_addon(facts, name)
    if addon is None:
        if isinstance(facts.addons, Unreadable):
            link = Link("addon", "not-judged", reason=facts.addons.reason, permission=facts.addons.permission)
            return (ChainResult("addon", f"addon {name}", (link,)),)
        msg = f"the cluster has no addon {name}. Its addons: {', '.join(each.name for each in facts.addons) or 'none'}."
        raise TargetError(msg)
    accounts = [
        each for each in list_readable(facts.service_accounts) if addon.role_arn and each.role_arn == addon.role_arn
    ]
    if not accounts:
        link = Link("role of the addon", "not-judged", reason="no service account has the role of the addon")
        return (ChainResult("addon", f"addon {name}", (link,)),)
    return tuple(_judge_identity(_build_identity(facts, each.id_)) for each in accounts)


def _judge_emptiness(facts: Facts) -> tuple[ChainResult, ...]:
    """Judge a cluster without the driver, without claims in trouble and without roles of service accounts."""
    for each in (facts.workloads, facts.service_accounts, facts.claims, facts.cluster):
        if isinstance(each, Unreadable):
            link = Link(each.call, "not-judged", reason=each.reason, permission=each.permission)
            return (ChainResult("cluster", "cluster", (link,)),)
    return (ChainResult("cluster", "cluster", (Link("no claim is in trouble", "ok"),)),)
