"""IAM: AWS's own managed policies, trust policies that are checked before they are stored, and AWS's texts."""

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from sandbox.aws import guard, oidc_providers, permission_policies, trust_policies
from sandbox.aws.emulator import Parameters, Response, iam
from sandbox.aws.policies import published

_MOST_ATTACHED = 10
_SESSION_SECONDS = range(3600, 43201)
_PATH = re.compile(r"/|/[!-~]+/")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_NEED_A_ROLE = (
    "AttachRolePolicy",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "GetRole",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "ListInstanceProfilesForRole",
    "ListRolePolicies",
    "ListRoleTags",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
)
Handler = Callable[[Parameters], Response]


def install() -> None:
    """Tighten the role verbs, publish AWS's policies and hand the OIDC providers to their own room."""
    guard.require(iam, "_roles", "_p", "_error", "_lookup_policy", "_make_aws_managed_record", "_aws_managed_policies")
    table = iam._IAM_HANDLERS
    guard.replace_verb(
        table, "CreateRole", _role_checked(_trust_checked(table["CreateRole"], "AssumeRolePolicyDocument"))
    )
    guard.replace_verb(table, "UpdateRole", _role_checked(table["UpdateRole"]))
    guard.replace_verb(table, "CreatePolicy", _named(_managed_checked(table["CreatePolicy"])))
    guard.replace_verb(table, "CreatePolicyVersion", _managed_checked(table["CreatePolicyVersion"]))
    guard.replace_verb(table, "PutRolePolicy", _inline_checked(table["PutRolePolicy"]))
    guard.replace_verb(
        table, "UpdateAssumeRolePolicy", _trust_checked(table["UpdateAssumeRolePolicy"], "PolicyDocument")
    )
    guard.replace_verb(table, "AttachRolePolicy", _attachable(table["AttachRolePolicy"]))
    guard.replace_verb(table, "DetachRolePolicy", _attached(table["DetachRolePolicy"]))
    for verb in _NEED_A_ROLE:
        guard.replace_verb(table, verb, _with_role(table[verb]))
    _publish()
    oidc_providers.install()


def _publish() -> None:
    """AWS's documents instead of the emulator's short list, each under the version that AWS numbers it with."""
    for policy in published():
        record = iam._make_aws_managed_record(policy.arn.split(":policy/", 1)[1], json.dumps(policy.document))
        version = record["Versions"].pop("v1")
        record["Versions"][policy.version] = {**version, "VersionId": policy.version, "CreateDate": policy.updated}
        record.update(DefaultVersionId=policy.version, CreateDate=policy.created, UpdateDate=policy.updated)
        iam._aws_managed_policies[policy.arn] = record


def _with_role(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        name = iam._p(p, "RoleName")
        if name not in iam._roles:
            return _refuse(404, "NoSuchEntity", f"The role with name {name} cannot be found.")
        return stock(p)

    return handler


def _trust_checked(stock: Handler, parameter: str) -> Handler:
    def handler(p: Parameters) -> Response:
        try:
            trust_policies.check(iam._p(p, parameter))
        except trust_policies.MalformedPolicyError as malformed:
            return _malformed(malformed)
        return stock(p)

    return handler


def _role_checked(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        path, seconds = iam._p(p, "Path") or "/", iam._p(p, "MaxSessionDuration")
        if not _PATH.fullmatch(path):
            return _refuse(
                400,
                "ValidationError",
                "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
                "characters and/or / characters.",
            )
        if seconds and int(seconds) not in _SESSION_SECONDS:
            bound = "less than or equal to 43200" if int(seconds) > 43200 else "greater than or equal to 3600"
            return _refuse(
                400,
                "ValidationError",
                f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: "
                f"Member must have value {bound}",
            )
        return stock(p)

    return handler


def _named(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        name = iam._p(p, "PolicyName")
        if not _NAME.fullmatch(name):
            return _refuse(
                400,
                "ValidationError",
                "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or "
                "the following: +=,.@_-",
            )
        return stock(p)

    return handler


def _managed_checked(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        try:
            permission_policies.check_managed(iam._p(p, "PolicyDocument"))
        except trust_policies.MalformedPolicyError as malformed:
            return _malformed(malformed)
        return stock(p)

    return handler


def _inline_checked(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        name, role = iam._p(p, "PolicyName"), iam._p(p, "RoleName")
        others = [text for other, text in iam._roles[role]["InlinePolicies"].items() if other != name]
        try:
            permission_policies.check_inline(iam._p(p, "PolicyDocument"), others, role)
        except trust_policies.MalformedPolicyError as malformed:
            return _malformed(malformed)
        return stock(p)

    return handler


def _malformed(malformed: trust_policies.MalformedPolicyError) -> Response:
    return _refuse(409 if malformed.code == "LimitExceeded" else 400, malformed.code, str(malformed))


def _attachable(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        arn = iam._p(p, "PolicyArn")
        if iam._lookup_policy(arn) is None:
            return _refuse(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
        attached = iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]
        if arn not in attached and len(attached) >= _MOST_ATTACHED:
            return _refuse(409, "LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}")
        return stock(p)

    return handler


def _attached(stock: Handler) -> Handler:
    def handler(p: Parameters) -> Response:
        arn = iam._p(p, "PolicyArn")
        if arn not in iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]:
            return _refuse(404, "NoSuchEntity", f"Policy {arn} was not found.")
        return stock(p)

    return handler


def _refuse(status: int, code: str, message: str) -> Response:
    return iam._error(status, code, escape(message), ns="iam")
