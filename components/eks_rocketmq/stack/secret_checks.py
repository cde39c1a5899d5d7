"""Encrypted values of a stack file: which there may be, and errors that show nothing of them."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from yaml import MappingNode, Node, SequenceNode

from eks_rocketmq.args.arg_schema import (
    FieldError,
    collect_field_names,
    convert_from_camel_case,
    to_camel_case,
    validate_args,
)
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.redaction import redact, reveals
from eks_rocketmq.rocketmq.access.access import CHOICES, AccessArgs, plan_access
from eks_rocketmq.stack.spelling import as_spelled
from eks_rocketmq.stack.stack_yaml import is_encrypted

_ACCESS = "access"
_KNOWN = frozenset({*map(to_camel_case, collect_field_names(AccessArgs)), *CHOICES})
"""Fields and choices, which no error has to hide."""


def check_encrypted(given: Mapping[str, str], encrypted: Collection[str], written: Node | None) -> None:
    """Refuse encrypted values that would come out in plain text, and those of `access` that are not accepted.

    It comes before anything that may show a value.

    Args:
        given: text of each key of the project.
        encrypted: keys that are encrypted as a whole or in part.
        written: `access` in the stack file, where single values of it may be encrypted.

    Raises:
        ValueError: naming each key and nothing of a value that is encrypted.
    """
    problems = ErrorCollector()
    for key in encrypted:
        if key != _ACCESS:
            msg = (
                f"{key} is encrypted; accepted is plain text, `access` alone can be a secret: set it again without "
                "--secret"
            )
            problems.add(FieldError((key,), msg, ""))
    if _ACCESS in encrypted:
        problems.attempt(_check_access, given[_ACCESS], written)
    problems.raise_errors()


def check_assumed_roles(given: Mapping[str, str], *, encrypted: bool) -> None:
    """Refuse encrypted `aws:assumeRoles` where the token's role is taken from them.

    The kubeconfig and errors would show it.

    Args:
        given: text of each key of the project.
        encrypted: whether `aws:assumeRoles` is.

    Raises:
        ValueError: with the accepted settings.
    """
    if encrypted and not given.get("clusterRoleArn"):
        msg = (
            "aws:assumeRoles is encrypted, and without clusterRoleArn the role of the cluster's token is the last of "
            "its roles; accepted is clusterRoleArn in plain text, or `none` for no role: give it, or set "
            "aws:assumeRoles again without --secret"
        )
        raise FieldError(("clusterRoleArn",), msg, "")


def hold_passwords(given: AccessArgs, encrypted: Collection[str]) -> None:
    """Make secrets of the passwords of users, which are encrypted in the stack file.

    Raises:
        ValueError: for each password in plain text.
    """
    problems = ErrorCollector()
    for place, user in enumerate(given.get("users", [])):
        if "password" not in user:
            continue
        if _ACCESS in encrypted:
            user["password"] = pulumi.Output.secret(user["password"])
            continue
        msg = (
            f"access.users[{user['name']!r}].password is in plain text; leave it out and one is generated, or "
            f"set it with `pulumi config set --path 'access.users[{place}].password' --secret`"
        )
        problems.add(ValueError(msg))
    problems.raise_errors()


def _check_access(text: str, written: Node | None) -> None:
    value, real, shown = _json(text), ErrorCollector(), ErrorCollector()
    with real.collect():
        _check_value(value)
    if not real:
        return
    with shown.collect():
        _check_value(_hidden(value, written))
    problems, secret = ErrorCollector(), _secret(value, written)
    for each in shown or [_GENERAL]:
        problems.add(_GENERAL if reveals(str(each), secret, _KNOWN) else each)
    problems.raise_errors()


_GENERAL = ValueError(
    "access has an encrypted value that is not accepted, and nothing of it is shown; accepted are the fields of "
    "AccessArgs in components/README.md: compare it with `pulumi config get access`"
)


def _check_value(value: Any) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        msg = "is encrypted and not accepted; accepted is an object"
        raise FieldError((_ACCESS,), _ACCESS, msg)
    problems = ErrorCollector()
    args = convert_from_camel_case(value, AccessArgs, _ACCESS, (_ACCESS,), problems)
    with as_spelled():
        problems.attempt(validate_args, args, AccessArgs, _ACCESS, (_ACCESS,))
        problems.raise_errors()
        plan_access(args)


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _hidden(value: Any, written: Node | None) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with everything replaced that is not in plain text in the file."""
    parts = _parts(value, written)
    if parts is None:
        return redact(value)
    if isinstance(parts, dict):
        return {key: _hidden(*part) for key, part in parts.items()}
    return [_hidden(*part) for part in parts] if parts else value


def _secret(value: Any, written: Node | None) -> list[Any]:  # noqa: ANN401 - any JSON
    """All parts of the value that are encrypted."""
    parts = _parts(value, written)
    if parts is None:
        return [value]
    inner = parts.values() if isinstance(parts, dict) else parts
    return [secret for part in inner for secret in _secret(*part)]


def _parts(value: Any, written: Node | None) -> Any:  # noqa: ANN401 - a dict or list of value and node, by the value
    """What is inside of a value with its places in the file; None where all of it is encrypted, or may be."""
    if written is None or is_encrypted(written):
        return None
    if isinstance(value, dict) and isinstance(written, MappingNode):
        nodes = {key.value: node for key, node in written.value}
        return {key: (item, nodes.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(written, SequenceNode) and len(value) == len(written.value):
        return list(zip(value, written.value, strict=True))
    return [] if not isinstance(value, dict | list) else None
