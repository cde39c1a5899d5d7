"""Kubernetes quantities in the form that the API server stores: `500m` for `0.5`, `1Gi` for `1024Mi`."""

import re
from collections.abc import Callable
from decimal import Decimal

_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]?)|([KMGTPE]i))$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BY_POWER = {power: suffix for suffix, power in _DECIMAL.items()}
_BY_BINARY_POWER = {power: suffix for suffix, power in _BINARY.items()}


def canonical(value: object) -> object:
    """Return the stored form of a quantity; any other value unchanged, so that the server rejects it."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    match = _QUANTITY.match(text) if isinstance(text, str) else None
    if match is None:
        return value
    digits, exponent, decimal, binary = match.groups()
    number = Decimal(digits)
    if exponent:
        return _scaled(number.scaleb(int(exponent[1:])), lambda power: f"e{power}" if power else "")
    if binary:
        number *= 1024 ** _BINARY[binary]
        if number == number.to_integral_value() and abs(number) >= 1024:
            return _binary(int(number))
        return _scaled(number, _decimal_suffix)
    return _scaled(number.scaleb(_DECIMAL[decimal or ""]), _decimal_suffix)


def _decimal_suffix(power: int) -> str:
    return _BY_POWER[power]


def _binary(number: int) -> str:
    power = 0
    while number % 1024 == 0 and power < max(_BY_BINARY_POWER):
        number //= 1024
        power += 1
    return f"{number}{_BY_BINARY_POWER[power]}"


def _scaled(number: Decimal, suffix: Callable[[int], str]) -> str:
    """Format a number with the largest power of 1000 that keeps the mantissa whole, rounded up to nano."""
    if number == 0:
        return "0"
    power = max(_DECIMAL.values())
    while power > min(_DECIMAL.values()) and number.scaleb(-power) % 1:
        power -= 3
    mantissa = number.scaleb(-power).to_integral_value(rounding="ROUND_CEILING")
    return f"{int(mantissa)}{suffix(power)}"
