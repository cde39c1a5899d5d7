"""Validation of arguments against their TypedDict: unknown fields, missing fields, types. Pure except for SDK types.

Python does not check a TypedDict at run time, and a misspelt optional field would have no effect.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NamedTuple,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    is_typeddict,
)

from pulumi import Output

from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.args.field_metadata import SENSITIVE, get_properties
from eks_rocketmq.args.redaction import Secret
from eks_rocketmq.args.validation import find_nearest_names, suggest_name

_TYPE_DESCRIPTIONS: Mapping[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number, such as 3",
    float: "a number",
    list: "a list",
    Sequence: "a list",
    dict: "an object",
    NoneType: "nothing",
}
_AWAITED_TYPES = (Output, Awaitable)
"""Types of values that the engine provides later."""
_ACCESS_FIELD = "access"
_MAX_LISTED_NAMES = 12
_REFERENCE_PATH = "components/README.md"
FieldPath = tuple[str | int, ...]
"""Path of a value: field names, mapping keys and list indices."""


def to_camel_case(name: str) -> str:
    """Return the name of a field in stack files and in other languages: `brokerGroups` for `broker_groups`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def convert_from_camel_case(value: Any, type_: Any, label: str, path: FieldPath, errors: ErrorCollector) -> Any:  # noqa: ANN401 - any value and its type
    """Return a value of a stack file with the field names of `type_`. Unknown fields stay unchanged.

    A field in Python's spelling is an error, because it could contradict the same field in camelCase.

    Args:
        value: a value, as parsed from JSON.
        type_: the TypedDict of the value, or the type of one of its fields.
        label: name of the value in errors.
        path: path of the value.
        errors: receives the errors.
    """
    return _convert_value(value, type_, _Location(label, path), errors)


def _convert_value(value: Any, type_: Any, location: "_Location", errors: ErrorCollector) -> Any:  # noqa: ANN401 - as above
    origin, inner = get_origin(type_), get_args(type_)
    if origin in {Annotated, NotRequired, Required, Union, UnionType}:
        return _convert_value(value, inner[0], location, errors)
    if is_typeddict(type_) and isinstance(value, Mapping):
        fields = _get_fields(type_)
        names = {to_camel_case(name): name for name in fields}
        converted: dict[Any, Any] = {}
        for key, item in value.items():
            name = names.get(key, key)
            field = location.field(key)
            if key in fields and key not in names:
                problem = f"is not known; did you mean {to_camel_case(key)!r}?"
                errors.add(FieldError(field.path, field.label, problem, literal=True))
            if name in fields and (key in names or name not in converted):
                converted[name] = _convert_value(item, fields[name][0], field, errors)
            else:
                converted.setdefault(name, item)
        return converted
    if origin is list and isinstance(value, list):
        return [_convert_value(item, inner[0], location.item(index, item), errors) for index, item in enumerate(value)]
    if origin is dict and isinstance(value, Mapping):
        return {key: _convert_value(item, inner[1], location.entry(key), errors) for key, item in value.items()}
    return value


def collect_field_names(type_: Any) -> set[str]:  # noqa: ANN401 - any type
    """Return the names of all fields of a TypedDict, nested ones included."""
    if is_typeddict(type_):
        fields = _get_fields(type_)
        return set(fields).union(*(collect_field_names(hint) for hint, _ in fields.values()))
    return set().union(*(collect_field_names(inner) for inner in get_args(type_)))


def describe_unknown_value(label: str) -> str:
    """Return the error for an awaited value where a plain value is required."""
    return (
        f"{label} shapes what is made, so it must be a plain value that preview knows, not an output of another "
        "resource"
    )


class FieldError(ValueError):
    """A value of the wrong type, an unknown field, or a missing field.

    `path` and `location` identify the field. `accepted` is empty unless the type is wrong. A `literal` error is about a
    spelling and is not translated.
    """

    def __init__(
        self, path: FieldPath, location: str, problem: str, accepted: str = "", *, literal: bool = False
    ) -> None:
        self.path, self.location, self.problem, self.accepted, self.literal = path, location, problem, accepted, literal
        super().__init__(f"{location} {problem}".strip())

    def translate(self, translate: Callable[[str], str]) -> "FieldError":
        """Return the error with each part of its text translated, or the error itself if it is `literal`."""
        if self.literal:
            return self
        return FieldError(self.path, translate(self.location), translate(self.problem), translate(self.accepted))


class _Location(NamedTuple):
    """Location of a value: the label in errors, and the path."""

    label: str = ""
    path: FieldPath = ()
    sensitive: bool = False
    """Whether errors must not show the value."""

    def field(self, name: object) -> "_Location":
        return _Location(f"{self.label}.{name}" if self.label else f"{name}", (*self.path, cast("str", name)))

    def item(self, index: int, item: object) -> "_Location":
        name = item.get("name") if isinstance(item, Mapping) else None
        shown = name if isinstance(name, str) and not isinstance(name, Secret) else index
        return _Location(f"{self.label}[{shown!r}]", (*self.path, index))

    def entry(self, key: object) -> "_Location":
        return _Location(f"{self.label}[{key!r}]", (*self.path, cast("str", key)))

    def type_error(self, value: object, hint: Any) -> FieldError:  # noqa: ANN401 - any hint
        accepted = describe_type(hint)
        # A wrong value in `access` may be a password, or contain one.
        may_contain_password = self.path[:1] == (_ACCESS_FIELD,) and accepted.startswith(("a list", "an object"))
        problem = "is not accepted" if may_contain_password or self.sensitive else f"is {value!r}"
        return FieldError(self.path, self.label, f"{problem}; accepted is {accepted}", accepted)


def validate_args(
    args: object, type_: type, label: str = "", path: FieldPath = (), hidden: Collection[str] = ()
) -> None:
    """Validate arguments and all nested values against a TypedDict.

    An awaited value is accepted only for a field of type `Input`. Elsewhere it would be misread: an Output of False is
    true.

    Args:
        args: the arguments.
        type_: their TypedDict.
        label: name of the arguments in errors; empty for the arguments of the component itself.
        path: path of the arguments.
        hidden: fields that users of the program cannot set, so errors do not suggest them.

    Raises:
        ValueError: fields are unknown, missing, of the wrong type, or awaited where a plain value is required.
    """
    errors = ErrorCollector()
    _validate_fields(args, type_, _Location(label, path), errors, hidden)
    errors.raise_errors()


def _validate_fields(
    args: object, type_: type, location: _Location, errors: ErrorCollector, hidden: Collection[str] = ()
) -> None:
    fields = _get_fields(type_)
    if not isinstance(args, Mapping):
        errors.add(location._replace(label=location.label or "args").type_error(args, type_))
        return
    for name in args:
        if name not in fields:
            field = location.field(name)
            known = [other for other in fields if other not in hidden]
            problem = f"is not known{_describe_accepted_names(name, known, type_)}"
            errors.add(FieldError(field.path, field.label, problem))
    for name, (hint, required) in fields.items():
        field = location.field(name)._replace(sensitive=SENSITIVE in get_properties(hint))
        if name in args:
            _validate_value(args[name], hint, field, errors)
        elif required:
            errors.add(FieldError(field.path, field.label, f"is missing; it is {describe_type(hint)}"))


def describe_type(hint: Any) -> str:  # noqa: ANN401 - any hint
    """Return a description of a type for errors, as in `accepted is a list`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Annotated, NotRequired, Required}:
        return describe_type(inner[0])
    if origin is Literal:
        return describe_type(str)
    if origin in {Union, UnionType}:
        return describe_type(next(branch for branch in inner if branch is not NoneType))
    if is_typeddict(hint):
        fields = list(_get_fields(hint))
        listed = ", ".join(fields) if len(fields) <= _MAX_LISTED_NAMES else _describe_reference(hint)
        return f"an object with the fields {listed}"
    return _TYPE_DESCRIPTIONS.get(origin or hint, "a value")


def _describe_accepted_names(name: object, known: Sequence[str], type_: type) -> str:
    """Return a suggestion and the accepted names. A long list is shortened to the nearest names and a reference."""
    suggestion = suggest_name(name, known)
    if len(known) <= _MAX_LISTED_NAMES:
        return f"{suggestion}; accepted are {', '.join(known)}"
    if suggestion or not (nearest := find_nearest_names(name, known)):
        return f"{suggestion}; accepted are those {_describe_reference(type_)}"
    return f"; accepted are {', '.join(nearest)} and others {_describe_reference(type_)}"


def _describe_reference(type_: type) -> str:
    return f"of {type_.__name__.removeprefix('Stack')} in {_REFERENCE_PATH}"


@cache
def _get_fields(type_: type) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of a TypedDict, and whether the field is required."""
    required: frozenset[str] = getattr(type_, "__required_keys__", frozenset())
    return {name: (hint, name in required) for name, hint in type_.__annotations__.items()}


def _validate_value(value: object, hint: Any, location: _Location, errors: ErrorCollector) -> None:  # noqa: ANN401 - any hint
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in {Annotated, NotRequired, Required}:
        _validate_value(value, inner[0], location, errors)
    elif origin in {Union, UnionType}:
        _validate_union(value, inner, location, errors)
    elif isinstance(value, _AWAITED_TYPES):
        errors.add(FieldError(location.path, describe_unknown_value(location.label), ""))
    elif is_typeddict(hint):
        _validate_fields(value, hint, location, errors)
    elif origin is Literal:
        _validate_value(value, str, location, errors)
    elif not _is_instance(value, origin or hint):
        errors.add(location.type_error(value, hint))
    elif origin in {list, Sequence} and isinstance(value, Sequence):
        for index, item in enumerate(value):
            _validate_value(item, inner[0], location.item(index, item), errors)
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            _validate_value(key, inner[0], location._replace(label=f"a key of {location.label}"), errors)
            _validate_value(item, inner[1], location.entry(key), errors)


def _validate_union(value: object, branches: tuple[Any, ...], location: _Location, errors: ErrorCollector) -> None:
    plain = [branch for branch in branches if not _is_awaited_type(branch)]
    if (value is None and NoneType in plain) or (isinstance(value, _AWAITED_TYPES) and plain != list(branches)):
        return
    (first, *_) = [branch for branch in plain if branch is not NoneType]
    _validate_value(value, first, location, errors)


def _is_awaited_type(branch: Any) -> bool:  # noqa: ANN401 - any hint
    # The SDK's Input[T] has its Output as a forward reference.
    return isinstance(branch, ForwardRef) or (get_origin(branch) or branch) in _AWAITED_TYPES


def _is_instance(value: object, type_: Any) -> bool:  # noqa: ANN401 - a class
    if type_ is dict:
        return isinstance(value, Mapping)
    if type_ is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str)
    if type_ is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type_ is int:
        # The plugin protocol sends numbers as floats, 3.0 for 3.
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return isinstance(value, type_)
