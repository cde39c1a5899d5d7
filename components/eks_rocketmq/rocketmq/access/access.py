"""Access control (ACL 2.0): arguments, plan of users and permissions, keys of brokers and proxies. Pure.

A user's permissions are part of the user. The lines have the format in which `scripts/declared.awk` prints the users
and permissions of a broker.
"""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import Enumeration, Sensitive, get_accepted_values
from eks_rocketmq.args.validation import (
    reject_duplicates,
    reject_empty,
    reject_ignored_args,
    suggest_name,
    validate_choice,
    validate_range,
)
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.naming import labels, resource_names

PermissionAction = Annotated[
    Literal["Pub", "Sub", "Create", "Update", "Delete", "Get", "List", "All"], Enumeration("PermissionAction")
]
PermissionDecision = Annotated[Literal["Allow", "Deny"], Enumeration("PermissionDecision")]
UserType = Annotated[Literal["Normal", "Super"], Enumeration("UserType")]
AccessMode = Annotated[Literal["permissive", "enforcing"], Enumeration("AccessMode")]
ACCESS_MODES = get_accepted_values(AccessMode)
USER_TYPES = get_accepted_values(UserType)
_RESOURCE_TYPES = ("Topic", "Group", "Cluster")
ACTIONS = get_accepted_values(PermissionAction)
DECISIONS = get_accepted_values(PermissionDecision)
CHOICES = (*USER_TYPES, *ACCESS_MODES, *_RESOURCE_TYPES, *ACTIONS, *DECISIONS)
"""Accepted values of the fields. They are never secret."""
_RESOURCE_PATTERN = re.compile(r"[%|a-zA-Z0-9_-]*\*?")
# Characters that need no escape in JSON and in RocketMQ's files, and no quotes in a blank-separated list.
_PASSWORD_PATTERN = re.compile(r"[!#-\[\]-~]{8,64}")


class PermissionArgs(TypedDict):
    """Permission of a user: actions that are allowed or denied on resources."""

    resources: list[str]
    """`Topic:NAME`, `Group:NAME` or `Cluster:NAME`. NAME may end with `*` to match a prefix, as in `Topic:orders-*`.
    `*` alone matches every resource."""
    actions: list[PermissionAction]
    """`Pub` and `Sub` for messages, `Create`, `Update`, `Delete`, `Get` and `List` for administration, or `All`."""
    decision: NotRequired[PermissionDecision]
    """`Allow` or `Deny`. The permission with the most specific resource applies. Default: `Allow`."""
    source_ips: NotRequired[list[str]]
    """Addresses or CIDR blocks from which the permission applies. RocketMQ compares the client's address as the proxy
    sees it. Default: any."""


class UserArgs(TypedDict):
    """User of RocketMQ. Clients use the name as access key and the password as secret key."""

    name: str
    """Name of the user: 1 to 64 letters, digits, `_`, `.`, `@` and `-`. Changing this deletes the user and creates
    another one."""
    password: NotRequired[Sensitive[Input[str]]]
    """Password: 8 to 64 printable ASCII characters without blanks, quotes and backslashes. Pass a Pulumi secret.
    Changing this changes the password on every broker; the proxies use it within a minute. Default: a generated
    password."""
    password_version: NotRequired[int]
    """Version of the generated password. Raise it to generate another password. Not with `password`. Default: 1."""
    type: NotRequired[UserType]
    """`Normal`, with the rights in `permissions`, or `Super`, with all rights. Default: `Normal`."""
    enabled: NotRequired[bool]
    """Whether the user can authenticate. Default: true."""
    permissions: NotRequired[list[PermissionArgs]]
    """Permissions of a `Normal` user. Without permissions, every request is denied. Default: none."""


class AccessArgs(TypedDict):
    """Access control (ACL 2.0) on brokers and proxies: every client needs a user, a password and a permission.

    Every member has exactly the declared users and permissions. Others are deleted.
    """

    mode: NotRequired[AccessMode]
    """`enforcing` rejects requests without a user and a permission. `permissive` accepts every request; RocketMQ's own
    pods already authenticate to each other. To disable access control, use `permissive` until all pods have restarted.
    Default: `enforcing`."""
    users: NotRequired[list[UserArgs]]
    """Users for applications and people. Default: none; only RocketMQ's own pods have access."""
    internal_generation: NotRequired[int]
    """Generation of the internal user. RocketMQ's own pods authenticate to each other as this user. Raise by exactly 1
    to get another password. Brokers and proxies restart one by one. Each generation creates the next user on every
    member in advance, so no request is denied. Default: 1."""


@dataclass(frozen=True)
class User:
    """Validated user. A `password` of None means that it is generated."""

    path: ArgumentPath
    name: str
    type: str
    enabled: bool
    password: Input[str] | None
    password_version: int
    permissions: list[str]
    """Lines in the format SUBJECT RESOURCE ACTIONS SOURCES DECISION."""

    def format_line(self, password: str) -> str:
        """Return the line NAME TYPE STATUS PASSWORD."""
        return f"{self.name} {self.type} {'enable' if self.enabled else 'disable'} {password}"


@dataclass(frozen=True)
class AccessPlan:
    """Validated access control. `generation` is the generation of the internal user."""

    mode: str
    users: list[User]
    generation: int

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations of the StatefulSets. The next update compares with them."""
        return {
            labels.ACCESS_MODE_ANNOTATION: self.mode,
            labels.INTERNAL_GENERATION_ANNOTATION: str(self.generation),
        }

    @property
    def internal_users(self) -> tuple[str, str]:
        """Names of the current and the next internal user. Every member has the next one before it is used."""
        return f"{labels.INTERNAL_USER_PREFIX}{self.generation}", f"{labels.INTERNAL_USER_PREFIX}{self.generation + 1}"

    @property
    def permissions(self) -> list[str]:
        """Permission lines of all users."""
        return [line for user in self.users for line in user.permissions]


def plan_access(given: AccessArgs) -> AccessPlan:
    """Return the plan of the access control arguments.

    Raise ValueError for the first argument that is not accepted.
    """
    path = ARGS / "access"
    mode = validate_choice(given.get("mode", "enforcing"), ACCESS_MODES, path / "mode")
    generation = validate_range(given.get("internal_generation", 1), 1, None, path / "internal_generation")
    users = [_plan_user(each, (path / "users").index(index, each)) for index, each in enumerate(given.get("users", []))]
    reject_duplicates([user.name for user in users], path / "users")
    return AccessPlan(mode, sorted(users, key=lambda user: user.name), generation)


def _plan_user(given: UserArgs, path: ArgumentPath) -> User:
    name = resource_names.validate_user_name(given["name"], labels.INTERNAL_USER_PREFIX, path / "name")
    kind = validate_choice(given.get("type", "Normal"), USER_TYPES, path / "type")
    if kind == "Super":
        reject_ignored_args(given, ["permissions"], path, path / "type", "is 'Super', which has all rights")
    password = given.get("password")
    if password is not None:
        reject_ignored_args(
            given, ["password_version"], path, path / "password", "is given, and only generated passwords have versions"
        )
    if isinstance(password, str):
        validate_password(password, path / "password")
    return User(
        path=path,
        name=name,
        type=kind,
        enabled=given.get("enabled", True),
        password=password,
        password_version=validate_range(given.get("password_version", 1), 1, None, path / "password_version"),
        permissions=_build_permission_lines(name, given.get("permissions", []), path / "permissions"),
    )


def validate_password(password: object, path: ArgumentPath) -> str:
    """Validate a password and return it.

    Raise ValueError, which states what is accepted and never contains the password.
    """
    if not (isinstance(password, str) and _PASSWORD_PATTERN.fullmatch(password)):
        raise ArgumentError(
            path,
            "user-password",
            "the password is not accepted",
            accepted="a string of 8 to 64 printable ASCII characters without blanks, quotes and backslashes",
            remedy="Choose another password, or leave it out to get a generated one",
        )
    return password


def _build_permission_lines(user: str, given: Sequence[PermissionArgs], path: ArgumentPath) -> list[str]:
    lines: dict[str, str] = {}
    for index, permission in enumerate(given):
        entry = path.index(index)
        decision = validate_choice(permission.get("decision", "Allow"), DECISIONS, entry / "decision")
        if "source_ips" in permission:
            reject_empty(permission["source_ips"], entry / "source_ips", "any address")
        for field, items in (("actions", permission["actions"]), ("resources", permission["resources"])):
            if not items:
                raise ArgumentError(
                    entry / field, "permission-empty-list", "the list is empty", accepted="one item or more"
                )
        actions = {
            validate_choice(action, ACTIONS, (entry / "actions").index(i))
            for i, action in enumerate(permission["actions"])
        }
        sources = {
            _validate_source(source, (entry / "source_ips").index(i))
            for i, source in enumerate(permission.get("source_ips", []))
        }
        for i, resource in enumerate(permission["resources"]):
            place = (entry / "resources").index(i)
            if _validate_resource(resource, place) in lines:
                raise ArgumentError(
                    place,
                    "permission-duplicate",
                    "the user has more than one permission for {given!r}",
                    accepted="each resource once, as RocketMQ keeps one permission for each resource",
                    given=resource,
                )
            parts = (f"User:{user}", resource, ",".join(sorted(actions)), ",".join(sorted(sources)) or "-", decision)
            lines[resource] = " ".join(parts)
    return [lines[resource] for resource in sorted(lines)]


def _validate_resource(resource: str, path: ArgumentPath) -> str:
    kind, _, name = resource.partition(":")
    if resource == "*" or (kind in _RESOURCE_TYPES and name and _RESOURCE_PATTERN.fullmatch(name)):
        return resource
    suggestion = suggest_name(kind, _RESOURCE_TYPES) if kind not in _RESOURCE_TYPES else ""
    raise ArgumentError(
        path,
        "permission-resource",
        "{given!r} is no resource",
        accepted="'Topic:NAME', 'Group:NAME' or 'Cluster:NAME', where NAME may end with '*', or '*' alone",
        remedy=suggestion,
        given=resource,
    )


def _validate_source(source: str, path: ArgumentPath) -> str:
    try:
        # RocketMQ accepts neither a mask in place of a prefix length nor a zone of IPv6.
        if "%" in source or "." in source.partition("/")[2]:
            raise ValueError(source)
        ipaddress.ip_network(source, strict=False)
    except ValueError:
        raise ArgumentError(
            path,
            "permission-source",
            "{given!r} is no address",
            accepted="an address or a CIDR block, such as '10.0.0.0/8'",
            given=source,
        ) from None
    return source


_AUTH_KEYS: Mapping[str, Value] = {
    "authenticationEnabled": True,
    "authenticationProvider": "org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider",
    "authorizationEnabled": True,
    "authorizationProvider": "org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider",
    # The init container inserts the values, so the ConfigMap contains no password. A broker creates this user itself.
    # No request code is exempt from authentication, not even the announcement of a role by the controllers: any client
    # with access to the port could then depose a master. Brokers request their role every syncControllerMetadataPeriod
    # instead.
    "innerClientAuthenticationCredentials": json.dumps(
        {"accessKey": "${INTERNAL_USERNAME}", "secretKey": "${INTERNAL_PASSWORD}"}, separators=(",", ":")
    ),
}

_BROKER_KEYS: Mapping[str, Value] = {
    **_AUTH_KEYS,
    "authenticationMetadataProvider": (
        "org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider"
    ),
    "authorizationMetadataProvider": (
        "org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider"
    ),
}

_PROXY_KEYS: Mapping[str, Value] = {
    **_AUTH_KEYS,
    "authenticationMetadataProvider": "org.apache.rocketmq.proxy.auth.ProxyAuthenticationMetadataProvider",
    "authorizationMetadataProvider": "org.apache.rocketmq.proxy.auth.ProxyAuthorizationMetadataProvider",
    # Without it, the proxy does not sign its requests to brokers, and exits at startup.
    "enableAclRpcHookForClusterMode": True,
}


def build_broker_keys(plan: AccessPlan | None) -> dict[str, Value]:
    """Return the keys of a broker. The plan is None without access control."""
    return {} if plan is None else {**_BROKER_KEYS, **_build_mode_keys(plan)}


def build_proxy_keys(plan: AccessPlan | None) -> dict[str, Value]:
    """Return the keys of a proxy. The plan is None without access control."""
    return {} if plan is None else {**_PROXY_KEYS, **_build_mode_keys(plan)}


def _build_mode_keys(plan: AccessPlan) -> dict[str, Value]:
    enforced = plan.mode == "enforcing"
    return {"authenticationEnabled": enforced, "authorizationEnabled": enforced}


FIXED_KEYS = frozenset(
    {*_BROKER_KEYS, "enableAclRpcHookForClusterMode", "authConfigPath", "authenticationWhitelist",
     "authorizationWhitelist", "initAuthenticationUser", "migrateAuthFromV1Enabled"}
)  # fmt: skip
"""Keys of access control. Only `access` sets them, never `config`."""
