"""Errors of one run, shown together. Pure."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class CollectedError(ValueError):
    """Several errors of independent parts of the arguments; its text has a line for each."""

    def __init__(self, errors: Iterable[ValueError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def split_error(error: ValueError) -> tuple[ValueError, ...]:
    """Return the single errors that an error stands for."""
    return error.errors if isinstance(error, CollectedError) else (error,)


class ErrorCollector:
    """Errors of parts that are checked one by one, so that a run shows all of them."""

    def __init__(self) -> None:
        self._found: dict[str, ValueError] = {}

    def __iter__(self) -> Iterator[ValueError]:
        return iter(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, error: ValueError) -> None:
        """Keep an error, or the single ones that it stands for. The same text is kept once."""
        for each in split_error(error):
            self._found.setdefault(str(each), each)

    def attempt(
        self, make: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result | None:
        """Return what `make` returns, or keep its ValueError and return None."""
        try:
            return make(*args, **kwargs)
        except ValueError as error:
            self.add(error)
            return None

    @contextmanager
    def collect(self) -> Generator[None]:
        """Keep a ValueError that is raised within; what comes after it within is skipped."""
        try:
            yield
        except ValueError as error:
            self.add(error)

    def raise_errors(self) -> None:
        """Raise what was kept, if anything.

        Raises:
            ValueError: the error, or an `CollectedError` of several.
        """
        found = list(self)
        if len(found) == 1:
            raise found[0]
        if found:
            raise CollectedError(found)
