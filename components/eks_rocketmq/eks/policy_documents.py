"""IAM documents as data. Pure: no Pulumi provider, so that tests can evaluate what AWS would evaluate."""

import json
import re
from collections.abc import Iterable
from typing import Any

STS_AUDIENCE = "sts.amazonaws.com"
"""The audience of the tokens that EKS projects for AWS, the same in every partition."""

TRUST_POLICY_LIMIT = 2048
"""Characters (white space not counted) that IAM accepts in a trust policy unless the account's quota was raised."""

_ISSUER = re.compile(r"https://(?P<host>[^/\s]+(/\S*[^/\s])?)")


def issuer_host(issuer: str) -> str:
    """The issuer without `https://`: the form in which IAM names a provider in ARNs and condition keys.

    Raises:
        ValueError: when the issuer is not an https URL without a trailing slash.
    """
    match = _ISSUER.fullmatch(issuer)
    if match is None:
        msg = (
            f"OIDC issuer is {issuer!r}; accepted is the URL as DescribeCluster gives it, "
            "such as 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD'"
        )
        raise ValueError(msg)
    return match["host"]


def oidc_provider_arn(caller_arn: str, issuer: str) -> str:
    """The ARN of an issuer's provider in the account of `caller_arn`. IAM accepts one provider for a URL."""
    _, partition, _, _, account, _ = caller_arn.split(":", 5)
    return f"arn:{partition}:iam::{account}:oidc-provider/{issuer_host(issuer)}"


def service_account_subject(namespace: str, name: str) -> str:
    """The `sub` of a token that Kubernetes makes for a service account."""
    return f"system:serviceaccount:{namespace}:{name}"


def web_identity_trust_policy(
    provider_arn: str, issuer: str, subjects: Iterable[str], audience: str = STS_AUDIENCE
) -> str:
    """The trust policy (JSON) of a role for service accounts of one cluster.

    Subject and audience are both pinned: without the audience a token made for another service would be let in. The
    condition keys carry the issuer without `https://`; with it they match no token, and nobody is let in.

    Args:
        provider_arn: IAM OIDC provider of the cluster.
        issuer: issuer URL of the cluster, with `https://`.
        subjects: exact `sub` values, see `service_account_subject`.
        audience: exact `aud` value.

    Raises:
        ValueError: for no subject, a malformed issuer, or a document above `TRUST_POLICY_LIMIT` characters.
    """
    allowed = sorted(set(subjects))
    if not allowed:
        msg = "the role has no service account; name one at least, as {'namespace': 'kube-system', 'name': 'reader'}"
        raise ValueError(msg)
    host = issuer_host(issuer)
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{host}:aud": audience,
                f"{host}:sub": allowed[0] if len(allowed) == 1 else allowed,
            }
        },
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    if len(document) > TRUST_POLICY_LIMIT:
        msg = (
            f"the trust policy for {len(allowed)} service accounts has {len(document)} characters; "
            f"IAM accepts {TRUST_POLICY_LIMIT}: spread the service accounts over several roles"
        )
        raise ValueError(msg)
    return document


def managed_policy_arn(partition: str, path_and_name: str) -> str:
    """ARN of a policy that AWS manages, such as `service-role/AmazonEBSCSIDriverPolicy`."""
    return f"arn:{partition}:iam::aws:policy/{path_and_name}"
