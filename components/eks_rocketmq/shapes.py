"""Values of a stack file as arguments of a component, by the component's own TypedDict. Pure.

A stack file spells `brokerGroups`, a component takes `broker_groups`; what is inside an object stands in the TypedDict
of the component and nowhere else, so that every argument is a setting with the same checks.
"""

import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from pulumi import Output

from eks_rocketmq.validation import did_you_mean

_SPOKEN: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def camel(name: str) -> str:
    """`broker_groups` as a stack file spells it, `brokerGroups`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def spoken(kind: type) -> str:
    """A type as a message names it."""
    return _SPOKEN[kind]


def field_types(shape: type) -> dict[str, Any]:
    """Fields of a TypedDict to their types, which may be `Input[…]`."""
    # The SDK's `Input[str]` is a union with the text 'Output[T]', which only its own module could resolve.
    return get_type_hints(shape, localns={"Output": Output, "T": Any})


def arguments(shape: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - any type, and a value of it
    """`value` as an argument of the type `shape`.

    Args:
        shape: a TypedDict, `list[…]`, `dict[str, …]`, a plain type, `Any`, or `Input[…]` of one of them.
        value: what the stack file says, as JSON gives it.
        where: how an error names the value, such as `brokerGroups[0]`.

    Raises:
        ValueError: for a type, a field that is unknown (with the nearest one) or a field that is missing.
    """
    shape = _plain(shape)
    if shape is Any:
        return value
    if is_typeddict(shape):
        return _fields(shape, of_type(dict, value, where), where)
    parameters = get_args(shape)
    if get_origin(shape) is list:
        return [arguments(parameters[0], item, f"{where}[{i}]") for i, item in enumerate(of_type(list, value, where))]
    if get_origin(shape) is dict:
        return {
            key: arguments(parameters[1], each, f"{where}.{key}") for key, each in of_type(dict, value, where).items()
        }
    return of_type(shape, value, where)


def of_type(wanted: type, value: Any, where: str) -> Any:  # noqa: ANN401 - returned with the wanted type
    """`value` when it is of the wanted type.

    Raises:
        ValueError: naming `where`, the value and what is accepted.
    """
    accepted = (int, float) if wanted is float else wanted
    if not isinstance(value, accepted) or (wanted in (int, float) and isinstance(value, bool)):
        msg = f"{where} is {value!r}; accepted is {_SPOKEN[wanted]}"
        raise ValueError(msg)
    return value


def refuse_unknown(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuses the first name that is not known.

    Raises:
        ValueError: naming it, the nearest one and all that are accepted.
    """
    accepted = list(known)
    for name in given:
        if name not in accepted:
            msg = f"unknown {kind} {name!r}{did_you_mean(name, accepted)}; accepted are {', '.join(accepted)}"
            raise ValueError(msg)


def _fields(shape: Any, value: Mapping[str, Any], where: str) -> dict[str, Any]:  # noqa: ANN401 - a TypedDict
    hints = field_types(shape)
    keys = {camel(field): field for field in hints}
    refuse_unknown(f"field in {where}:", value, keys)
    for key, field in keys.items():
        if field in shape.__required_keys__ and key not in value:
            wanted = _plain(hints[field])
            words = _SPOKEN[dict if is_typeddict(wanted) else get_origin(wanted) or wanted]
            msg = f"{where}.{key} is missing; it is {words}. Fields of {where} are {', '.join(keys)}"
            raise ValueError(msg)
    return {keys[key]: arguments(hints[keys[key]], each, f"{where}.{key}") for key, each in value.items()}


def _plain(shape: Any) -> Any:  # noqa: ANN401 - any type
    """The type of the value itself: `T` of `Input[T]`, which is `T | Awaitable[T] | Output[T]`, and of `T | None`."""
    if get_origin(shape) in (Union, types.UnionType):
        return next(each for each in get_args(shape) if each is not type(None))
    return shape
