"""Arguments held to their TypedDict: every field known, none missing, each of its type. Pure but for the SDK's types.

Python checks nothing of it at run time, and a misspelt optional field would be dropped without a word.
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
"""What is known only when the engine has run."""
_ACCESS_FIELD = "access"
_MAX_LISTED_NAMES = 12
_REFERENCE_PATH = "components/README.md"
FieldPath = tuple[str | int, ...]
"""Names of fields, keys of mappings and places in lists that lead to a value."""


def to_camel_case(name: str) -> str:
    """The name of a field as stack files and other languages spell it: `brokerGroups` for `broker_groups`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def convert_from_camel_case(given: Any, wanted: Any, what: str, path: FieldPath, problems: ErrorCollector) -> Any:  # noqa: ANN401 - any value and its type
    """What a stack file says, with the fields named as `wanted` names them; what is no field of it is left as it is.

    A field in Python's spelling is a problem: beside the other spelling one of the two would win.

    Args:
        given: a value as JSON gives it.
        wanted: the TypedDict, or the type of one of its fields, that `given` shall become.
        what: how an error names the value.
        path: where it stands.
        problems: takes the errors.
    """
    return _convert_value(given, wanted, _Location(what, path), problems)


def _convert_value(given: Any, wanted: Any, location: "_Location", problems: ErrorCollector) -> Any:  # noqa: ANN401 - as above
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in {Annotated, NotRequired, Required, Union, UnionType}:
        return _convert_value(given, inner[0], location, problems)
    if is_typeddict(wanted) and isinstance(given, Mapping):
        fields = _get_fields(wanted)
        names = {to_camel_case(name): name for name in fields}
        made: dict[Any, Any] = {}
        for key, value in given.items():
            name = names.get(key, key)
            at = location.field(key)
            if key in fields and key not in names:
                problems.add(
                    FieldError(at.path, at.what, f"is not known; did you mean {to_camel_case(key)!r}?", literal=True)
                )
            if name in fields and (key in names or name not in made):
                made[name] = _convert_value(value, fields[name][0], at, problems)
            else:
                made.setdefault(name, value)
        return made
    if origin is list and isinstance(given, list):
        return [_convert_value(item, inner[0], location.item(at, item), problems) for at, item in enumerate(given)]
    if origin is dict and isinstance(given, Mapping):
        return {key: _convert_value(item, inner[1], location.entry(key), problems) for key, item in given.items()}
    return given


def collect_field_names(wanted: Any) -> set[str]:  # noqa: ANN401 - any type
    """Names of all fields of a TypedDict and of those inside it."""
    if is_typeddict(wanted):
        fields = _get_fields(wanted)
        return set(fields).union(*(collect_field_names(hint) for hint, _ in fields.values()))
    return set().union(*(collect_field_names(inner) for inner in get_args(wanted)))


def describe_unknown_value(what: str) -> str:
    """The error for an awaited value where a plain one must stand."""
    return (
        f"{what} shapes what is made, so it must be a plain value that preview knows, not an output of another resource"
    )


class FieldError(ValueError):
    """A value that does not fit its type, or a field that is unknown or missing.

    `path` leads to it, `where` is the same in words; `accepted` is empty unless the type is what is wrong.
    """

    def __init__(self, path: FieldPath, where: str, wrong: str, accepted: str = "", *, literal: bool = False) -> None:
        self.path, self.location, self.wrong, self.accepted, self.literal = path, where, wrong, accepted, literal
        super().__init__(f"{where} {wrong}".strip())

    def translate(self, words: Callable[[str], str]) -> "FieldError":
        """Return the same error in other words, unless it is about how a name is written."""
        if self.literal:
            return self
        return FieldError(self.path, words(self.location), words(self.wrong), words(self.accepted))


class _Location(NamedTuple):
    """Where a value stands, as an error says it and as a path."""

    what: str = ""
    path: FieldPath = ()
    sensitive: bool = False
    """Whether no error may show the value."""

    def field(self, name: object) -> "_Location":
        return _Location(f"{self.what}.{name}" if self.what else f"{name}", (*self.path, cast("str", name)))

    def item(self, index: int, item: object) -> "_Location":
        name = item.get("name") if isinstance(item, Mapping) else None
        shown = name if isinstance(name, str) and not isinstance(name, Secret) else index
        return _Location(f"{self.what}[{shown!r}]", (*self.path, index))

    def entry(self, key: object) -> "_Location":
        return _Location(f"{self.what}[{key!r}]", (*self.path, cast("str", key)))

    def wrong(self, value: object, hint: Any) -> FieldError:  # noqa: ANN401 - any hint
        accepted = describe_type(hint)
        # Whatever stands for a password may be one, and whatever stands for users may have them in it.
        within = self.path[:1] == (_ACCESS_FIELD,) and accepted.startswith(("a list", "an object"))
        told = "is not accepted" if within or self.sensitive else f"is {value!r}"
        return FieldError(self.path, self.what, f"{told}; accepted is {accepted}", accepted)


def validate_args(
    given: object, wanted: type, what: str = "", path: FieldPath = (), wired: Collection[str] = ()
) -> None:
    """Holds arguments to the TypedDict `wanted`, with all that is inside. An awaited value is taken only where the type
    is an `Input`: everywhere else it would be taken for what it is not, an Output of False for True.

    Args:
        given: the arguments.
        wanted: their TypedDict.
        what: how an error names them; nothing for those of the component itself.
        path: where they stand.
        wired: fields that the caller of the program cannot give, so that no error suggests them.

    Raises:
        ValueError: for each field that is unknown, missing, of another type or not known yet: its name, what was given
            and what is accepted.
    """
    problems = ErrorCollector()
    _validate_fields(given, wanted, _Location(what, path), problems, wired)
    problems.raise_errors()


def _validate_fields(
    given: object, wanted: type, location: _Location, problems: ErrorCollector, wired: Collection[str] = ()
) -> None:
    fields = _get_fields(wanted)
    if not isinstance(given, Mapping):
        problems.add(location._replace(what=location.what or "args").wrong(given, wanted))
        return
    for name in given:
        if name not in fields:
            at = location.field(name)
            known = [field for field in fields if field not in wired]
            problems.add(FieldError(at.path, at.what, f"is not known{_describe_accepted_names(name, known, wanted)}"))
    for name, (hint, required) in fields.items():
        at = location.field(name)._replace(sensitive=SENSITIVE in get_properties(hint))
        if name in given:
            _validate_value(given[name], hint, at, problems)
        elif required:
            problems.add(FieldError(at.path, at.what, f"is missing; it is {describe_type(hint)}"))


def describe_type(hint: Any) -> str:  # noqa: ANN401 - any hint
    """What a value of that type is, in words, as in `accepted is a list`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Annotated, NotRequired, Required}:
        return describe_type(inner[0])
    if origin is Literal:
        return describe_type(str)
    if origin in {Union, UnionType}:
        return describe_type(next(branch for branch in inner if branch is not NoneType))
    if is_typeddict(hint):
        fields = list(_get_fields(hint))
        few = len(fields) <= _MAX_LISTED_NAMES
        return f"an object with the fields {', '.join(fields) if few else _describe_reference(hint)}"
    return _TYPE_DESCRIPTIONS.get(origin or hint, "a value")


def _describe_accepted_names(name: object, known: Sequence[str], wanted: type) -> str:
    """The field that is meant; all of them when they are few, else the nearest and where the others stand."""
    near = suggest_name(name, known)
    if len(known) <= _MAX_LISTED_NAMES:
        return f"{near}; accepted are {', '.join(known)}"
    if near or not (nearest := find_nearest_names(name, known)):
        return f"{near}; accepted are those {_describe_reference(wanted)}"
    return f"; accepted are {', '.join(nearest)} and others {_describe_reference(wanted)}"


def _describe_reference(wanted: type) -> str:
    return f"of {wanted.__name__.removeprefix('Stack')} in {_REFERENCE_PATH}"


@cache
def _get_fields(wanted: type) -> dict[str, tuple[Any, bool]]:
    """Type of every field of a TypedDict, and whether it must be given."""
    required: frozenset[str] = getattr(wanted, "__required_keys__", frozenset())
    return {name: (hint, name in required) for name, hint in wanted.__annotations__.items()}


def _validate_value(value: object, hint: Any, location: _Location, problems: ErrorCollector) -> None:  # noqa: ANN401 - any hint
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in {Annotated, NotRequired, Required}:
        _validate_value(value, inner[0], location, problems)
    elif origin in {Union, UnionType}:
        _validate_union(value, inner, location, problems)
    elif isinstance(value, _AWAITED_TYPES):
        problems.add(FieldError(location.path, describe_unknown_value(location.what), ""))
    elif is_typeddict(hint):
        _validate_fields(value, hint, location, problems)
    elif origin is Literal:
        _validate_value(value, str, location, problems)
    elif not _is_instance(value, origin or hint):
        problems.add(location.wrong(value, hint))
    elif origin in {list, Sequence} and isinstance(value, Sequence):
        for index, item in enumerate(value):
            _validate_value(item, inner[0], location.item(index, item), problems)
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            _validate_value(key, inner[0], location._replace(what=f"a key of {location.what}"), problems)
            _validate_value(item, inner[1], location.entry(key), problems)


def _validate_union(value: object, branches: tuple[Any, ...], location: _Location, problems: ErrorCollector) -> None:
    plain = [branch for branch in branches if not _is_awaited_type(branch)]
    if (value is None and NoneType in plain) or (isinstance(value, _AWAITED_TYPES) and plain != list(branches)):
        return
    (first, *_) = [branch for branch in plain if branch is not NoneType]
    _validate_value(value, first, location, problems)


def _is_awaited_type(branch: Any) -> bool:  # noqa: ANN401 - any hint
    # The SDK's Input[T] has its Output as a forward reference.
    return isinstance(branch, ForwardRef) or (get_origin(branch) or branch) in _AWAITED_TYPES


def _is_instance(value: object, wanted: Any) -> bool:  # noqa: ANN401 - a class
    if wanted is dict:
        return isinstance(value, Mapping)
    if wanted is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is int:
        # Values that come through a provider's wire are floats, 3.0 for 3.
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return isinstance(value, wanted)
