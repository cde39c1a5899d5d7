"""Arguments of a component from an object of the stack file. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from eks_rocketmq.args.arg_schema import convert_from_camel_case
from eks_rocketmq.args.argument_path import ArgumentPath, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, raise_all
from eks_rocketmq.args.planned_args import add_plan
from eks_rocketmq.stack.all_errors import StandIn, plan_with_all_errors

_Args = TypeVar("_Args")


def read_component(  # noqa: PLR0913 - what a key of the stack file is
    path: ArgumentPath,
    given: Any,  # noqa: ANN401 - the type that `type_` says
    type_: type[_Args],
    planner: Callable[[Any], object],
    *,
    set_by_stack: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
    stand_ins: Mapping[str, StandIn] | None = None,
) -> _Args:
    """Return the arguments of one component from an object of the stack file, with their plan.

    Raise ValueError for each argument that is not accepted.

    Args:
        set_by_stack: names of arguments that the stack sets itself.
        defaults: values of arguments that the object does not have, and of all that the stack sets.
        stand_ins: valid values for required arguments with errors. Default: those of `defaults`.
    """
    errors, values = ErrorCollector(), defaults or {}
    args = convert_from_camel_case(given, type_, path, errors)
    errors.attempt(reject_stack_args, path, given, set_by_stack)
    complete = {**values, **args} if isinstance(args, dict) else args
    own = {name: lambda *_, value=value: value for name, value in values.items()}
    plan: object = None
    with errors.collect(within=path):
        plan = plan_with_all_errors(complete, type_, planner, set_by_stack, {**own, **(stand_ins or {})})
    errors.raise_errors()
    return cast("_Args", add_plan(complete, plan))


@raise_all
def reject_stack_args(path: ArgumentPath, given: object, set_by_stack: Iterable[str]) -> Iterator[ArgumentError]:
    """Reject arguments that the stack sets itself."""
    for name in set_by_stack:
        if isinstance(given, Mapping) and to_camel_case(name) in given:
            yield ArgumentError(
                path / name, "set-by-the-stack", "the stack sets this argument itself", remedy="Leave it out"
            )
