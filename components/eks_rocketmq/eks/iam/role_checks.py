"""What IAM and Kubernetes accept in the arguments of a role and of its providers. Pure: no Pulumi provider."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from eks_rocketmq.args.aws_identifiers import managed_policy
from eks_rocketmq.args.validation import DNS_SUBDOMAIN_LENGTH, dns_label, is_dns_subdomain, whole_number
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
    """Namespace and name of a service account that a role may be for.

    The name may be a pattern with `*` and `?`. The namespace may not: whoever can make namespaces could let himself in.

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
    dns_label(namespace, "namespace of a service account")
    if not is_dns_subdomain(re.sub(r"[*?]", "0", name)):
        msg = (
            f"name of a service account is {name!r}; accepted are 1 to {DNS_SUBDOMAIN_LENGTH} lower-case letters, "
            "digits, '-' and '.', beginning and ending with a letter or a digit, and the wildcards '*' and '?'"
        )
        raise ValueError(msg)
    return namespace, name


def validate_audience(value: str) -> str:
    """The audience of a token, which is always matched exactly.

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
    """Raises ValueError for audiences beside STS's own that IAM does not accept in a provider, or too many of them."""
    if len(extra) >= MAX_AUDIENCES:
        msg = f"client_ids has {len(extra)} audiences beside sts.amazonaws.com; IAM accepts {MAX_AUDIENCES} together"
        raise ValueError(msg)
    for each in extra:
        validate_audience(each)


def validate_thumbprints(values: Sequence[str]) -> None:
    """Raises ValueError for what is no SHA-1 fingerprint, or too many of them."""
    wrong = [value for value in values if not _THUMBPRINT.fullmatch(value)]
    if wrong or len(values) > MAX_THUMBPRINTS:
        msg = (
            f"thumbprints are {', '.join(map(repr, wrong or values))}; accepted are up to {MAX_THUMBPRINTS} SHA-1 "
            "fingerprints of 40 hexadecimal digits, without colons"
        )
        raise ValueError(msg)


def validate_role_name(value: str, what: str = "role_name") -> str:
    """Raises ValueError, naming `what`, unless IAM accepts `value` as the name of a role."""
    if not _ROLE_NAME.fullmatch(value):
        msg = f"{what} is {value!r}; accepted are 1 to 64 letters, digits and any of +=,.@_-"
        raise ValueError(msg)
    return value


def build_cluster_role_name(cluster: str, purpose: str) -> str:
    """Return a role name that no other cluster of the account uses: `prod-ebs-csi-driver`.

    IAM accepts 64 characters. A longer name is cut, and a hash of the cluster's whole name keeps it unique.

    Args:
        cluster: name of the cluster.
        purpose: what the role is for, such as `ebs-csi-driver`.
    """
    name = f"{cluster}-{purpose}"
    if len(name) <= MAX_ROLE_NAME_LENGTH:
        return name
    end = f"-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}-{purpose}"
    return cluster[: MAX_ROLE_NAME_LENGTH - len(end)] + end


def validate_path(value: str) -> str:
    """Raises ValueError unless IAM accepts `value` as a path."""
    if not _PATH.fullmatch(value):
        msg = f"path is {value!r}; accepted is '/' or a path between slashes, such as '/team/messaging/'"
        raise ValueError(msg)
    return value


def validate_session_duration(value: float) -> int:
    """Raises ValueError unless IAM accepts `value` as the longest session of a role."""
    seconds = whole_number(value, "max_session_duration")
    shortest, longest = SESSION_SECONDS
    if not shortest <= seconds <= longest:
        msg = f"max_session_duration is {seconds}; accepted are {shortest} to {longest} seconds (1 to 12 hours)"
        raise ValueError(msg)
    return seconds


def validate_description(value: str) -> str:
    """Raises ValueError unless IAM accepts `value` as the description of a role."""
    if not _DESCRIPTION.fullmatch(value):
        msg = f"description is {value!r}; accepted are up to 1000 characters of Latin-1"
        raise ValueError(msg)
    return value


def validate_policy_names(managed: Iterable[str], customer: Iterable[str], inline: Iterable[str]) -> None:
    """Raises ValueError for a name that IAM refuses, or two policies that would be one attachment.

    Args:
        managed: policies that exist, by path and name or by ARN.
        customer: names of attachments beside them.
        inline: names of the policies within the role.
    """
    own, managed = list(customer), [managed_policy(policy, "managed_policies") for policy in managed]
    for name in [*own, *inline]:
        if not _POLICY_NAME.fullmatch(name):
            msg = f"a policy is named {name!r}; accepted are 1 to 128 letters, digits and any of +=,.@_-"
            raise ValueError(msg)
    attached = [*(policy.rsplit("/", 1)[-1] for policy in managed), *own]
    for name in attached:
        if attached.count(name) > 1:
            msg = f"the role has {attached.count(name)} policies named {name!r} to attach; name each once"
            raise ValueError(msg)


def reject_wildcard_names(accounts: Iterable[tuple[str, str]]) -> None:
    """Raises ValueError for a name with a wildcard: an association of EKS Pod Identity is for one service account."""
    for namespace, name in accounts:
        if has_wildcard(name):
            msg = (
                f"service account {namespace}/{name} has a wildcard; an association of EKS Pod Identity is for one "
                "service account: name each, or give associate=False and make the associations yourself"
            )
            raise ValueError(msg)


def has_issuer_and_provider(given: Mapping[str, object], *, pod_identity: bool) -> bool:
    """Whether `issuer` and `provider_arn` name a cluster; the two belong together.

    Args:
        given: the arguments of the role.
        pod_identity: whether EKS Pod Identity hands the role out, which needs neither.

    Raises:
        ValueError: for one without the other, and for a role that names no cluster at all.
    """
    found = [key for key in ("issuer", "provider_arn") if key in given]
    if len(found) == 1:
        msg = f"the role has {found[0]} alone; give issuer and provider_arn of the same cluster"
        raise ValueError(msg)
    if not (found or given.get("clusters") or pod_identity):
        msg = (
            "the role names no cluster whose tokens it trusts; give issuer and provider_arn of one, clusters for "
            "several, or pod_identity_clusters"
        )
        raise ValueError(msg)
    return bool(found)
