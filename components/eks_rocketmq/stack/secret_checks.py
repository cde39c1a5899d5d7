"""Encrypted values of a stack file: which ones are accepted, and errors that reveal nothing of them."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pulumi
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from eks_rocketmq.args.arg_schema import collect_field_names, convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ArgumentPath, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, errors_within, raise_all, render_error
from eks_rocketmq.args.redaction import Secret, redact, reveals
from eks_rocketmq.rocketmq.access.access import CHOICES, AccessArgs, plan_access
from eks_rocketmq.stack.json_values import check_depth, parse_json
from eks_rocketmq.stack.stack_paths import ACCESS, CLUSTER, ROCKETMQ, STACK_FILE, get_setting_path
from eks_rocketmq.stack.stack_yaml import get_fields, is_encrypted

_ACCESS = "access"
_KNOWN = frozenset({*collect_field_names(AccessArgs), *map(to_camel_case, collect_field_names(AccessArgs)), *CHOICES})
"""Fields and choices, which errors may show."""


def check_encrypted(
    given: Mapping[str, str], encrypted: Collection[str], written: Mapping[str, Node | None] | None
) -> None:
    """Reject encrypted values that would appear in plain text, and values of `access` that are not accepted.

    Call it before anything that may show a value.

    `encrypted` are the keys that are encrypted as a whole or in part. `written` has their values in the stack file,
    where only parts of a value may be encrypted; None without it. Raise ValueError for each rejected value, without the
    value.
    """
    errors, nodes = ErrorCollector(), written or {}
    for key in encrypted:
        if key == _ACCESS:
            continue
        path = get_setting_path(key)
        for part in list(_list_encrypted_paths(nodes.get(key), path)) or [path]:
            in_access = str(part).startswith(str(ACCESS))
            errors.add(
                ArgumentError(
                    part,
                    "encrypted-key",
                    "the value is encrypted",
                    accepted="plain text. Only {access} can be a secret",
                    remedy="Move it to {access}" if in_access else "Set it again without --secret",
                    access=ACCESS,
                )
            )
    if _ACCESS in encrypted:
        errors.attempt(_check_access, given[_ACCESS], nodes.get(_ACCESS))
    errors.raise_errors()


def _list_encrypted_paths(node: Node | None, path: ArgumentPath) -> Iterator[ArgumentPath]:
    if is_encrypted(node):
        yield path
    elif isinstance(node, MappingNode):
        for name, item in get_fields(node).items():
            yield from _list_encrypted_paths(item, path.unknown(name) if name.isidentifier() else path.key(name))
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _list_encrypted_paths(item, path.index(index))


@raise_all
def check_token_settings(
    given: Mapping[str, str], *, roles_encrypted: bool, profile_encrypted: bool
) -> Iterator[ArgumentError]:
    """Reject encrypted `aws:assumeRoles` and `aws:profile`, unless the cluster has its own role and profile.

    The kubeconfig and errors would show them.
    """
    value = parse_json(given.get("cluster", ""))
    cluster = value if isinstance(value, dict) else {}
    if roles_encrypted and not cluster.get("roleArn"):
        yield ArgumentError(
            CLUSTER / "role_arn",
            "encrypted-roles",
            "a value is required, because {assumed} is encrypted and its last role would be shown",
            accepted="the ARN of a role in plain text, or 'none' for no role",
            remedy="Set it, or set {assumed} again without --secret",
            assumed=get_setting_path("aws:assumeRoles"),
        )
    if profile_encrypted and not cluster.get("profile"):
        yield ArgumentError(
            CLUSTER / "profile",
            "encrypted-profile",
            "a value is required, because {setting} is encrypted and the kubeconfig would show it",
            accepted="the name of a profile in plain text",
            remedy="Set it, or set {setting} again without --secret",
            setting=get_setting_path("aws:profile"),
        )


def protect_passwords(given: AccessArgs, encrypted: Collection[str]) -> None:
    """Mark the passwords of users, which are encrypted in the stack file, as secrets.

    Raise ValueError for each password in plain text.
    """
    if _ACCESS not in encrypted:
        _reject_plain_passwords(given)
    for user in given.get("users", []):
        if "password" in user:
            user["password"] = pulumi.Output.secret(user["password"])


def _check_access(text: str, written: Node | None) -> None:
    check_depth(text, ACCESS)
    value, real, shown = parse_json(text), ErrorCollector(), ErrorCollector()
    with real.collect():
        _check_value(value)
    redacted = _redact_encrypted(value, written)
    if not real:
        _reject_plain_passwords(redacted)
        return
    with shown.collect():
        _check_value(redacted)
    errors, secret = ErrorCollector(), _list_encrypted(value, written)
    for each in shown or [_GENERAL]:
        texts = f"{each}\n{render_error(each, STACK_FILE)}"
        errors.add(_GENERAL if reveals(texts, secret, _KNOWN) else each)
    errors.raise_errors()


@raise_all
def _reject_plain_passwords(redacted: AccessArgs) -> Iterator[ArgumentError]:
    for index, user in enumerate(redacted.get("users", [])):
        if "password" in user and not isinstance(user["password"], Secret):
            yield ArgumentError(
                (ACCESS / "users").index(index, user) / "password",
                "plain-password",
                "the password is in plain text",
                remedy="Leave it out and one is generated, or run "
                "`pulumi config set --path 'access.users[{index}].password' --secret`",
                index=index,
            )


_GENERAL = ArgumentError(
    ACCESS,
    "encrypted-value",
    "an encrypted value is not accepted, and the error does not show it",
    accepted="the fields of AccessArgs in components/README.md",
    remedy="Compare them with `pulumi config get access`",
)


def _check_value(value: Any) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        raise ArgumentError(ACCESS, "encrypted-type", "the value is encrypted and is no object", accepted="an object")
    errors = ErrorCollector()
    args = convert_from_camel_case(value, AccessArgs, ACCESS, errors)
    errors.attempt(validate_args, args, AccessArgs, ACCESS)
    errors.raise_errors()
    with errors_within(ROCKETMQ):
        plan_access(args)


def _redact_encrypted(value: Any, written: Node | None) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with everything redacted that is not in plain text in the file."""
    parts = _get_parts(value, written)
    if parts is None:
        return redact(value)
    if isinstance(parts, dict):
        return {key: _redact_encrypted(*part) for key, part in parts.items()}
    return [_redact_encrypted(*part) for part in parts] if parts else value


def _list_encrypted(value: Any, written: Node | None) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return all encrypted parts of the value."""
    parts = _get_parts(value, written)
    if parts is None:
        return [value]
    keys = [key for key in parts if isinstance(key, Secret)] if isinstance(parts, dict) else []
    inner = parts.values() if isinstance(parts, dict) else parts
    return [*keys, *(secret for part in inner for secret in _list_encrypted(*part))]


def _get_parts(value: Any, written: Node | None) -> Any:  # noqa: ANN401 - a dict or list of value and node, by the value
    """Return the parts of a value with their nodes in the file, or None if all of it is or may be encrypted.

    The file may not be the one that the engine reads (`--config-file`), and an environment may add values. What differs
    from the file may be encrypted.
    """
    if isinstance(value, dict) and isinstance(written, MappingNode) and not is_encrypted(written):
        nodes = get_fields(written)
        return {key if key in nodes else redact(key): (item, nodes.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(written, SequenceNode) and len(value) == len(written.value):
        return list(zip(value, written.value, strict=True))
    text = value if isinstance(value, str) else json.dumps(value)
    return [] if isinstance(written, ScalarNode) and written.value == text else None
