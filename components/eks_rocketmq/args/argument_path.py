"""Path of an argument, and its spelling where the user writes it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from eks_rocketmq.args.redaction import Secret


def to_camel_case(name: str) -> str:
    """Return the name of a field in stack files and in other languages: `brokerGroups` for `broker_groups`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True)
class Key:
    """Key of a mapping, which the user chose."""

    key: object


@dataclass(frozen=True)
class Index:
    """Index of a list, and the name of the item there if it has one."""

    index: int
    name: str | None = None


@dataclass(frozen=True)
class UnknownField:
    """Name that is no field, as the user wrote it."""

    name: object


Step = str | Key | Index | UnknownField
"""Part of a path. A string is the Python name of a field."""


@dataclass(frozen=True)
class ArgumentPath:
    """Path of an argument from the arguments of its component, such as `broker_groups[0].memory`."""

    steps: tuple[Step, ...] = ()

    def __truediv__(self, field: str) -> "ArgumentPath":
        """Return the path of a field, by its Python name."""
        return ArgumentPath((*self.steps, field))

    def unknown(self, name: object) -> "ArgumentPath":
        """Return the path of a name that is no field. Every surface shows it as it is."""
        return ArgumentPath((*self.steps, UnknownField(name)))

    def key(self, key: object) -> "ArgumentPath":
        """Return the path of the value of a key in a mapping."""
        return ArgumentPath((*self.steps, Key(key)))

    def index(self, index: int, item: object = None) -> "ArgumentPath":
        """Return the path of an item of a list. If the item has a name, errors show it instead of the index.

        The name is the field `name` of `item`, or `item` itself.
        """
        name = item.get("name") if isinstance(item, Mapping) else item
        shown = name if isinstance(name, str) and not isinstance(name, Secret) else None
        return ArgumentPath((*self.steps, Index(index, shown)))

    def within(self, prefix: "ArgumentPath") -> "ArgumentPath":
        """Return the path below another path."""
        return ArgumentPath((*prefix.steps, *self.steps))

    def __str__(self) -> str:
        return PYTHON.spell_path(self)


class Names(tuple[str, ...]):
    """Python names of fields that an error shows, each in the spelling of the surface."""

    __slots__ = ()


class Surface:
    """Spelling of arguments where the user writes them. This one is Python's."""

    def spell_name(self, name: str) -> str:
        """Return the name of a field."""
        return name

    def spell_path(self, path: ArgumentPath) -> str:
        """Return a path, such as `broker_groups['broker-a'].memory`."""
        text = ""
        for step in path.steps:
            if isinstance(step, str | UnknownField):
                name = self.spell_name(step) if isinstance(step, str) else f"{step.name}"
                text += f".{name}" if text else name
            elif isinstance(step, Key):
                text += f"[{step.key!r}]"
            else:
                text += f"[{step.index if step.name is None else step.name!r}]"
        return text


class CamelCaseSurface(Surface):
    """Spelling of the other languages: `brokerGroups` for `broker_groups`."""

    def spell_name(self, name: str) -> str:
        """Return the name of a field in camelCase."""
        return to_camel_case(name)


PYTHON, CAMEL_CASE = Surface(), CamelCaseSurface()
ARGS = ArgumentPath()
"""Path of the arguments of a component."""
