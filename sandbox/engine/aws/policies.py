"""When two IAM policy documents mean the same, whatever their formatting. Pure."""

import json
from typing import Any

# Elements in which AWS takes one value or a list of them, in any order.
_SETS = ("Action", "NotAction", "Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


def same_policy(one: object, other: object) -> bool:
    """Whether both documents (JSON text) have the same meaning; texts that are no JSON must be equal."""
    return _meaning(one) == _meaning(other)


def same_json(one: object, other: object) -> bool:
    """Whether both JSON texts hold the same value."""
    return _parsed(one) == _parsed(other)


def invalid_json(value: object) -> str | None:
    """Why the text is no JSON object, in the parser's words; None when it is one."""
    try:
        parsed = json.loads(str(value))
    except json.JSONDecodeError as error:
        return str(error)
    return None if isinstance(parsed, dict) else "not a JSON object"


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
    """IAM compares `true` and `"true"` alike."""
    return value if isinstance(value, str) else json.dumps(value)


def _unordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
