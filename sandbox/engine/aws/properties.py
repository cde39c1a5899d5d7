"""What the provider's schema says of an input, and what follows for Check and Diff. Pure."""

import difflib
import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine.aws.schema import Shape, resource_shape
from sandbox.engine.provider.base import Change, Checked, Difference
from sandbox.engine.provider.values import UNKNOWN, has_unknown

DEFAULTS = "__defaults"
"""The key under which the inputs list what the provider filled in."""
TAGS, ALL_TAGS = "tags", "tagsAll"
_SUFFIX_LENGTH = 7


@dataclass(frozen=True)
class Property:
    """One input.

    default: what the provider fills in; None fills in nothing.
    replaces: a change makes a new resource.
    computed: AWS chooses when the program says nothing, so saying nothing is no change.
    same: whether two values mean the same.
    keeps_text: the program's own text is kept where AWS's has the same meaning.
    refusal: why a value is not accepted, None when it is.
    asked: the released provider fills it in, the stand-in does not; so the program has to.
    """

    default: object = None
    replaces: bool = False
    computed: bool = False
    same: Callable[[Any, Any], bool] = operator.eq
    keeps_text: bool = False
    refusal: Callable[[Any], str | None] | None = None
    asked: bool = False


FIXED = Property(replaces=True)
CHOSEN = Property(replaces=True, computed=True)
# What nearly every type of AWS has.
REGION = {"region": CHOSEN}
TAGGED = {TAGS: Property()}


@dataclass(frozen=True)
class Schema:
    """A resource type by its token: its served inputs, and how long an automatic name may be (0: none is made)."""

    token: str
    properties: Mapping[str, Property]
    longest_name: int = 0
    delete_before_replace: bool = False

    @property
    def shape(self) -> Shape:
        """Its names in the SDK."""
        return resource_shape(self.token)


@dataclass(frozen=True)
class Occasion:
    """What Check needs to know besides the inputs: the resource's name in the program and its old inputs (empty for a
    new one), the engine's seed for automatic names, the provider's own tags."""

    name: str
    olds: Mapping[str, Any]
    seed: bytes
    default_tags: Mapping[str, str]


def check(schema: Schema, news: Mapping[str, Any], occasion: Occasion) -> Checked:
    """Inputs with defaults, automatic name and all tags; failures name the property and say what is accepted."""
    name = occasion.name
    given = {key: value for key, value in news.items() if key not in {DEFAULTS, ALL_TAGS} and value is not None}
    failures = [failure for key in given if (failure := _unknown_input(schema, name, key))]
    failures += [
        (key, f'Missing required argument. The argument "{key}" is required, but no definition was found. {where}')
        for key in sorted(schema.shape.required - given.keys())
        for where in [_where(name, key)]
    ]
    failures += [
        (key, f"the sandbox's stand-in makes up no {key!r} for {schema.token}; give one, or use the released plugin")
        for key, spec in schema.properties.items()
        if spec.asked and key not in given
    ]
    for key, value in given.items():
        specified = schema.properties.get(key)
        refusal = specified.refusal(value) if specified and specified.refusal and not has_unknown(value) else None
        if refusal:
            failures.append((key, f"{refusal}. {_where(name, key)}"))
    filled = {
        key: spec.default for key, spec in schema.properties.items() if spec.default is not None and key not in given
    }
    if schema.longest_name and "name" not in given:
        olds = occasion.olds
        kept = olds.get("name") if "name" in olds.get(DEFAULTS, ()) else None
        filled["name"] = kept or automatic_name(name, occasion.seed)
        if len(filled["name"]) > schema.longest_name:
            failures.append(
                (
                    "name",
                    f"the automatic name {filled['name']!r} is longer than {schema.longest_name} characters; name it",
                )
            )
    inputs = {**given, **filled, DEFAULTS: sorted(filled)}
    if TAGS in schema.properties and (merged := merged_tags(given.get(TAGS), occasion.default_tags)):
        inputs[ALL_TAGS] = merged
    return Checked(inputs, failures)


def automatic_name(name: str, seed: bytes) -> str:
    """`name-1a2b3c4`; the engine gives the same seed in preview and update."""
    return f"{name}-{hashlib.sha256(seed).hexdigest()[:_SUFFIX_LENGTH]}"


def merged_tags(tags: Any, default_tags: Mapping[str, str]) -> Any:  # noqa: ANN401 - tags may be unknown
    """The resource's tags over those of the provider; unknown as long as the former are."""
    return UNKNOWN if tags is UNKNOWN else {**default_tags, **(tags or {})}


def diff(
    schema: Schema,
    old_inputs: Mapping[str, Any],
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    ignored: Sequence[str],
) -> Difference:
    """What differs between the resource as it is (`state`) and the checked inputs `news`."""
    changes: dict[str, Change] = {}
    for key, spec in schema.properties.items():
        if key == TAGS or any(each == key or each.startswith((f"{key}.", f"{key}[")) for each in ignored):
            continue
        change = _change(state.get(key), news.get(key), spec)
        if change is not None:
            changes[key] = change.replacing() if spec.replaces else change
    if TAGS in schema.properties and TAGS not in ignored:
        for key in (TAGS, ALL_TAGS):
            changes |= _tag_changes(key, state.get(key) or {}, news.get(key) or {})
    replaced = any(change.replaces for change in changes.values())
    keeps_name = (
        bool(schema.longest_name)
        and "name" not in news.get(DEFAULTS, ())
        and old_inputs.get("name") == news.get("name")
    )
    return Difference(changes, delete_before_replace=replaced and (schema.delete_before_replace or keeps_name))


def remembered(schema: Schema, known: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
    """What AWS says (`actual`); what it does not keep, and a text of the same meaning, stay as `known`."""
    defaults = {key: spec.default for key, spec in schema.properties.items() if spec.default is not None}
    texts = {
        key: known[key]
        for key, spec in schema.properties.items()
        if spec.keeps_text and known.get(key) and actual.get(key) and spec.same(actual[key], known[key])
    }
    rest = {key: value for key, value in known.items() if key != DEFAULTS}
    return {**defaults, **rest, **actual, **texts}


def inputs_of(schema: Schema, state: Mapping[str, Any], old_inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of the resource as it is: for an import all that say something, else the old ones renewed."""
    imported = not old_inputs
    inputs: dict[str, Any] = {}
    for key, spec in schema.properties.items():
        actual, old = state.get(key), old_inputs.get(key)
        if not imported and key in old_inputs and _change(actual, old, spec) is None:
            inputs[key] = old
        elif _says_something(actual) and (
            imported or key in old_inputs or not (spec.computed or actual == spec.default)
        ):
            inputs[key] = actual
    if TAGS in schema.properties and _says_something(state.get(ALL_TAGS)):
        inputs[ALL_TAGS] = state[ALL_TAGS]
    kept = [key for key in old_inputs.get(DEFAULTS, ()) if inputs.get(key) == old_inputs.get(key)]
    return {**inputs, DEFAULTS: kept}


def _change(old: Any, new: Any, spec: Property) -> Change | None:  # noqa: ANN401 - property values
    if not _says_something(new):
        return Change.DELETE if _says_something(old) and not spec.computed else None
    if not _says_something(old):
        return Change.ADD
    return None if not has_unknown(new) and spec.same(old, new) else Change.UPDATE


def _tag_changes(key: str, olds: Any, news: Any) -> dict[str, Change]:  # noqa: ANN401 - tags may be unknown
    if news is UNKNOWN:
        return {key: Change.UPDATE}
    changes: dict[str, Change] = {}
    for tag in sorted({*olds, *news}):
        path = f"{key}.{tag}" if tag.isidentifier() else f'{key}["{tag}"]'
        if tag not in olds:
            changes[path] = Change.ADD
        elif tag not in news:
            changes[path] = Change.DELETE
        elif olds[tag] != news[tag]:
            changes[path] = Change.UPDATE
    return changes


def _says_something(value: object) -> bool:
    """Empty texts, lists and maps are the same as nothing to the provider; `False` and 0 are values."""
    return value is not None and value not in ("", [], {})


def _unknown_input(schema: Schema, name: str, key: str) -> tuple[str, str] | None:
    if key in schema.properties:
        return None
    if key in schema.shape.inputs:
        return (
            key,
            f"the sandbox's stand-in does not serve the input {key!r} of {schema.token}; use the released plugin",
        )
    near = difflib.get_close_matches(key, schema.shape.inputs, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return (
        key,
        f"Invalid or unknown key. {hint}Accepted are {', '.join(sorted(schema.shape.inputs))}. {_where(name, key)}",
    )


def _where(name: str, key: str) -> str:
    return f"Examine values at '{name}.{key}'."


def same_set(one: list[Any], other: list[Any]) -> bool:
    """Whether two lists have the same members, in whatever order."""
    return sorted(one) == sorted(other)


def same_settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether AWS's block (`one`) has all that the program's says; what the program leaves out AWS chooses."""
    return all(_same_value(one.get(key), value) for key, value in other.items() if value is not None)


def _same_value(one: Any, other: Any) -> bool:  # noqa: ANN401 - property values
    if isinstance(other, Mapping):
        return isinstance(one, Mapping) and same_settings(one, other)
    if isinstance(other, list):
        return sorted(map(str, one or ())) == sorted(map(str, other))
    return one == other or (one is None and other in ("", False))


def one_of(key: str, *accepted: str | int) -> Callable[[object], str | None]:
    """Accepts these values."""
    listed = " ".join(f'"{each}"' for each in accepted)
    return lambda value: None if value in accepted else f"expected {key} to be one of [{listed}], got {value}"


def between(key: str, low: int, high: int) -> Callable[[Any], str | None]:
    """Accepts whole numbers in the range."""

    def refusal(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"expected type of {key} to be integer"
        return None if low <= value <= high else f"expected {key} to be in the range ({low} - {high}), got {value}"

    return refusal


def arn(key: str) -> Callable[[Any], str | None]:
    """Accepts an ARN: six parts of which partition, service and resource say something."""

    def refusal(value: object) -> str | None:
        parts = str(value).split(":", 5)
        if parts[0] != "arn":
            return f'"{key}" ({value}) is an invalid ARN: arn: invalid prefix'
        if len(parts) < 6:  # arn:partition:service:region:account:resource
            return f'"{key}" ({value}) is an invalid ARN: arn: not enough sections'
        return None if all((parts[1], parts[2], parts[5])) else f'"{key}" ({value}) is an invalid ARN'

    return refusal
