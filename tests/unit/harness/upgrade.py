"""Stacks as the last release left them, or the commit before, and what today's program would do to each resource.

`python -m tests.unit.harness.upgrade` records the stacks anew, and the lists of their URNs with them: at a release,
from the commit that is released.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine.aws import properties
from sandbox.engine.aws.stand_in import RESOURCES
from sandbox.engine.kubernetes import configuration, diff, kinds
from sandbox.engine.kubernetes.normalize import normalized
from sandbox.engine.kubernetes.state import Checkpoint
from sandbox.engine.provider.base import Difference, Target
from sandbox.engine.provider.base import State as Remembered
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.random.stand_in import RandomStandIn
from tests.unit.harness import golden
from tests.unit.harness.recording import Recording, Registration

FOLDER = golden.GOLDEN / "released"
STACKS = ("prod", "staging", "everything")
"""Those that are recorded; the cluster from nothing by other names is staging's once more."""
FILES = {"kubernetes:core/v1:ConfigMap": "data", "kubernetes:core/v1:Secret": "stringData"}
"""Immutable objects with the texts of files: a changed one is an object of another name, made before the old one goes
(docs/adr/0003)."""
MEANT: Mapping[str, str] = {}
"""Why a resource is deleted or replaced on purpose, by its URN in the commit before. It stands here for one commit: the
change brings it, and the next one takes it out."""
WITHOUT_PROVIDER = ("eks-rocketmq:index:", "eks:index:", "pulumi:pulumi:Stack")

State = Mapping[str, Mapping[str, Any]]
"""URN to `type`, `parent`, `provider`, `protect` and `inputs`."""


@dataclass(frozen=True)
class Step:
    """What the engine would do to one resource of the release; `fields` are those that force a replacement."""

    operation: str
    urn: str
    fields: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rsplit("$", 1)[-1]


def state(recording: Recording) -> State:
    """What a release leaves in the engine's state, as far as an upgrade depends on it."""
    return {urn: _remembered(resource) for urn, resource in sorted(recording.resources.items())}


def _remembered(resource: Registration) -> dict[str, Any]:
    inputs = dict(resource.inputs)
    if key := FILES.get(resource.type):  # the name carries the hash; the texts themselves would only make the file long
        inputs[key] = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in inputs[key].items()}
    return {
        "type": resource.type,
        "parent": resource.parent,
        "provider": resource.provider.rsplit("::", 1)[0],
        "protect": resource.protect,
        "inputs": inputs,
    }


def steps(released: State, recording: Recording) -> list[Step]:
    """What an upgrade does to every resource of the release, in the order of their URNs."""
    today = state(recording)
    renamed = {old: urn for urn, resource in recording.resources.items() for old in _former_urns(resource)}
    return [_step(urn, old, today.get(urn) or today.get(renamed.get(urn, ""))) for urn, old in sorted(released.items())]


def _former_urns(resource: Registration) -> list[str]:
    """The URNs that the resource's aliases stand for: whole ones, or another type or name in the same place."""
    start, _, name = resource.urn.rpartition("::")
    chain, _, _ = start.rpartition(resource.type)
    found = []
    for alias in resource.aliases:
        if alias.startswith("urn:"):
            found.append(alias)
        elif ":" in alias:
            found.append(f"{chain}{alias}::{name}")
        else:
            found.append(f"{start}::{alias}")
    return found


def _step(urn: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> Step:
    if new is None:
        return Step("delete", urn)
    if old["provider"] != new["provider"]:
        return Step("replace", urn, ("provider",))
    if old["type"].startswith(WITHOUT_PROVIDER):
        return Step("same", urn)
    changes = difference(old["type"], urn.rsplit("::", 1)[-1], old["inputs"], new["inputs"]).changes
    forcing = tuple(sorted(path for path, change in changes.items() if change.replaces))
    return Step("replace" if forcing else "update" if changes else "same", urn, forcing)


def difference(type_: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """As the provider answers the engine, for a resource that is as the release made it."""
    if type_ == "pulumi:providers:kubernetes":
        return configuration.settings_difference(dict(old), dict(new))
    if type_.startswith("random:"):
        provider = RandomStandIn(EngineLog(""), threading.Event())
        return provider.diff(Target("", type_, name), "none", Remembered("none", {}, dict(old)), dict(new), ())
    if type_.startswith("aws:"):
        kind = RESOURCES[type_]
        before, after = (
            properties.check(kind, inputs, properties.CheckContext(name, {}, b"", {})).inputs for inputs in (old, new)
        )
        return properties.diff(kind, before, before, after, ())
    kind = kinds.of(type_)
    before, after = (normalized(kind, dict(inputs)) for inputs in (old, new))
    replacing = diff.replacing_fields(
        kind, after, patch=kinds.is_patch(type_), config_map_mutable=False, secret_mutable=False
    )
    return diff.difference(kind, Checkpoint(before, before, kind.api_version, ""), after, replacing, ())


def harmful(steps: Iterable[Step]) -> list[Step]:
    """Those that lose something: everything that is deleted, and what is replaced by other than a new name."""
    return [
        step
        for step in steps
        if step.operation == "delete"
        or (step.operation == "replace" and not (step.type in FILES and "metadata.name" in step.fields))
    ]


def states() -> dict[str, State]:
    """What this program leaves in the state of each recorded stack."""
    return {stack: state(golden.STACKS[stack]()) for stack in STACKS}


def released(stack: str) -> State:
    """The recorded state of a stack."""
    return json.loads((FOLDER / f"{stack}.json").read_text())


if __name__ == "__main__":
    golden.write()
    for stack, left in states().items():
        (FOLDER / f"{stack}.json").write_text(json.dumps(left, indent=1, sort_keys=True) + "\n")
