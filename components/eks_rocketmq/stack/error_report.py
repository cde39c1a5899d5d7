"""Errors of a stack file in the order and the spelling of the file."""

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import yaml
from pulumi import RunError, get_stack

from eks_rocketmq.args.argument_path import ArgumentPath, Index, Key, Step, UnknownField, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ArgumentMessage, render_error, split_error
from eks_rocketmq.pulumi_sdk.component import use_surface
from eks_rocketmq.stack.stack_paths import STACK_FILE, StackFileSurface, convert_to_file
from eks_rocketmq.stack.stack_yaml import StackFile, is_encrypted, unquoted

_TYPE_CODE = "wrong-type"
_UNITS = {"storage": "Gi", "interval": "s", "create": "m", "update": "m", "delete": "m"}
_MAX_GIBIBYTES = 256
"""Largest number without a unit that probably means Gi as the memory of a container."""


@contextmanager
def in_stack_file(component: ArgumentPath) -> Generator[None]:
    """Spell arguments as the stack file does, in warnings and errors of a component.

    Raise the errors of the component as a RunError with the name of the stack file.
    """
    surface = StackFileSurface(component)
    with use_surface(surface):
        try:
            yield
        except ValueError as error:
            lines = [render_error(each, surface) for each in split_error(error)]
            raise RunError(_format_report(f"Pulumi.{get_stack()}.yaml", lines)) from None


def report_errors(error: ValueError, file: str, written: StackFile, project: str) -> str:
    """Return the text of one or several errors, in the order of the file. `file` is the name of the stack file."""
    errors = sorted(split_error(error), key=lambda each: _find_position(each, written, project))
    return _format_report(file, [_render_as_written(each, written, project) for each in errors])


def render_messages(messages: Sequence[ArgumentMessage]) -> str:
    """Return messages in the spelling of the stack file, one on each line."""
    return "\n  ".join(message.render(STACK_FILE) for message in messages)


def _format_report(file: str, lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return f"{file}: {lines[0]}"
    return "\n  ".join([f"{file}: {len(lines)} errors", *lines])


def _split_path(path: ArgumentPath) -> tuple[str, tuple[str | int, ...]]:
    """Return the key of the stack file, and the path below it as names and indices."""
    first, *inner = convert_to_file(path) or ("",)
    key = to_camel_case(first) if isinstance(first, str) else str(_get_plain_step(first))
    return key, tuple(map(_get_plain_step, inner))


def _get_plain_step(step: Step) -> str | int:
    if isinstance(step, Index):
        return step.index
    if isinstance(step, Key):
        return str(step.key)
    return str(step.name) if isinstance(step, UnknownField) else step


def _find_position(error: ValueError, written: StackFile, project: str) -> float:
    """Return the position in the file of an argument, or of the object in which it is missing."""
    key, inner = _split_path(error.path) if isinstance(error, ArgumentError) else ("", ())
    name = key if key in written.config else f"{project}:{key}"
    nodes = (written.find(name, inner[:length]) for length in range(len(inner), -1, -1))
    return next((node.start_mark.index for node in nodes if node is not None), math.inf)


def _render_as_written(error: ValueError, written: StackFile, project: str) -> str:
    """Return the text of an error. A value of the wrong type appears as it is in the file, not as YAML reads it."""
    if not isinstance(error, ArgumentError) or error.code != _TYPE_CODE or "{given" not in error.message.problem:
        return render_error(error, STACK_FILE)
    key, inner = _split_path(error.path)
    name = f"{project}:{key}"
    text = unquoted(written.find(name, inner))
    if text is None or not _is_written_as(error.message.values["given"], text):
        return render_error(error, STACK_FILE)
    if any(is_encrypted(written.find(name, inner[:length])) for length in range(len(inner) + 1)):
        return render_error(error, STACK_FILE)
    message = replace(
        error.message,
        problem="{given} has the wrong type" if text else "the value is empty",
        remedy=_advise(error.message, str(inner[-1]) if inner else key, text),
        values={**error.message.values, "given": text, "text": text},
    )
    return message.render(STACK_FILE)


def _is_written_as(given: object, text: str) -> bool:
    """Return whether a text of the file is the value. Another file, as of `--config-file`, can be in use."""
    try:
        return text == str(given) or bool(yaml.safe_load(text) == given)
    except (yaml.YAMLError, ValueError):
        return False


def _advise(message: ArgumentMessage, field: str, text: str) -> str:
    if message.accepted != "a string" or not text:
        return ""
    if text.isdigit() and field == "memory":
        return "Give it a unit, such as {text}" + ("Gi" if int(text) < _MAX_GIBIBYTES else "Mi")
    if text.isdigit() and field in _UNITS:
        return "Give it a unit, such as {text}" + _UNITS[field]
    return 'Write it in quotes, "{text}"'
