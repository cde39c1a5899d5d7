"""Checks of what the role of the driver may do. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from eks_rocketmq.args.kubernetes_names import CLUSTER_NAME_TAG, CLUSTER_NAME_TAG_FROM
from eks_rocketmq.doctor.catalogue.symptoms import find_text
from eks_rocketmq.doctor.checks.chain import Finding, NotJudged, Outcome, explain_unreadable
from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.facts.cluster_facts import PolicyFacts, RoleFacts, SimulatedAction, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import list_readable, quote
from eks_rocketmq.doctor.policies.permissions import (
    DriverScope,
    allows_snapshots,
    build_driver_scope,
    build_volume_tags,
    find_denied_actions,
    list_needed_actions,
)

_MANAGED_POLICY = "AmazonEBSCSIDriverPolicyV2"
_SNAPSHOT = re.compile(r":snapshot/(snap-[0-9a-f]+)")


def judge_permissions(case: IdentityCase) -> Outcome:
    """Judge whether policies, boundary and organization allow what the driver does."""
    role, scope = case.role, build_driver_scope(case.facts)
    if not case.is_driver or case.mode == "none":
        return None
    if scope is None or not isinstance(role, RoleFacts) or not role.exists:
        unread = NotJudged("the role was not read", needs_aws=True)
        return explain_unreadable(role) if isinstance(role, Unreadable) else unread
    return (
        _judge_simulation(case, role, scope)
        or _judge_policies(case, role, scope)
        or _judge_boundary(case, role, scope)
        or _judge_messages(case, role, scope)
        or _judge_unreadable(case, role)
    )


def _judge_simulation(case: IdentityCase, role: RoleFacts, scope: DriverScope) -> Outcome:
    if isinstance(role.simulated, Unreadable):
        return None
    needed = list_needed_actions(grows=case.grows)
    denied = [each for each in role.simulated if each.decision != "allowed" and each.action in needed]
    # The simulation lacks condition keys of a real request, such as tags of the session. It counts where the documents
    # agree or could not be read, and for what they do not contain: the organization.
    agreed = _list_denied(role.policies, scope, needed)
    limited = _list_denied([role.boundary] if isinstance(role.boundary, PolicyFacts) else None, scope, needed)
    organization = [each for each in denied if not each.allowed_by_organization]
    boundary = [each for each in denied if not each.allowed_by_boundary and each.action in limited]
    denied = [each for each in denied if each.action in agreed or each in organization or each in boundary]
    evidence = tuple(f"SimulatePrincipalPolicy: {each.action} {each.decision}" for each in denied)
    if organization:
        return _build_organization_finding(role, _list_actions(organization), evidence)
    if boundary:
        return _build_boundary_finding(role, _list_actions(boundary), evidence)
    return _build_policy_finding(case, role, scope, _list_actions(denied), evidence) if denied else None


def _list_denied(
    policies: Sequence[PolicyFacts] | Unreadable | None, scope: DriverScope, needed: Collection[str]
) -> Collection[str]:
    """Return the actions that policies deny, of all that they may allow; each one of `needed` if they are unknown."""
    if policies is None or isinstance(policies, Unreadable):
        return needed
    return find_denied_actions(policies, scope, grows=True)


def _list_actions(simulated: Sequence[SimulatedAction]) -> list[str]:
    return list(dict.fromkeys(each.action for each in simulated))


def _judge_policies(case: IdentityCase, role: RoleFacts, scope: DriverScope) -> Outcome:
    # A simulation is the better answer, because it knows the organization too.
    if isinstance(role.policies, Unreadable):
        return None
    simulated = {each.action for each in list_readable(role.simulated)}
    denied = [each for each in find_denied_actions(role.policies, scope, grows=case.grows) if each not in simulated]
    if denied:
        return _build_policy_finding(case, role, scope, denied, _quote_denial(case))
    return _judge_snapshots(case, role, role.policies, scope)


def _judge_snapshots(
    case: IdentityCase, role: RoleFacts, policies: Sequence[PolicyFacts], scope: DriverScope
) -> Outcome:
    snapshots = [
        each for each in case.claims if each.phase == "Pending" and each.data_source.startswith("VolumeSnapshot/")
    ]
    allowed = allows_snapshots(policies, scope)
    # The tags of a snapshot are not read. The message of EC2 names the snapshot.
    denied = _SNAPSHOT.search(find_text("unauthorized", [each for each in case.messages if _SNAPSHOT.search(each)]))
    if not snapshots or allowed or (allowed is None and not denied):
        return None
    evidence = (*(f"claim {each.id_} has the source {each.data_source}" for each in snapshots), *_quote_denial(case))
    if allowed is None and denied:
        return Finding(
            "permissions-snapshot",
            f"role {role.arn} may use only snapshots that its policies' conditions allow, and not {denied[1]}",
            "a snapshot with the tags that the policies require, such as those that the driver sets",
            evidence=evidence,
            commands=(
                f"aws ec2 create-tags --resources {denied[1]} --tags Key=ebs.csi.aws.com/cluster,Value=true "
                f"Key=ebs.csi.aws.com/cluster-name,Value={scope.cluster}",
            ),
        )
    return Finding(
        "permissions-snapshot",
        f"role {role.arn} may not create volumes from snapshots",
        f"ec2:CreateVolume allowed on arn:{scope.account.partition}:ec2:{scope.account.region}::snapshot/*",
        evidence=evidence,
        commands=_attach(case, scope.account.partition),
    )


def _judge_boundary(case: IdentityCase, role: RoleFacts, scope: DriverScope) -> Outcome:
    if role.boundary is None or isinstance(role.boundary, Unreadable):
        return None
    denied = find_denied_actions([role.boundary], scope, grows=case.grows)
    return _build_boundary_finding(role, denied, _quote_denial(case)) if denied else None


def _judge_messages(case: IdentityCase, role: RoleFacts, scope: DriverScope) -> Outcome:
    """Judge the message of EC2, if the facts do not show the cause."""
    if message := find_text("organization", case.messages):
        return _build_organization_finding(role, _parse_actions(message), quote("message", message))
    # A boundary that was read has been judged. The message is older than it.
    if isinstance(role.boundary, Unreadable) and (message := find_text("boundary", case.messages)):
        return _build_boundary_finding(role, _parse_actions(message), quote("message", message))
    message = find_text("unauthorized", case.messages)
    if message and isinstance(role.policies, Unreadable):
        if any(each.data_source for each in case.claims):
            return explain_unreadable(role.policies)
        return _build_policy_finding(case, role, scope, _parse_actions(message), quote("message", message))
    return None


def _judge_unreadable(case: IdentityCase, role: RoleFacts) -> Outcome:
    if isinstance(role.simulated, Unreadable) and find_text("unauthorized", case.messages):
        return explain_unreadable(role.simulated)
    for each in (role.policies, role.boundary):
        if isinstance(each, Unreadable) and (isinstance(role.simulated, Unreadable) or not role.simulated):
            return explain_unreadable(each)
    return None


def _parse_actions(message: str) -> list[str]:
    words = [each.strip(".,:;()'\"") for each in message.split()]
    return list(dict.fromkeys(each for each in words if each.startswith(("ec2:", "kms:"))))


def _quote_denial(case: IdentityCase) -> tuple[str, ...]:
    texts = (find_text(each, case.messages) for each in ("unauthorized", "boundary"))
    return quote("message", next((each for each in texts if each), ""))


def _attach(case: IdentityCase, partition: str) -> tuple[str, ...]:
    return (
        f"aws iam attach-role-policy --role-name {case.role_name} "
        f"--policy-arn arn:{partition}:iam::aws:policy/{_MANAGED_POLICY}",
    )


def _explain_tags(role: RoleFacts, scope: DriverScope, actions: Collection[str]) -> tuple[str, ...]:
    """Return the tags that the driver does not set, as evidence, if the policies allow an action with them."""
    complete = {**build_volume_tags(scope.cluster), **scope.tags}
    if {*actions} <= {*_list_denied(role.policies, replace(scope, tags=complete), actions)}:
        return ()
    unset = ", ".join(each for each in complete if each not in scope.tags)
    return (
        f"the driver does not set the tags: {unset}. It sets them with --k8s-tag-cluster-id={scope.cluster}, and "
        f"{CLUSTER_NAME_TAG} only since version {'.'.join(map(str, CLUSTER_NAME_TAG_FROM))}",
    )


def _build_policy_finding(
    case: IdentityCase, role: RoleFacts, scope: DriverScope, actions: Sequence[str], evidence: tuple[str, ...]
) -> Finding:
    names = [] if isinstance(role.policies, Unreadable) else [each.name for each in role.policies]
    partition = role.arn.split(":")[1]
    return Finding(
        "permissions-missing",
        f"role {role.arn} may not: {', '.join(actions) or 'an action that EC2 does not name'}",
        "policies that allow what the driver does with the tags that it sets",
        evidence=(
            f"policies of the role: {', '.join(names) or 'none'}",
            *_explain_tags(role, scope, actions),
            *evidence,
        ),
        commands=_attach(case, partition),
    )


def _build_boundary_finding(role: RoleFacts, actions: Sequence[str], evidence: tuple[str, ...]) -> Finding:
    boundary = role.boundary
    name = boundary.name if boundary and not isinstance(boundary, Unreadable) else "<boundary>"
    return Finding(
        "permissions-boundary",
        f"the permissions boundary {name} of role {role.arn} does not allow: {', '.join(actions) or 'the action'}",
        "a boundary that allows what the driver does",
        evidence=evidence,
        commands=(
            f"aws iam put-role-permissions-boundary --role-name {role.arn.rpartition('/')[2]} "
            "--permissions-boundary <wider-policy>",
        ),
    )


def _build_organization_finding(role: RoleFacts, actions: Sequence[str], evidence: tuple[str, ...]) -> Finding:
    return Finding(
        "permissions-organization",
        f"the organization denies role {role.arn}: {', '.join(actions) or 'the action'}",
        "a service control policy that allows the action",
        evidence=evidence,
        commands=("aws organizations list-policies --filter SERVICE_CONTROL_POLICY",),
    )
