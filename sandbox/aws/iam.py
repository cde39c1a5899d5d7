"""IAM: AWS's managed policies, and checks of roles and policies with AWS's error texts."""

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from sandbox.aws import oidc_providers, patching, policy_documents
from sandbox.aws.emulator import Parameters, Response, iam
from sandbox.aws.policies import published

_MOST_ATTACHED = 10
_SESSION_SECONDS = range(3600, 43201)
_PATH = re.compile(r"/|/[!-~]+/")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
Handler = Callable[[Parameters], Response]
Check = Callable[[Parameters], Response | None]
"""Returns the refusal of a request, or None."""


def install() -> None:
    """Check the requests of `_CHECKS`, publish AWS's policies and install the OIDC providers."""
    patching.require(iam, "_roles", "_p", "_error", "_lookup_policy")
    patching.require(iam, "_make_aws_managed_record", "_aws_managed_policies")
    table = iam._IAM_HANDLERS
    for verb, checks in _CHECKS.items():
        patching.replace_verb(table, verb, _checked(table[verb], checks))
    _publish()
    oidc_providers.install()


def _publish() -> None:
    """Replace the emulator's short list with AWS's documents, each under AWS's version number."""
    for policy in published():
        record = iam._make_aws_managed_record(policy.arn.split(":policy/", 1)[1], json.dumps(policy.document))
        version = record["Versions"].pop("v1")
        record["Versions"][policy.version] = {**version, "VersionId": policy.version, "CreateDate": policy.updated}
        record.update(DefaultVersionId=policy.version, CreateDate=policy.created, UpdateDate=policy.updated)
        iam._aws_managed_policies[policy.arn] = record


def _checked(stock: Handler, checks: tuple[Check, ...]) -> Handler:
    def handler(p: Parameters) -> Response:
        for check in checks:
            try:
                refusal = check(p)
            except policy_documents.MalformedPolicyError as malformed:
                refusal = _refuse(409 if malformed.code == "LimitExceeded" else 400, malformed.code, str(malformed))
            if refusal is not None:
                return refusal
        return stock(p)

    return handler


def _role_exists(p: Parameters) -> Response | None:
    name = iam._p(p, "RoleName")
    if name in iam._roles:
        return None
    return _refuse(404, "NoSuchEntity", f"The role with name {name} cannot be found.")


def _role_is_valid(p: Parameters) -> Response | None:
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
    return None


def _policy_name_is_valid(p: Parameters) -> Response | None:
    if _NAME.fullmatch(iam._p(p, "PolicyName")):
        return None
    return _refuse(
        400,
        "ValidationError",
        "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or "
        "the following: +=,.@_-",
    )


def _trust_is_valid(parameter: str) -> Check:
    return lambda p: policy_documents.check_trust(iam._p(p, parameter))


def _managed_is_valid(p: Parameters) -> None:
    policy_documents.check_managed(iam._p(p, "PolicyDocument"))


def _inline_is_valid(p: Parameters) -> None:
    name, role = iam._p(p, "PolicyName"), iam._p(p, "RoleName")
    others = [text for other, text in iam._roles[role]["InlinePolicies"].items() if other != name]
    policy_documents.check_inline(iam._p(p, "PolicyDocument"), others, role)


def _policy_is_attachable(p: Parameters) -> Response | None:
    arn = iam._p(p, "PolicyArn")
    if iam._lookup_policy(arn) is None:
        return _refuse(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    attached = iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]
    if arn not in attached and len(attached) >= _MOST_ATTACHED:
        return _refuse(409, "LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}")
    return None


def _policy_is_attached(p: Parameters) -> Response | None:
    arn = iam._p(p, "PolicyArn")
    if arn in iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]:
        return None
    return _refuse(404, "NoSuchEntity", f"Policy {arn} was not found.")


def _refuse(status: int, code: str, message: str) -> Response:
    return iam._error(status, code, escape(message), ns="iam")


_CHECKS: dict[str, tuple[Check, ...]] = {
    "AttachRolePolicy": (_role_exists, _policy_is_attachable),
    "CreatePolicy": (_policy_name_is_valid, _managed_is_valid),
    "CreatePolicyVersion": (_managed_is_valid,),
    "CreateRole": (_role_is_valid, _trust_is_valid("AssumeRolePolicyDocument")),
    "DeleteRole": (_role_exists,),
    "DeleteRolePolicy": (_role_exists,),
    "DetachRolePolicy": (_role_exists, _policy_is_attached),
    "GetRole": (_role_exists,),
    "GetRolePolicy": (_role_exists,),
    "ListAttachedRolePolicies": (_role_exists,),
    "ListInstanceProfilesForRole": (_role_exists,),
    "ListRolePolicies": (_role_exists,),
    "ListRoleTags": (_role_exists,),
    "PutRolePermissionsBoundary": (_role_exists,),
    "PutRolePolicy": (_role_exists, _inline_is_valid),
    "TagRole": (_role_exists,),
    "UntagRole": (_role_exists,),
    "UpdateAssumeRolePolicy": (_role_exists, _trust_is_valid("PolicyDocument")),
    "UpdateRole": (_role_exists, _role_is_valid),
    "UpdateRoleDescription": (_role_exists,),
}
"""Checks of each verb, in order."""
