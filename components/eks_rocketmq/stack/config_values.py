"""Keys of the stack file as `Pulumi.yaml` declares them, and a typed value for each. Pure but for reading the file."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from eks_rocketmq.args.arg_schema import FieldError, describe_type
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.validation import find_nearest_names, suggest_name, validate_choice
from eks_rocketmq.eks.ebs.driver_plan import PERMISSIONS
from eks_rocketmq.rocketmq.config.broker_config import list_versions
from eks_rocketmq.rocketmq.config.durability import PROFILES

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "oidcProvider": ("create", "existing"),
    "ebsCsiDriver": ("create", "existing", "self-managed", "auto-mode"),
    "ebsCsiPermissions": tuple(PERMISSIONS),
    "durability": tuple(PROFILES),
    "rocketmqVersion": tuple(list_versions()),
}
_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_REFERENCE = "docs/reference/settings.md"
UNSET: tuple[Any, ...] = ("", 0, [], {})
"""Declared defaults that stand for the component's own default: the engine wants a default of every optional key."""


@cache
def declaration(directory: Path) -> dict[str, dict[str, Any]]:
    """The `config:` block of the project file in `directory`, by key."""
    return yaml.safe_load((directory / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]


def checked_values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """A typed value for every declared key.

    Args:
        declared: the `config:` block of Pulumi.yaml.
        given: key without namespace to text, objects and lists as JSON, as Pulumi hands them over.

    Raises:
        ValueError: for each key that is unknown, missing or of another type.
    """
    problems = ErrorCollector()
    for key in given:
        if key not in declared:
            near = suggest_name(key, declared) or f"; the nearest are {', '.join(find_nearest_names(key, declared))}"
            problems.add(FieldError((key,), f"unknown key {key!r}{near};", f"accepted are those of {_REFERENCE}"))
    values = {key: problems.attempt(_value, key, declaration_, given) for key, declaration_ in declared.items()}
    for key, accepted in _CHOICES.items():
        if values[key] is not None:
            problems.attempt(validate_choice, values[key], accepted, key)
    problems.raise_errors()
    return values


def _value(key: str, declared: Mapping[str, Any], given: Mapping[str, str]) -> Any:  # noqa: ANN401 - any declared type
    wanted = _TYPES[declared["type"]]
    if key not in given:
        if "default" not in declared:
            raise FieldError((key,), key, f"is missing; it is {describe_type(wanted)}: {declared['description']}")
        return declared["default"]
    text = given[key]
    if wanted is str:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise FieldError((key,), key, f"is {value!r}; accepted is {describe_type(wanted)}", describe_type(wanted))
    return value
