"""Names, versions and ARNs that EKS, IAM and KMS accept. Pure.

`path` is the path of the argument in the error.
"""

import re
from typing import NamedTuple

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import validate_pattern

STS_AUDIENCE = "sts.amazonaws.com"
"""Audience of the tokens that EKS projects for AWS, the same in every partition."""

_CLUSTER_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
_KUBERNETES_VERSION = re.compile(r"1\.[1-9][0-9]")
_ADDON_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+", re.ASCII)
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}|aws|):"
    r"(?P<resource>[!-~]+)",
    re.ASCII,
)
_MANAGED_POLICY = re.compile(r"([!-.0-~]+/)*[\w+=,.@-]{1,128}", re.ASCII)
_EXAMPLE_ACCOUNT, _EXAMPLE_KEY = "123456789012", "key/1234abcd-12ab-34cd-56ef-1234567890ab"


class Arn(NamedTuple):
    """Components of an ARN."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def validate_cluster_name(value: str) -> str:
    """Return `value` if EKS accepts it as the name of a cluster."""
    accepted = "1 to 100 letters, digits, '-' and '_', beginning with a letter or a digit"
    problem = "EKS does not accept {given!r} as the name of a cluster"
    return validate_pattern(_CLUSTER_NAME, value, ARGS / "cluster_name", "cluster-name", accepted, problem)


def validate_kubernetes_version(value: str, path: ArgumentPath) -> str:
    """Return `value` if it is a minor version of Kubernetes."""
    return validate_pattern(
        _KUBERNETES_VERSION, value, path, "kubernetes-version", "a minor version of Kubernetes, such as '1.35'"
    )


def validate_addon_version(value: str, path: ArgumentPath) -> str:
    """Return `value` if EKS accepts it as the version of an addon."""
    return validate_pattern(_ADDON_VERSION, value, path, "addon-version", "a version such as 'v1.21.1-eksbuild.1'")


def parse_role_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of an IAM role."""
    accepted = f"the ARN of an IAM role, such as 'arn:aws:iam::{_EXAMPLE_ACCOUNT}:role/team/nodes'"
    return _parse_arn_of(value, path, "role-arn", "iam", r"role/\S+", accepted)


def parse_policy_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of an IAM policy, customer managed or AWS managed."""
    accepted = f"the ARN of an IAM policy, such as 'arn:aws:iam::{_EXAMPLE_ACCOUNT}:policy/team/read'"
    return _parse_arn_of(value, path, "policy-arn", "iam", r"policy/\S+", accepted)


def parse_oidc_provider_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of an IAM OIDC provider."""
    accepted = (
        "the ARN of an IAM OIDC provider, such as "
        f"'arn:aws:iam::{_EXAMPLE_ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD'"
    )
    return _parse_arn_of(value, path, "oidc-provider-arn", "iam", r"oidc-provider/\S+", accepted)


def parse_cluster_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of an EKS cluster."""
    accepted = f"the ARN of an EKS cluster, such as 'arn:aws:eks:eu-west-1:{_EXAMPLE_ACCOUNT}:cluster/prod'"
    return _parse_arn_of(value, path, "cluster-arn", "eks", r"cluster/[\w-]+", accepted)


def parse_kms_key_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of a KMS key.

    An alias is rejected. It grants nothing in a policy, and it can be moved to another key while volumes use it.
    """
    accepted = f"the ARN of a KMS key, such as 'arn:aws:kms:eu-west-1:{_EXAMPLE_ACCOUNT}:{_EXAMPLE_KEY}'"
    alias = isinstance(value, str) and "alias/" in value
    remedy = "An alias grants nothing. `aws kms describe-key --key-id <alias>` shows its key" if alias else ""
    return _parse_arn_of(value, path, "kms-key-arn", "kms", r"key/[\w-]+", accepted, remedy)


def validate_managed_policy(value: str, path: ArgumentPath) -> str:
    """Return `value` if it names a managed policy: one of AWS by path and name, one of an account by ARN."""
    if value.startswith("arn:"):
        parse_policy_arn(value, path)
    elif not _MANAGED_POLICY.fullmatch(value):
        raise ArgumentError(
            path,
            "managed-policy",
            "{given!r} is no managed policy",
            accepted="policies of AWS by path and name, such as 'service-role/AmazonEBSCSIDriverPolicy', and policies "
            "of an account by ARN",
            given=value,
        )
    return value


def parse_certificate_arn(value: str, path: ArgumentPath) -> Arn:
    """Return the components of the ARN of a certificate of ACM or IAM, which a load balancer can use."""
    if value.startswith("arn:") and ":iam:" in value:
        kind = r"server-certificate/\S+"
        return _parse_arn_of(value, path, "iam-certificate-arn", "iam", kind, "the ARN of a certificate of ACM or IAM")
    accepted = (
        "the ARN of a certificate of ACM, such as "
        f"'arn:aws:acm:eu-west-1:{_EXAMPLE_ACCOUNT}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab'"
    )
    return _parse_arn_of(value, path, "certificate-arn", "acm", r"certificate/[\w-]+", accepted)


def is_arn(value: str) -> bool:
    """Return whether `value` is an ARN of any service."""
    return _ARN.fullmatch(value) is not None


def parse_arn(value: str, path: ArgumentPath = ARGS) -> Arn:
    """Return the components of an ARN of any service."""
    if (match := _ARN.fullmatch(value)) is None:
        raise ArgumentError(
            path,
            "arn",
            "{given!r} is no ARN",
            accepted=f"an ARN, such as 'arn:aws:iam::{_EXAMPLE_ACCOUNT}:role/nodes'",
            given=value,
        )
    return Arn(**match.groupdict())


def _parse_arn_of(  # noqa: PLR0913, PLR0917 - what an ARN must be, and its error
    value: str, path: ArgumentPath, code: str, service: str, resource: str, accepted: str, remedy: str = ""
) -> Arn:
    # An Output may resolve to a value of any type.
    match = _ARN.fullmatch(value) if isinstance(value, str) else None
    # The ARN of an IAM resource has no region. Other services need a region and an account.
    scoped = match is not None and bool(match["region"]) == (service != "iam") and bool(match["account"])
    if match and scoped and match["service"] == service and re.fullmatch(resource, match["resource"], re.ASCII):
        return Arn(**match.groupdict())
    raise ArgumentError(path, code, "{given!r} is not accepted", accepted=accepted, remedy=remedy, given=value)


_ISSUER = re.compile(r"https://(?P<host>[^/\s?#@]+(/[^\s?#]*[^/\s?#])?)")
# Issuers have the hosts oidc.eks.REGION.amazonaws.com and oidc-eks.REGION.api.aws, which do not match.
_API_SERVER_ENDPOINT = re.compile(r"https://[^/]+\.(eks\.amazonaws\.com|eks-cluster\.[^/]+)[^/]*(/.*)?")
_DISCOVERY_PATH = "/.well-known/"


def parse_issuer_host(issuer: str, path: ArgumentPath = ARGS / "issuer") -> str:
    """Return the issuer without `https://`, the form that IAM uses in provider ARNs and condition keys.

    Raise ValueError for what is not an https URL without a trailing slash, and for another URL of the cluster.
    """
    match = _ISSUER.fullmatch(issuer) if isinstance(issuer, str) else None
    problem, remedy = "", ""
    if not isinstance(issuer, str) or match is None:
        problem = "{given!r} is no issuer"
    elif _API_SERVER_ENDPOINT.fullmatch(issuer):
        problem = "{given!r} is the endpoint of the API server, which issues no tokens"
    if isinstance(issuer, str) and _DISCOVERY_PATH in issuer:
        problem = "{given!r} is the discovery document of an issuer"
        remedy = "Leave out what begins with '/.well-known'"
    if match is None or problem:
        raise ArgumentError(
            path,
            "oidc-issuer",
            problem,
            accepted="the URL that DescribeCluster returns, such as "
            "'https://oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD'",
            remedy=remedy,
            given=issuer,
        )
    return match["host"]


def format_subject(namespace: str, name: str) -> str:
    """Return the `sub` claim of a Kubernetes service account token."""
    return f"system:serviceaccount:{namespace}:{name}"


def parse_account(caller_arn: str) -> tuple[str, str]:
    """Return partition and account of an ARN, such as the caller's ARN from STS."""
    _, partition, _, _, account, _ = caller_arn.split(":", 5)
    return partition, account


def build_oidc_provider_arn(caller_arn: str, issuer: str) -> str:
    """Return the ARN of an issuer's OIDC provider in the account of `caller_arn`. IAM accepts one provider per URL."""
    partition, account = parse_account(caller_arn)
    return f"arn:{partition}:iam::{account}:oidc-provider/{parse_issuer_host(issuer)}"
