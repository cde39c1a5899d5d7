"""Whether IAM would store a role's trust policy. Pure; the texts are AWS's."""

import json
from typing import Any

LARGEST = 2048


class MalformedPolicyError(Exception):
    """IAM refuses the document; `code` is AWS's."""

    def __init__(self, message: str, code: str = "MalformedPolicyDocument") -> None:
        super().__init__(message)
        self.code = code


def check(document: str) -> None:
    """Raises MalformedPolicyError when IAM would refuse `document` as a role's AssumeRolePolicyDocument."""
    try:
        policy = json.loads(document)
    except ValueError:
        raise MalformedPolicyError("This policy contains invalid Json") from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise MalformedPolicyError("Syntax errors in policy.")
    # AWS counts what is left of the document without white space.
    if len("".join(document.split())) > LARGEST:
        raise MalformedPolicyError(f"Cannot exceed quota for ACLSizePerRole: {LARGEST}", "LimitExceeded")
    if policy.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        raise MalformedPolicyError("The policy must contain a valid version string")
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for statement in statements:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    if not isinstance(statement, dict):
        raise MalformedPolicyError("Syntax errors in policy.")
    unknown = set(statement) - {"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"}
    if unknown & {"Resource", "NotResource"}:
        raise MalformedPolicyError("Has prohibited field Resource")
    if unknown:
        raise MalformedPolicyError("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError("Statement's Effect must be Allow or Deny")
    if "Principal" not in statement:
        raise MalformedPolicyError("Missing required field Principal")
    actions = statement.get("Action", statement.get("NotAction"))
    if not actions:
        raise MalformedPolicyError("Missing required field Action")
    for action in [actions] if isinstance(actions, str) else actions:
        if not str(action).startswith("sts:"):
            raise MalformedPolicyError("AssumeRole policy may only specify STS AssumeRole actions.")
    _check_federated(statement["Principal"])
    _check_condition(statement.get("Condition", {}))


def _check_federated(principal: Any) -> None:  # noqa: ANN401
    if principal == "*":
        return
    if not isinstance(principal, dict) or not set(principal) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise MalformedPolicyError("Invalid principal in policy")
    federated = principal.get("Federated", [])
    for provider in [federated] if isinstance(federated, str) else federated:
        if "://" in provider:
            raise MalformedPolicyError("Federated principals must be valid domain names or SAML metadata ARNs")


def _check_condition(condition: Any) -> None:  # noqa: ANN401
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise MalformedPolicyError("Syntax errors in policy.")
