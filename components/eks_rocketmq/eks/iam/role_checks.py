"""Validation of the arguments of roles and OIDC providers. Pure: without a Pulumi provider."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.aws_identifiers import STS_AUDIENCE, validate_managed_policy
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.short_names import shorten_name
from eks_rocketmq.args.validation import (
    MAX_DNS_SUBDOMAIN_LENGTH,
    is_dns_subdomain,
    validate_dns_label,
    validate_pattern,
    validate_range,
)
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.iam.policy_documents import has_wildcard

SESSION_SECONDS = (3600, 43_200)
"""Shortest and longest `MaxSessionDuration` that IAM accepts."""

MAX_ROLE_NAME_LENGTH = 64
MAX_AUDIENCES = 100
MAX_THUMBPRINTS = 5

_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_PATH = re.compile(r"/|/[!-.0-~]([!-~]{0,509}[!-.0-~])?/", re.ASCII)
_SPECIAL_CHARACTERS = "+=,.@_-"
_DESCRIPTION = re.compile(r"[\t\n\r -~¡-ÿ]{0,1000}")


def parse_service_account(account: Mapping[str, str], path: ArgumentPath) -> tuple[str, str]:
    """Return namespace and name of a service account that may assume a role.

    The name may be a pattern with `*` and `?`. The namespace may not: a user who can create namespaces would otherwise
    get the role.
    """
    namespace, name = account["namespace"], account["name"]
    if has_wildcard(namespace):
        raise ArgumentError(
            path / "namespace",
            "namespace-wildcard",
            "{given!r} has a wildcard, which would also match namespaces of other users",
            accepted="one namespace, without a wildcard",
            remedy="Write one item for each namespace",
            given=namespace,
        )
    validate_dns_label(namespace, path / "namespace")
    if not is_dns_subdomain(re.sub(r"[*?]", "0", name)):
        raise ArgumentError(
            path / "name",
            "service-account-name",
            "{given!r} is no name or pattern of a service account",
            accepted="1 to {most} lower-case letters, digits, '-' and '.', beginning and ending with a letter or a "
            "digit, and the wildcards '*' and '?'",
            given=name,
            most=MAX_DNS_SUBDOMAIN_LENGTH,
        )
    return namespace, name


def validate_audience(value: str, path: ArgumentPath = ARGS / "audience") -> str:
    """Return the audience of a token, which is always matched exactly."""
    if has_wildcard(value) or not re.fullmatch(r"[!-~]{1,255}", value) or "${" in value:
        raise ArgumentError(
            path,
            "token-audience",
            "{given!r} is no exact audience, and it could accept tokens for other services",
            accepted="1 to 255 characters without wildcards, variables and white space, such as {example!r}",
            given=value,
            example=STS_AUDIENCE,
        )
    return value


def validate_provider(args: ClusterOidcProviderArgs) -> None:
    """Raise ValueError for audiences, thumbprints or tags that IAM does not accept."""
    validate_provider_audiences(args.get("client_ids", []))
    validate_thumbprints(args.get("thumbprints", []))
    validate_tags(args.get("tags", {}), ARGS / "tags", added=1)


def validate_provider_audiences(extra: Sequence[str]) -> None:
    """Raise ValueError if IAM does not accept the audiences in addition to STS's own, or there are too many."""
    path = ARGS / "client_ids"
    if (count := len({*extra} - {STS_AUDIENCE})) >= MAX_AUDIENCES:
        raise ArgumentError(
            path,
            "too-many-audiences",
            "the list has {count} audiences in addition to {default!r}",
            accepted="up to {most}",
            count=count,
            default=STS_AUDIENCE,
            most=MAX_AUDIENCES - 1,
        )
    for index, each in enumerate(extra):
        validate_audience(each, path.index(index))


def validate_thumbprints(values: Sequence[str]) -> None:
    """Raise ValueError if a value is not a SHA-1 fingerprint, or there are too many."""
    path = ARGS / "thumbprints"
    if len(values) > MAX_THUMBPRINTS:
        raise ArgumentError(
            path,
            "too-many-thumbprints",
            "the list has {count} fingerprints",
            accepted="up to {most}",
            count=len(values),
            most=MAX_THUMBPRINTS,
        )
    for index, value in enumerate(values):
        accepted = "a SHA-1 fingerprint of 40 hexadecimal digits, without colons"
        validate_pattern(_THUMBPRINT, value, path.index(index), "thumbprint", accepted)


def validate_role_name(value: str, path: ArgumentPath = ARGS / "role_name") -> str:
    """Return a role name; raise ValueError if IAM does not accept it."""
    accepted = f"1 to {MAX_ROLE_NAME_LENGTH} letters, digits and any of {_SPECIAL_CHARACTERS}"
    return validate_pattern(_ROLE_NAME, value, path, "role-name", accepted)


def build_cluster_role_name(cluster: str, purpose: str) -> str:
    """Return a role name that is unique for the cluster, such as `prod-ebs-csi-driver`.

    IAM accepts 64 characters. A longer name is truncated, and a hash of the full cluster name keeps it unique.

    In the example, `purpose` is `ebs-csi-driver`.
    """
    return shorten_name(cluster, MAX_ROLE_NAME_LENGTH, f"-{purpose}")


def validate_path(value: str) -> str:
    """Return a path; raise ValueError if IAM does not accept it."""
    accepted = "'/' or a path that begins and ends with '/', such as '/team/messaging/'"
    return validate_pattern(_PATH, value, ARGS / "path", "role-path", accepted)


def validate_session_duration(value: float) -> int:
    """Return the maximum session duration in seconds; raise ValueError if IAM does not accept it."""
    return validate_range(value, *SESSION_SECONDS, ARGS / "max_session_duration")


def validate_description(value: str) -> str:
    """Return a description of a role; raise ValueError if IAM does not accept it."""
    accepted = "up to 1000 characters of Latin-1"
    return validate_pattern(_DESCRIPTION, value, ARGS / "description", "role-description", accepted)


def validate_policy_names(
    managed: Iterable[str], customer: Iterable[tuple[str, ArgumentPath]], inline: Iterable[tuple[str, ArgumentPath]]
) -> None:
    """Raise ValueError if IAM rejects a policy name, or two attachments would have the same name.

    Args:
        managed: existing policies, by path and name or by ARN.
        customer: name of each other attachment, and path of the argument that has the name.
        inline: name of each inline policy, and path of the argument.
    """
    path, named = ARGS / "managed_policies", list(customer)
    attached = [(validate_managed_policy(policy, path).rsplit("/", 1)[-1], path) for policy in managed] + named
    accepted = f"names of 1 to 128 letters, digits and any of {_SPECIAL_CHARACTERS}"
    for name, field in [*named, *inline]:
        validate_pattern(_POLICY_NAME, name, field, "policy-name", accepted)
    counts = Counter(name for name, _ in attached)
    for name, field in dict(attached).items():
        if counts[name] > 1:
            raise ArgumentError(
                field,
                "policy-attached-twice",
                "the role attaches {count} policies with the name {given!r}",
                accepted="each name once",
                count=counts[name],
                given=name,
            )


def reject_wildcard_names(accounts: Iterable[tuple[str, str]]) -> None:
    """Raise ValueError for a name with a wildcard: an EKS Pod Identity association is for one service account."""
    for index, (_, name) in enumerate(accounts):
        if has_wildcard(name):
            raise ArgumentError(
                (ARGS / "service_accounts").index(index, name) / "name",
                "association-wildcard",
                "{given!r} has a wildcard, but an association of EKS Pod Identity is for one service account",
                remedy="List each service account, or set {other} to false and create the associations yourself",
                given=name,
                other=ARGS / "associate",
            )


def has_issuer_and_provider(args: Mapping[str, object], *, pod_identity: bool) -> bool:
    """Return whether the role has `issuer` and `provider_arn`.

    `pod_identity` tells whether EKS Pod Identity assumes the role, which needs neither argument. Raise ValueError if
    only one of the two is given, or the role has no cluster at all.
    """
    present = [key for key in ("issuer", "provider_arn") if key in args]
    if len(present) == 1:
        (missing,) = {"issuer", "provider_arn"} - {*present}
        raise ArgumentError(
            ARGS / missing,
            "issuer-without-provider",
            "a value is required, because {other} is given",
            remedy="Take both from the same cluster",
            other=ARGS / present[0],
        )
    if not (present or args.get("clusters") or pod_identity):
        raise ArgumentError(
            ARGS / "issuer",
            "no-trusted-cluster",
            "the role trusts no cluster",
            accepted="{issuer} and {provider} of one cluster, {clusters} for several clusters, or {pod_identity}",
            issuer=ARGS / "issuer",
            provider=ARGS / "provider_arn",
            clusters=ARGS / "clusters",
            pod_identity=ARGS / "pod_identity_clusters",
        )
    return bool(present)
