"""Evaluation of trust policies as in STS, for tokens of service accounts and for EKS Pod Identity."""

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.harness.permissions import as_list

ACCOUNT = "140023393377"


@dataclass(frozen=True)
class Token:
    """Claims of a token that STS verifies before it evaluates the trust policy."""

    issuer: str
    subject: str
    audience: str = "sts.amazonaws.com"

    actions = ("sts:AssumeRoleWithWebIdentity",)

    def claims(self) -> Mapping[str, str]:
        """Return the condition keys of the request. Their prefix is the issuer without its scheme."""
        host = self.issuer.removeprefix("https://")
        return {f"{host}:sub": self.subject, f"{host}:aud": self.audience, f"{host}:iss": self.issuer}

    def principal(self, account: str) -> tuple[str, str]:
        """Return the principal: the OIDC provider of the issuer."""
        return "Federated", f"arn:aws:iam::{account}:oidc-provider/{self.issuer.removeprefix('https://')}"


@dataclass(frozen=True)
class PodIdentity:
    """Request of EKS Pod Identity to assume a role for a pod."""

    cluster_arn: str
    namespace: str
    service_account: str
    session_tags: bool = True
    source_account: str = ACCOUNT

    actions = ("sts:AssumeRole", "sts:TagSession")

    def claims(self) -> Mapping[str, str]:
        """Return the condition keys of the request: the source account and the session tags."""
        tags = {
            "eks-cluster-arn": self.cluster_arn,
            "eks-cluster-name": self.cluster_arn.rsplit("/", 1)[-1],
            "kubernetes-namespace": self.namespace,
            "kubernetes-service-account": self.service_account,
        }
        sent = {f"aws:RequestTag/{key}": value for key, value in tags.items()} if self.session_tags else {}
        return {"aws:SourceAccount": self.source_account, **sent}

    def principal(self, account: str) -> tuple[str, str]:  # noqa: ARG002 - one signature for all callers
        """Return the service principal, which is the same for every cluster."""
        return "Service", "pods.eks.amazonaws.com"


_OPERATORS = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringLike": fnmatch.fnmatchcase,
}


def statements(document: str) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    return json.loads(document)["Statement"]


def admits(document: str, caller: Token | PodIdentity, account: str = ACCOUNT) -> bool:
    """Return whether a trust policy allows all actions of the caller.

    A statement with a condition key that the request does not have does not apply.
    """
    statements = json.loads(document)["Statement"]
    return all(
        any(_applies(statement, action, caller, account) for statement in statements) for action in caller.actions
    )


def _applies(statement: Mapping, action: str, caller: Token | PodIdentity, account: str) -> bool:
    kind, principal = caller.principal(account)
    if statement["Effect"] != "Allow" or action not in as_list(statement["Action"]):
        return False
    if principal not in as_list(statement["Principal"].get(kind, [])):
        return False
    claims = caller.claims()
    return all(
        key in claims and any(_OPERATORS[operator](claims[key], pattern) for pattern in as_list(patterns))
        for operator, conditions in statement.get("Condition", {}).items()
        for key, patterns in conditions.items()
    )
