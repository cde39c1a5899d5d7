"""What a changed program changes on an object, and whether the object must be replaced for it."""

from collections.abc import Mapping, Sequence

from sandbox.engine.kubernetes import naming
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.kubernetes.state import Checkpoint, prune
from sandbox.engine.provider.base import Change, Difference
from sandbox.engine.provider.property_path import PropertyPath, contains, parse, text
from sandbox.engine.provider.values import UNKNOWN, JsonObject

_IDENTITY = ("metadata.name", "metadata.namespace")
_CONFIG_MAP_DATA = ("data", "binaryData")
_SECRET_DATA = ("type", "data", "stringData")
# Kind to the fields whose change replaces the object. ConfigMap and Secret depend on the provider's settings.
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
    """The fields of the object whose change replaces it. A Patch resource follows every change but its identity."""
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
    """Old live state, reduced to what the old inputs spoke of, against the new (normalised) inputs.

    Server defaults that the program never named are thus no difference. A replacement under the same fixed name deletes
    first; an autonamed object gets a new name and can be created first.
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
    """A copy whose namespace is the one that the server would take, and without a resource version."""
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
    """Every place where they differ, as deep as both have the same shape, with the new value there."""
    if isinstance(new, _Missing) or new is None:
        return [] if isinstance(old, _Missing) or old is None else [(path, Change.DELETE, None)]
    if isinstance(old, _Missing):
        return [(path, Change.ADD, new)]
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*new, *(key for key in old if key not in new)]
        return [found for key in keys for found in _walk((*path, key), old.get(key, _MISSING), new.get(key, _MISSING))]
    if isinstance(old, list) and isinstance(new, list):
        places = range(max(len(old), len(new)))
        return [found for place in places for found in _walk((*path, place), _at(old, place), _at(new, place))]
    return [] if old == new else [(path, Change.UPDATE, new)]


def _at(items: list[object], place: int) -> object:
    return items[place] if place < len(items) else _MISSING


def _touches(path: PropertyPath, value: object, field: PropertyPath) -> bool:
    """The change at `path` to `value` is one of the field, of something in it, or brings it along from above."""
    if contains(field, path):
        return True
    if not contains(path, field):
        return False
    for step in field[len(path) :]:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True
