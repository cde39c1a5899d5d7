"""Errors of a stack file in its own order and with its own spelling of values."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from pulumi import RunError, get_stack

from eks_rocketmq.args.arg_schema import FieldError, describe_type, to_camel_case
from eks_rocketmq.args.errors import split_error
from eks_rocketmq.stack.spelling import RENAMED, as_spelled
from eks_rocketmq.stack.stack_yaml import StackFile, is_encrypted, unquoted

_KEY = re.compile(r"(unknown key ')?(?P<key>[\w-]+(:\w+)?)")
_UNITS = {"storage": "Gi", "interval": "s", "create": "m", "update": "m", "delete": "m"}
_SMALL = 256


@contextmanager
def in_stack_file(key: str) -> Generator[None]:
    """Name the stack file in errors of a component that answers of AWS bring.

    Args:
        key: of the component's arguments.

    Raises:
        RunError: what was raised within, with file and key.
    """
    try:
        with as_spelled(key):
            yield
    except ValueError as error:
        msg = f"Pulumi.{get_stack()}.yaml: {error}"
        raise RunError(msg) from None


def told(error: ValueError, file: str, written: StackFile, project: str) -> str:
    """The text of an error, or of several in the order of the file.

    Args:
        error: what was raised.
        file: name of the stack file.
        written: the file.
        project: name of the project.
    """
    order = {key: place for place, key in enumerate(written.config)}

    def place(each: ValueError) -> int:
        key = _key(each)
        return order.get(key, order.get(f"{project}:{key}", len(order)))

    lines = [_line(each, written, project) for each in sorted(split_error(error), key=place)]
    if len(lines) == 1:
        return f"{file}: {lines[0]}"
    return "\n  ".join([f"{file}: {len(lines)} errors", *lines])


def _key(error: ValueError) -> str:
    if isinstance(error, FieldError) and error.path:
        return _in_file(str(error.path[0]))
    found = _KEY.match(str(error))
    return found["key"] if found else ""


def _in_file(argument: str) -> str:
    """How the file calls a key that a component may call otherwise."""
    return RENAMED.get(argument, to_camel_case(argument))


def _line(error: ValueError, written: StackFile, project: str) -> str:
    if not isinstance(error, FieldError) or not error.accepted:
        return str(error)
    key, *inner = error.path
    name = f"{project}:{_in_file(str(key))}"
    node = written.find(name, inner)
    text = unquoted(node)
    if text is None or " is not accepted;" in str(error) or _is_within_secret(written, name, inner):
        return str(error)
    return f"{error.location} is {text or 'empty'}; accepted is {error.accepted}{_advice(error, text)}"


def _is_within_secret(written: StackFile, key: str, path: "list[str | int]") -> bool:
    return any(is_encrypted(written.find(key, path[:length])) for length in range(len(path) + 1))


def _advice(error: FieldError, text: str) -> str:
    if error.accepted != describe_type(str) or not text:
        return ""
    field = str(error.path[-1])
    if text.isdigit() and field == "memory":
        return f": give it a unit, such as {text}{'Gi' if int(text) < _SMALL else 'Mi'}"
    if text.isdigit() and field in _UNITS:
        return f": give it a unit, such as {text}{_UNITS[field]}"
    return f': write it in quotes, "{text}"'
