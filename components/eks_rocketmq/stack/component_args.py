"""Arguments of a component from an object of the stack file. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from eks_rocketmq.args.arg_schema import convert_from_camel_case, validate_args
from eks_rocketmq.args.argument_path import ArgumentPath, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector


def read_component_args(
    path: ArgumentPath,
    given: Any,  # noqa: ANN401 - the type that `type_` says
    type_: Any,  # noqa: ANN401 - a TypedDict
    set_by_stack: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - as above
    """Return the arguments of one component from an object of the stack file.

    Args:
        path: path of the object.
        given: the object.
        type_: TypedDict of the component.
        set_by_stack: names of arguments that the stack sets itself.
        defaults: values of arguments that the object does not have, and of all that the stack sets.

    Raises:
        ValueError: for each field that is not accepted.
    """
    errors = ErrorCollector()
    args = convert_from_camel_case(given, type_, path, errors)
    errors.attempt(reject_stack_args, path, given, set_by_stack)
    complete = {**(defaults or {}), **args} if isinstance(args, dict) else args
    errors.attempt(validate_args, complete, type_, path, set_by_stack)
    errors.raise_errors()
    return complete


def reject_stack_args(path: ArgumentPath, given: object, set_by_stack: Iterable[str]) -> None:
    """Reject arguments that the stack sets itself.

    Raises:
        ValueError: for each such argument.
    """
    errors = ErrorCollector()
    for name in set_by_stack:
        if isinstance(given, Mapping) and to_camel_case(name) in given:
            errors.add(
                ArgumentError(
                    path / name, "set-by-the-stack", "the stack sets this argument itself", remedy="Leave it out"
                )
            )
    errors.raise_errors()
