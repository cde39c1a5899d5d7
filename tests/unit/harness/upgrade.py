"""Recorded stacks of the last release or of the previous commit, and what the current program does to each resource.

`python -m tests.unit.harness.upgrade` records the stacks and their URNs again. Run it at a release, on the released
commit.
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
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.servicer import Difference, Target
from sandbox.engine.provider.servicer import State as Remembered
from sandbox.engine.random.stand_in import RandomStandIn
from tests.unit.harness import golden
from tests.unit.harness.recording import HASH, Recording, Registration

FOLDER = golden.GOLDEN / "released"
STACKS = ("prod", "staging", "everything")
"""Recorded stacks. `new-cluster` is omitted, because it has the same resources as staging under other names."""
FILES = {"kubernetes:core/v1:ConfigMap": "data", "kubernetes:core/v1:Secret": "stringData"}
"""Immutable objects that contain files. A changed file creates an object with a new name before the old one is deleted
(docs/adr/0003)."""
MEANT: Mapping[str, str] = {}
"""Reason for each intended deletion or replacement, by the URN in the previous commit. The commit with the change adds
the entry, and the next commit removes it."""
WITHOUT_PROVIDER = ("eks-rocketmq:index:", "eks:index:", "pulumi:pulumi:Stack")

State = Mapping[str, Mapping[str, Any]]
"""URN to `type`, `parent`, `provider`, `protect` and `inputs`."""


@dataclass(frozen=True)
class Step:
    """Operation of the engine on one resource of the release. `fields` are those that force a replacement."""

    operation: str
    urn: str
    fields: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rsplit("$", 1)[-1]


def state(recording: Recording) -> State:
    """Return the parts of the engine's state that an upgrade depends on."""
    return {urn: _remembered(resource) for urn, resource in sorted(recording.resources.items())}


def _remembered(resource: Registration) -> dict[str, Any]:
    inputs = dict(resource.inputs)
    if key := FILES.get(resource.type):  # the name contains the hash; hashes keep the file short
        inputs[key] = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in inputs[key].items()}
    return {
        "type": resource.type,
        "parent": resource.parent,
        "provider": resource.provider.rsplit("::", 1)[0],
        "protect": resource.protect,
        "inputs": inputs,
    }


def steps(released: State, recording: Recording) -> list[Step]:
    """Return the operation of an upgrade on every resource of the release, in the order of the URNs."""
    today = state(recording)
    renamed = {old: urn for urn, resource in recording.resources.items() for old in _former_urns(resource)}
    # Files under a new name are another resource. The engine deletes the former one last, as if it replaced it.
    renamed |= {HASH.sub("-", urn): urn for urn in today if HASH.search(urn)}
    former = {urn: renamed.get(urn) or renamed.get(HASH.sub("-", urn), "") for urn in released}
    return [_step(urn, old, today.get(urn) or today.get(former[urn])) for urn, old in sorted(released.items())]


def _former_urns(resource: Registration) -> list[str]:
    """Return the URNs of the aliases. An alias is a URN, or another type or name with the same parent."""
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
    """Return the provider's diff of the inputs, for a resource without drift."""
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
    """Return the steps that may lose data: all deletions, and replacements other than files under a new name."""
    return [
        step
        for step in steps
        if step.operation == "delete"
        or (step.operation == "replace" and not (step.type in FILES and "metadata.name" in step.fields))
    ]


def states() -> dict[str, State]:
    """Return the state of each recorded stack after an update with the current program."""
    return {stack: state(golden.STACKS[stack]()) for stack in STACKS}


def released(stack: str) -> State:
    """Return the recorded state of a stack."""
    return json.loads((FOLDER / f"{stack}.json").read_text())


if __name__ == "__main__":
    golden.write()
    for stack, left in states().items():
        (FOLDER / f"{stack}.json").write_text(json.dumps(left, indent=1, sort_keys=True) + "\n")
