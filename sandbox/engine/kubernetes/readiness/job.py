"""Job: complete."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import POD
from sandbox.engine.kubernetes.naming import short_name
from sandbox.engine.kubernetes.readiness import pods
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule, is_owned_by
from sandbox.engine.provider.values import JsonObject

_FATAL = {"BackoffLimitExceeded", "DeadlineExceeded"}


class JobRule(Rule):
    """Done when complete; a job that failed for good ends the wait at once."""

    related = (POD,)

    def __init__(self) -> None:
        # Everything that was amiss on the way, in the order in which it came up.
        self._troubles: dict[str, None] = {}

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
        self._troubles |= dict.fromkeys(warnings)
        conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
        failed = conditions.get("Failed") or {}
        if failed.get("status") == "True" and failed.get("reason") in _FATAL:
            self._troubles[f"[{failed['reason']}] {failed.get('message', '')}"] = None
            return Progress(done=False, lines=lines, failed=True)
        # A pod that is not ready is a job's daily life: it is named only if the job fails.
        shown = [warning for warning in warnings if "containers with unready status" not in warning]
        complete = (conditions.get("Complete") or {}).get("status") == "True"
        return Progress(done=complete, lines=lines, warnings=shown)

    @override
    def pod_warnings(self, live: JsonObject, related: Related) -> list[str]:
        own = [pod for pod in related.get(POD.name, []) if is_owned_by(pod, live)]
        return [line for pod in own for line in pods.warnings(pod)]

    @override
    def errors(self, live: JsonObject, related: Related) -> list[str]:
        return list(self._troubles)
