"""Difference between an object and the program's inputs, and the fields whose change replaces the object."""

from collections.abc import Mapping, Sequence

from sandbox.engine.kubernetes import naming
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.kubernetes.state import Checkpoint, prune
from sandbox.engine.provider.property_path import PropertyPath, contains, parse, text
from sandbox.engine.provider.servicer import Change, Difference
from sandbox.engine.provider.values import UNKNOWN, JsonObject

_IDENTITY = ("metadata.name", "metadata.namespace")
_CONFIG_MAP_DATA = ("data", "binaryData")
_SECRET_DATA = ("type", "data", "stringData")
# Fields whose change replaces the object, by kind. For ConfigMap and Secret they depend on the provider's settings.
_REPLACED_BY: Mapping[str, tuple[str, ...]] = {
    "StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "Deployment": ("spec.selector",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "Service": ("spec.clusterIP",),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "StorageClass": ("parameters", "provisioner"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type",),
}


class _Missing:
    pass


_MISSING = _Missing()


def replacing_fields(
    kind: Kind, inputs: JsonObject, *, patch: bool, config_map_mutable: bool, secret_mutable: bool
) -> tuple[str, ...]:
    """Return the fields whose change replaces the object. A Patch resource is replaced only for its identity."""
    if patch:
        return _IDENTITY
    immutable = inputs.get("immutable") is True
    if kind.name == "ConfigMap" and (immutable or not config_map_mutable):
        return (*_IDENTITY, *_CONFIG_MAP_DATA)
    if kind.name == "Secret" and (immutable or not secret_mutable):
        return (*_IDENTITY, *_SECRET_DATA)
    return (*_IDENTITY, *_REPLACED_BY.get(kind.name, ()))


def difference(
    kind: Kind, olds: Checkpoint, new_inputs: JsonObject, replacing: Sequence[str], ignore_changes: Sequence[str]
) -> Difference:
    """Compare the live fields that the old inputs have with the new, normalized inputs.

    Server defaults of other fields are no difference. A replacement with the same name is deleted first. An object with
    an automatic name gets a new name, so its replacement is created first.
    """
    old = _comparable(kind, prune(olds.live, olds.inputs))
    new = _comparable(kind, new_inputs)
    if naming.name_of(new) and naming.name_of(olds.live):
        old["metadata"]["name"] = naming.name_of(olds.live)
    old.setdefault("apiVersion", kind.api_version)
    old.setdefault("kind", kind.name)

    changes: dict[str, Change] = {}
    ignored = [parse(path) for path in ignore_changes]
    forced = [parse(path) for path in replacing]
    for path, change, value in _walk((), old, new):
        if any(contains(ignore, path) for ignore in ignored):
            continue
        forces = path == ("metadata",) and change is Change.DELETE
        forces = forces or any(_touches(path, value, field) for field in forced)
        changes[text(path)] = change.replacing() if forces else change

    same_identity = naming.object_id(new_inputs) == naming.object_id(olds.live)
    fixed_name = bool(naming.name_of(new_inputs)) and naming.annotation(new_inputs, naming.AUTONAMED) != "true"
    replaces = any(change.replaces for change in changes.values())
    return Difference(changes, delete_before_replace=replaces and fixed_name and same_identity, compares_inputs=False)


def _comparable(kind: Kind, obj: JsonObject) -> JsonObject:
    """Return a copy with the server's default namespace and without a resource version."""
    result = dict(obj)
    found = result.get("metadata", {})
    if found is UNKNOWN:
        return result
    meta = {key: value for key, value in dict(found or {}).items() if key != "resourceVersion"}
    if kind.namespaced:
        meta["namespace"] = meta.get("namespace") or "default"
    else:
        meta.pop("namespace", None)
    result["metadata"] = meta
    return result


def _walk(path: PropertyPath, old: object, new: object) -> list[tuple[PropertyPath, Change, object]]:
    """Return path, change and new value of each difference, inside objects and lists that both have."""
    if isinstance(new, _Missing) or new is None:
        return [] if isinstance(old, _Missing) or old is None else [(path, Change.DELETE, None)]
    if isinstance(old, _Missing):
        return [(path, Change.ADD, new)]
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*new, *(key for key in old if key not in new)]
        return [found for key in keys for found in _walk((*path, key), old.get(key, _MISSING), new.get(key, _MISSING))]
    if isinstance(old, list) and isinstance(new, list):
        indexes = range(max(len(old), len(new)))
        return [found for index in indexes for found in _walk((*path, index), _item(old, index), _item(new, index))]
    return [] if old == new else [(path, Change.UPDATE, new)]


def _item(items: list[object], index: int) -> object:
    return items[index] if index < len(items) else _MISSING


def _touches(path: PropertyPath, value: object, field: PropertyPath) -> bool:
    """Return whether the change at `path` to `value` changes the field, a part of it, or an object that contains it."""
    if contains(field, path):
        return True
    if not contains(path, field):
        return False
    for step in field[len(path) :]:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True
