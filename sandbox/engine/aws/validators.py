"""Validation of property values before any API call, as in the released provider's schema. Pure.

Each function returns a validator. A validator takes the property's name in messages and the value. It returns why the
value is not accepted, None when it is.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Validator = Callable[[str, Any], str | None]


def argument_name(key: str) -> str:
    """Return the name of a property in messages: `subnet_ids` for `subnetIds`."""
    return re.sub("([A-Z])", r"_\1", key).lower()


def text(low: int, high: int, pattern: str = "") -> Validator:
    """Accept texts of a length that match the pattern."""

    def validate(key: str, value: object) -> str | None:
        if not isinstance(value, str) or not low <= len(value) <= high:
            return f"expected length of {key} to be in the range ({low} - {high}), got {value}"
        matches = not pattern or re.fullmatch(pattern, value)
        return None if matches else f'"{key}" doesn\'t comply with restrictions ("{pattern}"): "{value}"'

    return validate


def network(shortest: int = 0, longest: int = 128) -> Validator:
    """Accept networks in CIDR notation without host bits, with a prefix length in the range."""

    def validate(key: str, value: object) -> str | None:
        try:
            found = ipaddress.ip_network(str(value))
        except ValueError:
            return f'"{value}" is not a valid CIDR block'
        if shortest <= found.prefixlen <= longest:
            return None
        return f'expected "{key}" to contain a network Value with between {shortest} and {longest} significant bits'

    return validate


def each(member: Validator, fewest: int = 0, path: str = "") -> Validator:
    """Accept lists of accepted members, with at least `fewest` of them. `path` replaces the name in messages."""

    def validate(key: str, values: Sequence[Any]) -> str | None:
        if len(values) < fewest:
            return f"Attribute {path or key} requires {fewest} item minimum, but config has only {len(values)} declared"
        return next((reason for value in values if (reason := member(key, value))), None)

    return validate


def block(**validators: Validator) -> Validator:
    """Accept blocks whose properties are accepted."""

    def validate(_: str, value: Mapping[str, Any]) -> str | None:
        given = [key for key in validators if value.get(key) is not None]
        return next((reason for key in given if (reason := validators[key](argument_name(key), value[key]))), None)

    return validate


def any_value(_: str, __: object) -> None:
    """Accept any value."""


def one_of(*accepted: str | int) -> Validator:
    """Accept these values."""
    listed = " ".join(f'"{each}"' for each in accepted)
    return lambda key, value: None if value in accepted else f"expected {key} to be one of [{listed}], got {value}"


def between(low: int, high: int) -> Validator:
    """Accept whole numbers in the range."""

    def validate(key: str, value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"expected type of {key} to be integer"
        return None if low <= value <= high else f"expected {key} to be in the range ({low} - {high}), got {value}"

    return validate


def arn(key: str, value: object) -> str | None:
    """Accept ARNs: six parts. Partition, service and resource are not empty."""
    parts = str(value).split(":", 5)
    if parts[0] != "arn":
        return f'"{key}" ({value}) is an invalid ARN: arn: invalid prefix'
    if len(parts) < 6:  # arn:partition:service:region:account:resource
        return f'"{key}" ({value}) is an invalid ARN: arn: not enough sections'
    return None if all((parts[1], parts[2], parts[5])) else f'"{key}" ({value}) is an invalid ARN'


def json_object(what: str = "JSON") -> Validator:
    """Accept JSON objects. `what` is the word for the document in messages."""

    def validate(key: str, value: object) -> str | None:
        try:
            parsed = json.loads(str(value))
        except json.JSONDecodeError as error:
            return f'"{key}" contains an invalid {what}: {error}'
        return None if isinstance(parsed, dict) else f'"{key}" contains an invalid {what}: not a JSON object'

    return validate
