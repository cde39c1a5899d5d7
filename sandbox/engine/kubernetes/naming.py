"""Names and ids of objects, and annotations that configure the provider."""

import hashlib
import secrets
from typing import Any

from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import Target
from sandbox.engine.provider.values import UNKNOWN, JsonObject

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"

_DEFAULT_TIMEOUT_SECONDS = 600.0


def metadata(obj: JsonObject) -> JsonObject:
    """Return the object's metadata; empty when it is missing or unknown."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(obj: JsonObject) -> str:
    found = metadata(obj).get("name")
    return found if isinstance(found, str) else ""


def namespace_of(obj: JsonObject) -> str:
    found = metadata(obj).get("namespace")
    return found if isinstance(found, str) else ""


def annotation(obj: JsonObject, key: str) -> str:
    annotations = metadata(obj).get("annotations")
    found = annotations.get(key) if isinstance(annotations, dict) else None
    return found if isinstance(found, str) else ""


def object_id(obj: JsonObject) -> str:
    """Return `namespace/name`, or `name` for a cluster-scoped object."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def parse_id(resource_id: str) -> tuple[str, str]:
    """Return namespace, which may be empty, and name."""
    namespace, _, name = resource_id.rpartition("/")
    return namespace, name


def short_name(obj: JsonObject) -> str:
    """Return the name in status messages: with the namespace unless it is `default`."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace not in {"", "default"} else name_of(obj)


def timeout_seconds(custom: float, inputs: JsonObject) -> float:
    """Return `customTimeouts`, else the annotation's timeout, else ten minutes."""
    if custom:
        return custom
    text = annotation(inputs, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() else _DEFAULT_TIMEOUT_SECONDS


def propagation_policy(inputs: JsonObject) -> str:
    policies = {"orphan": "Orphan", "background": "Background"}
    return policies.get(annotation(inputs, DELETION_PROPAGATION).lower(), "Foreground")


def new_field_manager() -> str:
    """Return a new name for the field manager of a resource."""
    return f"pulumi-kubernetes-{secrets.token_hex(4)}"


def assign_name(target: Target, inputs: JsonObject, old_inputs: JsonObject, seed: bytes) -> None:
    """Set the name of an unnamed object, in place: its old name, or a new one with eight random digits.

    Raises ProviderError for `generateName`.
    """
    if is_named(inputs):
        return
    kept = annotation(old_inputs, AUTONAMED) == "true"
    if metadata(inputs).get("generateName") and not kept:
        raise ProviderError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    if kept:
        _set_autoname(inputs, name_of(old_inputs))
    elif not old_inputs:
        digits = hashlib.sha256(seed).hexdigest()[:8] if seed else secrets.token_hex(4)
        _set_autoname(inputs, f"{target.name}-{digits}")


def set_namespace(inputs: JsonObject, default: str) -> None:
    """Set the default namespace in inputs without a namespace, in place."""
    meta: Any = inputs.setdefault("metadata", {})
    if meta is not UNKNOWN and not meta.get("namespace"):
        meta["namespace"] = default


def is_named(obj: JsonObject) -> bool:
    """Return whether the object has a name, which may be unknown."""
    name = metadata(obj).get("name")
    return name is UNKNOWN or bool(name)


def _set_autoname(obj: JsonObject, name: str) -> None:
    meta: Any = obj.setdefault("metadata", {})
    if meta is UNKNOWN:
        return
    meta["name"] = name
    annotations: Any = meta.setdefault("annotations", {})
    if annotations is not UNKNOWN:
        annotations[AUTONAMED] = "true"
