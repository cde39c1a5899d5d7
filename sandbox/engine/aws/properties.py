"""Check and Diff of a resource type, by the descriptions of its properties. Pure."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine.aws.resource import Property, ResourceType
from sandbox.engine.aws.tags import ALL_TAGS, TAGS, merged_tags
from sandbox.engine.aws.validators import argument_name
from sandbox.engine.provider.servicer import Change, Checked, Difference, top_level_changes
from sandbox.engine.provider.values import UNKNOWN, has_unknown

DEFAULTS = "__defaults"
"""Input that lists the properties that the provider filled in."""
_SUFFIX_LENGTH = 7


@dataclass(frozen=True)
class CheckContext:
    """What Check uses besides the inputs.

    name: the resource's name in the program.
    olds: its old inputs, empty for a new resource.
    seed: the engine's seed for automatic names.
    default_tags: tags of the provider.
    """

    name: str
    olds: Mapping[str, Any]
    seed: bytes
    default_tags: Mapping[str, str]


def check(kind: ResourceType, news: Mapping[str, Any], context: CheckContext) -> Checked:
    """Return the inputs with defaults, automatic name and all tags, and a failure for each property that is wrong."""
    given = {key: value for key, value in news.items() if key not in {DEFAULTS, ALL_TAGS} and value is not None}
    failures = list(_failures(kind, given, context.name))
    filled = {
        key: spec.default for key, spec in kind.properties.items() if spec.default is not None and key not in given
    }
    if kind.longest_name and "name" not in given:
        olds = context.olds
        kept = olds.get("name") if "name" in olds.get(DEFAULTS, ()) else None
        name = filled["name"] = kept or automatic_name(context.name, context.seed)
        if len(name) > kind.longest_name:
            reason = f"the automatic name {name!r} is longer than {kind.longest_name} characters; name it"
            failures.append(("name", reason))
    inputs = {**given, **filled, DEFAULTS: sorted(filled)}
    if TAGS in kind.properties and (merged := merged_tags(given.get(TAGS), context.default_tags)):
        inputs[ALL_TAGS] = merged
    return Checked(inputs, failures)


def _failures(kind: ResourceType, given: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    def where(key: str) -> str:
        return f"Examine values at '{name}.{key}'."

    for key in given.keys() - kind.properties.keys():
        if key in kind.names.inputs:
            served = f"the sandbox's stand-in does not serve the input {key!r} of {kind.token}"
            yield key, f"{served}; use the released plugin"
        else:
            near = difflib.get_close_matches(key, kind.names.inputs, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            accepted = ", ".join(sorted(kind.names.inputs))
            yield key, f"Invalid or unknown key. {hint}Accepted are {accepted}. {where(key)}"
    for key in sorted(kind.names.required - given.keys()):
        missing = f'The argument "{key}" is required, but no definition was found.'
        yield key, f"Missing required argument. {missing} {where(key)}"
    for key, spec in kind.properties.items():
        value = given.get(key)
        if value is None and spec.must_be_given:
            missing = f"the sandbox's stand-in makes up no {key!r} for {kind.token}"
            yield key, f"{missing}; give one, or use the released plugin"
        known = value is not None and not has_unknown(value)
        if known and value != spec.default and key != TAGS and kind.ignores(key):
            unserved = f"the sandbox's stand-in does not serve the value {value!r} of {key!r} of {kind.token}"
            yield key, f"{unserved}; use the released plugin"
        if known and spec.validate and (reason := spec.validate(argument_name(key), value)):
            yield key, f"{reason}. {where(key)}"


def automatic_name(name: str, seed: bytes) -> str:
    """Return a name such as `name-1a2b3c4`. The engine gives the same seed in preview and update."""
    return f"{name}-{hashlib.sha256(seed).hexdigest()[:_SUFFIX_LENGTH]}"


def diff(
    kind: ResourceType,
    old_inputs: Mapping[str, Any],
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    ignored: Sequence[str],
) -> Difference:
    """Return what differs between the resource's state and the checked inputs `news`."""
    changes = {
        key: change
        for key, change in changed_properties(kind, state, news).items()
        if not any(each == key or each.startswith((f"{key}.", f"{key}[")) for each in ignored)
    }
    if TAGS in kind.properties and TAGS not in ignored:
        for key in (TAGS, ALL_TAGS):
            changes |= _tag_changes(key, state.get(key) or {}, news.get(key) or {})
    replaced = any(change.replaces for change in changes.values())
    keeps_name = (
        bool(kind.longest_name) and "name" not in news.get(DEFAULTS, ()) and old_inputs.get("name") == news.get("name")
    )
    return Difference(changes, delete_before_replace=replaced and (kind.delete_before_replace or keeps_name))


def changed_properties(kind: ResourceType, state: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Change]:
    """Return the changes of all properties but tags, in the order of their descriptions."""
    changes: dict[str, Change] = {}
    for key, spec in kind.properties.items():
        change = None if key == TAGS else _change(state.get(key), news.get(key), spec)
        if change is not None:
            changes[key] = change.replacing() if spec.replaces else change
    return changes


def stored_state(kind: ResourceType, known: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
    """Return AWS's values (`actual`), and from `known` what AWS does not store and texts of the same meaning."""
    defaults = {key: spec.default for key, spec in kind.properties.items() if spec.default is not None}
    texts = {
        key: known[key]
        for key, spec in kind.properties.items()
        if spec.keeps_text and known.get(key) and actual.get(key) and spec.same(actual[key], known[key])
    }
    rest = {key: value for key, value in known.items() if key != DEFAULTS}
    return {**defaults, **rest, **actual, **texts}


def inputs_of(kind: ResourceType, state: Mapping[str, Any], old_inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs for the current state: all values after an import, else the old inputs brought up to date."""
    imported = not old_inputs
    inputs: dict[str, Any] = {}
    for key, spec in kind.properties.items():
        actual, old = state.get(key), old_inputs.get(key)
        if not imported and key in old_inputs and _change(actual, old, spec) is None:
            inputs[key] = old
        elif _is_set(actual) and (imported or key in old_inputs or not (spec.computed or actual == spec.default)):
            inputs[key] = actual
    if TAGS in kind.properties and _is_set(state.get(ALL_TAGS)):
        inputs[ALL_TAGS] = state[ALL_TAGS]
    kept = [key for key in old_inputs.get(DEFAULTS, ()) if inputs.get(key) == old_inputs.get(key)]
    return {**inputs, DEFAULTS: kept}


def _change(old: Any, new: Any, spec: Property) -> Change | None:  # noqa: ANN401 - property values
    if not _is_set(new):
        return Change.DELETE if _is_set(old) and not spec.computed else None
    if not _is_set(old):
        return Change.ADD
    return None if not has_unknown(new) and spec.same(old, new) else Change.UPDATE


def _tag_changes(key: str, olds: Any, news: Any) -> dict[str, Change]:  # noqa: ANN401 - tags may be unknown
    if news is UNKNOWN:
        return {key: Change.UPDATE}
    return {
        f"{key}.{tag}" if tag.isidentifier() else f'{key}["{tag}"]': change
        for tag, change in top_level_changes(olds, news).items()
    }


def _is_set(value: object) -> bool:
    """Return whether a value is set. The provider treats empty texts, lists and maps as missing, `False` and 0 not."""
    return value is not None and value not in ("", [], {})
