"""Waiting for an object by its rule, with status messages, warnings and timeouts."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.engine.kubernetes import naming
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.errors import AwaitError
from sandbox.engine.kubernetes.kinds import EVENT, Kind
from sandbox.engine.kubernetes.readiness.claim import ClaimRule
from sandbox.engine.kubernetes.readiness.deployment import DeploymentRule
from sandbox.engine.kubernetes.readiness.job import JobRule
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.kubernetes.readiness.service import ServiceRule
from sandbox.engine.kubernetes.readiness.stateful_set import StatefulSetRule
from sandbox.engine.kubernetes.readiness.wait_for import WaitForRule
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.values import JsonObject

_WARNINGS_EVERY_SECONDS = 10.0
_SCHEDULED_FOR_DELETION = "Resource scheduled for deletion"
# Kinds whose delete does not wait with the annotation `pulumi.com/skipAwait`.
_DELETE_CAN_SKIP = {"Namespace", "Deployment", "StatefulSet", "Job"}


@dataclass
class StatusLines:
    """Status messages of one wait, each shown once."""

    log: EngineLog
    urn: str
    shown: set[tuple[str, str]] = field(default_factory=set)

    def info(self, line: str) -> None:
        if ("info", line) not in self.shown:
            self.shown.add(("info", line))
            self.log.status(self.urn, line)

    def warning(self, line: str) -> None:
        if ("warning", line) not in self.shown:
            self.shown.add(("warning", line))
            self.log.warning_status(self.urn, line)

    def show(self, progress: Progress) -> None:
        for line in progress.lines:
            self.info(line)
        for line in progress.warnings:
            self.warning(line)

    def clear(self) -> None:
        self.log.status(self.urn, "")


@dataclass(frozen=True)
class Awaited:
    """Object of a wait. `timeout` is in seconds."""

    urn: str
    kind: Kind
    inputs: JsonObject
    timeout: float


@dataclass(frozen=True)
class Waiter:
    """Waiter of one run."""

    client: Client
    log: EngineLog
    cancelled: threading.Event

    def ready(self, awaited: Awaited, live: JsonObject, *, updated: bool) -> JsonObject:
        """Wait until the object is ready and return it; at once without a rule or with `pulumi.com/skipAwait`.

        Raises AwaitError when it is not ready in time, cannot get ready, or the run is cancelled.
        """
        lines = StatusLines(self.log, awaited.urn)
        if naming.annotation(awaited.inputs, naming.SKIP_AWAIT) == "true":
            lines.info("Skipping await logic")
            lines.clear()
            return live
        rule = _rule(awaited.kind, live, updated=updated)
        if rule is None:
            return live
        for line in rule.first_lines:
            lines.info(line)
        ready = self._until_done(rule, awaited, live, lines)
        lines.clear()
        return ready

    def check(self, urn: str, kind: Kind, inputs: JsonObject, live: JsonObject) -> None:
        """Check for a refresh whether the object is ready, without waiting.

        Raises AwaitError with the reasons.
        """
        if naming.annotation(inputs, naming.SKIP_AWAIT) == "true" or kind.name == "PersistentVolumeClaim":
            return
        rule = ServiceRule(settled=True) if kind.name == "Service" else _built_in_rule(kind, live, updated=False)
        if rule is None:
            return
        related = self._related(rule.related, live)
        lines = StatusLines(self.log, urn)
        progress = rule.observe(live, related, time.monotonic())
        lines.show(progress)
        if progress.done:
            lines.clear()
        else:
            name = naming.name_of(live)
            errors = rule.errors(live, {**related, **self._related(rule.related_rarely, live)})
            raise AwaitError(f"Resource '{name}' was created but failed to initialize", live, errors)

    def gone(self, awaited: Awaited, live: JsonObject) -> None:
        """Wait until the deleted object no longer exists.

        Raises AwaitError when it still exists at the timeout, or when the run is cancelled.
        """
        lines = StatusLines(self.log, awaited.urn)
        if naming.annotation(awaited.inputs, naming.SKIP_AWAIT) == "true" and awaited.kind.name in _DELETE_CAN_SKIP:
            lines.info("Skipping await logic")
            lines.clear()
            return
        uid = live["metadata"]["uid"]
        deadline = time.monotonic() + awaited.timeout
        current: JsonObject | None = live
        # An object with another uid is a new one of the same name.
        while current is not None and current["metadata"]["uid"] == uid:
            if current["metadata"].get("deletionTimestamp"):
                lines.info(_SCHEDULED_FOR_DELETION)
            cancelled = self.cancelled.is_set()
            if cancelled or time.monotonic() > deadline:
                finalizers = ", ".join(current["metadata"].get("finalizers") or [])
                self.log.warning(awaited.urn, f"finalizers might be preventing deletion ({finalizers})")
                text = "context canceled" if cancelled else "timed out waiting for the condition"
                raise AwaitError(text, current)
            current = self.client.changed(awaited.kind, current, 1)
        lines.clear()

    def _until_done(self, rule: Rule, awaited: Awaited, live: JsonObject, lines: StatusLines) -> JsonObject:
        timeout = rule.fixed_timeout_seconds or awaited.timeout
        started = time.monotonic()
        next_warnings = started + _WARNINGS_EVERY_SECONDS
        while True:
            now = time.monotonic()
            related = self._related(rule.related, live)
            progress = rule.observe(live, related, now)
            lines.show(progress)
            if progress.done:
                return live
            if progress.failed:
                text = "Resource '{name}' was created but failed to initialize"
                raise self._error(rule, text, live, related)
            out_of_time = now - started >= timeout
            if (out_of_time or self.cancelled.is_set()) and rule.passes_at_timeout():
                return live
            if self.cancelled.is_set():
                raise self._error(rule, rule.cancelled_text, live, related)
            if out_of_time:
                raise self._error(rule, rule.timeout_text, live, related)
            if now >= next_warnings:
                next_warnings = now + _WARNINGS_EVERY_SECONDS
                self._warn(rule, live, related, lines)
            live = self.client.changed(awaited.kind, live, 1) or live

    def _warn(self, rule: Rule, live: JsonObject, related: Related, lines: StatusLines) -> None:
        seen = {**related, **self._related(rule.related_rarely, live)}
        for line in rule.pod_warnings(live, seen):
            lines.warning(line)
        selector = f"involvedObject.uid={live['metadata']['uid']},type=Warning"
        for event in self.client.list_all(EVENT, naming.namespace_of(live) or "default", selector):
            lines.warning(f"{event.get('reason', '')}: {event.get('message', '')}")

    def _error(self, rule: Rule, text: str, live: JsonObject, related: Related) -> AwaitError:
        seen = {**related, **self._related(rule.related_rarely, live)}
        return AwaitError(text.format(name=naming.name_of(live)), live, rule.errors(live, seen))

    def _related(self, kinds: Sequence[Kind], live: JsonObject) -> Related:
        return {kind.name: self.client.list_all(kind, naming.namespace_of(live)) for kind in kinds}


def _rule(kind: Kind, live: JsonObject, *, updated: bool) -> Rule | None:
    """Return the annotation's rule, else the kind's; None for a kind that is ready once it exists."""
    custom = naming.annotation(live, naming.WAIT_FOR)
    return WaitForRule(custom) if custom else _built_in_rule(kind, live, updated=updated)


def _built_in_rule(kind: Kind, live: JsonObject, *, updated: bool) -> Rule | None:
    match kind.name:
        case "StatefulSet":
            return StatefulSetRule(live)
        case "Deployment":
            return DeploymentRule(live)
        case "Service":
            return ServiceRule()
        case "Job":
            return JobRule()
        case "PersistentVolumeClaim":
            return ClaimRule(updated=updated)
        case _:
            return None
