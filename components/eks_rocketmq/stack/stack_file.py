"""What a stack file says that never becomes a value, and would be dropped without a word."""

import json
import re
from collections.abc import Collection, Iterable, Mapping

from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.validation import suggest_name
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
"""What the AWS provider and the engine read in the namespace `aws`."""
_PROVIDERS = ("aws", "kubernetes")
_ALIKE = ("aws-", "awsx", "kubernetes-")
"""How namespaces of other providers begin that are near one of these."""
_GUARDS = ("allowedAccountIds", "forbiddenAccountIds")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
SWITCHES: Mapping[str, str] = {
    "newCluster": "version: …",
    "newStorageClass": "volumeType: gp3",
    "access": "users: []",
    "tls": "secretName: …",
    "monitoring": "monitor: none",
    "external": "type: NodePort",
    "dashboard": "loginSecret: …",
}
"""Keys whose empty object, the declared default, stands for nothing at all, and the least that turns each on."""

NAMESPACES_OF_EVERY_CLUSTER = ("default", "kube-node-lease", "kube-public", "kube-system")


def check_keys(keys: Iterable[str], project: str) -> None:
    """Refuses keys that nobody reads, `aws:allowedAccountId` without its `s` among them: the guard would be off.

    A name that is near none of the known ones is left alone: a provider may know more than we do.

    Raises:
        ValueError: naming the key and the nearest one that is read.
    """
    for key in keys:
        namespace, _, name = key.partition(":")
        if namespace == "aws" and name not in AWS_KEYS and (meant := suggest_name(name, AWS_KEYS)):
            msg = f"{key!r} is no setting of the AWS provider{meant}"
            raise ValueError(msg)
        if meant := _misspelt(namespace, project):
            msg = f"unknown namespace {namespace!r} in {key!r}{meant}"
            raise ValueError(msg)


def check_places(file: StackFile, project: str, declared: Collection[str]) -> None:
    """Refuse keys in places that are not read, and keys for which another spelling may win.

    The CLI puts the project's name before a key without a namespace and drops `config` within one. Beside the usual
    spelling of the same key it takes one of the two. It ignores what stands outside of `config:`.

    Args:
        file: the stack file.
        project: name of the project.
        declared: keys of the project.

    Raises:
        ValueError: naming each key and how to write it.
    """
    problems = ErrorCollector()
    for key in file.top:
        if ":" in key or key in declared:
            whole = key if ":" in key else f"{project}:{key}"
            problems.add(ValueError(f"{key} is outside of config:, where it is not read; write {whole} below config:"))
    for key in file.config:
        namespace, colon, name = key.partition(":")
        if not colon and key != "<<":
            meant = f"{project}:{key}" if key in declared else f"aws:{key}" if key in AWS_KEYS else f"{project}:{key}"
            problems.add(ValueError(f"{key} has no namespace; accepted is namespace and name: write {meant}"))
        elif name.startswith("config:"):
            meant = f"{namespace}:{name.removeprefix('config:')}"
            problems.add(ValueError(f"{key} is a spelling of {meant}; accepted is that one: write {meant}"))
    problems.raise_errors()


def check_switches(file: StackFile, project: str) -> None:
    """Refuse an empty object for what is off by default.

    The engine hands over `{}` for a key that is not there, so only the file tells the two apart, and whoever writes
    `access: {}` wants access control.

    Args:
        file: the stack file; one that is elsewhere says nothing.
        project: name of the project.

    Raises:
        ValueError: naming each key.
    """
    problems = ErrorCollector()
    for key, least in SWITCHES.items():
        if is_empty(file.config.get(f"{project}:{key}")):
            msg = f"{key} is empty; give it `{least}` at least, or leave {key} out and there is none"
            problems.add(ValueError(msg))
    problems.raise_errors()


def check_guard(given: Mapping[str, str], file: StackFile) -> None:
    """Refuse lists of accounts that the AWS provider would not compare with anything: the guard would be off.

    Args:
        given: text of each key with its namespace, as the engine hands it over.
        file: the stack file, in which a key may have no value at all.

    Raises:
        ValueError: naming each key and what is accepted, not the value, which may be encrypted.
    """
    problems = ErrorCollector()
    for name in _GUARDS:
        key = f"aws:{name}"
        if is_empty(file.config.get(key)) or (key in given and not _accounts(given[key])):
            msg = (
                f"{key} names no account, so the stack would run in any; accepted is a list of account ids of 12 "
                'digits in quotes, such as ["123456789012"]: name one or more, or leave the key out for no guard'
            )
            problems.add(ValueError(msg))
    problems.raise_errors()


def _accounts(text: str) -> bool:
    """Whether a text is a list of account ids, one at least."""
    try:
        accounts = json.loads(text)
    except ValueError:
        return False
    return (
        isinstance(accounts, list)
        and bool(accounts)
        and all(isinstance(each, str | int) and _ACCOUNT.fullmatch(str(each)) for each in accounts)
    )


def only_account(allowed: str | None) -> str | None:
    """Return the account in which the stack works, where `aws:allowedAccountIds` leaves but one.

    Args:
        allowed: the setting as JSON, as Pulumi hands it over.
    """
    try:
        accounts = json.loads(allowed) if allowed else []
    except json.JSONDecodeError:
        return None
    only = {str(account) for account in accounts} if isinstance(accounts, list) else set()
    return only.pop() if len(only) == 1 else None


def _misspelt(namespace: str, project: str) -> str:
    known = (project, *_PROVIDERS)
    if namespace in known or namespace.startswith(_ALIKE):
        return ""
    return suggest_name(namespace.lower(), known)
