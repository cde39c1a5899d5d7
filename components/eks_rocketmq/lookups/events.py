"""Events of a cluster, as people need them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def format_latest_event(events: Iterable[Mapping[str, Any]]) -> str:
    """Reason and message of the last of some events; empty when there is none."""
    last = max(events, key=lambda event: int(event["metadata"]["resourceVersion"]), default=None)
    return f"{last['reason']}: {last['message']}" if last else ""
