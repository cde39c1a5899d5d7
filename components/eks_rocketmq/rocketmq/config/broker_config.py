"""Configuration files of every role: known keys, validation, rendering. Pure.

RocketMQ ignores unknown keys and unreadable values without a message. Here both are errors. `make keys` reads the keys
of a version from the setters in its jars and writes them to `keys/<version>.json`. The module `key_rules` adds the
constraints that setters do not express.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, ErrorCollector
from eks_rocketmq.args.validation import suggest_name, validate_choice
from eks_rocketmq.rocketmq.config import key_rules

Value = str | int | bool
Key = Mapping[str, Any]
"""`type` (int, long, double, boolean, string or enum), and optionally `default`, `members`, `deprecated` and
`unread`."""

_KEYS = resources.files("eks_rocketmq.rocketmq.config") / "keys"
# Their values would be readable in a ConfigMap and in the stack's state.
_PASSWORD_KEYS = frozenset({"initAuthenticationUser", "innerClientAuthenticationCredentials", "tlsKeyPassword"})
_ACL_KEY = "aclEnable"  # RocketMQ 4 read it, so a user who sets it expects access control
_LIMITS = {"int": 2**31, "long": 2**63}
_TYPE_TEXTS = {
    "boolean": "true or false",
    "double": "a number",
    "int": "a whole number",
    "long": "a whole number",
    "string": "a string on one line",
}


def list_versions() -> list[str]:
    """Return the RocketMQ versions whose keys are known."""
    return sorted(path.name.removesuffix(".json") for path in _KEYS.iterdir() if path.name.endswith(".json"))


@cache
def load_keys(version: str) -> Mapping[str, Mapping[str, Key]]:
    """Return the keys of a version by role: `broker`, `controller`, `name_server` and `proxy`.

    Raise ValueError for a version whose keys are not known.
    """
    validate_choice(version, list_versions(), ARGS / "version")
    return json.loads((_KEYS / f"{version}.json").read_text(encoding="utf-8"))


def validate_keys(version: str, role: str, config: Mapping[str, Value], path: ArgumentPath) -> dict[str, Value]:
    """Validate keys and return them, with whole numbers as int.

    `role` is `broker`, `controller`, `name_server` or `proxy`. Raise ValueError for an unknown key (the error suggests
    the nearest one), or for a value of the wrong type, format or range.
    """
    values = {}
    errors = ErrorCollector()
    for key, value in config.items():
        with errors.collect():
            values[key] = _validate_key(version, role, key, value, path.key(key))
    errors.raise_errors()
    return values


def _validate_key(version: str, role: str, key: str, value: Value, path: ArgumentPath) -> Value:
    known = load_keys(version)[role].get(key)
    if known is None:
        raise ArgumentError(
            path,
            "config-key-unknown",
            "RocketMQ {version} has no such key for a {role}",
            remedy=_suggest_key(version, role, key),
            version=version,
            role=_format_role(role),
        )
    normalized = int(value) if isinstance(value, float) and value.is_integer() else value
    if not (_has_type(known, normalized) and key_rules.accepts_value(role, key, normalized)):
        raise ArgumentError(
            path,
            "config-value",
            "{given!r} is not accepted",
            accepted="{description}",
            given=value,
            description=describe_accepted(role, key, known),
        )
    return normalized


def merge_keys(  # noqa: PLR0913 - all inputs of one merge
    version: str,
    role: str,
    defaults: Mapping[str, Value],
    config: Mapping[str, Value],
    *,
    fixed: frozenset[str],
    path: ArgumentPath,
) -> dict[str, Value]:
    """Merge the user's keys over the deployment's defaults.

    `role` is as in `validate_keys`. The user must not set keys in `fixed`, because the deployment depends on their
    values. Raise ValueError as in `validate_keys`, for a key in `fixed`, for a key that holds a password or seems to
    enable access control, and for keys that contradict each other.
    """
    known = load_keys(version)[role]
    errors = ErrorCollector()
    for key in config:
        with errors.collect():
            _reject_protected_key(version, key, known, fixed, path.key(key))
    errors.raise_errors()
    values = validate_keys(version, role, {**defaults, **config}, path)
    key_rules.reject_contradictions(role, known, values, path)
    return values


def _reject_protected_key(
    version: str, key: str, known: Mapping[str, Key], fixed: frozenset[str], path: ArgumentPath
) -> None:
    if key in _PASSWORD_KEYS:
        raise ArgumentError(
            path,
            "config-key-password",
            "the key contains a password, which would be readable in a ConfigMap and in the state of the stack",
            remedy="Leave the key out. Use {access} for users and {tls} for certificates",
            access=ARGS / "access",
            tls=ARGS / "tls",
        )
    if key == _ACL_KEY and known.get(key, {}).get("unread"):
        raise ArgumentError(
            path,
            "config-key-acl",
            "RocketMQ {version} never reads the key, so every client would still have access",
            remedy="Leave the key out. Use {access} for access control",
            version=version,
            access=ARGS / "access",
        )
    if key in fixed:
        raise ArgumentError(
            path,
            "config-key-reserved",
            "the deployment sets the key, so you cannot override it",
            remedy="Leave the key out",
        )


def list_key_warnings(version: str, role: str, config: Iterable[str], path: ArgumentPath) -> list[ArgumentMessage]:
    """Return warnings about keys that the version accepts, but deprecates or never reads."""
    known = load_keys(version)[role]
    warnings = []
    for key in sorted(config):
        flags = known.get(key, {})
        if flags.get("deprecated"):
            warnings.append(
                ArgumentMessage(
                    path.key(key),
                    "config-key-deprecated",
                    "the key is deprecated in RocketMQ {version}, and a later version will not have it",
                    values={"version": version},
                )
            )
        if flags.get("unread"):
            warnings.append(
                ArgumentMessage(
                    path.key(key),
                    "config-key-unread",
                    "RocketMQ {version} never reads the key, so it has no effect",
                    values={"version": version},
                )
            )
    return warnings


def render_properties(values: Mapping[str, Value]) -> str:
    """Render a `.conf` file: one `key=value` per line, sorted, so that equal settings produce equal files.

    The format is that of Java properties: a backslash escapes, and characters outside Latin-1 must be escaped.
    """
    return "".join(f"{key}={_escape_value(value)}\n" for key, value in sorted(values.items()))


def parse_properties(text: str) -> dict[str, str]:
    """Return the rendered values of a file of `render_properties` by key."""
    return dict(line.split("=", 1) for line in text.splitlines())


def render_json(values: Mapping[str, Value]) -> str:
    """Render `rmq-proxy.json` with sorted keys."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _escape_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(escaped[i : i + 2], "big") for i in range(0, len(escaped), 2))
    return "".join(chr(unit) if 32 <= unit < 127 else f"\\u{unit:04x}" for unit in units)


def _format_role(role: str) -> str:
    return role.replace("_", " ")


def _suggest_key(version: str, role: str, key: str) -> str:
    """Return a remedy: other versions or roles with this key, or the nearest key."""
    if versions := [other for other in list_versions() if key in load_keys(other)[role]]:
        return f"The key exists in RocketMQ {', '.join(versions)}"
    if roles := [_format_role(other) for other, known in load_keys(version).items() if key in known]:
        return f"The key exists for a {' or a '.join(roles)}"
    return suggest_name(key, load_keys(version)[role])


def _has_type(key: Key, value: object) -> bool:
    kind = key["type"]
    if kind == "enum":
        return value in key["members"]
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _LIMITS:
        return isinstance(value, int) and not isinstance(value, bool) and -_LIMITS[kind] <= value < _LIMITS[kind]
    if kind == "double":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    # Java properties and Python split lines at different characters, so no control character is accepted.
    return kind == "string" and isinstance(value, str) and value.isprintable()


def describe_accepted(role: str, key: str, known: Key) -> str:
    """Return the values that a key accepts, for an error."""
    if choices := key_rules.describe_choices(key):
        return choices
    kind = known["type"]
    if kind == "enum":
        return " or ".join(map(repr, known["members"]))
    if kind not in {*_LIMITS, "double"}:
        return _TYPE_TEXTS[kind]
    minimum, maximum, reason = key_rules.find_bounds(role, key)
    if maximum is None and kind in _LIMITS:
        maximum = _LIMITS[kind] - 1
    return f"{_TYPE_TEXTS[kind]}, {key_rules.describe_bounds((minimum, maximum, reason))}"
