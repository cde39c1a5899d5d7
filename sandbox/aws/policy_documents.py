"""Checks of IAM on policy documents before it stores them. The error texts are AWS's."""

import json
import re
from typing import Any

from sandbox.aws.refusal import RefusedError

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


def _malformed(message: str) -> RefusedError:
    return RefusedError("MalformedPolicyDocument", message)


def check_trust(document: str) -> None:
    """Raise RefusedError when IAM refuses `document` as a role's AssumeRolePolicyDocument."""
    policy = _parse(document, "This policy contains invalid Json")
    if size(document) > LARGEST_TRUST:
        raise RefusedError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {LARGEST_TRUST}", 409)
    for statement in _statements(policy):
        _check_trust_statement(statement)


def check_managed(document: str) -> None:
    """Raise RefusedError when IAM refuses `document` as a managed policy."""
    check_permissions(document)
    if size(document) > LARGEST_MANAGED:
        raise RefusedError("LimitExceeded", f"Cannot exceed quota for PolicySize: {LARGEST_MANAGED}", 409)


def check_inline(document: str, others: list[str], role: str) -> None:
    """Raise RefusedError when IAM refuses `document` in a role that has the inline policies `others`."""
    check_permissions(document)
    if size(document) + sum(map(size, others)) > LARGEST_INLINE:
        raise RefusedError(
            "LimitExceeded", f"Maximum policy size of {LARGEST_INLINE} bytes exceeded for role {role}", 409
        )


def check_permissions(document: str) -> None:
    """Raise RefusedError when `document` is not a permission policy."""
    policy = _parse(document, _SYNTAX)
    if not set(policy) <= {"Version", "Id", "Statement"}:
        raise _malformed(_SYNTAX)
    statements = _statements(policy)
    sids = [statement["Sid"] for statement in statements if isinstance(statement, dict) and statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise _malformed("Statement IDs (SID) in a single policy must be unique.")
    for statement in statements:
        _check_permission_statement(statement)


def size(document: str) -> int:
    """Return the size that AWS counts: without white space."""
    return len("".join(document.split()))


def _parse(document: str, invalid: str) -> dict[str, Any]:
    try:
        policy = json.loads(document)
    except ValueError:
        raise _malformed(invalid) from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise _malformed(_SYNTAX)
    return policy


def _statements(policy: dict[str, Any]) -> list[Any]:
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise _malformed("The policy must contain a valid version string")
    return _listed(policy["Statement"])


def _check_trust_statement(statement: Any) -> None:  # noqa: ANN401 (any JSON value)
    if not isinstance(statement, dict):
        raise _malformed(_SYNTAX)
    unknown = set(statement) - _TRUST_ELEMENTS
    if unknown & {"Resource", "NotResource"}:
        raise _malformed("Has prohibited field Resource")
    if unknown:
        raise _malformed(_SYNTAX)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("Statement's Effect must be Allow or Deny")
    if "Principal" not in statement:
        raise _malformed("Missing required field Principal")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise _malformed("Missing required field Action")
    if not all(str(action).startswith("sts:") for action in _listed(actions)):
        raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    _check_principal(statement["Principal"])
    _check_condition(statement)


def _check_principal(principal: Any) -> None:  # noqa: ANN401
    if principal == "*":
        return
    if not isinstance(principal, dict) or not set(principal) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise _malformed("Invalid principal in policy")
    if any("://" in provider for provider in _listed(principal.get("Federated", []))):
        raise _malformed("Federated principals must be valid domain names or SAML metadata ARNs")


def _check_permission_statement(statement: Any) -> None:  # noqa: ANN401
    if not isinstance(statement, dict):
        raise _malformed(_SYNTAX)
    if set(statement) & {"Principal", "NotPrincipal"}:
        raise _malformed("Policy document should not specify a principal.")
    if not set(statement) <= _ELEMENTS or statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(_SYNTAX)
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        raise _malformed("Statement IDs (SID) should be alpha-numeric")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise _malformed("Policy statement must contain actions.")
    resources = statement.get("Resource", statement.get("NotResource"))
    if not resources:
        raise _malformed("Policy statement must contain resources.")
    if not all(_ACTION.fullmatch(str(action)) for action in _listed(actions)):
        raise _malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    for resource in _listed(resources):
        _check_resource(str(resource))
    _check_condition(statement)


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    sections = resource.split(":", _ARN_SECTIONS - 1)
    if sections[0] != "arn" or len(sections) < _ARN_SECTIONS:
        raise _malformed(f'Resource {resource} must be in ARN format or "*".')
    if not sections[1].startswith("aws"):
        raise _malformed(f'Partition "{sections[1]}" is not valid for resource "{resource}".')
    if not sections[2]:
        raise _malformed(f'Vendor {sections[2]} is not valid for resource "{resource}".')


def _check_condition(statement: dict[str, Any]) -> None:
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise _malformed(_SYNTAX)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]
