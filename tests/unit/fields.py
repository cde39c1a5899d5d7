"""Rows that show for each field of an argument type that another value changes the result."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args, is_typeddict

Fields = Mapping[str, Any]


class Pair(NamedTuple):
    """Both values of a row whose field is not compatible with the default values."""

    before: Fields
    after: Fields


@dataclass(frozen=True)
class Place:
    """Place of one type in the arguments, its default values, and another value for each field."""

    put: Callable[[Fields], dict[str, Any]]
    before: Fields
    rows: Fields

    def pair(self, field: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments before and after the change of the field."""
        row = self.rows[field]
        before, after = row if isinstance(row, Pair) else (self.before, {**self.before, field: row})
        return self.put(before), self.put(after)

    def swallowed(self, made: Callable[[dict[str, Any]], object]) -> list[str]:
        """Return the fields whose other value does not change the result."""
        usual = made(self.put(self.before))
        assert made(self.put(self.before)) == usual, "the result differs between runs with the same arguments"
        same = []
        for field, row in self.rows.items():
            before, after = self.pair(field)
            if made(after) == (made(before) if isinstance(row, Pair) else usual):
                same.append(field)
        return same


def types_in(hint: Any) -> set[Any]:
    """Return a TypedDict and all nested ones."""
    inner = hint.__annotations__.values() if is_typeddict(hint) else get_args(hint)
    return ({hint} if is_typeddict(hint) else set()).union(*map(types_in, inner))


def fields_of(types: Iterable[Any]) -> dict[str, set[str]]:
    """Return the fields of each type by its name."""
    return {type_.__name__: set(type_.__annotations__) for type_ in types}


def rows_of(places: Mapping[Any, Place]) -> dict[str, set[str]]:
    """Return the fields with a row by the name of their type."""
    return {type_.__name__: set(place.rows) for type_, place in places.items()}
