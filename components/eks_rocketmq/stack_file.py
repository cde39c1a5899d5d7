"""What a stack file says that never becomes a value, and would be dropped without a word."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pulumi
import yaml

from eks_rocketmq.rocketmq.access import AccessArgs
from eks_rocketmq.validation import did_you_mean

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
        if namespace == "aws" and name not in AWS_KEYS and (meant := did_you_mean(name, AWS_KEYS)):
            msg = f"{key!r} is no setting of the AWS provider{meant}"
            raise ValueError(msg)
        if meant := _misspelt(namespace, project):
            msg = f"unknown namespace {namespace!r} in {key!r}{meant}"
            raise ValueError(msg)


def check_switches(file: Path, project: str) -> None:
    """Refuses an empty object for what is off by default.

    The engine hands over `{}` for a key that is not there, so only the file tells the two apart, and whoever writes
    `access: {}` wants access control.

    Args:
        file: the stack file; one that is elsewhere says nothing.
        project: name of the project.

    Raises:
        ValueError: naming the key.
    """
    if not file.exists():
        return
    said = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
    for key, least in SWITCHES.items():
        if said.get(f"{project}:{key}") == {}:
            msg = f"{key} is empty; give it `{least}` at least, or leave {key} out and there is none"
            raise ValueError(msg)


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


def hold_secrets(access: AccessArgs, encrypted: Collection[str]) -> None:
    """Passwords of users are encrypted in the stack file and stay secret; every other setting ends in plain text.

    Raises:
        ValueError: for a password in plain text, and anything else that is encrypted.
    """
    for key in encrypted:
        if key != "access":
            msg = (
                f"{key} is encrypted; accepted is plain text, `access` alone can be a secret: set it again without "
                "--secret"
            )
            raise ValueError(msg)
    for place, user in enumerate(access.get("users", [])):
        if "password" not in user:
            continue
        if "access" not in encrypted:
            msg = (
                f"access.users[{user['name']!r}].password stands in plain text; leave it out and one is generated, or "
                f"set it with `pulumi config set --path 'access.users[{place}].password' --secret`"
            )
            raise ValueError(msg)
        user["password"] = pulumi.Output.secret(user["password"])


def _misspelt(namespace: str, project: str) -> str:
    known = (project, *_PROVIDERS)
    if namespace in known or namespace.startswith(_ALIKE):
        return ""
    return did_you_mean(namespace.lower(), known)
