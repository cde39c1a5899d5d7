"""How EKS sees its addon: the status that `aws eks describe-addon` shows, made from the Deployment's own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.place import CLUSTER, Place

ADDON = "aws-ebs-csi-driver"
CREATING, ACTIVE, DEGRADED = "CREATING", "ACTIVE", "DEGRADED"
PRESENT, CHECKED, ABSENT = "present", "present, and healthy only while EC2 answers", "absent"

Health = dict[str, Any]

_TOO_FEW = {
    "code": "InsufficientNumberOfReplicas",
    "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
    "resourceIds": [],
}


def assess(deployment: Mapping[str, Any] | None, before: str | None, *, late: bool = False) -> Health:
    """The addon's health. `deployment` is the live object, None when it is missing; `before` is the last status.

    An addon is CREATING until it was available for the first time, and DEGRADED when it is not available later. With
    `late` it has had its time: EKS gives up a create after twenty minutes.
    """
    if deployment is not None and _available(deployment):
        return {"status": ACTIVE, "issues": []}
    if before in (None, CREATING):
        if late:
            return {"status": DEGRADED, "issues": [_TOO_FEW], "final": True}
        return {"status": CREATING, "issues": []}
    return {"status": DEGRADED, "issues": [_TOO_FEW]}


def conflict(message: str) -> Health:
    """The health of an addon whose configuration cannot be carried out."""
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


def path(place: Place) -> Path:
    """Where the EKS API looks for it."""
    return place.root / "addons" / CLUSTER / f"{ADDON}.json"


def observed_file(place: Place) -> Path:
    """Says after the first look at the EKS API whether it has the addon: PRESENT, CHECKED or ABSENT."""
    return place.run / "ebs-csi-addon.observed"


def read(place: Place) -> str | None:
    """The last status, None when there is none."""
    try:
        return json.loads(path(place).read_text())["status"]
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None


def write(place: Place, health: Health) -> None:
    """Replace the file at once, so the EKS API never reads half of it."""
    target = path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    beside.write_text(json.dumps(health))
    beside.replace(target)


def remove(place: Place) -> None:
    path(place).unlink(missing_ok=True)
