"""Create, read, update and delete by the description of a resource type."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, errors_of, failed
from sandbox.engine.aws.properties import DEFAULTS, changed_properties
from sandbox.engine.aws.resource import Operation, Properties, ResourceType, Update
from sandbox.engine.aws.tags import ALL_TAGS, TAGS
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import UNKNOWN


class NotUsableError(ProviderError):
    """A resource exists but did not become usable."""

    def __init__(self, resource_id: str, message: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id


def planned(kind: ResourceType, inputs: Properties, olds: Properties) -> dict[str, Any]:
    """Return the state that a preview shows: values that only the update gives are unknown."""
    state = {
        **{key: olds[key] if olds else UNKNOWN for key in kind.names.outputs if not olds or key in olds},
        **{key: value for key, value in inputs.items() if key != DEFAULTS},
    }
    for key, parts in kind.unknown_parts.items():
        if isinstance(state[key], Mapping):
            state[key] = {**(olds.get(key) or dict.fromkeys(parts, UNKNOWN)), **state[key]}
    return state


def create(op: Operation) -> str:
    """Create a resource; returns its id. Raises ProviderError; NotUsableError when the resource exists."""
    kind, inputs = op.kind, op.news
    with errors_of(kind.message("creating", "", inputs)):
        answer = op.create_call(kind.create) if isinstance(kind.create, str) else kind.create(op)
    resource_id = jmespath.search(kind.id_path, {**answer, "inputs": inputs})
    op = replace(op, resource_id=resource_id)
    try:
        problem = op.wait(kind.create_wait)
        for key, spec in kind.properties.items():
            value = inputs.get(key)
            if spec.update and spec.initial is not None and value is not None and value != spec.initial:
                spec.update(op, [key])
        if kind.tagging and not kind.tagging.create:
            _change_tags(op)
    except AwsError as error:
        text = str(failed(f"creating {kind.label} ({resource_id})", error))
        raise NotUsableError(resource_id, text) from error
    if problem:
        raise NotUsableError(resource_id, str(failed(f"waiting for {kind.label} ({resource_id}) create", problem)))
    return resource_id


def read(kind: ResourceType, aws: Account, resource_id: str) -> dict[str, Any] | None:
    """Read the state of a resource; None when it does not exist."""
    with errors_of(kind.message("reading", resource_id, kind.id_arguments(resource_id))):
        description = kind.description(aws, resource_id)
        if description is None:
            return None
        more = kind.more_outputs(aws, description) if kind.more_outputs else {}
        tags = {TAGS: kind.tagging.read(aws, description)} if kind.tagging else {}
    keys = (*kind.properties, *kind.outputs, *kind.output_paths)
    found = {key: jmespath.search(path, description) for key in keys if (path := kind.path(key))}
    names = {"partition": aws.partition, "region": aws.region, "account": aws.id, "id": resource_id}
    arn = {"arn": kind.arn.format_map(names)} if kind.arn else {}
    state = {"region": aws.region, **found, **arn, **tags, **more}
    outputs = kind.names.outputs
    return {key: _text(value) for key, value in state.items() if value is not None and key in outputs}


def update(op: Operation) -> None:
    """Change a resource with the state `olds` to the inputs `news`."""
    kind, resource_id = op.kind, op.resource_id
    values = {**op.news, **kind.id_arguments(resource_id)}
    with errors_of(kind.message("updating", resource_id, values)):
        if kind.update:
            kind.update(op)
        else:
            for change, keys in _updates(op).items():
                change(op, keys)
    with errors_of(kind.message("tagging" if "tagging" in kind.messages else "updating", resource_id, values)):
        _change_tags(op)


def delete(op: Operation) -> None:
    """Delete a resource, which may be gone already."""
    kind, resource_id = op.kind, op.resource_id
    if not kind.delete:
        return
    with errors_of(kind.message("deleting", resource_id, {**op.olds, **kind.id_arguments(resource_id)})):
        try:
            if isinstance(kind.delete, str):
                op.call(kind.delete)
            else:
                kind.delete(op)
        except AwsError as error:
            if error.missing:
                return
            raise
        problem = op.wait(kind.delete_wait)
    if problem:
        raise failed(f"waiting for {kind.label} ({resource_id}) delete", problem)


def _updates(op: Operation) -> dict[Update, list[str]]:
    """Return the updates to run, each with the properties that it changes."""
    updates: dict[Update, list[str]] = {}
    for key in changed_properties(op.kind, op.olds, op.news):
        spec = op.kind.properties[key]
        if spec.local or spec.replaces:
            continue
        if spec.update is None:
            raise ProviderError(
                f"the sandbox's stand-in does not change {key!r} of {op.kind.token} in place; use the released plugin"
            )
        updates.setdefault(spec.update, []).append(key)
    return updates


def _change_tags(op: Operation) -> None:
    before, after = op.olds.get(ALL_TAGS) or {}, op.news.get(ALL_TAGS) or {}
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if op.kind.tagging:
        op.kind.tagging.change(op, changed, sorted(before.keys() - after.keys()))


def _text(value: object) -> object:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
