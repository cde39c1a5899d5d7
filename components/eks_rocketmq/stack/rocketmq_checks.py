"""Every error in the arguments of RocketMq in a stack file. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from eks_rocketmq.args.argument_path import ArgumentPath, Index, Key, Step, UnknownField
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, split_error
from eks_rocketmq.rocketmq.plan import RocketMqPlan, plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

_GROUPS = "broker_groups"


def plan_with_all_errors(args: RocketMqArgs) -> RocketMqPlan:
    """Return the plan, or raise the errors of all arguments. A plan alone ends at its first error.

    The function removes an argument that is not accepted and plans the others without it. All but a few arguments have
    a default.

    Raises:
        ValueError: for each argument that is not accepted.
    """
    errors, left = ErrorCollector(), cast("dict[str, Any]", {**args})
    removed: list[ArgumentPath] = []
    planned, found = _plan_or_list_errors(left)
    while found:
        errors.add_all(each for each in found if not _follows(each, removed))
        fewer = left
        for each in found:
            fewer = _remove_argument(fewer, each.path.steps) if isinstance(each, ArgumentError) else fewer
        if fewer == left:
            break
        removed += [each.path for each in found if isinstance(each, ArgumentError)]
        left = fewer
        planned, found = _plan_or_list_errors(left)
    errors.raise_errors()
    return cast("RocketMqPlan", planned)


def _follows(error: ValueError, removed: Iterable[ArgumentPath]) -> bool:
    """Return whether an error may only exist because other arguments were removed.

    It names one of them, or the object or list that contained it.
    """
    paths = [path.steps for path in error.message.list_paths()] if isinstance(error, ArgumentError) else []
    return any(path[: len(each.steps)] == each.steps or path == each.steps[:-1] for each in removed for path in paths)


def _remove_argument(args: dict[str, Any], steps: tuple[Step, ...]) -> dict[str, Any]:
    """Return the arguments without a faulty one: without its field if that is possible, or without the whole argument.

    The name of a broker group stays, because other arguments name it. Required arguments get a valid value.
    """
    first: Any
    first, *inner = (step.name if isinstance(step, UnknownField) else step for step in steps or ("",))
    if first == "namespace":
        return {**args, "namespace": "rocketmq"}
    copy = _copy_containers(args)
    holder: Any = copy.get(first)
    for step in inner[:-1]:
        holder = _get_step(holder, step)
    if inner and isinstance(holder, dict) and inner[-1] in holder.keys() - {"name"}:
        del holder[inner[-1]]
        return copy
    if first == _GROUPS:
        return {**args, _GROUPS: _remove_group_settings(args.get(_GROUPS), inner)}
    return {name: value for name, value in args.items() if name != first}


def _copy_containers(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return a copy of all objects and lists. An Output, such as a secret password, cannot be copied."""
    if isinstance(value, dict):
        return {key: _copy_containers(item) for key, item in value.items()}
    return [_copy_containers(item) for item in value] if isinstance(value, list) else value


def _get_step(value: Any, step: object) -> Any:  # noqa: ANN401 - any value
    if isinstance(step, Index):
        return value[step.index] if isinstance(value, list) and step.index < len(value) else None
    return value.get(step.key if isinstance(step, Key) else step) if isinstance(value, dict) else None


def _plan_or_list_errors(args: dict[str, Any]) -> tuple[RocketMqPlan | None, tuple[ValueError, ...]]:
    try:
        return plan(cast("RocketMqArgs", args)), ()
    except ValueError as error:
        return None, split_error(error)


def _remove_group_settings(groups: object, steps: Sequence[object]) -> list[Any]:
    """Return the broker groups without the settings of the group that the path names, or of all groups."""
    if not isinstance(groups, list) or not groups:
        return [{"name": "broker-a"}]
    faulty = steps[0].index if steps and isinstance(steps[0], Index) else None
    return [{"name": _get_name(group, i)} if faulty in (None, i) else group for i, group in enumerate(groups)]


def _get_name(group: object, index: int) -> str:
    name = group.get("name") if isinstance(group, dict) else None
    return name if isinstance(name, str) else f"broker-{index}"
