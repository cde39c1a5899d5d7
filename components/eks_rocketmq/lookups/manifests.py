"""Fields of manifests as hooks get them, in which any part may be absent."""

from collections.abc import Mapping
from typing import Any


def get_annotation(inputs: Mapping[str, Any] | None, name: str) -> str | None:
    """Return an annotation of a manifest, or None if it has none."""
    return (((inputs or {}).get("metadata") or {}).get("annotations") or {}).get(name)


def get_replicas(inputs: Mapping[str, Any] | None) -> int | None:
    """Return the number of pods in a manifest, or None if it has none."""
    replicas = ((inputs or {}).get("spec") or {}).get("replicas")
    return None if replicas is None else int(replicas)
