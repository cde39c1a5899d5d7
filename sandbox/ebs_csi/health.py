"""Health of the addon as `aws eks describe-addon` shows it, derived from the status of its Deployment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.aws.addon_catalogue import EBS_CSI
from sandbox.layout import CLUSTER, SandboxInstance

CREATING, ACTIVE, DEGRADED = "CREATING", "ACTIVE", "DEGRADED"
PRESENT, CHECKED, ABSENT = "present", "present, and healthy only while EC2 answers", "absent"

Health = dict[str, Any]

_TOO_FEW = {
    "code": "InsufficientNumberOfReplicas",
    "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
    "resourceIds": [],
}


def assess(deployment: Mapping[str, Any] | None, before: str | None, *, late: bool = False) -> Health:
    """Return the addon's health. `deployment` is the live object, None when it is missing; `before` is the last status.

    An addon is CREATING until it is available for the first time. Later, when it is not available, it is DEGRADED.
    `late` ends CREATING as DEGRADED: EKS gives up a create after twenty minutes.
    """
    if deployment is not None and _available(deployment):
        return {"status": ACTIVE, "issues": []}
    if before in (None, CREATING):
        if late:
            return {"status": DEGRADED, "issues": [_TOO_FEW], "final": True}
        return {"status": CREATING, "issues": []}
    return {"status": DEGRADED, "issues": [_TOO_FEW]}


def conflict(message: str) -> Health:
    """Return the health of an addon with a configuration that cannot be carried out."""
    return {
        "status": DEGRADED,
        "issues": [{"code": "ConfigurationConflict", "message": message, "resourceIds": []}],
    }


def _available(deployment: Mapping[str, Any]) -> bool:
    status = deployment.get("status") or {}
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return False
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    return conditions.get("Available") == "True" and status.get("availableReplicas", 0) > 0


def status_file(instance: SandboxInstance) -> Path:
    """Return the file from which the EKS API reads the health."""
    return instance.root / "addons" / CLUSTER / f"{EBS_CSI}.json"


def observed_file(instance: SandboxInstance) -> Path:
    """Return the file with the result of the last step: PRESENT, CHECKED or ABSENT."""
    return instance.run / "ebs-csi-addon.observed"


def read(instance: SandboxInstance) -> str | None:
    """Return the last status, None when there is none."""
    try:
        return json.loads(status_file(instance).read_text())["status"]
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None


def write(instance: SandboxInstance, health: Health) -> None:
    """Replace the file atomically, as the EKS API reads it at any time."""
    target = status_file(instance)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    beside.write_text(json.dumps(health))
    beside.replace(target)


def remove(instance: SandboxInstance) -> None:
    status_file(instance).unlink(missing_ok=True)
