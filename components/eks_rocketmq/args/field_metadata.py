"""Metadata in the annotation of an argument field: replacement, sensitivity, accepted values. Pure.

Type checkers ignore the metadata of `Annotated` and check a `Literal`. The schema, the reference and the validation
read both. A field takes a plain value that preview knows, unless its type is an `Input`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Required, TypeVar, get_args, get_origin

T = TypeVar("T")


@dataclass(frozen=True)
class Property:
    """Property of a field."""

    name: str


@dataclass(frozen=True)
class Enumeration:
    """Name of the enumeration in the package's schema for the values of a `Literal`."""

    name: str


REPLACES = Property("replaces")
SENSITIVE = Property("sensitive")

Replacing = Annotated[T, REPLACES]
"""A field that replaces a resource when it changes. Its docstring names the resource."""
Sensitive = Annotated[T, SENSITIVE]
"""A field whose value must not appear in an error."""

_WRAPPERS = frozenset({Annotated, NotRequired, Required})


def strip_metadata(hint: Any) -> Any:  # noqa: ANN401 - any annotation
    """Return an annotation without its outermost `Annotated`."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def get_properties(hint: Any) -> frozenset[Property]:  # noqa: ANN401 - any annotation
    """Return the properties of a field, without those of types inside a list or an `Input`."""
    found: set[Property] = set()
    while get_origin(hint) in _WRAPPERS:
        found |= {each for each in _get_metadata(hint) if isinstance(each, Property)}
        hint = get_args(hint)[0]
    return frozenset(found)


def get_accepted_values(hint: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """Return the values of a `Literal`, or of a list of it; an empty tuple for every other type."""
    return next((get_args(each) for each in _unwrap(hint) if get_origin(each) is Literal), ())


def get_enumeration_name(hint: Any) -> str:  # noqa: ANN401 - any annotation
    """Return the name of the enumeration of a field, or of the items of its list.

    Raise TypeError for an annotation without an `Enumeration`.
    """
    for each in _unwrap(hint):
        for metadata in _get_metadata(each):
            if isinstance(metadata, Enumeration):
                return metadata.name
    msg = f"{hint} has no Enumeration(…), so the schema has no name for its values"
    raise TypeError(msg)


def _get_metadata(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _unwrap(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation
    """Yield the annotation and the types inside it, down to the items of a list."""
    yield hint
    while get_origin(hint) in _WRAPPERS | {list}:
        hint = get_args(hint)[0]
        yield hint
