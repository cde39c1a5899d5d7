"""Errors and warnings about arguments, as data that each surface renders. Pure."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import ParamSpec, TypeVar

from eks_rocketmq.args.argument_path import PYTHON, ArgumentPath, Names, Surface

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ArgumentMessage:
    """What is wrong with an argument, what is accepted, and what to do.

    The three texts are templates for `str.format`, without a full stop at their end. An argument is never named in a
    template: it is a path, or `Names` of fields, in `values`, and each surface spells it in its own way.
    """

    path: ArgumentPath
    code: str
    """Identifies the kind of the message. It is unique in the library and does not change with the wording."""
    problem: str
    accepted: str = ""
    remedy: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    """Values of the templates. A list of paths is shown with commas, a message as its problem."""

    def render(self, surface: Surface = PYTHON) -> str:
        """Return the message as `<path>: <problem>. Accepted: <accepted>. <remedy>.`"""
        accepted = f"Accepted: {self.accepted}" if self.accepted else ""
        sentences = [self._fill_in(each, surface) for each in (self.problem, accepted, self.remedy) if each]
        text = " ".join(each if each.endswith(("?", ".", "…")) else f"{each}." for each in sentences)
        path = surface.spell_path(self.path)
        return f"{path}: {text}" if path else text

    def render_problem(self, surface: Surface) -> str:
        """Return what is wrong, without the path."""
        return self._fill_in(self.problem, surface)

    def _fill_in(self, template: str, surface: Surface) -> str:
        return template.format(**{name: _spell(value, surface) for name, value in self.values.items()})

    def list_paths(self) -> list[ArgumentPath]:
        """Return the path of the argument and of each argument that the text names."""
        return [self.path, *(each for each in self.values.values() if isinstance(each, ArgumentPath))]

    def within(self, prefix: ArgumentPath) -> "ArgumentMessage":
        """Return the message with all its paths below another path."""
        values = {name: _move(value, prefix) for name, value in self.values.items()}
        return replace(self, path=self.path.within(prefix), values=values)


def _spell(value: object, surface: Surface) -> object:
    if isinstance(value, ArgumentPath):
        return surface.spell_path(value)
    if isinstance(value, Names):
        return ", ".join(map(surface.spell_name, value))
    if isinstance(value, ArgumentMessage):
        return value.render_problem(surface)
    if isinstance(value, list) and value and all(isinstance(each, ArgumentPath) for each in value):
        return ", ".join(map(surface.spell_path, value))
    return value


def _move(value: object, prefix: ArgumentPath) -> object:
    if isinstance(value, ArgumentPath | ArgumentMessage):
        return value.within(prefix)
    return [_move(each, prefix) for each in value] if isinstance(value, list) else value


class ArgumentError(ValueError):
    """An argument that is not accepted. Its text spells arguments as Python does."""

    def __init__(
        self,
        path: ArgumentPath,
        code: str,
        problem: str,
        /,
        *,
        accepted: str = "",
        remedy: str = "",
        **values: object,
    ) -> None:
        self.message = ArgumentMessage(path, code, problem, accepted, remedy, values)
        super().__init__(self.message.render())

    @classmethod
    def of(cls, message: ArgumentMessage) -> "ArgumentError":
        """Return the error of a message."""
        return cls(
            message.path,
            message.code,
            message.problem,
            accepted=message.accepted,
            remedy=message.remedy,
            **message.values,
        )

    @property
    def path(self) -> ArgumentPath:
        """Path of the argument."""
        return self.message.path

    @property
    def code(self) -> str:
        """Kind of the error."""
        return self.message.code


class CollectedError(ValueError):
    """Several errors of independent arguments. The message has one line for each."""

    def __init__(self, errors: Iterable[ValueError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def split_error(error: ValueError) -> tuple[ValueError, ...]:
    """Return the single errors of a `CollectedError`, or the error itself."""
    return error.errors if isinstance(error, CollectedError) else (error,)


def render_error(error: ValueError, surface: Surface) -> str:
    """Return the text of an error in the spelling of a surface, one line for each of several errors."""
    return "\n".join(
        each.message.render(surface) if isinstance(each, ArgumentError) else str(each) for each in split_error(error)
    )


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

    def add_all(self, errors: Iterable[ValueError]) -> None:
        """Add several errors."""
        for each in errors:
            self.add(each)

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
    def collect(self, within: ArgumentPath | None = None) -> Generator[None]:
        """Add a ValueError that the `with` block raises. The rest of the block is skipped.

        `within` is the path of the arguments of the component whose errors the block raises.
        """
        try:
            with errors_within(within):
                yield
        except ValueError as error:
            self.add(error)

    def raise_errors(self) -> None:
        """Raise the collected errors, if there are any. Raise several as a `CollectedError`."""
        errors = list(self)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CollectedError(errors)


def raise_all(find_errors: Callable[_Arguments, Iterable[ValueError]]) -> Callable[_Arguments, None]:
    """Return a check that raises all errors that a generator yields. The check takes the same arguments."""

    @wraps(find_errors)
    def check(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        errors = ErrorCollector()
        errors.add_all(find_errors(*args, **kwargs))
        errors.raise_errors()

    return check


@contextmanager
def errors_within(prefix: ArgumentPath | None) -> Generator[None]:
    """Put the paths of all errors that the `with` block raises below another path."""
    errors = ErrorCollector()
    try:
        yield
    except ValueError as error:
        for each in split_error(error):
            if prefix is not None and isinstance(each, ArgumentError):
                errors.add(ArgumentError.of(each.message.within(prefix)))
            else:
                errors.add(each)
    errors.raise_errors()
