"""Comparison of property values by meaning. Pure."""

import json
from collections.abc import Mapping
from typing import Any

# Elements of a policy that accept one value or an unordered list.
_SETS = ("Action", "NotAction", "Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


def same_policy(one: object, other: object) -> bool:
    """Return whether two policy documents (JSON text) have the same meaning; texts that are not JSON must be equal."""
    return _meaning(one) == _meaning(other)


def same_json(one: object, other: object) -> bool:
    """Return whether two JSON texts have the same value."""
    return _parsed(one) == _parsed(other)


def same_set(one: list[Any], other: list[Any]) -> bool:
    """Return whether two lists have the same members in any order."""
    return sorted(one) == sorted(other)


def same_settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether AWS's block (`one`) has all settings of the program's; AWS chooses the missing ones."""
    return all(_same_value(one.get(key), value) for key, value in other.items() if value is not None)


def same_blocks(one: list[Mapping[str, Any]], other: list[Mapping[str, Any]]) -> bool:
    """Return whether each of AWS's blocks (`one`) has all settings of the program's."""
    return len(one) == len(other) and all(map(same_settings, one, other))


def _same_value(one: Any, other: Any) -> bool:  # noqa: ANN401 - property values
    if isinstance(other, Mapping):
        return isinstance(one, Mapping) and same_settings(one, other)
    if isinstance(other, list):
        return sorted(map(str, one or ())) == sorted(map(str, other))
    return one == other or (one is None and other in ("", False))


def _parsed(text: object) -> object:
    try:
        return json.loads(str(text)) if text else None
    except json.JSONDecodeError:
        return text


def _meaning(text: object) -> object:
    document = _parsed(text)
    if not isinstance(document, dict):
        return document
    return {**document, "Statement": _unordered([_statement(each) for each in _listed(document.get("Statement", []))])}


def _statement(statement: Any) -> object:  # noqa: ANN401 - any JSON
    if not isinstance(statement, dict):
        return statement
    plain = {key: value for key, value in statement.items() if not (key == "Sid" and value == "")}
    for key in _SETS:
        if key in plain:
            plain[key] = _unordered(_listed(plain[key]))
    for key in _PRINCIPALS:
        principal = plain.get(key)
        if isinstance(principal, dict):
            plain[key] = {kind: _unordered(_listed(names)) for kind, names in principal.items()}
    if isinstance(plain.get("Condition"), dict):
        plain["Condition"] = {
            operator: {
                key.lower(): _unordered([_text(each) for each in _listed(values)]) for key, values in keys.items()
            }
            for operator, keys in plain["Condition"].items()
        }
    return plain


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    """Convert to text: for IAM, `true` equals `"true"`."""
    return value if isinstance(value, str) else json.dumps(value)


def _unordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
