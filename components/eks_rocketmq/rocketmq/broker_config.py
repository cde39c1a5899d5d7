"""Configuration files of every role: known keys, checks, rendering. Pure.

RocketMQ drops a key that it does not know, and a value that it cannot read, without a word. Here both are errors.
The keys of a version are data (`keys/<version>.json`), read from the setters in its jars by
`scripts/RocketMqKeys.java`.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from eks_rocketmq.validation import did_you_mean

Value = str | int | bool

_KEYS = resources.files("eks_rocketmq.rocketmq") / "keys"
# What these hold would stand readable in a ConfigMap and in the stack's state.
_PASSWORDS = frozenset({"initAuthenticationUser", "innerClientAuthenticationCredentials", "tlsKeyPassword"})
_LIMITS = {"int": 2**31, "Integer": 2**31, "long": 2**63}
_SPOKEN = {"boolean": "true or false", "double": "a number", "FlushDiskType": "'ASYNC_FLUSH' or 'SYNC_FLUSH'"}


def versions() -> list[str]:
    """RocketMQ versions whose keys are known."""
    return sorted(path.name.removesuffix(".json") for path in _KEYS.iterdir() if path.name.endswith(".json"))


@cache
def _known(version: str) -> dict[str, dict[str, dict[str, Value]]]:
    if version not in versions():
        msg = f"version is {version!r}; accepted are {', '.join(map(repr, versions()))}"
        raise ValueError(msg)
    return json.loads((_KEYS / f"{version}.json").read_text(encoding="utf-8"))


def checked(version: str, role: str, given: Mapping[str, Value], what: str) -> dict[str, Value]:
    """The given keys, whole numbers as int.

    Args:
        version: RocketMQ version.
        role: `broker`, `controller`, `name_server` or `proxy`.
        given: key to value.
        what: how an error names the input.

    Raises:
        ValueError: for an unknown key, with the nearest one, or a value of another type or out of range.
    """
    known = _known(version)[role]
    values = {}
    for key, value in given.items():
        if key not in known:
            msg = f"{what}: RocketMQ {version} has no {role} key {key!r}{did_you_mean(key, known)}"
            raise ValueError(msg)
        kind = str(known[key]["type"])
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        if not _fits(kind, plain):
            msg = f"{what}: {key} is {value!r}; accepted is {_accepted(kind)}"
            raise ValueError(msg)
        values[key] = plain
    return values


def override(  # noqa: PLR0913 - as many as the question has
    version: str,
    role: str,
    own: Mapping[str, Value],
    given: Mapping[str, Value],
    *,
    fixed: frozenset[str],
    what: str,
) -> dict[str, Value]:
    """The deployment's own keys with the user's over them.

    Args:
        version: RocketMQ version.
        role: as in `checked`.
        own: what the deployment sets.
        given: what the user sets.
        fixed: keys that the deployment's shape depends on.
        what: how an error names the user's input.

    Raises:
        ValueError: as `checked`, for a key in `fixed`, and for one that holds a password.
    """
    taken = sorted(fixed & set(given))
    if taken:
        msg = f"{what}: {', '.join(taken)} is set by the deployment and cannot be overridden; leave it out"
        raise ValueError(msg)
    passwords = sorted(_PASSWORDS & set(given))
    if passwords:
        msg = (
            f"{what}: {', '.join(passwords)} holds a password, which would stand readable in a ConfigMap and in the "
            "stack's state; leave it out, this version deploys RocketMQ without access control"
        )
        raise ValueError(msg)
    return checked(version, role, own, f"own {role} keys") | checked(version, role, given, what)


def properties(values: Mapping[str, Value]) -> str:
    """A `.conf` file: one `key=value` a line, sorted, so that equal settings are equal files."""
    return "".join(f"{key}={_text(value)}\n" for key, value in sorted(values.items()))


def as_json(values: Mapping[str, Value]) -> str:
    """`rmq-proxy.json`, sorted."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(kind: str, value: Value | float) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _LIMITS:
        return isinstance(value, int) and not isinstance(value, bool) and -_LIMITS[kind] <= value < _LIMITS[kind]
    if kind == "double":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "FlushDiskType":
        return value in ("ASYNC_FLUSH", "SYNC_FLUSH")
    return kind == "String" and isinstance(value, str) and "\n" not in value


def _accepted(kind: str) -> str:
    if kind in _LIMITS:
        return f"a whole number, such as 1048576, from {-_LIMITS[kind]} to {_LIMITS[kind] - 1}"
    return _SPOKEN.get(kind, "a string on one line")
