"""Rows that show of each field of an argument type that another value of it makes something else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args, is_typeddict

Fields = Mapping[str, Any]


class Pair(NamedTuple):
    """Both sides of a row, whole, whose field does not go with what stands there before."""

    before: Fields
    after: Fields


@dataclass(frozen=True)
class Place:
    """Where the fields of one type stand in the arguments, what stands there before, and another value of each."""

    put: Callable[[Fields], dict[str, Any]]
    before: Fields
    rows: Fields

    def pair(self, field: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments before, and with another value of the field."""
        row = self.rows[field]
        before, after = row if isinstance(row, Pair) else (self.before, {**self.before, field: row})
        return self.put(before), self.put(after)

    def swallowed(self, made: Callable[[dict[str, Any]], object]) -> list[str]:
        """Fields whose other value makes the same of the arguments."""
        usual = made(self.put(self.before))
        assert made(self.put(self.before)) == usual, "what is made differs each time, whatever the arguments are"
        same = []
        for field, row in self.rows.items():
            before, after = self.pair(field)
            if made(after) == (made(before) if isinstance(row, Pair) else usual):
                same.append(field)
        return same


def types_in(hint: Any) -> set[Any]:
    """A TypedDict and all those inside it."""
    inner = hint.__annotations__.values() if is_typeddict(hint) else get_args(hint)
    return ({hint} if is_typeddict(hint) else set()).union(*map(types_in, inner))


def fields_of(types: Iterable[Any]) -> dict[str, set[str]]:
    """The fields that each type has, by its name."""
    return {type_.__name__: set(type_.__annotations__) for type_ in types}


def rows_of(places: Mapping[Any, Place]) -> dict[str, set[str]]:
    """The fields that have a row, by the name of their type."""
    return {type_.__name__: set(place.rows) for type_, place in places.items()}
