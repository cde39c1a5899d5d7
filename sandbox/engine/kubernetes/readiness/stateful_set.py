"""Readiness of a StatefulSet: all replicas ready and of one revision."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import POD
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.provider.values import JsonObject


class StatefulSetRule(Rule):
    """Done when the newest generation was observed, all replicas are ready and current, and no revision is pending.

    With the OnDelete strategy an update is done when all replicas are ready.
    """

    related_rarely = (POD,)
    first_lines = ("[1/2] Waiting for StatefulSet to create Pods (0/0 Pods ready)",)

    def __init__(self, created: JsonObject) -> None:
        """Take the StatefulSet that the create or update returned."""
        self._generation = created["metadata"].get("generation", 0)
        self._observed_generation = 0
        self._replicas_ready = False
        self._revision_ready = False
        self._ready = 0
        self._wanted = 0
        self._revisions = ("", "")

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        self._judge(live)
        if self._replicas_ready and self._revision_ready:
            return Progress(done=True, lines=["StatefulSet initialization complete"])
        counts = f"({self._ready}/{self._wanted} Pods ready)"
        if self._observed_generation <= 1:
            line = f"[1/2] Waiting for StatefulSet to create Pods {counts}"
        elif not self._replicas_ready:
            line = f"[1/3] Waiting for StatefulSet update to roll out {counts}"
        else:
            line = "[2/3] Waiting for StatefulSet to update .status.currentRevision"
        return Progress(done=False, lines=[line])

    @override
    def errors(self, live: JsonObject, related: Related) -> list[str]:
        lines = []
        if not self._replicas_ready:
            lines.append(f"{self._ready} out of {self._wanted} replicas succeeded readiness checks")
        # The released provider can report this for an unchanged revision too, depending on the order of events of other
        # StatefulSets in the namespace. This rule reports it only for a changed revision.
        if not self._revision_ready:
            current, update = self._revisions
            lines.append(f'StatefulSet controller failed to advance from revision "{current}" to revision "{update}"')
        return [*lines, *self.pod_warnings(live, related)]

    def _judge(self, live: JsonObject) -> None:
        self._replicas_ready = self._revision_ready = False
        generation = live["metadata"].get("generation", 0)
        if generation < self._generation:
            return
        self._observed_generation = generation
        status = live.get("status") or {}
        if generation == 0 or status.get("observedGeneration", 0) < generation:
            return
        self._revisions = (status.get("currentRevision", ""), status.get("updateRevision", ""))
        self._wanted = live["spec"].get("replicas", 0)
        ready = status.get("readyReplicas", 0)
        all_ready = self._wanted == status.get("replicas", 0) == ready
        if generation > 1 and (live["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
            self._revision_ready = True
            self._replicas_ready = all_ready
        else:
            self._revision_ready = self._revisions[0] != "" and self._revisions[0] == self._revisions[1]
            self._replicas_ready = all_ready and self._wanted == status.get("currentReplicas", 0)
        self._ready = ready if self._revision_ready else min(ready, status.get("updatedReplicas", 0))
