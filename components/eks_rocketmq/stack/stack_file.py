"""Checks of the text of a stack file: keys that nothing reads, and values that the engine does not pass on."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.args.validation import suggest_name
from eks_rocketmq.stack.stack_keys import KEYS
from eks_rocketmq.stack.stack_paths import get_setting_path
from eks_rocketmq.stack.stack_yaml import StackFile, is_empty

AWS_KEYS = (
    "accessKey", "allowedAccountIds", "assumeRoleWithWebIdentity", "assumeRoles", "customCaBundle", "defaultTags",
    "ec2MetadataServiceEndpoint", "ec2MetadataServiceEndpointMode", "endpoints", "forbiddenAccountIds", "httpProxy",
    "httpsProxy", "ignoreTags", "insecure", "maxRetries", "noProxy", "pluginDownloadURL", "profile", "region",
    "retryMode", "s3UsEast1RegionalEndpoint", "s3UsePathStyle", "secretKey", "sharedConfigFiles",
    "sharedCredentialsFiles", "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation",
    "skipRequestingAccountId", "stsRegion", "tagPolicyCompliance", "token", "tokenBucketRateLimiterCapacity",
    "useDualstackEndpoint", "useFipsEndpoint", "userAgents", "version",
)  # fmt: skip
"""Keys of the namespace `aws` that the AWS provider and the engine read."""
_PROVIDERS = ("aws", "kubernetes")
_ALIKE = ("aws-", "awsx", "kubernetes-")
"""Prefixes of other providers' namespaces that resemble these."""
_GUARDS = ("allowedAccountIds", "forbiddenAccountIds")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
NAMESPACES_OF_EVERY_CLUSTER = ("default", "kube-node-lease", "kube-public", "kube-system")


@raise_all
def check_keys(keys: Iterable[str], project: str) -> Iterator[ArgumentError]:
    """Reject keys that nothing reads, such as `aws:allowedAccountId` without its `s`, which would disable the guard.

    A name that resembles none of the known ones is accepted, because a provider may know more names. The error names
    the nearest known one.
    """
    for key in keys:
        namespace, _, name = key.partition(":")
        path = get_setting_path(key)
        if namespace == "aws" and name not in AWS_KEYS and (remedy := suggest_name(name, AWS_KEYS)):
            yield ArgumentError(path, "unknown-aws-key", "the AWS provider has no such setting", remedy=remedy)
        if remedy := _suggest_namespace(namespace, project):
            yield ArgumentError(
                path, "unknown-namespace", "unknown namespace {given!r}", remedy=remedy, given=namespace
            )


@raise_all
def check_locations(file: StackFile, project: str) -> Iterator[ArgumentError]:
    """Reject keys that the CLI does not read, and keys for which another spelling may win.

    The CLI puts the project's name before a key without a namespace and removes `config` within one. If the usual
    spelling of the same key is there too, it takes one of the two. It ignores everything outside `config:`. The errors
    name the correct forms.
    """

    def build_error(key: str, code: str, problem: str, correct: str) -> ArgumentError:
        return ArgumentError(get_setting_path(key), code, problem, remedy="Write {correct}", correct=correct)

    for key in file.top:
        if ":" in key or key in KEYS:
            whole = key if ":" in key else f"{project}:{key}"
            problem = "the key is outside `config:`, where nothing reads it"
            yield build_error(key, "outside-config", problem, f"{whole} below `config:`")
    for key in file.config:
        namespace, colon, name = key.partition(":")
        if not colon and key != "<<":
            correct = f"aws:{key}" if key in AWS_KEYS and key not in KEYS else f"{project}:{key}"
            yield build_error(key, "no-namespace", "the key has no namespace", correct)
        elif name.startswith("config:"):
            correct = f"{namespace}:{name.removeprefix('config:')}"
            yield build_error(key, "config-in-key", "`config:` in a key is an older spelling", correct)


@raise_all
def check_guard(given: Mapping[str, str], file: StackFile) -> Iterator[ArgumentError]:
    """Reject lists of accounts that the AWS provider would not compare with anything, which would disable the guard.

    `given` has the text of each key with its namespace. In `file`, a key may have no value. Errors do not show values,
    which may be encrypted.
    """
    for name in _GUARDS:
        key = f"aws:{name}"
        if is_empty(file.config.get(key)) or (key in given and not _has_accounts(given[key])):
            yield ArgumentError(
                get_setting_path(key),
                "no-account",
                "the list names no account, so the stack would run in any account",
                accepted='account IDs of 12 digits in quotes, such as ["123456789012"]',
                remedy="Name one account or more, or leave the key out to run in any account",
            )


def _has_accounts(text: str) -> bool:
    """Return whether a text is a list of one account ID or more."""
    try:
        accounts = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(accounts, list)
        and bool(accounts)
        and all(isinstance(each, str | int) and _ACCOUNT.fullmatch(str(each)) for each in accounts)
    )


def find_single_account(allowed: str | None) -> str | None:
    """Return the account in which the stack works, if `aws:allowedAccountIds` has only one.

    `allowed` is the setting as JSON.
    """
    try:
        accounts = json.loads(allowed) if allowed else []
    except (ValueError, RecursionError):
        return None
    only = {str(account) for account in accounts} if isinstance(accounts, list) else set()
    return only.pop() if len(only) == 1 else None


def _suggest_namespace(namespace: str, project: str) -> str:
    known = (project, *_PROVIDERS)
    if namespace in known or namespace.startswith(_ALIKE):
        return ""
    return suggest_name(namespace.lower(), known)
