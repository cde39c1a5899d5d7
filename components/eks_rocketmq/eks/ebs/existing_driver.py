"""Identity of the driver of an existing addon, judged by the checks of `eks-rocketmq doctor`.

The permissions of the role are not judged, because no provider function reads the policies of a role.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import parse_arn
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage
from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.doctor.checks.chain import ChainResult, Finding, Link, run_chain
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.checks.identity_checks import (
    judge_audience,
    judge_provider,
    judge_role,
    judge_role_reference,
    judge_trust_policy,
)
from eks_rocketmq.doctor.diagnosis import IDENTITY_CHECKS
from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    AddonFacts,
    ClusterFacts,
    Facts,
    OidcProviderFacts,
    PodIdentityFacts,
    RoleFacts,
    ServiceAccountFacts,
    Unreadable,
)
from eks_rocketmq.eks.account.provider_functions import format_call, is_missing, try_function
from eks_rocketmq.eks.ebs.self_managed_driver import NAMESPACE, SERVICE_ACCOUNT

_PROVIDER_JUDGES = (judge_provider, judge_audience)
_ROLE_JUDGES = (judge_role_reference, judge_role, judge_trust_policy)
_MISSING_PROVIDER = "oidc-provider-missing"
"""Id of the cause."""
_DENIED = "AccessDenied"
"""Part of the error code of EKS and IAM."""


@dataclass(frozen=True)
class ExistingDriver:
    """Addon of a cluster as EKS describes it."""

    cluster: str
    version: str
    role_arn: str
    """Role of its service account (IRSA). Empty if it has none."""
    associated_role_arn: str
    """Role of its EKS Pod Identity association. Empty if it has none."""


@dataclass(frozen=True)
class ProviderFunctions:
    """Functions of the AWS provider in their direct form."""

    get_cluster: Callable[[str], Any]
    """Takes the name of a cluster."""
    get_role: Callable[[str], Any]
    """Takes the name of a role."""
    get_provider: Callable[[str], Any] | None
    """Takes the ARN of an IAM OIDC provider. None: the provider is not judged."""


def judge_identity(driver: ExistingDriver, functions: ProviderFunctions) -> ChainResult:
    """Judge whether the pods of the driver get the credentials of its role."""
    case = _build_case(driver, _read_cluster(driver.cluster, functions))
    providers, roles = _read_providers(case, functions), _read_roles(case, functions)
    case = _build_case(driver, case.facts.cluster, providers, roles)
    judges = (*(_PROVIDER_JUDGES if functions.get_provider else ()), *_ROLE_JUDGES)
    checks = [each for each in IDENTITY_CHECKS if each.judge in judges]
    return run_chain("identity", f"service account {case.id_}", checks, case)


def _build_case(
    driver: ExistingDriver,
    cluster: ClusterFacts | Unreadable,
    providers: tuple[OidcProviderFacts, ...] | Unreadable = (),
    roles: tuple[RoleFacts | Unreadable, ...] = (),
) -> IdentityCase:
    account: AccountFacts | Unreadable
    if isinstance(cluster, Unreadable):
        account = cluster
    else:
        arn = parse_arn(cluster.arn)
        account = AccountFacts(arn.partition, arn.account, arn.region)
    associated = driver.associated_role_arn
    facts = Facts(
        account,
        cluster,
        providers,
        roles,
        pod_identities=(PodIdentityFacts(NAMESPACE, SERVICE_ACCOUNT, associated),) if associated else (),
        addons=(AddonFacts(EBS_CSI, driver.version, "", driver.role_arn),),
        service_accounts=(ServiceAccountFacts(NAMESPACE, SERVICE_ACCOUNT, driver.role_arn),),
    )
    return IdentityCase(facts, NAMESPACE, SERVICE_ACCOUNT, is_driver=True)


def _read_cluster(name: str, functions: ProviderFunctions) -> ClusterFacts | Unreadable:
    found = try_function(
        lambda: functions.get_cluster(name),
        format_call("aws:eks/getCluster:getCluster", name=name),
        *("arn", "status", "version", "identities.0.oidcs.0.issuer"),
    )
    if isinstance(found, Exception):
        return _explain(found, "eks:DescribeCluster", name)
    return ClusterFacts(name, found.arn, found.status, found.version, found.identities[0].oidcs[0].issuer)


def _read_providers(case: IdentityCase, functions: ProviderFunctions) -> tuple[OidcProviderFacts, ...] | Unreadable:
    """Return the provider of the cluster's issuer, if it exists."""
    arn, get_provider = case.provider_arn, functions.get_provider
    if get_provider is None or case.mode != "irsa" or not arn or case.is_role_of_other_account:
        return ()
    found = try_function(
        lambda: get_provider(arn),
        format_call("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", arn=arn),
        "client_id_lists",
    )
    if isinstance(found, Exception):
        return () if is_missing(found) else _explain(found, "iam:GetOpenIDConnectProvider", arn)
    return (OidcProviderFacts(arn, tuple(found.client_id_lists)),)


def _read_roles(case: IdentityCase, functions: ProviderFunctions) -> tuple[RoleFacts | Unreadable, ...]:
    """Return the role. IAM does not show a role of another account."""
    arn, name = case.role_arn, case.role_name
    if case.cluster is None or not case.role_account or case.is_role_of_other_account:
        return ()
    found = try_function(
        lambda: functions.get_role(name),
        format_call("aws:iam/getRole:getRole", name=name),
        *("arn", "assume_role_policy"),
    )
    if isinstance(found, Exception):
        return (RoleFacts(arn, exists=False) if is_missing(found) else _explain(found, "iam:GetRole", arn),)
    # The addon may name another path. STS compares the whole ARN.
    if found.arn != arn:
        return (RoleFacts(arn, exists=False, found_arn=found.arn),)
    return (RoleFacts(arn, trust_policy=found.assume_role_policy),)


def _explain(error: Exception, action: str, resource: str) -> Unreadable:
    permission = f"{action} on {resource}" if _DENIED in str(error) else ""
    return Unreadable(f"{action} for {resource}", permission, " ".join(str(error).split()))


def build_errors(driver: ExistingDriver, result: ChainResult) -> list[ArgumentError]:
    """Return an error for the cause, and for each fault behind it that is proved too."""
    return [_build_error(driver, each) for each in (result.cause, *result.further) if each]


def _build_error(driver: ExistingDriver, finding: Finding) -> ArgumentError:
    return ArgumentError(
        ARGS / "existing",
        "driver-without-credentials",
        "addon {addon} of cluster {cluster!r} cannot assume its role, so it cannot create volumes and every claim "
        "stays Pending: {cause} ({id}). Found: {found}",
        accepted="{expected}",
        remedy="Run `{commands}`. "
        + "If the program creates the provider, set {provider_arn} to its ARN. " * (finding.id_ == _MISSING_PROVIDER)
        + "To let the stack manage addon, role and OIDC provider, run `eks-rocketmq adopt` and "
        "leave {existing} out",
        addon=EBS_CSI,
        cluster=driver.cluster,
        cause=finding.cause,
        id=finding.id_,
        found=finding.is_,
        expected=finding.should_be,
        commands="`, then `".join(finding.commands),
        existing=ARGS / "existing",
        provider_arn=ARGS / "provider_arn",
    )


def build_warning(driver: ExistingDriver, undecided: Sequence[Link]) -> ArgumentMessage:
    """Return the warning about checks that could not be decided."""
    permissions = dict.fromkeys(each.permission for each in undecided if each.permission)
    # Such a link follows from one that gives its own reason.
    reasons = dict.fromkeys(each.reason for each in undecided if not each.needs_aws) or (undecided[0].reason,)
    return ArgumentMessage(
        ARGS / "existing",
        "driver-not-judged",
        "it is not known whether addon {addon} of cluster {cluster!r} can assume its role. Not judged: {titles} "
        "({reasons})",
        remedy="Allow {permissions}, or run `eks-rocketmq doctor --cluster {cluster} --addon {addon}`"
        if permissions
        else "Run `eks-rocketmq doctor --cluster {cluster} --addon {addon}`",
        values={
            "addon": EBS_CSI,
            "cluster": driver.cluster,
            "titles": ", ".join(each.title for each in undecided),
            "reasons": "; ".join(reasons),
            "permissions": " and ".join(permissions),
        },
    )
