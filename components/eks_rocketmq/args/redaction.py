"""Redacted values of encrypted settings, which no message can reveal. Pure."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

REDACTED = "[secret]"
_WINDOW = 6


class Secret:
    """Mixin for a value that is validated as it is and shown as `[secret]`.

    `str()` returns the value itself, because the standard library needs it for checks.
    """

    def __repr__(self) -> str:
        return REDACTED

    def __format__(self, _: str) -> str:
        return REDACTED


class _SecretText(Secret, str):
    __slots__ = ()

    def __str__(self) -> str:
        return str.__str__(self)


class _SecretInteger(Secret, int):
    __slots__ = ()


class _SecretFloat(Secret, float):
    __slots__ = ()


def redact(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value with every string, number and key redacted."""
    if isinstance(value, Mapping):
        return {redact(key): redact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _SecretText(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _SecretInteger(value) if isinstance(value, int) or value.is_integer() else _SecretFloat(value)


def reveals(text: str, value: Any, known: Collection[str] = ()) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a text contains a part of a value: six successive characters, or a shorter one in quotes.

    `known` are keys and words that may be shown because they are public.
    """
    return any(_contains(text, leaf) for leaf in _iterate_leaves(value, known))


def _contains(text: str, leaf: object) -> bool:
    plain = str.__str__(leaf) if isinstance(leaf, str) else repr(leaf)
    if len(plain) < _WINDOW:
        return repr(plain) in text or json.dumps(plain) in text
    forms = {plain, repr(plain)[1:-1], json.dumps(plain)[1:-1]}
    return any(form[at : at + _WINDOW] in text for form in forms for at in range(len(form) - _WINDOW + 1))


def _iterate_leaves(value: Any, known: Collection[str]) -> Iterator[object]:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in known:
                yield key
            yield from _iterate_leaves(item, known)
    elif isinstance(value, list):
        for item in value:
            yield from _iterate_leaves(item, known)
    elif value is not None and not isinstance(value, bool) and value not in known:
        yield value
