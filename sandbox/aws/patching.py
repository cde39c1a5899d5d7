"""Patches of the emulator. The overlay changes it only here; each patch fails when its target has changed."""

import functools
import inspect
from collections.abc import Callable, MutableMapping
from importlib import metadata
from types import ModuleType
from typing import Any

from sandbox import pins

Arguments = dict[str, Any]


class OverlayError(Exception):
    """The emulator differs from the version that the overlay was written for."""


def require_version() -> None:
    """Raise OverlayError unless the installed emulator has exactly the pinned version."""
    found = metadata.version("ministack")
    if found != pins.MINISTACK:
        raise OverlayError(
            f"ministack {found} is installed, the overlay was written for {pins.MINISTACK}: install that, or run "
            "tests/contract against the new version, read its changes and move the pin"
        )


def replace(owner: ModuleType, name: str, new: Callable[..., Any]) -> Callable[..., Any]:
    """Replace `owner.name` by `new` and return the old function.

    Raises OverlayError when it does not exist or its parameters have other names.
    """
    old = _checked(owner, name, list(inspect.signature(new).parameters))
    setattr(owner, name, new)
    return old


def wrap(owner: ModuleType, name: str, parameters: str, around: Callable[[Arguments, Callable[[], Any]], Any]) -> None:
    """Replace `owner.name` by a call of `around`, which gets the arguments by name and the old function.

    `around` may change the arguments before it calls the old function. Raises OverlayError as `replace` does.
    """
    old = _checked(owner, name, parameters.split())
    signature = inspect.signature(old)

    @functools.wraps(old)
    def new(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (whatever the emulator passes)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return around(bound.arguments, lambda: old(*bound.args, **bound.kwargs))

    setattr(owner, name, new)


def _checked(owner: ModuleType, name: str, expected: list[str]) -> Callable[..., Any]:
    old = getattr(owner, name, None)
    if not callable(old):
        raise OverlayError(f"{owner.__name__}.{name} is gone; the overlay replaces it")
    found = list(inspect.signature(old).parameters)
    if expected != found:
        raise OverlayError(f"{owner.__name__}.{name} takes {found}; the overlay was written for {expected}")
    return old


def replace_verb(
    table: MutableMapping[str, Callable[..., Any]], verb: str, new: Callable[..., Any]
) -> Callable[..., Any]:
    """Replace the emulator's handler of `verb` by `new` and return the old one.

    Raises OverlayError when the emulator has none.
    """
    if verb not in table:
        raise OverlayError(f"the emulator does not answer {verb} any more; the overlay replaces it")
    old = table[verb]
    table[verb] = new
    return old


def add_verb(table: MutableMapping[str, Callable[..., Any]], verb: str, new: Callable[..., Any]) -> None:
    """Add a handler for a verb that the emulator lacks.

    Raises OverlayError when the emulator has one, which may be better.
    """
    if verb in table:
        raise OverlayError(f"the emulator now answers {verb} itself; compare, and drop one of the two")
    table[verb] = new


def require(owner: ModuleType, *names: str) -> None:
    """Raise OverlayError unless `owner` has all these private names."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise OverlayError(f"{owner.__name__} has no {', '.join(missing)}; the overlay uses them")
