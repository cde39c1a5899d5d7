"""What the provider refuses before it asks AWS, as the schema of the released one does. Pure.

Each function here returns a check: it says why a value is refused, or None when it is accepted. `key` is the argument's
name in messages.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

Refusal = Callable[[Any], str | None]


def text(key: str, low: int, high: int, pattern: str = "") -> Refusal:
    """Accepts texts of that many characters, and only those that match the pattern."""

    def refusal(value: object) -> str | None:
        if not isinstance(value, str) or not low <= len(value) <= high:
            return f"expected length of {key} to be in the range ({low} - {high}), got {value}"
        matches = not pattern or re.fullmatch(pattern, value)
        return None if matches else f'"{key}" doesn\'t comply with restrictions ("{pattern}"): "{value}"'

    return refusal


def network(key: str, shortest: int = 0, longest: int = 128) -> Refusal:
    """Accepts a network in CIDR notation, without host bits and with a prefix of such a length."""

    def refusal(value: object) -> str | None:
        try:
            found = ipaddress.ip_network(str(value))
        except ValueError:
            return f'"{value}" is not a valid CIDR block'
        if shortest <= found.prefixlen <= longest:
            return None
        return f'expected "{key}" to contain a network Value with between {shortest} and {longest} significant bits'

    return refusal


def each(refusal: Refusal, key: str = "", fewest: int = 0) -> Refusal:
    """Accepts lists of what the other accepts, with at least so many members."""

    def refuse(values: Any) -> str | None:  # noqa: ANN401 - a property's value
        if len(values) < fewest:
            return f"Attribute {key} requires {fewest} item minimum, but config has only {len(values)} declared"
        return next((reason for value in values if (reason := refusal(value))), None)

    return refuse


def block(**refusals: Refusal) -> Refusal:
    """Accepts blocks whose properties, those that it has, are each accepted."""

    def refusal(value: Mapping[str, Any]) -> str | None:
        given = ((refusals[key], each) for key, each in value.items() if key in refusals and each is not None)
        return next((reason for refuse, each in given if (reason := refuse(each))), None)

    return refusal


def any_value(value: object) -> None:
    """For lists whose length alone is checked."""
