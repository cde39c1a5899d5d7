"""Validation of the arguments of roles and OIDC providers. Pure: without a Pulumi provider."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from eks_rocketmq.args.aws_identifiers import validate_managed_policy
from eks_rocketmq.args.validation import (
    MAX_DNS_SUBDOMAIN_LENGTH,
    is_dns_subdomain,
    parse_whole_number,
    validate_dns_label,
)
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
_DESCRIPTION = re.compile(r"[\t\n\r -~¡-ÿ]{0,1000}")


def parse_service_account(account: Mapping[str, str]) -> tuple[str, str]:
    """Return namespace and name of a service account that may assume a role.

    The name may be a pattern with `*` and `?`. The namespace may not: a user who can create namespaces would otherwise
    get the role.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    namespace, name = account["namespace"], account["name"]
    if has_wildcard(namespace):
        msg = (
            f"namespace of a service account is {namespace!r}; accepted is one namespace, without a wildcard: it would "
            "let in namespaces that others make. Give each namespace an entry of its own"
        )
        raise ValueError(msg)
    validate_dns_label(namespace, "namespace of a service account")
    if not is_dns_subdomain(re.sub(r"[*?]", "0", name)):
        msg = (
            f"name of a service account is {name!r}; accepted are 1 to {MAX_DNS_SUBDOMAIN_LENGTH} lower-case letters, "
            "digits, '-' and '.', beginning and ending with a letter or a digit, and the wildcards '*' and '?'"
        )
        raise ValueError(msg)
    return namespace, name


def validate_audience(value: str) -> str:
    """Return the audience of a token, which is always matched exactly.

    Raises:
        ValueError: naming the value and what is accepted.
    """
    if has_wildcard(value) or not re.fullmatch(r"[!-~]{1,255}", value) or "${" in value:
        msg = (
            f"audience is {value!r}; accepted is one audience exactly, such as 'sts.amazonaws.com', without wildcards, "
            "variables and white space: a token made for another service would be let in"
        )
        raise ValueError(msg)
    return value


def validate_provider_audiences(extra: Sequence[str]) -> None:
    """Raise ValueError if IAM does not accept the audiences in addition to STS's own, or there are too many."""
    if len(extra) >= MAX_AUDIENCES:
        msg = f"client_ids has {len(extra)} audiences beside sts.amazonaws.com; IAM accepts {MAX_AUDIENCES} together"
        raise ValueError(msg)
    for each in extra:
        validate_audience(each)


def validate_thumbprints(values: Sequence[str]) -> None:
    """Raise ValueError if a value is not a SHA-1 fingerprint, or there are too many."""
    wrong = [value for value in values if not _THUMBPRINT.fullmatch(value)]
    if wrong or len(values) > MAX_THUMBPRINTS:
        msg = (
            f"thumbprints are {', '.join(map(repr, wrong or values))}; accepted are up to {MAX_THUMBPRINTS} SHA-1 "
            "fingerprints of 40 hexadecimal digits, without colons"
        )
        raise ValueError(msg)


def validate_role_name(value: str, what: str = "role_name") -> str:
    """Return a role name; raise ValueError, naming `what`, if IAM does not accept it."""
    if not _ROLE_NAME.fullmatch(value):
        msg = f"{what} is {value!r}; accepted are 1 to 64 letters, digits and any of +=,.@_-"
        raise ValueError(msg)
    return value


def build_cluster_role_name(cluster: str, purpose: str) -> str:
    """Return a role name that is unique for the cluster, such as `prod-ebs-csi-driver`.

    IAM accepts 64 characters. A longer name is truncated, and a hash of the full cluster name keeps it unique.

    Args:
        cluster: name of the cluster.
        purpose: purpose of the role, such as `ebs-csi-driver`.
    """
    name = f"{cluster}-{purpose}"
    if len(name) <= MAX_ROLE_NAME_LENGTH:
        return name
    suffix = f"-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}-{purpose}"
    return cluster[: MAX_ROLE_NAME_LENGTH - len(suffix)] + suffix


def validate_path(value: str) -> str:
    """Return a path; raise ValueError if IAM does not accept it."""
    if not _PATH.fullmatch(value):
        msg = f"path is {value!r}; accepted is '/' or a path between slashes, such as '/team/messaging/'"
        raise ValueError(msg)
    return value


def validate_session_duration(value: float) -> int:
    """Return the maximum session duration in seconds; raise ValueError if IAM does not accept it."""
    seconds = parse_whole_number(value, "max_session_duration")
    shortest, longest = SESSION_SECONDS
    if not shortest <= seconds <= longest:
        msg = f"max_session_duration is {seconds}; accepted are {shortest} to {longest} seconds (1 to 12 hours)"
        raise ValueError(msg)
    return seconds


def validate_description(value: str) -> str:
    """Return a description of a role; raise ValueError if IAM does not accept it."""
    if not _DESCRIPTION.fullmatch(value):
        msg = f"description is {value!r}; accepted are up to 1000 characters of Latin-1"
        raise ValueError(msg)
    return value


def validate_policy_names(managed: Iterable[str], customer: Iterable[str], inline: Iterable[str]) -> None:
    """Raise ValueError if IAM rejects a policy name, or two attachments would have the same name.

    Args:
        managed: existing policies, by path and name or by ARN.
        customer: names of the other attachments.
        inline: names of the inline policies.
    """
    customer_names, managed = (
        list(customer),
        [validate_managed_policy(policy, "managed_policies") for policy in managed],
    )
    for name in [*customer_names, *inline]:
        if not _POLICY_NAME.fullmatch(name):
            msg = f"a policy is named {name!r}; accepted are 1 to 128 letters, digits and any of +=,.@_-"
            raise ValueError(msg)
    attached = [*(policy.rsplit("/", 1)[-1] for policy in managed), *customer_names]
    for name in attached:
        if attached.count(name) > 1:
            msg = f"the role has {attached.count(name)} policies named {name!r} to attach; name each once"
            raise ValueError(msg)


def reject_wildcard_names(accounts: Iterable[tuple[str, str]]) -> None:
    """Raise ValueError for a name with a wildcard: an EKS Pod Identity association is for one service account."""
    for namespace, name in accounts:
        if has_wildcard(name):
            msg = (
                f"service account {namespace}/{name} has a wildcard; an association of EKS Pod Identity is for one "
                "service account: name each, or give associate=False and make the associations yourself"
            )
            raise ValueError(msg)


def has_issuer_and_provider(args: Mapping[str, object], *, pod_identity: bool) -> bool:
    """Return whether the role has `issuer` and `provider_arn`.

    Args:
        args: arguments of the role.
        pod_identity: whether EKS Pod Identity assumes the role, which needs neither argument.

    Raises:
        ValueError: if only one of the two is given, or the role has no cluster at all.
    """
    present = [key for key in ("issuer", "provider_arn") if key in args]
    if len(present) == 1:
        msg = f"the role has {present[0]} alone; give issuer and provider_arn of the same cluster"
        raise ValueError(msg)
    if not (present or args.get("clusters") or pod_identity):
        msg = (
            "the role names no cluster whose tokens it trusts; give issuer and provider_arn of one, clusters for "
            "several, or pod_identity_clusters"
        )
        raise ValueError(msg)
    return bool(present)
