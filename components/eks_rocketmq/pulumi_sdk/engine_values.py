"""Placeholders and references in plans and states of the engine. Pure."""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Placeholder in a plan for a value that only the update knows."""
SIGNATURE_FIELD = "4dabf18193072939515e22adb298388d"
"""Field of an object that stands for a secret in an exported state, or for a resource in the plugin protocol."""
_REDACTED = "[secret]"
"""Placeholder for a secret in a plan."""


def is_secret(value: object) -> bool:
    """Return whether an input of a plan or of an exported state is a placeholder for a secret."""
    return value == _REDACTED or (isinstance(value, Mapping) and SIGNATURE_FIELD in value)


def get_provider_urn(resource: Mapping[str, Any]) -> str:
    """Return the URN of a resource's provider; empty without one. The state refers to a provider by `urn::id`."""
    return resource.get("provider", "").rpartition("::")[0]
