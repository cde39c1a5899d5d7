"""ACL 2.0: what a caller says of users and permissions, checked, and the keys of brokers and proxies. Pure.

A user's permissions stand with the user. The lines are those in which `scripts/declared.awk` shows what a broker has.
"""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Sensitive, accepted_values
from eks_rocketmq.args.validation import between, did_you_mean, each_once, one_of, refuse_empty
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.naming import resource_names

INTERNAL_PREFIX = "rocketmq-internal-"
PermissionAction = Annotated[
    Literal["Pub", "Sub", "Create", "Update", "Delete", "Get", "List", "All"], Enumeration("PermissionAction")
]
PermissionDecision = Annotated[Literal["Allow", "Deny"], Enumeration("PermissionDecision")]
UserType = Annotated[Literal["Normal", "Super"], Enumeration("UserType")]
USER_TYPES = accepted_values(UserType)
_RESOURCE_TYPES = ("Topic", "Group", "Cluster")
ACTIONS = accepted_values(PermissionAction)
DECISIONS = accepted_values(PermissionDecision)
CHOICES = (*USER_TYPES, *_RESOURCE_TYPES, *ACTIONS, *DECISIONS)
"""Words that a field accepts; they are never secret."""
_RESOURCE = re.compile(r"[%|a-zA-Z0-9_-]*\*?")
# What neither JSON nor RocketMQ's files would change, and a list of blank-separated words keeps together.
_PASSWORD = re.compile(r"[!#-\[\]-~]{8,64}")


class PermissionArgs(TypedDict):
    """What a user may do, or may not, with some resources."""

    resources: list[str]
    """`Topic:NAME`, `Group:NAME` or `Cluster:NAME`, where NAME may end with `*` for all that begin so, as in
    `Topic:orders-*`; `*` alone for everything."""
    actions: list[PermissionAction]
    """`Pub` and `Sub` for messages, `Create`, `Update`, `Delete`, `Get` and `List` for administration, or `All`."""
    decision: NotRequired[PermissionDecision]
    """`Allow` or `Deny`. RocketMQ asks the permission with the most exact resource. Default: `Allow`."""
    source_ips: NotRequired[list[str]]
    """Addresses or CIDR blocks that the client's address, as the proxy sees it, must be in. Default: any."""


class UserArgs(TypedDict):
    """A user of RocketMQ: name and password are what clients call access key and secret key."""

    name: str
    """1 to 64 letters, digits, `_`, `.`, `@` and `-`. Another name is another user."""
    password: NotRequired[Sensitive[Input[str]]]
    """8 to 64 printable ASCII characters without blanks, quotes and backslashes; give a secret. Default: one is
    generated. Changing this changes the password on every broker; the proxies follow within a minute."""
    password_version: NotRequired[int]
    """Raise it for another generated password; it and `password` exclude each other. Default: 1."""
    type: NotRequired[UserType]
    """`Normal`, who may what `permissions` say, or `Super`, who may everything. Default: `Normal`."""
    enabled: NotRequired[bool]
    """Whether the user is let in. Default: true."""
    permissions: NotRequired[list[PermissionArgs]]
    """What a `Normal` user may do; nothing without it. Default: none."""


class AccessArgs(TypedDict):
    """ACL 2.0 on brokers and proxies: every client needs a user, a password and a permission.

    Users and permissions are exactly those declared, on every member: others are deleted.
    """

    users: NotRequired[list[UserArgs]]
    """The users of applications and people. Default: none, so that only RocketMQ's own pods get in."""
    internal_generation: NotRequired[int]
    """Raise it by one for another password of the user by which RocketMQ's own pods know each other. Brokers and
    proxies restart one by one; the next user is on every member before, so nothing is refused. Default: 1."""


@dataclass(frozen=True)
class User:
    """A checked user. `password` is None where one is to be generated."""

    name: str
    type: str
    enabled: bool
    password: Input[str] | None
    password_version: int
    permissions: list[str]
    """Lines SUBJECT RESOURCE ACTIONS SOURCES DECISION."""

    def line(self, password: str) -> str:
        """NAME TYPE STATUS PASSWORD."""
        return f"{self.name} {self.type} {'enable' if self.enabled else 'disable'} {password}"


@dataclass(frozen=True)
class AccessPlan:
    """Access control, checked. `generation` numbers the user by which RocketMQ's own pods know each other."""

    users: list[User]
    generation: int

    @property
    def internal_users(self) -> tuple[str, str]:
        """Who RocketMQ's own pods are, and who they will be: the next one is everywhere before it is used."""
        return f"{INTERNAL_PREFIX}{self.generation}", f"{INTERNAL_PREFIX}{self.generation + 1}"

    @property
    def permissions(self) -> list[str]:
        """The permissions of all users."""
        return [line for user in self.users for line in user.permissions]


def access(given: AccessArgs) -> AccessPlan:
    """Access control as the caller wants it.

    Raises:
        ValueError: for the first user or permission that cannot be.
    """
    generation = between(given.get("internal_generation", 1), 1, None, "access.internal_generation")
    users = [_user(each) for each in given.get("users", [])]
    each_once([user.name for user in users], "access.users")
    return AccessPlan(sorted(users, key=lambda user: user.name), generation)


def _user(given: UserArgs) -> User:
    name = resource_names.user(given["name"], INTERNAL_PREFIX)
    what = f"access.users[{name!r}]"
    kind = one_of(given.get("type", "Normal"), USER_TYPES, f"{what}.type")
    permissions = given.get("permissions", [])
    if kind == "Super" and permissions:
        msg = f"{what} is 'Super' and has permissions, which nobody asks; accepted is one of the two"
        raise ValueError(msg)
    password = given.get("password")
    if password is not None and "password_version" in given:
        msg = (
            f"{what} has a password and a password_version, which numbers the generated ones; accepted is one of the "
            "two: another password where it is given, another number where it is generated"
        )
        raise ValueError(msg)
    if isinstance(password, str):
        checked_password(password, f"{what}.password")
    return User(
        name=name,
        type=kind,
        enabled=given.get("enabled", True),
        password=password,
        password_version=between(given.get("password_version", 1), 1, None, f"{what}.password_version"),
        permissions=_permissions(name, permissions, f"{what}.permissions"),
    )


def checked_password(password: object, what: str) -> str:
    """Returns the password.

    Raises:
        ValueError: saying what is accepted and nothing of the password.
    """
    if not (isinstance(password, str) and _PASSWORD.fullmatch(password)):
        msg = (
            f"{what} is not accepted; accepted is a string of 8 to 64 printable ASCII characters without blanks, "
            "quotes and backslashes: choose another one, or leave it out and one is generated"
        )
        raise ValueError(msg)
    return password


def _permissions(user: str, given: Sequence[PermissionArgs], what: str) -> list[str]:
    lines: dict[str, str] = {}
    for permission in given:
        decision = one_of(permission.get("decision", "Allow"), DECISIONS, f"{what}.decision")
        actions = sorted({one_of(action, ACTIONS, f"{what}.actions") for action in permission["actions"]})
        if "source_ips" in permission:
            refuse_empty(permission["source_ips"], f"{what}.source_ips", "any address")
        sources = sorted({_source(source, what) for source in permission.get("source_ips", [])})
        if not actions or not permission["resources"]:
            msg = f"{what} has a permission without resources or actions; accepted is one of each or more"
            raise ValueError(msg)
        for resource in permission["resources"]:
            if _resource(resource, what) in lines:
                msg = f"{what} names {resource!r} more than once; RocketMQ keeps one permission for each resource"
                raise ValueError(msg)
            words = (f"User:{user}", resource, ",".join(actions), ",".join(sources) or "-", decision)
            lines[resource] = " ".join(words)
    return [lines[resource] for resource in sorted(lines)]


def _resource(resource: str, what: str) -> str:
    kind, _, name = resource.partition(":")
    if resource == "*" or (kind in _RESOURCE_TYPES and name and _RESOURCE.fullmatch(name)):
        return resource
    near = did_you_mean(kind, _RESOURCE_TYPES) if kind not in _RESOURCE_TYPES else ""
    msg = (
        f"{what} has the resource {resource!r}; accepted are 'Topic:NAME', 'Group:NAME' and 'Cluster:NAME' where NAME "
        f"may end with '*', and '*' alone{near}"
    )
    raise ValueError(msg)


def _source(source: str, what: str) -> str:
    try:
        ipaddress.ip_network(source, strict=False)
    except ValueError:
        msg = f"{what} has the source {source!r}; accepted is an address or a CIDR block, such as '10.0.0.0/8'"
        raise ValueError(msg) from None
    return source


_PROVIDERS: Mapping[str, Value] = {
    "authenticationEnabled": True,
    "authenticationProvider": "org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider",
    "authorizationEnabled": True,
    "authorizationProvider": "org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider",
    # The init container fills it in: the ConfigMap holds no password. A broker makes this user for itself. No request
    # code is let through without a signature, the one by which controllers announce a role neither: whoever reached
    # the port could depose a master. Brokers ask for their role every syncControllerMetadataPeriod instead.
    "innerClientAuthenticationCredentials": json.dumps(
        {"accessKey": "${INTERNAL_USERNAME}", "secretKey": "${INTERNAL_PASSWORD}"}, separators=(",", ":")
    ),
}

BROKER_KEYS: Mapping[str, Value] = {
    **_PROVIDERS,
    "authenticationMetadataProvider": (
        "org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider"
    ),
    "authorizationMetadataProvider": (
        "org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider"
    ),
}

PROXY_KEYS: Mapping[str, Value] = {
    **_PROVIDERS,
    "authenticationMetadataProvider": "org.apache.rocketmq.proxy.auth.ProxyAuthenticationMetadataProvider",
    "authorizationMetadataProvider": "org.apache.rocketmq.proxy.auth.ProxyAuthorizationMetadataProvider",
    # Without it the proxy does not sign what it asks of brokers, and exits at its start.
    "enableAclRpcHookForClusterMode": True,
}

FIXED_KEYS = frozenset(
    {*BROKER_KEYS, "enableAclRpcHookForClusterMode", "authConfigPath", "authenticationWhitelist",
     "authorizationWhitelist", "initAuthenticationUser", "migrateAuthFromV1Enabled"}
)  # fmt: skip
"""Keys of access control: `access` decides on them, nobody's `config`."""
