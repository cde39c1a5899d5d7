"""What of an object goes into the engine's state, and how it comes back.

Outputs are the live object plus three keys of the provider's own: `__inputs` (the checked inputs),
`__initialApiVersion` and `__fieldManager`.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.provider.values import JsonObject, Secret, plain

_INPUTS = "__inputs"
_INITIAL_API_VERSION = "__initialApiVersion"
_FIELD_MANAGER = "__fieldManager"


@dataclass(frozen=True)
class Checkpoint:
    """An object as the state remembers it, without secret marks."""

    inputs: JsonObject
    live: JsonObject
    initial_api_version: str
    field_manager: str


def checkpoint(outputs: JsonObject) -> Checkpoint:
    """Read outputs back; everything is empty for a resource without outputs (an import or `get`)."""
    live = plain(outputs)
    inputs = live.pop(_INPUTS, None)
    initial = live.pop(_INITIAL_API_VERSION, "")
    manager = live.pop(_FIELD_MANAGER, "")
    return Checkpoint(inputs or {}, live, initial, manager)


def outputs_of(remembered: Checkpoint, kind: Kind, marked: JsonObject) -> JsonObject:
    """Outputs for state, secret wherever `marked` (the inputs as the engine gave them) is."""
    return {
        **mark_secrets(remembered.live, marked, kind),
        _INPUTS: mark_secrets(remembered.inputs, marked, kind),
        _INITIAL_API_VERSION: remembered.initial_api_version,
        _FIELD_MANAGER: remembered.field_manager,
    }


def mark_secrets(obj: JsonObject, marked: JsonObject, kind: Kind | None = None) -> JsonObject:
    """A copy of `obj` that is secret where `marked` is; a list with one secret in it is secret as a whole.

    All `data` and `stringData` of a Secret are secret, whatever `marked` says.
    """
    if kind is not None and kind.name == "Secret":
        return {key: _secret(item) if key in {"data", "stringData"} else item for key, item in obj.items()}
    result = dict(obj)
    for key, mark in marked.items():
        if key not in result:
            continue
        if isinstance(result[key], dict) and isinstance(mark, dict):
            result[key] = mark_secrets(result[key], mark)
        elif _holds_secret(mark):
            result[key] = _secret(result[key])
    return result


def prune(live: object, shape: object) -> Any:  # noqa: ANN401 - any JSON value
    """`live` without what `shape` does not have: the part of an object that its inputs speak of.

    Lists are compared place by place; a list whose elements are of another kind than the shape's stays whole.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: prune(item, shape[key]) for key, item in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list):
        if live and shape and type(live[0]) is not type(shape[0]):
            return live
        return [prune(item, shape_item) for item, shape_item in zip(live, shape, strict=False)]
    return live


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _holds_secret(value: object) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)
