"""Every error in the arguments of a RocketMq that a stack file gives. Pure."""

import re
from typing import Any, cast

from eks_rocketmq.args.arg_schema import FieldError
from eks_rocketmq.args.errors import ErrorCollector, split_error
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs

_WORD = re.compile(r"\w+")
_GROUPS = "broker_groups"


def check_rocketmq(args: RocketMqArgs) -> None:
    """Raise the errors of all arguments: a plan ends at its first one.

    An argument that is not accepted is taken away, as all but a few have a default, and the others are planned without
    it.

    Raises:
        ValueError: for each argument that cannot be.
    """
    problems, left = ErrorCollector(), cast("dict[str, Any]", {**args})
    found = _errors(left)
    while found:
        for each in found:
            problems.add(each)
        faulty = {_argument(each) for each in found}
        fewer = {name: value for name, value in left.items() if name not in faulty}
        if _GROUPS in faulty and (plain := _plain_groups(left)) != left[_GROUPS]:
            # Other arguments name the groups.
            fewer[_GROUPS] = plain
        if "namespace" in faulty:
            fewer["namespace"] = "rocketmq"
        if fewer == left or not RocketMqArgs.__required_keys__ - {"storage_class"} <= fewer.keys():
            break
        left, found = fewer, _errors(fewer)
    problems.raise_errors()


def _errors(args: dict[str, Any]) -> tuple[ValueError, ...]:
    try:
        plan(cast("RocketMqArgs", args))
    except ValueError as error:
        return split_error(error)
    return ()


def _argument(error: ValueError) -> str:
    if isinstance(error, FieldError) and error.path:
        return str(error.path[0])
    found = _WORD.match(str(error))
    return found[0] if found else ""


def _plain_groups(args: dict[str, Any]) -> list[Any]:
    groups = args[_GROUPS]
    if not isinstance(groups, list):
        return []
    return [{"name": group["name"]} for group in groups if isinstance(group, dict) and "name" in group]
