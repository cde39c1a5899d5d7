"""Readiness of a Job: complete."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import POD
from sandbox.engine.kubernetes.naming import short_name
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.provider.values import JsonObject

_FATAL = {"BackoffLimitExceeded", "DeadlineExceeded"}


class JobRule(Rule):
    """Done when complete. A job that failed permanently ends the wait."""

    related = (POD,)

    def __init__(self) -> None:
        # All warnings so far, in order.
        self._reasons: dict[str, None] = {}

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        status = live.get("status") or {}
        name = short_name(live)
        if not status.get("startTime"):
            return Progress(done=False, lines=[f'Waiting for Job "{name}" to start'])
        active, succeeded, failures = (status.get(key, 0) for key in ("active", "succeeded", "failed"))
        counts = f"(Active: {active} | Succeeded: {succeeded} | Failed: {failures})"
        lines = [f'Waiting for Job "{name}" to start', f'Waiting for Job "{name}" to succeed {counts}']
        warnings = self.pod_warnings(live, related)
        self._reasons |= dict.fromkeys(warnings)
        conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
        failed = conditions.get("Failed") or {}
        if failed.get("status") == "True" and failed.get("reason") in _FATAL:
            self._reasons[f"[{failed['reason']}] {failed.get('message', '')}"] = None
            return Progress(done=False, lines=lines, failed=True)
        # Pods of a running job are often unready, so this warning is shown only when the job fails.
        shown = [warning for warning in warnings if "containers with unready status" not in warning]
        complete = (conditions.get("Complete") or {}).get("status") == "True"
        return Progress(done=complete, lines=lines, warnings=shown)

    @override
    def errors(self, live: JsonObject, related: Related) -> list[str]:
        return list(self._reasons)
