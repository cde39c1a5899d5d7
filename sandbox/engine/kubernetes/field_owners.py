"""Who owns which fields, before an update by server-side apply."""

import copy

from sandbox.engine.kubernetes import naming
from sandbox.engine.kubernetes.client import CREATE_MANAGER
from sandbox.engine.provider.values import JsonObject

# Managers (by the beginning of their name) whose fields an update takes over: kubectl's and those of our own create.
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATE_MANAGER, "Update"),
)


def take_over(live: JsonObject, manager: str) -> list[JsonObject]:
    """JSON patch that makes kubectl's fields and those of our create the manager's own; empty when there are none.

    The patch fails when the object has changed in between.
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
    """Whether an apply takes fields from other managers: on demand, and at previews that could not know better."""
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
