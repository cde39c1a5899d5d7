"""Ownership of fields before an update by server-side apply."""

import copy

from sandbox.engine.kubernetes import naming
from sandbox.engine.kubernetes.client import CREATE_MANAGER
from sandbox.engine.provider.values import JsonObject

# Prefixes of field managers whose fields an update takes over: those of kubectl and of this provider's create.
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATE_MANAGER, "Update"),
)


def take_over(live: JsonObject, manager: str) -> list[JsonObject]:
    """Return the JSON patch that moves the fields of kubectl and of a create to the manager; empty for no such fields.

    The patch fails when the object has changed in the meantime.
    """
    entries = naming.metadata(live).get("managedFields") or []
    own = next((e for e in entries if e.get("manager") == manager and e.get("operation") == "Apply"), None)
    taken = [entry for entry in entries if entry is not own and _is_taken_over(entry)]
    if not taken:
        return []
    kept = [entry for entry in entries if entry is not own and entry not in taken]
    merged = copy.deepcopy(own or taken[0])
    for entry in taken:
        merged["fieldsV1"] = _union(merged.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    merged |= {"manager": manager, "operation": "Apply"}
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": naming.metadata(live).get("resourceVersion"),
        },
    ]


def forced(inputs: JsonObject, live: JsonObject | None, *, enabled: bool, preview: bool) -> bool:
    """Return whether an apply forces conflicts: when the program requests it, and in previews without live state."""
    if enabled or naming.annotation(inputs, naming.PATCH_FORCE) == "true":
        return True
    if live is None:
        return preview
    entries = naming.metadata(live).get("managedFields") or []
    posted = any(e.get("operation") == "Update" and e.get("manager") == CREATE_MANAGER for e in entries)
    return not entries or (preview and posted)


def _is_taken_over(entry: JsonObject) -> bool:
    return not entry.get("subresource") and any(
        entry.get("operation") == operation and str(entry.get("manager", "")).startswith(prefix)
        for prefix, operation in _TAKEN_OVER
    )


def _union(first: JsonObject, second: JsonObject) -> JsonObject:
    result = dict(first)
    for key, value in second.items():
        result[key] = _union(result[key], value) if key in result else value
    return result
