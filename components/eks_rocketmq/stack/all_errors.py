"""Every error in the arguments of a component, instead of the first one. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ArgumentPath, Index, Key, Step, UnknownField
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, split_error

_Plan = TypeVar("_Plan")
StandIn = Callable[[Any, Sequence[object]], Any]
"""Valid value for a required argument. It takes the faulty value and the path of the error below the argument."""


def plan_with_all_errors(
    args: Any,  # noqa: ANN401 - what the user gave
    type_: Any,  # noqa: ANN401 - a TypedDict
    planner: Callable[[Any], _Plan],
    hidden: Collection[str] = (),
    stand_ins: Mapping[str, StandIn] | None = None,
) -> _Plan:
    """Return the plan, or raise the errors of all arguments. A plan alone ends at its first error.

    The function removes an argument that is not accepted and plans the others without it.

    Users cannot set the arguments in `hidden`, so errors do not suggest them. `stand_ins` are valid values for required
    arguments. Without one, the function ends at the error of the argument.
    """
    errors, left = ErrorCollector(), args
    removed: list[ArgumentPath] = []
    plan, found = _plan_or_list_errors(left, type_, planner, hidden)
    while found:
        errors.add_all(each for each in found if not _follows(each, removed))
        faulty = [each.path for each in found if isinstance(each, ArgumentError)]
        fewer = _remove_arguments(left, faulty, stand_ins or {})
        if fewer == left or not type_.__required_keys__ <= fewer.keys():
            break
        removed += faulty
        left = fewer
        plan, found = _plan_or_list_errors(left, type_, planner, hidden)
    errors.raise_errors()
    return cast("_Plan", plan)


def _plan_or_list_errors(
    args: Any,  # noqa: ANN401 - as above
    type_: Any,  # noqa: ANN401 - as above
    planner: Callable[[Any], _Plan],
    hidden: Collection[str],
) -> tuple[_Plan | None, tuple[ValueError, ...]]:
    try:
        validate_args(args, type_, hidden=hidden)
        return planner(args), ()
    except ValueError as error:
        return None, split_error(error)


def _follows(error: ValueError, removed: Iterable[ArgumentPath]) -> bool:
    """Return whether an error may only exist because other arguments were removed.

    It names one of them, or the object or list that contained it.
    """
    paths = [path.steps for path in error.message.list_paths()] if isinstance(error, ArgumentError) else []
    return any(path[: len(each.steps)] == each.steps or path == each.steps[:-1] for each in removed for path in paths)


def _remove_arguments(args: Any, faulty: Iterable[ArgumentPath], stand_ins: Mapping[str, StandIn]) -> Any:  # noqa: ANN401 - as above
    for path in faulty:
        args = _remove_argument(args, path.steps, stand_ins) if isinstance(args, dict) else args
    return args


def _remove_argument(args: dict[str, Any], steps: tuple[Step, ...], stand_ins: Mapping[str, StandIn]) -> dict[str, Any]:
    """Return the arguments without a faulty one: without its field if that is possible, or without the whole argument.

    A name stays, because other arguments may refer to it.
    """
    first: Any
    first, *inner = (step.name if isinstance(step, UnknownField) else step for step in steps or ("",))
    copy = _copy_containers(args)
    holder: Any = copy.get(first)
    for step in inner[:-1]:
        holder = _get_step(holder, step)
    if inner and isinstance(holder, dict) and inner[-1] in holder.keys() - {"name"}:
        del holder[inner[-1]]
        return copy
    name = str(first)
    if name in stand_ins:
        return {**args, name: stand_ins[name](args.get(name), inner)}
    return {other: value for other, value in args.items() if other != name}


def _copy_containers(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return a copy of all objects and lists. An Output, such as a secret password, cannot be copied."""
    if isinstance(value, dict):
        return {key: _copy_containers(item) for key, item in value.items()}
    return [_copy_containers(item) for item in value] if isinstance(value, list) else value


def _get_step(value: Any, step: object) -> Any:  # noqa: ANN401 - any value
    if isinstance(step, Index):
        return value[step.index] if isinstance(value, list) and step.index < len(value) else None
    return value.get(step.key if isinstance(step, Key) else step) if isinstance(value, dict) else None
