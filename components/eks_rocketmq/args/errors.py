"""Errors of one run, reported together. Pure."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class CollectedError(ValueError):
    """Several errors of independent arguments. The message has one line for each."""

    def __init__(self, errors: Iterable[ValueError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def split_error(error: ValueError) -> tuple[ValueError, ...]:
    """Return the single errors of a `CollectedError`, or the error itself."""
    return error.errors if isinstance(error, CollectedError) else (error,)


class ErrorCollector:
    """Collector of independent errors, so that one run reports all of them."""

    def __init__(self) -> None:
        self._errors: dict[str, ValueError] = {}

    def __iter__(self) -> Iterator[ValueError]:
        return iter(self._errors.values())

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, error: ValueError) -> None:
        """Add an error, or each one of a `CollectedError`. Errors with the same text are added once."""
        for each in split_error(error):
            self._errors.setdefault(str(each), each)

    def attempt(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result | None:
        """Return the result of `function`, or add its ValueError and return None."""
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            self.add(error)
            return None

    @contextmanager
    def collect(self) -> Generator[None]:
        """Add a ValueError that the `with` block raises. The rest of the block is skipped."""
        try:
            yield
        except ValueError as error:
            self.add(error)

    def raise_errors(self) -> None:
        """Raise the collected errors, if there are any.

        Raises:
            ValueError: the error, or a `CollectedError` of several.
        """
        errors = list(self)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CollectedError(errors)
