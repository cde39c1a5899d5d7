"""The only way in which the overlay changes the emulator: each change names what it expects, and fails without it."""

import inspect
from collections.abc import Callable, MutableMapping
from importlib import metadata
from types import ModuleType
from typing import Any

from sandbox import pins


class OverlayError(Exception):
    """The emulator is not the one that the overlay was written for."""


def require_version() -> None:
    """Raises OverlayError unless the installed emulator has exactly the pinned version."""
    found = metadata.version("ministack")
    if found != pins.MINISTACK:
        raise OverlayError(
            f"ministack {found} is installed, the overlay was written for {pins.MINISTACK}: install that, or run "
            "tests/contract against the new version, read its changes and move the pin"
        )


def replace(owner: ModuleType, name: str, new: Callable[..., Any]) -> Callable[..., Any]:
    """Put `new` where `owner.name` is, and give back the old function.

    Raises OverlayError when there is no such function or its parameters have other names.
    """
    old = getattr(owner, name, None)
    if not callable(old):
        raise OverlayError(f"{owner.__name__}.{name} is gone; the overlay replaces it")
    expected, found = list(inspect.signature(new).parameters), list(inspect.signature(old).parameters)
    if expected != found:
        raise OverlayError(f"{owner.__name__}.{name} takes {found}; the overlay was written for {expected}")
    setattr(owner, name, new)
    return old


def replace_verb(
    table: MutableMapping[str, Callable[..., Any]], verb: str, new: Callable[..., Any]
) -> Callable[..., Any]:
    """Put `new` where the emulator answers `verb`, and give back the old handler.

    Raises OverlayError when the emulator does not answer it.
    """
    if verb not in table:
        raise OverlayError(f"the emulator does not answer {verb} any more; the overlay replaces it")
    old = table[verb]
    table[verb] = new
    return old


def add_verb(table: MutableMapping[str, Callable[..., Any]], verb: str, new: Callable[..., Any]) -> None:
    """Answer a verb that the emulator lacks.

    Raises OverlayError when it does not lack it: then the overlay's answer may be the worse one.
    """
    if verb in table:
        raise OverlayError(f"the emulator now answers {verb} itself; compare, and drop one of the two")
    table[verb] = new


def require(owner: ModuleType, *names: str) -> None:
    """Raises OverlayError unless `owner` has all the private names that the overlay uses."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise OverlayError(f"{owner.__name__} has no {', '.join(missing)}; the overlay uses them")
