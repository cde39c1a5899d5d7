"""Arguments held to their TypedDict: every field known, none missing, each of its type. Pure but for the SDK's types.

Python checks nothing of it at run time, and a misspelt optional field would be dropped without a word.
"""

from collections.abc import Awaitable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, ForwardRef, NotRequired, Required, Union, get_args, get_origin, is_typeddict

from pulumi import Output

from eks_rocketmq.validation import did_you_mean, whole_number

_SPOKEN: Mapping[Any, str] = {
    str: "a string",
    bool: "true or false",
    float: "a number",
    list: "a list",
    dict: "an object",
    NoneType: "nothing",
}
_LATER = (Output, Awaitable)
"""What is known only when the engine has run."""


def camel(name: str) -> str:
    """The name of a field as stack files and other languages spell it: `brokerGroups` for `broker_groups`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def from_camel(given: Any, wanted: Any) -> Any:  # noqa: ANN401 - any value and its type
    """What a stack file says, with the fields named as `wanted` names them; what is no field of it is left as it is.

    Args:
        given: a value as JSON gives it.
        wanted: the TypedDict, or the type of one of its fields, that `given` shall become.
    """
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in {NotRequired, Required, Union, UnionType}:
        return from_camel(given, inner[0])
    if is_typeddict(wanted) and isinstance(given, Mapping):
        names = {camel(name): (name, hint) for name, (hint, _) in _fields(wanted).items()}
        found = {key: names.get(key, (key, Any)) for key in given}
        return {name: from_camel(given[key], hint) for key, (name, hint) in found.items()}
    if origin is list and isinstance(given, list):
        return [from_camel(item, inner[0]) for item in given]
    if origin is dict and isinstance(given, Mapping):
        return {key: from_camel(item, inner[1]) for key, item in given.items()}
    return given


def field_names(wanted: Any) -> set[str]:  # noqa: ANN401 - any type
    """Names of all fields of a TypedDict and of those inside it."""
    if is_typeddict(wanted):
        fields = _fields(wanted)
        return set(fields).union(*(field_names(hint) for hint, _ in fields.values()))
    return set().union(*(field_names(inner) for inner in get_args(wanted)))


def not_known_yet(what: str) -> str:
    """The error for an awaited value where a plain one must stand."""
    return (
        f"{what} shapes what is made, so it must be a plain value that preview knows, not an output of another resource"
    )


def hold(given: object, wanted: type, what: str = "") -> None:
    """Holds arguments to the TypedDict `wanted`, with all that is inside. An awaited value is taken only where the type
    is an `Input`: everywhere else it would be taken for what it is not, an Output of False for True.

    Args:
        given: the arguments.
        wanted: their TypedDict.
        what: how an error names them; nothing for those of the component itself.

    Raises:
        ValueError: for the first field that is unknown, missing, of another type or not known yet: its name, what was
            given and what is accepted.
    """
    if not isinstance(given, Mapping):
        msg = f"{what or 'args'} is {given!r}; accepted is an object with the fields {', '.join(_fields(wanted))}"
        raise ValueError(msg)
    fields = _fields(wanted)
    for name in given:
        if name not in fields:
            where = f"{what}.{name}" if what else str(name)
            msg = f"{where} is not known{did_you_mean(str(name), fields)}; accepted are {', '.join(fields)}"
            raise ValueError(msg)
    for name, (hint, required) in fields.items():
        where = f"{what}.{name}" if what else name
        if name in given:
            _hold_value(given[name], hint, where)
        elif required:
            msg = f"{where} is missing; it is {spoken(hint)}"
            raise ValueError(msg)


def spoken(hint: Any) -> str:  # noqa: ANN401 - any hint
    """What a value of that type is, in words, as in `accepted is a list`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {NotRequired, Required}:
        return spoken(inner[0])
    if origin in {Union, UnionType}:
        return spoken(next(branch for branch in inner if branch is not NoneType))
    if hint is int:
        return "a whole number"
    if is_typeddict(hint):
        return f"an object with the fields {', '.join(_fields(hint))}"
    return _SPOKEN.get(origin or hint, "a value")


@cache
def _fields(wanted: type) -> dict[str, tuple[Any, bool]]:
    """Type of every field of a TypedDict, and whether it must be given."""
    required: frozenset[str] = getattr(wanted, "__required_keys__", frozenset())
    return {name: (hint, name in required) for name, hint in wanted.__annotations__.items()}


def _hold_value(value: object, hint: Any, what: str) -> None:  # noqa: ANN401 - any hint
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {NotRequired, Required}:
        return _hold_value(value, inner[0], what)
    if hint is Any:
        return None
    if origin in {Union, UnionType}:
        return _hold_union(value, inner, what)
    if isinstance(value, _LATER):
        raise ValueError(not_known_yet(what))
    if is_typeddict(hint):
        return hold(value, hint, what)
    if hint is int:
        whole_number(value, what)  # ty: ignore[invalid-argument-type] - it refuses what is no number
        return None
    if not _is(value, origin or hint):
        msg = f"{what} is {value!r}; accepted is {spoken(hint)}"
        raise ValueError(msg)
    if origin is list and isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            _hold_value(item, inner[0], f"{what}[{name if isinstance(name, str) else index!r}]")
    if origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            _hold_value(key, inner[0], f"a key of {what}")
            _hold_value(item, inner[1], f"{what}[{key!r}]")
    return None


def _hold_union(value: object, branches: tuple[Any, ...], what: str) -> None:
    plain = [branch for branch in branches if not _is_later(branch)]
    if (value is None and NoneType in plain) or (isinstance(value, _LATER) and plain != list(branches)):
        return
    (first, *_) = [branch for branch in plain if branch is not NoneType]
    _hold_value(value, first, what)


def _is_later(branch: Any) -> bool:  # noqa: ANN401 - any hint
    # The SDK's Input[T] has its Output as a forward reference.
    return isinstance(branch, ForwardRef) or (get_origin(branch) or branch) in _LATER


def _is(value: object, wanted: Any) -> bool:  # noqa: ANN401 - a class
    if wanted is dict:
        return isinstance(value, Mapping)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted)
