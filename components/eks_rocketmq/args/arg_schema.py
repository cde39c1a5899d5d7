"""Validation of arguments against their TypedDict: unknown fields, missing fields, types. Pure except for SDK types.

Python does not check a TypedDict at run time, and a misspelt optional field would have no effect.
"""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin, is_typeddict

from pulumi import Output

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names, to_camel_case
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.field_metadata import SENSITIVE, get_properties
from eks_rocketmq.args.validation import find_nearest_name, find_nearest_names

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


def convert_from_camel_case(value: Any, type_: Any, path: ArgumentPath, errors: ErrorCollector) -> Any:  # noqa: ANN401 - any value and its type
    """Return a value with the field names of `type_`. Whole numbers become `int`. Unknown fields stay unchanged.

    A field in Python's spelling is an error, because it could contradict the same field in camelCase.

    `value` comes from a stack file, as parsed from JSON, or from the plugin protocol, which sends 3.0 for 3. `type_` is
    its TypedDict, or the type of one of the fields.
    """
    origin, inner = get_origin(type_), get_args(type_)
    if origin in {Annotated, NotRequired, Required, Union, UnionType}:
        return convert_from_camel_case(value, inner[0], path, errors)
    if is_typeddict(type_) and isinstance(value, Mapping):
        return _convert_fields(value, type_, path, errors)
    if origin is list and isinstance(value, list):
        return [
            convert_from_camel_case(item, inner[0], path.index(index, item), errors) for index, item in enumerate(value)
        ]
    if origin is dict and isinstance(value, Mapping):
        return {key: convert_from_camel_case(item, inner[1], path.key(key), errors) for key, item in value.items()}
    if type_ is Any:
        return _convert_whole_numbers(value)
    return _to_int(value) if type_ is int else value


def _convert_whole_numbers(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """Return a value without type, such as the configuration of an addon, with whole numbers as `int`."""
    if isinstance(value, Mapping):
        return {key: _convert_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_convert_whole_numbers(item) for item in value]
    return _to_int(value)


def _to_int(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _convert_fields(value: Mapping[Any, Any], type_: type, path: ArgumentPath, errors: ErrorCollector) -> Any:  # noqa: ANN401 - as above
    fields = _get_fields(type_)
    names = {to_camel_case(name): name for name in fields}
    converted: dict[Any, Any] = {}
    for key, item in value.items():
        name = names.get(key, key)
        if key in fields and key not in names:
            errors.add(
                ArgumentError(
                    path.unknown(key), "python-spelling", "unknown field", remedy="Write {field}", field=Names((key,))
                )
            )
        if name in fields and (key in names or name not in converted):
            converted[name] = convert_from_camel_case(item, fields[name][0], path / name, errors)
        else:
            converted.setdefault(name, item)
    return converted


def collect_field_names(type_: Any) -> set[str]:  # noqa: ANN401 - any type
    """Return the names of all fields of a TypedDict, nested ones included."""
    if is_typeddict(type_):
        fields = _get_fields(type_)
        return set(fields).union(*(collect_field_names(hint) for hint, _ in fields.values()))
    return set().union(*(collect_field_names(inner) for inner in get_args(type_)))


def validate_args(args: object, type_: type, path: ArgumentPath = ARGS, hidden: Collection[str] = ()) -> None:
    """Validate arguments and all nested values against a TypedDict.

    An awaited value is accepted only for a field of type `Input`. Elsewhere it would be misread: an Output of False is
    true.

    Raise ValueError for fields that are unknown, missing, of the wrong type, or awaited where a plain value is
    required. Users of the program cannot set fields in `hidden`, so errors do not suggest them.
    """
    errors = ErrorCollector()
    _reject_unknown_fields(args, type_, path, errors, hidden)
    _validate_fields(args, type_, path, errors, sensitive=False)
    errors.raise_errors()


def validate_type(value: object, type_: Any, path: ArgumentPath, *, sensitive: bool = False) -> None:  # noqa: ANN401 - any type
    """Validate a single value, such as that of an output, against the type of a field.

    Validate nested values too. `Any` accepts every value. With `sensitive`, errors do not show the value.
    """
    errors = ErrorCollector()
    _validate_value(value, type_, path, errors, sensitive=sensitive)
    errors.raise_errors()


def _reject_unknown_fields(
    args: object, type_: type, path: ArgumentPath, errors: ErrorCollector, hidden: Collection[str] = ()
) -> None:
    fields = _get_fields(type_)
    for name in args if isinstance(args, Mapping) else ():
        if name not in fields:
            errors.add(_unknown_field(path, name, [known for known in fields if known not in hidden], type_))


def _validate_fields(args: object, type_: type, path: ArgumentPath, errors: ErrorCollector, *, sensitive: bool) -> None:
    if not isinstance(args, Mapping):
        errors.add(_type_error(path, args, type_, sensitive=sensitive))
        return
    for name, (hint, required) in _get_fields(type_).items():
        if name in args:
            hidden_value = sensitive or SENSITIVE in get_properties(hint)
            _validate_value(args[name], hint, path / name, errors, sensitive=hidden_value)
        elif required:
            accepted, names = describe_type(hint), list_fields(hint)
            errors.add(ArgumentError(path / name, "missing", "a value is required", accepted=accepted, fields=names))


def unknown_value_error(path: ArgumentPath) -> ArgumentError:
    """Return the error for an awaited value where a plain value is required."""
    return ArgumentError(
        path,
        "not-known-at-preview",
        "the value is an output, and the resources of the component depend on it",
        accepted="a plain value that preview knows, no output of another resource and no secret",
    )


def _type_error(path: ArgumentPath, value: object, hint: Any, *, sensitive: bool) -> ArgumentError:  # noqa: ANN401 - any hint
    accepted = describe_type(hint)
    # A wrong value in `access` may be a password, or contain one.
    is_container = accepted.startswith(("a list", "an object")) or isinstance(value, Mapping | list)
    may_contain_password = _ACCESS_FIELD in path.steps[:2] and is_container
    hidden = sensitive or may_contain_password
    return ArgumentError(
        path,
        "wrong-type",
        "the value has the wrong type" if hidden else "{given!r} has the wrong type",
        accepted=accepted,
        given=None if hidden else value,
        fields=list_fields(hint),
    )


def describe_type(hint: Any) -> str:  # noqa: ANN401 - any hint
    """Return a description of a type for errors. `{fields}` stands for the names that `list_fields` returns."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Annotated, NotRequired, Required}:
        return describe_type(inner[0])
    if origin is Literal:
        return ", ".join(map(repr, inner))
    if origin in {Union, UnionType}:
        return describe_type(next(branch for branch in inner if branch is not NoneType))
    if is_typeddict(hint):
        listed = "{fields}" if list_fields(hint) else _describe_reference(hint)
        return f"an object with the fields {listed}"
    return _TYPE_DESCRIPTIONS.get(origin or hint, "a value")


def list_fields(hint: Any) -> Names:  # noqa: ANN401 - any hint
    """Return the fields that the description of a type lists. A long list is replaced by a reference."""
    while not is_typeddict(hint) and get_args(hint) and get_origin(hint) not in {list, dict, Sequence}:
        hint = next((each for each in get_args(hint) if each is not NoneType), NoneType)
    names = list(_get_fields(hint)) if is_typeddict(hint) else []
    return Names(names if len(names) <= _MAX_LISTED_NAMES else ())


def _unknown_field(path: ArgumentPath, name: object, known: Sequence[str], type_: type) -> ArgumentError:
    """Return the error for an unknown field. A long list of fields is shortened to the nearest ones and a reference."""
    nearest = find_nearest_name(name, known)
    complete = len(known) <= _MAX_LISTED_NAMES
    listed = known if complete else [] if nearest else find_nearest_names(name, known)
    return ArgumentError(
        path.unknown(name),
        "unknown-field",
        "unknown field",
        accepted="{fields}" if complete else "{fields} and others {reference}" if listed else "the fields {reference}",
        remedy="Did you mean {nearest}?" if nearest else "",
        fields=Names(listed),
        nearest=Names((nearest,)),
        reference=_describe_reference(type_),
    )


def _describe_reference(type_: type) -> str:
    return f"of {type_.__name__.removeprefix('Stack')} in {_REFERENCE_PATH}"


@cache
def _get_fields(type_: type) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of a TypedDict, and whether the field is required."""
    required: frozenset[str] = getattr(type_, "__required_keys__", frozenset())
    return {name: (hint, name in required) for name, hint in type_.__annotations__.items()}


def _validate_value(
    value: object,
    hint: Any,  # noqa: ANN401 - any hint
    path: ArgumentPath,
    errors: ErrorCollector,
    *,
    sensitive: bool = False,
) -> None:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in {Annotated, NotRequired, Required}:
        _validate_value(value, inner[0], path, errors, sensitive=sensitive)
    elif origin in {Union, UnionType}:
        _validate_union(value, inner, path, errors, sensitive=sensitive)
    elif isinstance(value, _AWAITED_TYPES):
        errors.add(unknown_value_error(path))
    elif is_typeddict(hint):
        _reject_unknown_fields(value, hint, path, errors)
        _validate_fields(value, hint, path, errors, sensitive=sensitive)
    elif not _is_instance(value, str if origin is Literal else origin or hint):
        errors.add(_type_error(path, value, hint, sensitive=sensitive))
    elif origin in {list, Sequence} and isinstance(value, Sequence):
        for index, item in enumerate(value):
            named = item if isinstance(item, Mapping) else None  # a string is a value, not the name of an object
            _validate_value(item, inner[0], path.index(index, named), errors, sensitive=sensitive)
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            if not _is_instance(key, inner[0]):
                errors.add(
                    ArgumentError(
                        path,
                        "wrong-key-type",
                        "key {key!r} has the wrong type",
                        accepted=describe_type(inner[0]),
                        key=key,
                    )
                )
            _validate_value(item, inner[1], path.key(key), errors, sensitive=sensitive)


def _validate_union(
    value: object, branches: tuple[Any, ...], path: ArgumentPath, errors: ErrorCollector, *, sensitive: bool
) -> None:
    plain = [branch for branch in branches if not _is_awaited_type(branch)]
    if (value is None and NoneType in plain) or (isinstance(value, _AWAITED_TYPES) and plain != list(branches)):
        return
    (first, *_) = [branch for branch in plain if branch is not NoneType]
    _validate_value(value, first, path, errors, sensitive=sensitive)


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
