"""Checks of IAM on policy documents before it stores them. The error texts are AWS's."""

import json
import re
from typing import Any

LARGEST_TRUST = 2048
LARGEST_MANAGED = 6144
LARGEST_INLINE = 10240
_VERSIONS = ("2012-10-17", "2008-10-17")
_SYNTAX = "Syntax errors in policy."
_TRUST_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"}
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[\w-]+:[\w*?]+", re.ASCII)
_ARN_SECTIONS = 6


class MalformedPolicyError(Exception):
    """IAM refuses the document. `code` is AWS's error code."""

    def __init__(self, message: str, code: str = "MalformedPolicyDocument") -> None:
        super().__init__(message)
        self.code = code


def check_trust(document: str) -> None:
    """Raise MalformedPolicyError when IAM refuses `document` as a role's AssumeRolePolicyDocument."""
    policy = _parse(document, "This policy contains invalid Json")
    if size(document) > LARGEST_TRUST:
        raise MalformedPolicyError(f"Cannot exceed quota for ACLSizePerRole: {LARGEST_TRUST}", "LimitExceeded")
    for statement in _statements(policy):
        _check_trust_statement(statement)


def check_managed(document: str) -> None:
    """Raise MalformedPolicyError when IAM refuses `document` as a managed policy."""
    check_permissions(document)
    if size(document) > LARGEST_MANAGED:
        raise MalformedPolicyError(f"Cannot exceed quota for PolicySize: {LARGEST_MANAGED}", "LimitExceeded")


def check_inline(document: str, others: list[str], role: str) -> None:
    """Raise MalformedPolicyError when IAM refuses `document` in a role that has the inline policies `others`."""
    check_permissions(document)
    if size(document) + sum(map(size, others)) > LARGEST_INLINE:
        raise MalformedPolicyError(
            f"Maximum policy size of {LARGEST_INLINE} bytes exceeded for role {role}", "LimitExceeded"
        )


def check_permissions(document: str) -> None:
    """Raise MalformedPolicyError when `document` is not a permission policy."""
    policy = _parse(document, _SYNTAX)
    if not set(policy) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyError(_SYNTAX)
    statements = _statements(policy)
    sids = [statement["Sid"] for statement in statements if isinstance(statement, dict) and statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise MalformedPolicyError("Statement IDs (SID) in a single policy must be unique.")
    for statement in statements:
        _check_permission_statement(statement)


def size(document: str) -> int:
    """Return the size that AWS counts: without white space."""
    return len("".join(document.split()))


def _parse(document: str, invalid: str) -> dict[str, Any]:
    try:
        policy = json.loads(document)
    except ValueError:
        raise MalformedPolicyError(invalid) from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise MalformedPolicyError(_SYNTAX)
    return policy


def _statements(policy: dict[str, Any]) -> list[Any]:
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise MalformedPolicyError("The policy must contain a valid version string")
    return _listed(policy["Statement"])


def _check_trust_statement(statement: Any) -> None:  # noqa: ANN401 (any JSON value)
    if not isinstance(statement, dict):
        raise MalformedPolicyError(_SYNTAX)
    unknown = set(statement) - _TRUST_ELEMENTS
    if unknown & {"Resource", "NotResource"}:
        raise MalformedPolicyError("Has prohibited field Resource")
    if unknown:
        raise MalformedPolicyError(_SYNTAX)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError("Statement's Effect must be Allow or Deny")
    if "Principal" not in statement:
        raise MalformedPolicyError("Missing required field Principal")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise MalformedPolicyError("Missing required field Action")
    if not all(str(action).startswith("sts:") for action in _listed(actions)):
        raise MalformedPolicyError("AssumeRole policy may only specify STS AssumeRole actions.")
    _check_principal(statement["Principal"])
    _check_condition(statement)


def _check_principal(principal: Any) -> None:  # noqa: ANN401
    if principal == "*":
        return
    if not isinstance(principal, dict) or not set(principal) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise MalformedPolicyError("Invalid principal in policy")
    if any("://" in provider for provider in _listed(principal.get("Federated", []))):
        raise MalformedPolicyError("Federated principals must be valid domain names or SAML metadata ARNs")


def _check_permission_statement(statement: Any) -> None:  # noqa: ANN401
    if not isinstance(statement, dict):
        raise MalformedPolicyError(_SYNTAX)
    if set(statement) & {"Principal", "NotPrincipal"}:
        raise MalformedPolicyError("Policy document should not specify a principal.")
    if not set(statement) <= _ELEMENTS or statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError(_SYNTAX)
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        raise MalformedPolicyError("Statement IDs (SID) should be alpha-numeric")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise MalformedPolicyError("Policy statement must contain actions.")
    resources = statement.get("Resource", statement.get("NotResource"))
    if not resources:
        raise MalformedPolicyError("Policy statement must contain resources.")
    if not all(_ACTION.fullmatch(str(action)) for action in _listed(actions)):
        raise MalformedPolicyError("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    for resource in _listed(resources):
        _check_resource(str(resource))
    _check_condition(statement)


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    sections = resource.split(":", _ARN_SECTIONS - 1)
    if sections[0] != "arn" or len(sections) < _ARN_SECTIONS:
        raise MalformedPolicyError(f'Resource {resource} must be in ARN format or "*".')
    if not sections[1].startswith("aws"):
        raise MalformedPolicyError(f'Partition "{sections[1]}" is not valid for resource "{resource}".')
    if not sections[2]:
        raise MalformedPolicyError(f'Vendor {sections[2]} is not valid for resource "{resource}".')


def _check_condition(statement: dict[str, Any]) -> None:
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise MalformedPolicyError(_SYNTAX)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]
