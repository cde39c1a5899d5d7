"""Whether IAM would store a permission policy. Pure; the texts are AWS's."""

import json
import re
from typing import Any

from sandbox.aws.trust_policies import MalformedPolicyError

LARGEST_MANAGED = 6144
LARGEST_INLINE = 10240
_VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[\w-]+:[\w*?]+", re.ASCII)
_ARN_SECTIONS = 6


def check_managed(document: str) -> None:
    """Raises MalformedPolicyError when IAM would refuse `document` as a managed policy."""
    check(document)
    if size(document) > LARGEST_MANAGED:
        raise MalformedPolicyError(f"Cannot exceed quota for PolicySize: {LARGEST_MANAGED}", "LimitExceeded")


def check_inline(document: str, others: list[str], role: str) -> None:
    """Raises MalformedPolicyError when IAM would refuse `document` in a role that has the inline policies `others`."""
    check(document)
    if size(document) + sum(map(size, others)) > LARGEST_INLINE:
        raise MalformedPolicyError(
            f"Maximum policy size of {LARGEST_INLINE} bytes exceeded for role {role}", "LimitExceeded"
        )


def size(document: str) -> int:
    """AWS counts what is left of the document without white space."""
    return len("".join(document.split()))


def check(document: str) -> None:
    """Raises MalformedPolicyError when `document` is no permission policy."""
    try:
        policy = json.loads(document)
    except ValueError:
        raise MalformedPolicyError("Syntax errors in policy.") from None
    if not isinstance(policy, dict) or not set(policy) <= {"Version", "Id", "Statement"} or not policy.get("Statement"):
        raise MalformedPolicyError("Syntax errors in policy.")
    if policy.get("Version", "2008-10-17") not in _VERSIONS:
        raise MalformedPolicyError("The policy must contain a valid version string")
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    sids = [statement["Sid"] for statement in statements if isinstance(statement, dict) and statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise MalformedPolicyError("Statement IDs (SID) in a single policy must be unique.")
    for statement in statements:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    if not isinstance(statement, dict):
        raise MalformedPolicyError("Syntax errors in policy.")
    if set(statement) & {"Principal", "NotPrincipal"}:
        raise MalformedPolicyError("Policy document should not specify a principal.")
    if not set(statement) <= _ELEMENTS or statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError("Syntax errors in policy.")
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        raise MalformedPolicyError("Statement IDs (SID) should be alpha-numeric")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise MalformedPolicyError("Policy statement must contain actions.")
    resources = statement.get("Resource", statement.get("NotResource"))
    if not resources:
        raise MalformedPolicyError("Policy statement must contain resources.")
    for action in _listed(actions):
        if not _ACTION.fullmatch(str(action)):
            raise MalformedPolicyError("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    for resource in _listed(resources):
        _check_resource(str(resource))
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise MalformedPolicyError("Syntax errors in policy.")


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


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]
