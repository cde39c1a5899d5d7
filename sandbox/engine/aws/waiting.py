"""Waiting for AWS, and the provider's messages about it."""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine.provider.failures import ProviderError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


@dataclass(frozen=True)
class Waiting:
    """Time limit and cancellation of an operation.

    seconds: the program's own limit (`customTimeouts`), 0 when it names none.
    """

    seconds: float
    cancelled: threading.Event

    def until(self, done: Callable[[], bool], default_seconds: float) -> float | None:
        """Poll until `done` returns true, with pauses that grow to 10 s; returns the limit in seconds on a timeout.

        Raises ProviderError when the operation is cancelled.
        """
        limit = self.seconds or default_seconds
        waited, pause = 0.0, _FIRST_PAUSE
        while not done():
            if waited >= limit:
                return limit
            if self.cancelled.wait(pause):
                raise ProviderError("the operation was cancelled")
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)
        return None


def outcome(status: str, wanted: str, late: float | None, issues: Sequence[str]) -> Exception | None:
    """Return the error for a resource that did not reach the wanted status; None when it did.

    late: the limit in seconds that was exceeded, if any.
    """
    if late is not None:
        limit = duration(late)
        return TimeoutError(
            f"timeout while waiting for state to become '{wanted}' (last state: '{status}', timeout: {limit})"
        )
    if status == wanted:
        return None
    reasons = f". last error: {'; '.join(issues)}" if issues else ""
    return RuntimeError(f"unexpected state '{status}', wanted target '{wanted}'{reasons}")


def issue_text(issue: Mapping[str, Any]) -> str:
    """Return the text of an issue of an addon, or of an error of an update."""
    resources = ", ".join(issue.get("resourceIds", []))
    code, message = issue.get("code") or issue.get("errorCode"), issue.get("message") or issue.get("errorMessage")
    return f"{resources}: {code or ''}: {message or ''}"


def duration(seconds: float) -> str:
    """Format a duration as Go does: `20m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return re.sub(r"^0h(0m)?", "", f"{hours}h{minutes}m{rest}s")
