"""Readiness of a Deployment: available, with a complete newest ReplicaSet."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import CLAIM, POD, REPLICA_SET
from sandbox.engine.kubernetes.readiness import pods
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule, is_owned_by
from sandbox.engine.provider.values import JsonObject

_REVISION = "deployment.kubernetes.io/revision"


class DeploymentRule(Rule):
    """Done when the deployment is available, its newest ReplicaSet has all its pods, and its claims are bound."""

    related = (REPLICA_SET, CLAIM)
    related_rarely = (POD,)

    def __init__(self, created: JsonObject) -> None:
        """Take the deployment that the create or update returned."""
        self._uid = created["metadata"]["uid"]
        self._generation = created["metadata"].get("generation", 0)
        self._revision = ""
        self._available = False
        self._progressed = False
        self._complete = False
        self._wanted = 1
        self._unbound: list[str] = []
        self._condition_messages: dict[str, str] = {}
        self._reconciled = False

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        meta = live["metadata"]
        if meta.get("generation", 0) < self._generation:
            return Progress(done=False)
        # Until the controller has observed this generation, the status describes the previous one.
        self._reconciled = self._reconciled or meta.get("generation") == (live.get("status") or {}).get(
            "observedGeneration"
        )
        if not self._reconciled:
            return Progress(done=False)
        self._revision = _revision(live)
        self._judge_conditions(live)
        line = self._judge_replica_set(related)
        self._judge_claims(live, related)
        warnings = list(self._condition_messages.values())
        if self._complete and not self._wanted:
            warnings.append(f'Replicas scaled to 0 for Deployment "{meta["name"]}"')
        warnings += [
            f"PersistentVolumeClaim: [{name}] is not ready. status.phase currently at: Pending"
            for name in self._unbound
        ]
        ready = self._available and self._complete and (self._progressed or self._revision == "1")
        if ready and not self._unbound:
            return Progress(done=True, lines=["Deployment initialization complete"], warnings=warnings)
        return Progress(done=False, lines=[line] if line else [], warnings=warnings)

    @override
    def pod_warnings(self, live: JsonObject, related: Related) -> list[str]:
        newest = self._newest(related)
        own = [pod for pod in related.get(POD.name, []) if is_owned_by(pod, newest)]
        return [line for pod in own for line in pods.warnings(pod)]

    @override
    def errors(self, live: JsonObject, related: Related) -> list[str]:
        lines = list(self._condition_messages.values())
        if self._unbound:
            lines.append(f'Failed to bind PersistentVolumeClaim(s): "{",".join(self._unbound)}"')
        first = self._revision == "1"
        if not self._available:
            lines.append("Minimum number of live Pods was not attained")
        elif (first and not self._complete) or not (first or self._progressed):
            lines.append("Minimum number of Pods to consider the application live was not attained")
        elif not self._complete:
            lines.append("Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live")
        return [*lines, *self.pod_warnings(live, related)]

    def _judge_conditions(self, live: JsonObject) -> None:
        self._condition_messages = {}
        conditions = {condition["type"]: condition for condition in live["status"].get("conditions") or []}
        for name in ("Progressing", "Available"):
            condition = conditions.get(name)
            if condition is None:
                continue
            true = condition.get("status") == "True"
            if name == "Progressing":
                self._progressed = true and condition.get("reason") == "NewReplicaSetAvailable"
            else:
                self._available = true
            if not true and condition.get("reason") and condition.get("message"):
                self._condition_messages[condition["reason"]] = f"[{condition['reason']}] {condition['message']}"

    def _judge_replica_set(self, related: Related) -> str:
        """Return the status message; empty when the ReplicaSet is complete."""
        newest = self._newest(related)
        if newest is None:
            return ""
        self._wanted = wanted = newest["spec"].get("replicas", 1)
        status = newest.get("status") or {}
        ready = status.get("readyReplicas", 0)
        self._complete = ready >= wanted
        return "" if self._complete else f"Waiting for app ReplicaSet to be available ({ready}/{wanted} Pods available)"

    def _judge_claims(self, live: JsonObject, related: Related) -> None:
        volumes = live["spec"]["template"]["spec"].get("volumes") or []
        names = {
            volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume
        }
        self._unbound = [
            claim["metadata"]["name"]
            for claim in related.get(CLAIM.name, [])
            if claim["metadata"]["name"] in names and (claim.get("status") or {}).get("phase") != "Bound"
        ]

    def _newest(self, related: Related) -> JsonObject | None:
        owner = {"metadata": {"uid": self._uid}}
        own = (rs for rs in related.get(REPLICA_SET.name, []) if is_owned_by(rs, owner))
        return next((rs for rs in own if _revision(rs) == self._revision), None)


def _revision(obj: JsonObject) -> str:
    return (obj["metadata"].get("annotations") or {}).get(_REVISION, "")
