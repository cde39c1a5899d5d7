"""Arguments with their plan, so that the arguments of a component are planned once. Pure.

A program that plans before it creates components, such as the stack, passes the plan on in the arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

_Args = TypeVar("_Args", bound=Mapping[str, Any])
_Plan = TypeVar("_Plan")


class _PlannedArgs(dict[str, Any]):
    def __init__(self, args: Mapping[str, Any], plan: object) -> None:
        super().__init__(args)
        self.plan = plan


def add_plan(args: _Args, plan: object) -> _Args:
    """Return the arguments with their plan."""
    return cast("_Args", _PlannedArgs(args, plan))


def complete_args(args: _Args, **values: object) -> _Args:
    """Return planned arguments with values on which the plan does not depend, such as IDs of resources."""
    completed: Mapping[str, Any] = {**args, **values}
    return cast("_Args", _PlannedArgs(completed, args.plan) if isinstance(args, _PlannedArgs) else completed)


def get_plan(args: _Args, planner: Callable[[_Args], _Plan]) -> _Plan:
    """Return the plan of the arguments. Plan them if they have none."""
    return cast("_Plan", args.plan) if isinstance(args, _PlannedArgs) else planner(args)
