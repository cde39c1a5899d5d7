"""Assertions on the errors that arguments cause: path, code and, once for each code, the wording."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from pulumi import RunError

from eks_rocketmq.args.errors import ArgumentError, CollectedError, split_error

# An output raises a RunError. The SDK wraps a ValueError of an output in a plain ValueError, which is not accepted.
_REJECTIONS = (ArgumentError, CollectedError, RunError)


class Rejection(NamedTuple):
    """Path of an argument as Python spells it, and code of its error."""

    path: str
    code: str


class Wording(NamedTuple):
    """A code, a call that raises it, and the text of its error in Python's spelling."""

    code: str
    call: Callable[[], object]
    text: str


def walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors in its `__cause__` and `__context__`.

    The SDK raises an error from itself, which makes its cause circular and leaves the former cause in the context.
    """
    visited: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop(0)
        if each is not None and id(each) not in visited:
            visited.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__]


def list_rejections(error: BaseException) -> list[Rejection]:
    """Return path and code of each error, which may be a cause of another error."""
    errors = _split_cause(error)
    assert all(isinstance(each, ArgumentError) for each in errors), errors
    return [Rejection(str(each.path), each.code) for each in errors if isinstance(each, ArgumentError)]


@contextmanager
def rejects(*expected: tuple[str, str]) -> Generator[None]:
    """Expect that the block rejects exactly these arguments, in any order.

    Args:
        expected: path and code of each error.
    """
    with pytest.raises(_REJECTIONS) as raised:
        yield
    assert sorted(list_rejections(raised.value)) == sorted(Rejection(*each) for each in expected)


def check_wording(wording: Wording) -> None:
    """Expect that the call raises an error of the code with the text, alone or among others."""
    with pytest.raises(_REJECTIONS) as raised:
        wording.call()
    texts = [str(each) for each in _split_cause(raised.value) if getattr(each, "code", "") == wording.code]
    assert texts == [wording.text]


def _split_cause(error: BaseException) -> tuple[ValueError, ...]:
    """Return the errors of the arguments that caused an error."""
    found = next((each for each in walk_causes(error) if isinstance(each, ArgumentError | CollectedError)), None)
    assert found is not None, repr(error)
    return split_error(found)
