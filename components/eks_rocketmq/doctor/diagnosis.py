"""Diagnosis of facts: the chains that concern a target, and what they show. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.doctor.checks.chain import BEHIND_CAUSE, ChainResult, Check, Finding, Link, run_chain
from eks_rocketmq.doctor.checks.consumer_case import ConsumerCase
from eks_rocketmq.doctor.checks.consumer_checks import (
    judge_attachment,
    judge_binding,
    judge_consumer,
    judge_node_plugin,
    judge_resize,
    judge_scheduling,
)
from eks_rocketmq.doctor.checks.driver_checks import DriverCase, judge_driver
from eks_rocketmq.doctor.checks.finding_groups import FindingGroup, group_findings
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
from eks_rocketmq.doctor.facts.cluster_facts import AddonFacts, ClaimFacts, Facts, TrialFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import (
    find_addon,
    find_controller,
    is_of_ebs_driver,
    list_claim_messages,
    list_events,
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
    Check("the claim is bound", judge_binding),
)
DRIVER_CHECKS: Sequence[Check[DriverCase]] = (Check("Deployment of the driver", judge_driver),)
_ADDON_ACCOUNTS: Mapping[str, str] = {
    "amazon-cloudwatch-observability": "amazon-cloudwatch/cloudwatch-agent",
    "aws-efs-csi-driver": "kube-system/efs-csi-controller-sa",
    "aws-fsx-csi-driver": "kube-system/fsx-csi-controller-sa",
    "aws-mountpoint-s3-csi-driver": "kube-system/s3-csi-driver-sa",
    "external-dns": "external-dns/external-dns",
    "vpc-cni": "kube-system/aws-node",
}
"""Service accounts of EKS addons. A user may give them a role that the addon does not know."""


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
    def groups(self) -> tuple[FindingGroup, ...]:
        """Return the causes with their chains, in the order of the chains. Chains with the same fix have one cause."""
        return group_findings((each, each.cause) for each in self.chains if each.cause)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return the causes, in the order of the chains."""
        return tuple(each.finding for each in self.groups)

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
    """Judge the chains of a target. Raise TargetError if the facts do not contain the target."""
    target = target or DiagnosisTarget()
    if target.service_account:
        return Diagnosis(target, (_judge_identity(_build_identity(facts, target.service_account)),))
    if target.addon and target.addon != EBS_CSI:
        return Diagnosis(target, _judge_addon(facts, target.addon))
    claims = _select_claims(facts, target)
    driver = build_driver_case(facts)
    wanted = _needs_driver(facts, claims, target)
    identity = [] if not wanted else [_judge_identity(driver)] if driver else _judge_presence(facts, claims, target)
    nodes = [run_chain("node plugin", "nodes", NODE_CHECKS, facts)] if driver and wanted else []
    storage = [] if target.addon else _judge_classes(facts, claims, driver)
    consumers = [] if target.addon else _judge_consumers(facts, claims)
    whole = target == DiagnosisTarget()
    others = [_judge_identity(each) for each in _list_other_accounts(facts, driver)] if whole else []
    found = [*identity, *nodes, *storage, *_settle_consumers(consumers, [*identity, *nodes], storage), *others]
    return Diagnosis(target, tuple(found) or _judge_emptiness(facts))


def _judge_presence(facts: Facts, claims: Iterable[ClaimFacts], target: DiagnosisTarget) -> list[ChainResult]:
    """Judge whether a cluster whose driver was not found has it, if the target or a claim with a volume needs it."""
    waiting = tuple(each for each in claims if each.volume and is_of_ebs_driver(facts, each))
    if not (target.addon or waiting or isinstance(facts.workloads, Unreadable)):
        return []
    case = DriverCase(facts, waiting)
    return [run_chain("identity", "EBS CSI driver", DRIVER_CHECKS, case, name_claims(waiting))]


def build_driver_case(facts: Facts) -> IdentityCase | None:
    """Return the identity of the EBS CSI driver, or None if the cluster does not have the driver."""
    controller = find_controller(facts)
    if controller is None:
        return None
    return _build_identity(facts, f"{controller.namespace}/{controller.service_account}", is_driver=True)


def _build_identity(facts: Facts, id_: str, *, is_driver: bool = False) -> IdentityCase:
    namespace, _, name = id_.partition("/")
    pods = list_pods_of(facts, namespace, name)
    claims = [each for each in list_readable(facts.claims) if is_driver and is_of_ebs_driver(facts, each)]
    pending = [each for each in claims if each.phase == "Pending"]
    cases = [ConsumerCase(facts, each) for each in claims]
    failing = [each for each in cases if each.claim.resizing or each.list_attach_failures()]
    failures = [text for each in failing for text in (*each.list_attach_failures(), *each.list_resize_failures())]
    logs = [line for pod in pods if not pod.ready for line in list_readable(pod.log)]
    if pending:
        # The pods of an older driver are ready, and their errors are in the log all the same.
        logs += [line for pod in pods if pod.ready for line in list_readable(pod.log)]
    events = [
        event.message for pod in pods if not pod.ready for event in list_events(facts, "Pod", namespace, pod.name)
    ]
    waiting = (*pending, *(each.claim for each in failing))
    case = IdentityCase(facts, namespace, name, is_driver, pods, waiting)
    trial = case.trial
    errors = [trial.error] if isinstance(trial, TrialFacts) and not trial.succeeded else []
    messages = (*errors, *list_claim_messages(facts, pending), *failures, *logs, *events)
    return replace(case, messages=tuple(each for each in messages if each))


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
    return tuple(each for each in claims if ConsumerCase(facts, each).is_in_trouble)


def _needs_driver(facts: Facts, claims: Iterable[ClaimFacts], target: DiagnosisTarget) -> bool:
    return not target.claim or any(is_of_ebs_driver(facts, each) for each in claims)


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
    found = [
        run_chain("consumer", f"claim {each.id_}", CONSUMER_CHECKS, ConsumerCase(facts, each), name_claims([each]))
        for each in claims
    ]
    if not found and isinstance(facts.pods, Unreadable):
        link = Link("pods that use claims", "not-judged", reason=facts.pods.reason, permission=facts.pods.permission)
        return [ChainResult("consumer", "all claims", (link,))]
    return found


def _settle_consumers(
    consumers: list[ChainResult], driver: list[ChainResult], storage: list[ChainResult]
) -> list[ChainResult]:
    """Return the chains of claims, merged by cause. A cause of the driver or of the class explains their trouble."""
    broken = any(each.cause for each in driver)
    explained = {name for each in storage if each.cause for name in each.cause.affected}
    merged: dict[tuple[str, ...], ChainResult] = {}
    for chain in consumers:
        # A check that could not be made may explain it too, and is named already.
        known = broken or chain.subject in explained or any(not each.unexplained for each in chain.undecided)
        links = (replace(each, reason=BEHIND_CAUSE) if known and each.unexplained else each for each in chain.links)
        settled = replace(chain, links=tuple(links))
        namespace = chain.subject.partition(" ")[2].partition("/")[0]
        key = (namespace, settled.cause.id_ if settled.cause else "", *(each.reason for each in settled.undecided))
        merged[key] = _merge(merged[key], settled) if key in merged else settled
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
    accounts = _list_addon_accounts(facts, addon)
    if accounts:
        return tuple(_judge_identity(_build_identity(facts, each)) for each in accounts)
    for each in (facts.service_accounts, facts.pod_identities):
        if isinstance(each, Unreadable):
            link = Link("role of the addon", "not-judged", reason=each.reason, permission=each.permission)
            return (ChainResult("addon", f"addon {name}", (link,)),)
    reason = "the addon has neither a role nor a Pod Identity association; judge its account with --service-account"
    if addon.role_arn or addon.association_ids:
        reason = f"no service account has the role of the addon: {addon.role_arn or ', '.join(addon.association_ids)}"
    return (ChainResult("addon", f"addon {name}", (Link("role of the addon", "not-judged", reason=reason),)),)


def _list_addon_accounts(facts: Facts, addon: AddonFacts) -> list[str]:
    """Return the service accounts with the role of an addon: by association, by annotation, or by their name."""
    usual = _ADDON_ACCOUNTS.get(addon.name, "")
    associated = [
        id_
        for each in list_readable(facts.pod_identities)
        if (id_ := f"{each.namespace}/{each.service_account}") == usual
        or each.association_id in addon.association_ids
        or (each.role_arn and each.role_arn == addon.role_arn)
    ]
    annotated = [
        each.id_
        for each in list_readable(facts.service_accounts)
        if each.role_arn and (each.role_arn == addon.role_arn or each.id_ == usual)
    ]
    return list(dict.fromkeys([*associated, *annotated]))


def _judge_emptiness(facts: Facts) -> tuple[ChainResult, ...]:
    """Judge a cluster without the driver, without claims in trouble and without roles of service accounts."""
    for each in (facts.workloads, facts.service_accounts, facts.claims, facts.cluster):
        if isinstance(each, Unreadable):
            link = Link(each.call, "not-judged", reason=each.reason, permission=each.permission)
            return (ChainResult("cluster", "cluster", (link,)),)
    return (ChainResult("cluster", "cluster", (Link("no claim is in trouble", "ok"),)),)
