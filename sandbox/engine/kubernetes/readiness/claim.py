"""Readiness of a PersistentVolumeClaim: bound, or pending with WaitForFirstConsumer."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import STORAGE_CLASS
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.provider.values import JsonObject


class ClaimRule(Rule):
    """Rule with a fixed timeout of five minutes; `customTimeouts` and the annotation do not change it."""

    related = (STORAGE_CLASS,)
    fixed_timeout_seconds = 300.0
    timeout_text = "Timeout occurred polling for '{name}'"
    cancelled_text = "Resource operation was cancelled for '{name}'"

    def __init__(self, *, updated: bool) -> None:
        self._updated = updated

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        phase = (live.get("status") or {}).get("phase")
        if self._updated and phase == "Bound":
            return Progress(done=True)
        name = live["spec"].get("storageClassName")
        classes = related.get(STORAGE_CLASS.name, [])
        found = next((item for item in classes if item["metadata"]["name"] == name), {})
        waits = found.get("volumeBindingMode") == "WaitForFirstConsumer"
        return Progress(done=phase == ("Pending" if waits else "Bound"))
