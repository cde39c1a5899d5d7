"""Checks of the identity chain, from the cluster to the trust policy of the role. Pure."""

import json
import shlex
from collections.abc import Mapping

from eks_rocketmq.args.kubernetes_names import EBS_CSI
from eks_rocketmq.doctor.catalogue.symptoms import find_text
from eks_rocketmq.doctor.checks.chain import Finding, NotJudged, Outcome, explain_unreadable
from eks_rocketmq.doctor.checks.identity_case import IdentityCase, parse_role
from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts, OidcProviderFacts, RoleFacts, TrialFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import find_addon, list_readable, quote
from eks_rocketmq.doctor.policies.trust_policy import (
    Mismatch,
    MismatchKind,
    PodIdentityRequest,
    WebIdentityRequest,
    evaluate_trust_policy,
    pins_audience,
    repair_trust_policy,
)

_STS_SYMPTOMS = ("provider", "audience", "assume-role-denied")
_ACTIVE = ("ACTIVE", "UPDATING")
_TRUST_CAUSES: Mapping[MismatchKind, str] = {
    "deny": "trust-deny",
    "provider": "trust-provider",
    "action": "trust-action",
    "condition-key": "trust-condition-key",
    "subject": "trust-subject",
    "audience": "trust-audience",
}
"""Cause of each mismatch, the most fundamental first. Other mismatches are `trust-condition`."""


def judge_cluster(case: IdentityCase) -> Outcome:
    """Judge whether the cluster is active."""
    cluster = case.facts.cluster
    if isinstance(cluster, Unreadable):
        return explain_unreadable(cluster)
    if cluster.status in _ACTIVE:
        return None
    return Finding(
        "cluster-not-active",
        f"cluster {cluster.name} has status {cluster.status}",
        "status ACTIVE",
        commands=(f"aws eks describe-cluster --name {cluster.name} --query cluster.health",),
    )


def judge_service_account(case: IdentityCase) -> Outcome:
    """Judge whether the service account exists."""
    if isinstance(case.facts.service_accounts, Unreadable):
        return explain_unreadable(case.facts.service_accounts)
    if case.account is not None:
        return None
    return Finding(
        "service-account-missing",
        f"service account {case.id_} does not exist",
        f"a service account {case.name} in namespace {case.namespace}",
        commands=(f"kubectl -n {case.namespace} create serviceaccount {case.name}",),
    )


def judge_provider(case: IdentityCase) -> Outcome:
    """Judge whether the account has an IAM OIDC provider for the issuer."""
    providers, cluster = case.facts.providers, case.cluster
    if case.mode != "irsa" or cluster is None or case.is_proved:
        return None
    if case.is_role_of_other_account:
        return NotJudged(f"the provider must be in account {case.role_account}, which was not read", needs_aws=True)
    if isinstance(providers, Unreadable):
        return explain_unreadable(providers)
    if isinstance(case.facts.account, Unreadable):
        return explain_unreadable(case.facts.account)
    if any(each.arn == case.provider_arn for each in providers):
        return None
    dual_stack = _find_dual_stack(providers, cluster.issuer)
    others = [each.arn for each in providers if "oidc.eks." in each.arn or "oidc-eks." in each.arn]
    message = find_text("provider", case.messages)
    return Finding(
        "oidc-provider-dual-stack" if dual_stack else "oidc-provider-missing",
        f"the account has {dual_stack}" if dual_stack else f"the account has no provider for {cluster.issuer}",
        case.provider_arn,
        evidence=(
            *quote("message", message),
            f"providers of EKS clusters in the account: {', '.join(others) or 'none'}",
        ),
        commands=(f"aws iam create-open-id-connect-provider --url {cluster.issuer} --client-id-list {case.audience}",),
    )


def _find_dual_stack(providers: tuple[OidcProviderFacts, ...], issuer: str) -> str:
    identifier = f"/id/{issuer.rpartition('/')[2]}"
    return next((each.arn for each in providers if each.arn.endswith(identifier)), "")


def judge_audience(case: IdentityCase) -> Outcome:
    """Judge whether the provider accepts the audience of the token."""
    if case.mode != "irsa" or case.is_proved:
        return None
    provider = next((each for each in list_readable(case.facts.providers) if each.arn == case.provider_arn), None)
    if provider is None or case.is_role_of_other_account:
        return NotJudged("the provider was not read", needs_aws=True)
    if isinstance(provider.client_ids, Unreadable):
        return explain_unreadable(provider.client_ids)
    return judge_provider_audience(provider, case.audience, find_text("audience", case.messages))


def judge_provider_audience(provider: OidcProviderFacts, audience: str, message: str = "") -> Finding | None:
    """Judge whether a provider accepts an audience. `message` is that of STS about the token with this audience."""
    client_ids = list_readable(provider.client_ids)
    if audience in client_ids:
        return None
    return Finding(
        "oidc-provider-audience",
        f"client ids of the provider: {', '.join(client_ids) or 'none'}",
        f"client id {audience}, the audience of the token",
        evidence=quote("message", message),
        commands=(
            f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {provider.arn} "
            f"--client-id {audience}",
        ),
    )


def judge_role_reference(case: IdentityCase) -> Outcome:
    """Judge whether the service account names a role of this partition and account."""
    if case.mode == "none":
        return _judge_missing_role(case)
    match, account = parse_role(case.role_arn), case.facts.account
    if not isinstance(account, AccountFacts):
        return explain_unreadable(account)
    if match is None or match["partition"] != account.partition:
        return Finding(
            "role-arn-malformed",
            f"role of {case.id_}: {case.role_arn!r}",
            f"arn:{account.partition}:iam::{account.account}:role/NAME",
            evidence=quote("message", find_text("role-arn", case.messages)),
            commands=build_role_commands(case, f"arn:{account.partition}:iam::{account.account}:role/<role>"),
        )
    if not case.is_role_of_other_account or case.is_proved:
        return None
    message = next((text for each in _STS_SYMPTOMS if (text := find_text(each, case.messages))), "")
    if not message:
        return NotJudged(
            f"role {case.role_arn} belongs to account {case.role_account}, which was not read", needs_aws=True
        )
    return Finding(
        "role-other-account",
        f"role {case.role_arn} belongs to account {case.role_account}",
        f"a role of account {account.account}, or a provider and a trust policy in account {case.role_account}",
        evidence=quote("message", message),
        commands=build_role_commands(case, f"arn:{account.partition}:iam::{account.account}:role/{case.role_name}"),
    )


def _judge_missing_role(case: IdentityCase) -> Outcome:
    """Judge a service account without a role. The driver may then use the role of the node."""
    for each in (case.facts.pod_identities, case.facts.service_accounts):
        if isinstance(each, Unreadable):
            return explain_unreadable(each)
    message = find_text("no-credentials", case.messages) or find_text("unauthorized", case.messages)
    if case.is_driver and not message:
        return None
    nodes = {each.node for each in case.pods}
    limited = [each.name for each in list_readable(case.facts.nodes) if each.name in nodes and each.imds_hop_limit == 1]
    addon = find_addon(case.facts, EBS_CSI)
    evidence = (
        *quote("message", message),
        *((f"addon {EBS_CSI} has role {addon.role_arn or 'none'}",) if case.is_driver and addon else ()),
    )
    commands = build_role_commands(case, "<role-arn>")
    if limited and find_text("no-credentials", case.messages):
        return Finding(
            "imds-hop-limit",
            f"service account {case.id_} has no role, and the hop limit of {', '.join(limited)} is 1",
            "a role of its own for the service account",
            evidence,
            commands,
        )
    return Finding(
        "no-identity",
        f"service account {case.id_} has no annotation eks.amazonaws.com/role-arn and no Pod Identity association",
        "one of the two, with a role",
        evidence,
        commands,
    )


def build_role_commands(case: IdentityCase, role_arn: str) -> tuple[str, ...]:
    """Return the commands that give a service account a role and restart its pods."""
    cluster = case.cluster.name if case.cluster else "<cluster>"
    if case.association:
        return (
            f"aws eks update-pod-identity-association --cluster-name {cluster} "
            f"--association-id {case.association.association_id or '<association>'} --role-arn {role_arn}",
            *build_restart_commands(case),
        )
    if case.is_driver and find_addon(case.facts, EBS_CSI):
        return (
            f"aws eks update-addon --cluster-name {cluster} --addon-name {EBS_CSI} "
            f"--service-account-role-arn {role_arn}",
            *build_restart_commands(case),
        )
    return (
        f"kubectl -n {case.namespace} annotate serviceaccount {case.name} --overwrite "
        f"eks.amazonaws.com/role-arn={role_arn}",
        *build_restart_commands(case),
    )


def build_restart_commands(case: IdentityCase) -> tuple[str, ...]:
    """Return the commands that restart the pods of a service account."""
    owners = sorted({each.owner for each in case.pods if each.owner})
    return tuple(f"kubectl -n {case.namespace} rollout restart {owner.lower()}" for owner in owners)


def judge_role(case: IdentityCase) -> Outcome:
    """Judge whether the role exists."""
    if case.mode == "none" or case.is_proved:
        return None
    role, account, match = case.role, case.facts.account, parse_role(case.role_arn)
    if isinstance(account, AccountFacts) and (match is None or match["partition"] != account.partition):
        return NotJudged(f"{case.role_arn} is no ARN of a role in this partition")
    if isinstance(role, Unreadable):
        return explain_unreadable(role)
    if role is None:
        return NotJudged(f"role {case.role_arn} was not read", needs_aws=True)
    return None if role.exists else _build_missing_role_finding(case, role)


def _build_missing_role_finding(case: IdentityCase, role: RoleFacts) -> Finding:
    evidence = quote("message", find_text("assume-role-denied", case.messages))
    if role.found_arn:
        return Finding(
            "role-missing",
            f"role {role.arn} does not exist; the role with this name is {role.found_arn}",
            "the whole ARN of an existing role, with its path",
            evidence,
            build_role_commands(case, shlex.quote(role.found_arn)),
        )
    request = case.build_request()
    document = repair_trust_policy("{}", request) if request else "<trust policy>"
    return Finding(
        "role-missing",
        f"role {role.arn} does not exist",
        "an existing role with a trust policy for the service account",
        evidence,
        commands=(
            f"aws iam create-role --role-name {case.role_name} --assume-role-policy-document {shlex.quote(document)}",
            *_attach_policy(case),
        ),
    )


def _attach_policy(case: IdentityCase) -> tuple[str, ...]:
    account = case.facts.account
    partition = account.partition if isinstance(account, AccountFacts) else "aws"
    if not case.is_driver:
        return ()
    return (
        f"aws iam attach-role-policy --role-name {case.role_name} "
        f"--policy-arn arn:{partition}:iam::aws:policy/AmazonEBSCSIDriverPolicyV2",
    )


def judge_trust_policy(case: IdentityCase) -> Outcome:
    """Judge whether the trust policy allows the very token of the service account, or Pod Identity."""
    role, request = case.role, case.build_request()
    if case.mode == "none" or case.is_proved:
        return None
    if isinstance(role, Unreadable):
        return explain_unreadable(role)
    if not isinstance(role, RoleFacts) or not role.exists or request is None:
        return NotJudged(f"the trust policy of {case.role_arn} was not read", needs_aws=True)
    verdict = evaluate_trust_policy(role.trust_policy, request)
    if verdict.allowed is None:
        return NotJudged("the trust policy has conditions that only STS can decide, and there was no successful trial")
    if verdict.allowed:
        return None
    return _build_trust_finding(case, role, request, verdict.mismatches)


def _build_trust_finding(
    case: IdentityCase,
    role: RoleFacts,
    request: WebIdentityRequest | PodIdentityRequest,
    mismatches: tuple[Mismatch, ...],
) -> Finding:
    kinds = [each.kind for each in mismatches]
    id_ = next((cause for kind, cause in _TRUST_CAUSES.items() if kind in kinds), "trust-condition")
    found, expected = [each.found for each in mismatches], [each.expected for each in mismatches]
    if isinstance(request, WebIdentityRequest) and _lacks_audience(role.trust_policy, request):
        found.append(f"no condition on {request.host}:aud")
        expected.append(f"{request.host}:aud = {', '.join(request.audiences)}")
    update = f"aws iam update-assume-role-policy --role-name {case.role_name} --policy-document "
    if document := repair_trust_policy(role.trust_policy, request):
        commands = (f"{update}{shlex.quote(document)}",)
    else:
        read = f"aws iam get-role --role-name {case.role_name} --query Role.AssumeRolePolicyDocument"
        commands = (read, f"{update}<edited-policy>")
        expected.append(f"keep the statement for others, and exclude {case.id_} from it")
    trial = case.trial
    error = trial.error if isinstance(trial, TrialFacts) else ""
    return Finding(
        id_,
        f"trust policy of {role.arn}: {'; '.join(found)}",
        "; ".join(dict.fromkeys(expected)),
        evidence=(
            *(f"the token has {each}" for each in _describe_claims(request)),
            *quote("message", find_text("assume-role-denied", [error, *case.messages])),
        ),
        commands=commands,
    )


def _lacks_audience(document: str, request: WebIdentityRequest) -> bool:
    try:
        return ":aud" not in json.dumps(json.loads(document)) or not pins_audience(document, request)
    except (ValueError, AttributeError):
        return False


def _describe_claims(request: WebIdentityRequest | PodIdentityRequest) -> tuple[str, ...]:
    if isinstance(request, PodIdentityRequest):
        return ()
    return (f"iss {request.issuer}, sub {request.subject}, aud {', '.join(request.audiences)}",)
