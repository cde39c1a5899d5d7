"""The form of a readiness rule."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.provider.values import JsonObject

# Objects near the awaited one, by the name of their kind.
Related = dict[str, list[JsonObject]]


@dataclass(frozen=True)
class Progress:
    """`lines` say what is waited for, `warnings` what is amiss; `failed` ends the wait with an initialization error."""

    done: bool
    lines: Sequence[str] = ()
    warnings: Sequence[str] = ()
    failed: bool = False


class Rule(ABC):
    """Judges one object. It may remember what it saw: `observe` comes after every change and at least once a second."""

    related: Sequence[Kind] = ()
    # Kinds that are looked at only every ten seconds and at the end, as pods are.
    related_rarely: Sequence[Kind] = ()
    fixed_timeout_seconds: float | None = None
    timeout_text = "'{name}' timed out waiting to be Ready"
    cancelled_text = 'Resource operation was cancelled for "{name}"'
    first_lines: Sequence[str] = ()

    @abstractmethod
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        """`now` is in seconds of a steady clock."""

    def passes_at_timeout(self) -> bool:
        """Whether running out of time is good enough."""
        return False

    def pod_warnings(self, live: JsonObject, related: Related) -> list[str]:  # noqa: ARG002 - for kinds with pods
        """What is amiss with the object's pods; asked every ten seconds."""
        return []

    def errors(self, live: JsonObject, related: Related) -> list[str]:
        """What is missing, one line each, when the wait ends without success."""
        return self.pod_warnings(live, related)


def is_owned_by(obj: JsonObject, owner: JsonObject | None) -> bool:
    uid = ((owner or {}).get("metadata") or {}).get("uid")
    return bool(uid) and any(ref.get("uid") == uid for ref in obj["metadata"].get("ownerReferences") or [])
