"""IAM: AWS's own managed policies, trust policies that are checked before they are stored, and AWS's texts."""

import json
from collections.abc import Callable
from xml.sax.saxutils import escape

from sandbox.aws import guard, oidc_providers, trust_policies
from sandbox.aws.emulator import Parameters, Response, iam
from sandbox.aws.policies import published

_MOST_ATTACHED = 10
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
    guard.replace_verb(table, "CreateRole", _trust_checked(table["CreateRole"], "AssumeRolePolicyDocument"))
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
            return _refuse(409 if malformed.code == "LimitExceeded" else 400, malformed.code, str(malformed))
        return stock(p)

    return handler


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
