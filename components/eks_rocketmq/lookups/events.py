"""Kubernetes events. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def format_latest_event(events: Iterable[Mapping[str, Any]]) -> str:
    """Return reason and message of the latest event; an empty text if there is none."""
    latest = max(events, key=lambda event: int(event["metadata"]["resourceVersion"]), default=None)
    return f"{latest['reason']}: {latest['message']}" if latest else ""
