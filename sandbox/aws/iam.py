"""IAM: AWS's managed policies, and checks of roles and policies with AWS's error texts."""

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from sandbox.aws import oidc_providers, patching, policy_documents
from sandbox.aws.emulator import Parameters, Response, iam
from sandbox.aws.policies import published
from sandbox.aws.refusal import RefusedError

_MOST_ATTACHED = 10
_SESSION_SECONDS = range(3600, 43201)
_PATH = re.compile(r"/|/[!-~]+/")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
Handler = Callable[[Parameters], Response]
Check = Callable[[Parameters], None]
"""Raises RefusedError when AWS refuses the request."""


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
        try:
            for check in checks:
                check(p)
        except RefusedError as refused:
            return iam._error(refused.status, refused.code, escape(str(refused)), ns="iam")
        return stock(p)

    return handler


def _role_exists(p: Parameters) -> None:
    name = iam._p(p, "RoleName")
    if name not in iam._roles:
        raise RefusedError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def _role_is_valid(p: Parameters) -> None:
    path, seconds = iam._p(p, "Path") or "/", iam._p(p, "MaxSessionDuration")
    if not _PATH.fullmatch(path):
        raise RefusedError(
            "ValidationError",
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
            "characters and/or / characters.",
        )
    if seconds and int(seconds) not in _SESSION_SECONDS:
        bound = "less than or equal to 43200" if int(seconds) > 43200 else "greater than or equal to 3600"
        raise RefusedError(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: "
            f"Member must have value {bound}",
        )


def _policy_name_is_valid(p: Parameters) -> None:
    if not _NAME.fullmatch(iam._p(p, "PolicyName")):
        raise RefusedError(
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


def _policy_is_attachable(p: Parameters) -> None:
    arn = iam._p(p, "PolicyArn")
    if iam._lookup_policy(arn) is None:
        raise RefusedError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    attached = iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]
    if arn not in attached and len(attached) >= _MOST_ATTACHED:
        raise RefusedError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}", 409)


def _policy_is_attached(p: Parameters) -> None:
    arn = iam._p(p, "PolicyArn")
    if arn not in iam._roles[iam._p(p, "RoleName")]["AttachedPolicies"]:
        raise RefusedError("NoSuchEntity", f"Policy {arn} was not found.", 404)


_ROLE_VERBS = (
    *("DeleteRole", "DeleteRolePolicy", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
    *("ListInstanceProfilesForRole", "ListRoleTags", "PutRolePermissionsBoundary", "TagRole", "UntagRole"),
    "UpdateRoleDescription",
)
"""Verbs that need a role, and no other check."""
_CHECKS: dict[str, tuple[Check, ...]] = {
    **dict.fromkeys(_ROLE_VERBS, (_role_exists,)),
    "AttachRolePolicy": (_role_exists, _policy_is_attachable),
    "CreatePolicy": (_policy_name_is_valid, _managed_is_valid),
    "CreatePolicyVersion": (_managed_is_valid,),
    "CreateRole": (_role_is_valid, _trust_is_valid("AssumeRolePolicyDocument")),
    "DetachRolePolicy": (_role_exists, _policy_is_attached),
    "PutRolePolicy": (_role_exists, _inline_is_valid),
    "UpdateAssumeRolePolicy": (_role_exists, _trust_is_valid("PolicyDocument")),
    "UpdateRole": (_role_exists, _role_is_valid),
}
"""Checks of each verb, in order."""
