"""Evaluates a trust policy against a token as STS does for AssumeRoleWithWebIdentity: allowed or not."""

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """What STS has verified of a token before it looks at a role's trust policy."""

    issuer: str
    subject: str
    audience: str = "sts.amazonaws.com"

    def claims(self) -> Mapping[str, str]:
        """The condition keys of the request: IAM names them by the issuer without its scheme."""
        host = self.issuer.removeprefix("https://")
        return {f"{host}:sub": self.subject, f"{host}:aud": self.audience, f"{host}:iss": self.issuer}

    def principal(self, account: str) -> str:
        """The provider that vouches for the token."""
        return f"arn:aws:iam::{account}:oidc-provider/{self.issuer.removeprefix('https://')}"


_OPERATORS = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringLike": fnmatch.fnmatchcase,
}


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def admits(document: str, token: Token, account: str = "140023393377") -> bool:
    """Whether one statement of a trust policy lets the token in.

    A condition key that the request does not carry matches nothing, so the statement does not apply.
    """
    for statement in json.loads(document)["Statement"]:
        if statement["Effect"] != "Allow" or "sts:AssumeRoleWithWebIdentity" not in _as_list(statement["Action"]):
            continue
        if token.principal(account) not in _as_list(statement["Principal"].get("Federated", [])):
            continue
        claims = token.claims()
        if all(
            key in claims and any(_OPERATORS[operator](claims[key], pattern) for pattern in _as_list(patterns))
            for operator, conditions in statement.get("Condition", {}).items()
            for key, patterns in conditions.items()
        ):
            return True
    return False
