"""Configuration files of every role: known keys, checks, rendering. Pure.

RocketMQ drops a key that it does not know, and a value that it cannot read, without a word. Here both are errors.
The keys of a version are data (`keys/<version>.json`), read from the setters in its jars by `make keys`; what the
setters do not say is in `key_rules`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from eks_rocketmq.args.validation import did_you_mean
from eks_rocketmq.rocketmq.config import key_rules

Value = str | int | bool
Key = Mapping[str, Any]
"""`type` (int, long, double, boolean, string or enum), and where there is one `default`, `members`, `deprecated` and
`unread`."""

_KEYS = resources.files("eks_rocketmq.rocketmq.config") / "keys"
# What these hold would stand readable in a ConfigMap and in the stack's state.
_PASSWORDS = frozenset({"initAuthenticationUser", "innerClientAuthenticationCredentials", "tlsKeyPassword"})
_ACCESS = "aclEnable"  # RocketMQ 4 read it; who sets it counts on being protected
_REMARKS = {
    "deprecated": "RocketMQ {version} takes {key} and is going to drop it",
    "unread": "{key} is read by nobody in RocketMQ {version}, so it changes nothing",
}
_LIMITS = {"int": 2**31, "long": 2**63}
_SPOKEN = {
    "boolean": "true or false",
    "double": "a number",
    "int": "a whole number",
    "long": "a whole number",
    "string": "a string on one line",
}


def versions() -> list[str]:
    """RocketMQ versions whose keys are known."""
    return sorted(path.name.removesuffix(".json") for path in _KEYS.iterdir() if path.name.endswith(".json"))


@cache
def known_keys(version: str) -> Mapping[str, Mapping[str, Key]]:
    """The keys of a version by role: `broker`, `controller`, `name_server` and `proxy`.

    Raises:
        ValueError: for a version without such data.
    """
    if version not in versions():
        accepted = versions()
        msg = f"version is {version!r}; accepted are {', '.join(map(repr, accepted))}{did_you_mean(version, accepted)}"
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
        ValueError: for an unknown key, with the nearest one, or a value of another type, form or range.
    """
    known = known_keys(version)[role]
    values = {}
    for key, value in given.items():
        if key not in known:
            raise ValueError(
                f"{what}: RocketMQ {version} has no {_role_name(role)} key {key!r}{_hint(version, role, key)}"
            )
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        if not _fits(known[key], plain):
            accepted = key_rules.certain(key) or f"accepted is {_accepted(role, key, known[key])}"
            msg = f"{what}: {key} is {value!r}; {accepted}"
            raise ValueError(msg)
        if (accepted := key_rules.refusal(role, key, plain)) is not None:
            msg = f"{what}: {key} is {value!r}; {accepted}"
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
        ValueError: as `checked`, for a key in `fixed`, for one that holds a password or seems to switch access control
            on, and for keys that contradict each other.
    """
    passwords = sorted(_PASSWORDS & set(given))
    if passwords:
        msg = (
            f"{what}: {', '.join(passwords)} holds a password, which would stand readable in a ConfigMap and in the "
            "stack's state; leave it out, users and certificates have arguments of their own: access and tls"
        )
        raise ValueError(msg)
    known = known_keys(version)[role]
    if _ACCESS in given and known.get(_ACCESS, {}).get("unread"):
        msg = (
            f"{what}: {_ACCESS} is read by nobody in RocketMQ {version}, so everyone would still be let in; leave it "
            "out, access control has an argument of its own: access"
        )
        raise ValueError(msg)
    taken = sorted(fixed & set(given))
    if taken:
        msg = f"{what}: {', '.join(taken)} is set by the deployment and cannot be overridden; leave it out"
        raise ValueError(msg)
    values = checked(version, role, own, f"own {role} keys") | checked(version, role, given, what)
    if (contradiction := key_rules.contradiction(role, known, values)) is not None:
        raise ValueError(f"{what}: {contradiction}")
    return values


def remarks(version: str, role: str, given: Iterable[str]) -> list[str]:
    """What is said of the given keys that the version still takes: it goes some day, or is read nowhere."""
    known = known_keys(version)[role]
    return [
        remark.format(key=key, version=version)
        for key in sorted(given)
        for mark, remark in _REMARKS.items()
        if known.get(key, {}).get(mark)
    ]


def properties(values: Mapping[str, Value]) -> str:
    """A `.conf` file: one `key=value` a line, sorted, so that equal settings are equal files.

    It is a Java properties file: a backslash escapes, and what is not Latin-1 has to be escaped.
    """
    return "".join(f"{key}={_text(value)}\n" for key, value in sorted(values.items()))


def as_json(values: Mapping[str, Value]) -> str:
    """`rmq-proxy.json`, sorted."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(escaped[i : i + 2], "big") for i in range(0, len(escaped), 2))
    return "".join(chr(unit) if 32 <= unit < 127 else f"\\u{unit:04x}" for unit in units)


def _role_name(role: str) -> str:
    return role.replace("_", " ")


def _hint(version: str, role: str, key: str) -> str:
    """The versions or the roles that know the key, or the nearest key."""
    others = [other for other in versions() if key in known_keys(other)[role]]
    others = others or [f"a {_role_name(other)}" for other, known in known_keys(version).items() if key in known]
    return f"; {', '.join(others)} has it" if others else did_you_mean(key, known_keys(version)[role])


def _fits(key: Key, value: object) -> bool:
    kind = key["type"]
    if kind == "enum":
        return value in key["members"]
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _LIMITS:
        return isinstance(value, int) and not isinstance(value, bool) and -_LIMITS[kind] <= value < _LIMITS[kind]
    if kind == "double":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    # What Java's properties and Python call a line differs; a control character is none that belongs into a setting.
    return kind == "string" and isinstance(value, str) and value.isprintable()


def _accepted(role: str, key: str, known: Key) -> str:
    kind = known["type"]
    if kind == "enum":
        return " or ".join(map(repr, known["members"]))
    if kind not in {*_LIMITS, "double"}:
        return _SPOKEN[kind]
    least, most, why = key_rules.bounds(role, key)
    if most is None and kind in _LIMITS:
        most = _LIMITS[kind] - 1
    return f"{_SPOKEN[kind]}, {key_rules.describe_bounds((least, most, why))}"
