"""Evaluation of a role's trust policy against the claims of a token, with the reason for a denial. Pure.

The evaluation follows STS. The claims `sub`, `aud` and `iss` of a token become condition keys. Their prefix is the
issuer without `https://`. A condition on a key that the request does not have is false.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eks_rocketmq.doctor.policies.policy_conditions import (
    ConditionResult,
    RequestContext,
    combine_all,
    combine_any,
    evaluate_conditions,
    is_aws_key,
    match_text,
    matches_action,
)
from eks_rocketmq.lookups.policy_elements import POD_IDENTITY_SERVICE, list_principals, list_statements, list_values

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
POD_IDENTITY_ACTIONS = ("sts:AssumeRole", "sts:TagSession")
_PROVIDER_ARN = re.compile(r"arn:(?P<partition>[^:]+):iam::(?P<account>[^:]*):oidc-provider/(?P<host>.+)")

MismatchKind = Literal[
    "malformed", "action", "provider", "condition-key", "subject", "audience", "condition", "deny", "no-statement"
]
"""Part of the trust policy that denies the request."""


@dataclass(frozen=True)
class Mismatch:
    """Part of a statement that does not match the request."""

    kind: MismatchKind
    found: str
    expected: str


@dataclass(frozen=True)
class WebIdentityRequest:
    """Request of a pod to assume a role with the token of its service account (IRSA)."""

    provider_arn: str
    """IAM OIDC provider of the token's issuer, in the account of the role."""
    issuer: str
    subject: str
    audiences: tuple[str, ...]

    @property
    def host(self) -> str:
        """Return the issuer without its scheme: the prefix of the condition keys."""
        return self.issuer.partition("://")[2] or self.issuer

    @property
    def actions(self) -> tuple[str, ...]:
        """Return the actions that the trust policy must allow."""
        return (WEB_IDENTITY,)

    def build_context(self) -> RequestContext:
        """Return the condition keys of the request."""
        host = self.host.lower()
        values = {
            f"{host}:sub": (self.subject,),
            f"{host}:aud": self.audiences,
            f"{host}:iss": (self.issuer,),
            "aws:federatedprovider": (self.provider_arn,),
        }
        return RequestContext(values)

    def matches_principal(self, principal: Any) -> bool:  # noqa: ANN401 - JSON
        """Return whether the element `Principal` contains the provider."""
        return principal == "*" or self.provider_arn in list_principals(principal, "Federated")


@dataclass(frozen=True)
class PodIdentityRequest:
    """Request of EKS Pod Identity to assume a role for a pod."""

    account: str
    cluster_arn: str
    namespace: str
    service_account: str

    @property
    def actions(self) -> tuple[str, ...]:
        """Return the actions that the trust policy must allow."""
        return POD_IDENTITY_ACTIONS

    def build_context(self) -> RequestContext:
        """Return the condition keys of the request."""
        tags = {
            "eks-cluster-arn": self.cluster_arn,
            "eks-cluster-name": self.cluster_arn.rpartition("/")[2],
            "kubernetes-namespace": self.namespace,
            "kubernetes-service-account": self.service_account,
        }
        values = {f"aws:requesttag/{key}": (value,) for key, value in tags.items()}
        return RequestContext({**values, "aws:sourceaccount": (self.account,), "aws:sourcearn": (self.cluster_arn,)})

    def matches_principal(self, principal: Any) -> bool:  # noqa: ANN401 - JSON
        """Return whether the element `Principal` contains the service of Pod Identity."""
        return principal == "*" or POD_IDENTITY_SERVICE in list_principals(principal, "Service")


TrustRequest = WebIdentityRequest | PodIdentityRequest


@dataclass(frozen=True)
class Verdict:
    """Decision of a trust policy."""

    allowed: bool | None
    """None if the request context does not decide it."""
    mismatches: tuple[Mismatch, ...] = ()
    """What denies the request: in the Deny statement, or in the Allow statement that comes nearest."""


def evaluate_trust_policy(document: str | Mapping[str, Any], request: TrustRequest) -> Verdict:
    """Return whether a trust policy allows a request, and why not."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError as error:
        return Verdict(False, (Mismatch("malformed", f"no JSON ({error})", "a policy document"),))
    if not isinstance(policy, Mapping):
        return Verdict(False, (Mismatch("malformed", type(policy).__name__, "a policy document"),))
    verdicts = [_evaluate_action(list_statements(policy), action, request) for action in request.actions]
    denied = [each for each in verdicts if each.allowed is False]
    return Verdict(
        combine_all(each.allowed for each in verdicts),
        tuple(dict.fromkeys(mismatch for each in denied for mismatch in each.mismatches)),
    )


def _evaluate_action(statements: Sequence[Mapping[str, Any]], action: str, request: TrustRequest) -> Verdict:
    context = request.build_context()
    denies = [each for each in statements if each.get("Effect") == "Deny" and matches_action(each, action)]
    denied = combine_any(_deny_applies(each, request, context) for each in denies)
    if denied:
        (found,) = [each for each in denies if _deny_applies(each, request, context)][:1]
        sid = found.get("Sid") or json.dumps(found.get("Condition") or "no condition", sort_keys=True)
        return Verdict(False, (Mismatch("deny", f"Deny statement {sid}", "no Deny statement for this token"),))
    allows = [each for each in statements if each.get("Effect") == "Allow"]
    results = [_evaluate_allow(each, action, request, context) for each in allows]
    allowed = combine_all([combine_any(each.allowed for each in results), None if denied is None else True])
    if allowed is not False:
        return Verdict(allowed)
    if not results:
        return Verdict(False, (Mismatch("no-statement", "no Allow statement", f"a statement that allows {action}"),))
    return min(results, key=lambda each: _rank(each.mismatches))


_WEIGHTS: Mapping[str, int] = {"action": 100, "provider": 20}


def _rank(mismatches: Sequence[Mismatch]) -> int:
    """Return the distance of a statement from the request. A statement for another action is the farthest."""
    return sum(_WEIGHTS.get(each.kind, 1) for each in mismatches)


def _deny_applies(statement: Mapping[str, Any], request: TrustRequest, context: RequestContext) -> bool | None:
    if "NotPrincipal" in statement:
        principal = not request.matches_principal(statement["NotPrincipal"])
    else:
        principal = request.matches_principal(statement.get("Principal"))
    conditions = evaluate_conditions(statement.get("Condition") or {}, context).holds
    return combine_all([principal, conditions])


def _evaluate_allow(
    statement: Mapping[str, Any], action: str, request: TrustRequest, context: RequestContext
) -> Verdict:
    mismatches: list[Mismatch] = []
    if not matches_action(statement, action):
        found = ", ".join(list_values(statement.get("Action", []))) or "no action"
        mismatches.append(Mismatch("action", found, action))
    principal = statement.get("Principal")
    if not request.matches_principal(principal):
        mismatches.append(_explain_principal(principal, request))
    conditions = evaluate_conditions(statement.get("Condition") or {}, context)
    mismatches += [_explain_condition(each, request) for each in conditions.conditions if each.holds is False]
    if mismatches:
        return Verdict(False, tuple(mismatches))
    return Verdict(conditions.holds)


def _explain_principal(principal: Any, request: TrustRequest) -> Mismatch:  # noqa: ANN401 - JSON
    found = json.dumps(principal, sort_keys=True) if principal else "no principal"
    if isinstance(request, PodIdentityRequest):
        return Mismatch("provider", found, f"the service {POD_IDENTITY_SERVICE}")
    federated = list_principals(principal, "Federated")
    if not federated:
        return Mismatch("provider", found, request.provider_arn)
    found = f"{', '.join(federated)} ({_compare_arns(federated[0], request)})"
    return Mismatch("provider", found, request.provider_arn)


def _compare_arns(found: str, request: WebIdentityRequest) -> str:
    """Return what distinguishes the ARN of a trust policy from the ARN of the provider."""
    given, expected = _PROVIDER_ARN.fullmatch(found), _PROVIDER_ARN.fullmatch(request.provider_arn)
    if given is None or expected is None:
        return "not the ARN of an OIDC provider"
    for part, text in (("partition", "another partition"), ("account", "another account")):
        if given[part] != expected[part]:
            return text
    if given["host"].startswith(("https://", "http://")):
        return "the ARN contains the scheme of the URL"
    return "the provider of another issuer"


def _explain_condition(result: ConditionResult, request: TrustRequest) -> Mismatch:
    expected = ", ".join(result.expected)
    found = f"{result.operator} {result.key} = {expected}"
    if isinstance(request, PodIdentityRequest):
        return Mismatch("condition", found, f"{result.key} = {', '.join(result.actual or ()) or 'absent'}")
    prefix, _, claim = result.key.rpartition(":")
    if is_aws_key(result.key):
        return Mismatch("condition", found, f"{result.key} = {', '.join(result.actual or ()) or 'absent'}")
    if prefix.lower() != request.host.lower():
        return Mismatch("condition-key", f"the key {result.key}", f"the key {request.host}:{claim}")
    match claim.lower():
        case "sub":
            hint = _explain_wildcard(result, request.subject)
            return Mismatch("subject", found + hint, f"{result.key} = {request.subject}")
        case "aud":
            return Mismatch("audience", found, f"{result.key} = {', '.join(request.audiences)}")
    return Mismatch("condition", found, f"{result.key} = {', '.join(result.actual or ()) or 'absent'}")


def _explain_wildcard(result: ConditionResult, subject: str) -> str:
    exact = "equals" in result.operator.lower()
    return " (StringEquals has no wildcards)" if exact and any(match_text(e, subject) for e in result.expected) else ""


def pins_audience(document: str, request: WebIdentityRequest) -> bool:
    """Return whether each Allow statement for the provider has a condition on the audience of the token."""
    key = f"{request.host}:aud".lower()
    return all(
        key in {name.lower() for keys in (statement.get("Condition") or {}).values() for name in keys}
        for statement in list_statements(json.loads(document))
        if statement.get("Effect") == "Allow" and request.matches_principal(statement.get("Principal"))
    )


def repair_trust_policy(document: str, request: TrustRequest) -> str:
    """Return the trust policy with a statement that allows the request; an empty text if it must be edited by hand.

    Other statements are kept, because they may be in use. Removed are Deny statements for exactly the service account
    of the token, and statements for the provider with a condition key that matches no token. A Deny statement that also
    matches others must be edited: without it they could assume the role.
    """
    try:
        statements = list_statements(json.loads(document))
    except (ValueError, AttributeError):
        statements = []
    kept = [each for each in statements if not _is_useless(each, request)]
    if any(_denies(each, request) for each in kept):
        return ""
    allows = [each for each in kept if each.get("Effect") == "Allow"]
    if not evaluate_trust_policy({"Statement": allows}, request).allowed:
        kept.append(_build_statement(request))
    return json.dumps({"Version": "2012-10-17", "Statement": kept}, separators=(",", ":"))


def _denies(statement: Mapping[str, Any], request: TrustRequest) -> bool:
    """Return whether a statement certainly denies the request."""
    return (
        statement.get("Effect") == "Deny"
        and any(matches_action(statement, each) for each in request.actions)
        and _deny_applies(statement, request, request.build_context()) is True
    )


def _pins_subject(statement: Mapping[str, Any], request: TrustRequest) -> bool:
    """Return whether a condition limits a statement to exactly the service account of the token."""
    if isinstance(request, PodIdentityRequest):
        return False
    conditions = evaluate_conditions(statement.get("Condition") or {}, request.build_context()).conditions
    return any(
        each.operator == "StringEquals"
        and each.key.lower() == f"{request.host}:sub".lower()
        and {*each.expected} == {request.subject}
        for each in conditions
    )


def _is_useless(statement: Mapping[str, Any], request: TrustRequest) -> bool:
    if statement.get("Effect") == "Deny":
        return _denies(statement, request) and _pins_subject(statement, request)
    context = request.build_context()
    principal = statement.get("Principal")
    if isinstance(request, PodIdentityRequest) or principal != {"Federated": request.provider_arn}:
        return False
    conditions = evaluate_conditions(statement.get("Condition") or {}, context).conditions
    return any(_explain_condition(each, request).kind == "condition-key" for each in conditions if each.holds is False)


def _build_statement(request: TrustRequest) -> dict[str, Any]:
    if isinstance(request, PodIdentityRequest):
        return {
            "Effect": "Allow",
            "Principal": {"Service": POD_IDENTITY_SERVICE},
            "Action": list(POD_IDENTITY_ACTIONS),
            "Condition": {"StringEquals": {"aws:SourceAccount": request.account}},
        }
    return {
        "Effect": "Allow",
        "Principal": {"Federated": request.provider_arn},
        "Action": WEB_IDENTITY,
        "Condition": {
            "StringEquals": {f"{request.host}:aud": request.audiences[0], f"{request.host}:sub": request.subject}
        },
    }
