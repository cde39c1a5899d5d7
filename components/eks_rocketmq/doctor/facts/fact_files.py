"""Dump of facts as JSON files, and its reader. One file for each field of `Facts`."""

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from eks_rocketmq.doctor.facts.cluster_facts import Facts, Unreadable

FORMAT = 1
"""Version of the files. A reader rejects another one."""
_UNREADABLE = "unreadable"
_VERSION_FILE = "format.json"


class DumpError(Exception):
    """Folder that contains no readable dump."""


def write_facts(facts: Facts, folder: Path) -> None:
    """Write the facts into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _VERSION_FILE, FORMAT)
    for each in dataclasses.fields(facts):
        _write(folder / f"{each.name}.json", encode(getattr(facts, each.name)))


def read_facts(folder: Path) -> Facts:
    """Read the facts from a folder. A missing file is a fact that could not be read.

    Raise DumpError if the folder contains no dump, or a malformed one.
    """
    file = folder / _VERSION_FILE
    if not file.is_file():
        msg = f"{folder} contains no dump: {_VERSION_FILE} is missing. The option --dump creates one."
        raise DumpError(msg)
    if (version := _read(file)) != FORMAT:
        msg = f"{file}: format {version} is unknown. This version of eks-rocketmq reads format {FORMAT}."
        raise DumpError(msg)
    hints = _get_hints(Facts)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        file = folder / f"{name}.json"
        if file.is_file():
            try:
                values[name] = decode(_read(file), hint)
            except (KeyError, TypeError, ValueError) as error:
                msg = f"{file}: not in the format of a dump ({error})"
                raise DumpError(msg) from error
        elif _accepts(hint, Unreadable):
            values[name] = Unreadable(f"read {file.name}", "", f"the dump has no file {file.name}")
    return Facts(**values)


def encode(value: Any) -> Any:  # noqa: ANN401 - any value of a field
    """Return the JSON value of a field."""
    if isinstance(value, Unreadable):
        return {_UNREADABLE: dataclasses.asdict(value)}
    if dataclasses.is_dataclass(value):
        return {each.name: encode(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return [encode(each) for each in value] if isinstance(value, tuple) else value


def decode(value: Any, hint: Any) -> Any:  # noqa: ANN401 - any value of a field and its type
    """Return the value of a field with type `hint` from its JSON value.

    Raise TypeError for a value of another type or without a field, and ValueError for a tuple of another length.
    """
    if isinstance(value, Mapping) and value.keys() == {_UNREADABLE} and _accepts(hint, Unreadable):
        return Unreadable(**value[_UNREADABLE])
    for each in _list_alternatives(hint):
        if get_origin(each) is tuple and isinstance(value, list):
            return _decode_list(value, get_args(each))
        if dataclasses.is_dataclass(each) and each is not Unreadable and isinstance(value, Mapping):
            return _decode_object(value, each)
        if isinstance(each, type) and each is not tuple and type(value) is each:
            return value
    msg = f"{value!r} is not of type {hint}"
    raise TypeError(msg)


def _decode_list(value: list[Any], items: tuple[Any, ...]) -> tuple[Any, ...]:
    if items[-1] is Ellipsis:
        return tuple(decode(each, items[0]) for each in value)
    return tuple(decode(each, hint) for each, hint in zip(value, items, strict=True))


def _decode_object(value: Mapping[str, Any], type_: Any) -> Any:  # noqa: ANN401 - a dataclass
    hints = _get_hints(type_)
    # A field that this version does not know was written by a newer one, and no check reads it.
    return type_(**{name: decode(each, hints[name]) for name, each in value.items() if name in hints})


def _list_alternatives(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _accepts(hint: Any, type_: type) -> bool:  # noqa: ANN401 - a type
    return type_ in _list_alternatives(hint)


@cache
def _get_hints(type_: type) -> dict[str, Any]:
    return get_type_hints(type_)


def _write(file: Path, document: Any) -> None:  # noqa: ANN401 - JSON
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _read(file: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{file} cannot be read: {error}"
        raise DumpError(msg) from error
