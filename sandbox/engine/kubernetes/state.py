"""State of an object in the engine.

Outputs are the live object and three keys of the provider: `__inputs` (the checked inputs), `__initialApiVersion` and
`__fieldManager`.
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
    """Stored state of an object, without `Secret`."""

    inputs: JsonObject
    live: JsonObject
    initial_api_version: str
    field_manager: str


def checkpoint(outputs: JsonObject) -> Checkpoint:
    """Parse outputs; all fields are empty for a resource without outputs (an import or `get`)."""
    live = plain(outputs)
    inputs = live.pop(_INPUTS, None)
    initial = live.pop(_INITIAL_API_VERSION, "")
    manager = live.pop(_FIELD_MANAGER, "")
    return Checkpoint(inputs or {}, live, initial, manager)


def outputs_of(stored: Checkpoint, kind: Kind, marked: JsonObject) -> JsonObject:
    """Return the outputs to store, with secrets where `marked`, the engine's inputs, has them."""
    return {
        **mark_secrets(stored.live, marked, kind),
        _INPUTS: mark_secrets(stored.inputs, marked, kind),
        _INITIAL_API_VERSION: stored.initial_api_version,
        _FIELD_MANAGER: stored.field_manager,
    }


def mark_secrets(obj: JsonObject, marked: JsonObject, kind: Kind | None = None) -> JsonObject:
    """Return a copy of `obj` with secrets where `marked` has them; a list with a secret is secret as a whole.

    `data` and `stringData` of a Secret are always secret.
    """
    if kind is not None and kind.name == "Secret":
        return {key: _secret(item) if key in {"data", "stringData"} else item for key, item in obj.items()}
    result = dict(obj)
    for key, mark in marked.items():
        if key not in result:
            continue
        if isinstance(result[key], dict) and isinstance(mark, dict):
            result[key] = mark_secrets(result[key], mark)
        elif _has_secret(mark):
            result[key] = _secret(result[key])
    return result


def prune(live: object, inputs: object) -> Any:  # noqa: ANN401 - any JSON value
    """Return the fields of `live` that `inputs` have.

    List items are matched by index. A list with items of another type than the inputs' stays whole.
    """
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {key: prune(item, inputs[key]) for key, item in live.items() if key in inputs}
    if isinstance(live, list) and isinstance(inputs, list):
        if live and inputs and type(live[0]) is not type(inputs[0]):
            return live
        return [prune(item, input_item) for item, input_item in zip(live, inputs, strict=False)]
    return live


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _has_secret(value: object) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(_has_secret(item) for item in value.values())
    return isinstance(value, list) and any(_has_secret(item) for item in value)
