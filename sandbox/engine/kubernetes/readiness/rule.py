"""Base class of readiness rules."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.engine.kubernetes.kinds import POD, Kind
from sandbox.engine.kubernetes.readiness import pods
from sandbox.engine.provider.values import JsonObject

# Other objects in the namespace, by the name of their kind.
Related = dict[str, list[JsonObject]]


@dataclass(frozen=True)
class Progress:
    """Result of an observation: status messages and warnings. `failed` ends the wait with an error."""

    done: bool
    lines: Sequence[str] = ()
    warnings: Sequence[str] = ()
    failed: bool = False


class Rule(ABC):
    """Readiness of one object. `observe` runs after every change and at least once a second; rules may keep state."""

    related: Sequence[Kind] = ()
    # Kinds, such as pods, that are read only every ten seconds and at the end.
    related_rarely: Sequence[Kind] = ()
    fixed_timeout_seconds: float | None = None
    timeout_text = "'{name}' timed out waiting to be Ready"
    cancelled_text = 'Resource operation was cancelled for "{name}"'
    first_lines: Sequence[str] = ()

    @abstractmethod
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        """Judge the object. `now` is in seconds of a monotonic clock."""

    def passes_at_timeout(self) -> bool:
        """Return whether the object is accepted at the timeout."""
        return False

    def pod_warnings(self, live: JsonObject, related: Related) -> list[str]:
        """Return the warnings about the object's pods, every ten seconds."""
        return [line for pod in related.get(POD.name, []) if is_owned_by(pod, live) for line in pods.warnings(pod)]

    def errors(self, live: JsonObject, related: Related) -> list[str]:
        """Return the reasons, one a line, when the wait ends without success."""
        return self.pod_warnings(live, related)


def is_owned_by(obj: JsonObject, owner: JsonObject | None) -> bool:
    uid = ((owner or {}).get("metadata") or {}).get("uid")
    return bool(uid) and any(ref.get("uid") == uid for ref in obj["metadata"].get("ownerReferences") or [])
