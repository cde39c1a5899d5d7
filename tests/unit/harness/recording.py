"""Recording of one run as plain values, with queries for tests."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_MARK

UNKNOWN = "<unknown>"
"""Placeholder of a value that is unknown at preview."""
HASH = re.compile("-[0-9a-f]{10}$")
"""Hash of the files at the end of the name of a ConfigMap."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"


def plain(value: Any) -> Any:
    """Convert wire format to Python: whole floats to int, secrets to values, references to URNs, and `UNKNOWN`."""
    if value == UNKNOWN_MARK:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return plain(value["value"] if value[_SIGNATURE] == _SECRET else value.get("urn"))
        return {key: plain(item) for key, item in value.items()}
    return value


def has_secret(value: Any) -> bool:
    """Return whether a value in wire format is or contains a secret."""
    if isinstance(value, dict):
        return value.get(_SIGNATURE) == _SECRET or any(has_secret(item) for item in value.values())
    return isinstance(value, list) and any(has_secret(item) for item in value)


def from_struct(struct: Struct) -> dict[str, Any]:
    """Return the values of a request in wire format, including the markers of secrets and unknowns."""
    return json_format.MessageToDict(struct)


@dataclass(frozen=True)
class Registration:
    """One RegisterResource request. Dependencies, parent and provider are URNs."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]
    provider: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    timeouts: Mapping[str, str]
    before_create: tuple[str, ...]
    before_update: tuple[str, ...]
    on_error: tuple[str, ...]
    id: str
    outputs: Mapping[str, Any]
    version: str = ""
    """Version of the SDK. It selects the default provider if the resource has no explicit one."""

    @property
    def explicit_dependencies(self) -> frozenset[str]:
        """Dependencies from `depends_on` that no input has."""
        return self.dependencies - frozenset().union(*self.property_dependencies.values())


@dataclass
class Recording:
    """All requests of one run to the engine."""

    preview: bool
    resources: dict[str, Registration] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)
    invokes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    component_outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    hooks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    transforms: dict[str, Callable[..., Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)

    def by_type(self, type_: str) -> list[Registration]:
        """Return the resources of a type, sorted by name. `type_` may be the last part of a token, such as `Role`."""
        found = [r for r in self.resources.values() if type_ in (r.type, r.type.rsplit(":", 1)[-1])]
        return sorted(found, key=lambda r: r.name)

    def one(self, type_: str, name: str | None = None) -> Registration:
        """Return the only registration of a type and, if given, of a name.

        Raises:
            AssertionError: if there is not exactly one. The message lists all resources.
        """
        found = [r for r in self.by_type(type_) if name in (None, r.name)]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''}; resources: {sorted(self.resources)}"
        return found[0]

    def inventory(self) -> dict[str, int]:
        """Return the number of resources of each type without the stack. Compare all of it to detect additions."""
        counts = Counter(r.type for r in self.resources.values() if r.type != "pulumi:pulumi:Stack")
        return dict(sorted(counts.items()))

    def parent(self, child: Registration) -> Registration:
        """Return the parent of a resource."""
        return self.resources[child.parent]

    def reaches(self, dependent: Registration, dependency: Registration) -> bool:
        """Return whether `dependent` depends on `dependency`: by input, `depends_on`, parent or provider."""
        seen: set[str] = set()
        waiting = [dependent.urn]
        while waiting:
            urn = waiting.pop()
            if urn in seen or urn not in self.resources:
                continue
            seen.add(urn)
            resource = self.resources[urn]
            waiting += [*resource.dependencies, resource.parent, resource.provider.rsplit("::", 1)[0]]
        return dependency.urn in seen - {dependent.urn}

    def manifests(self) -> list[dict[str, Any]]:
        """Return all created Kubernetes objects, sorted by kind and name. Patches are excluded: they are incomplete."""
        objects = [
            {key: value for key, value in r.inputs.items() if key != "__defaults"}
            for r in self.resources.values()
            if r.type.startswith("kubernetes:") and not r.type.endswith("Patch")
        ]
        return sorted(objects, key=lambda o: (o.get("kind", ""), o.get("metadata", {}).get("name", "")))
