"""The original failure: the claims of brokers applied with kubectl stay Pending."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import kubectl
from sandbox.incident import driver
from sandbox.layout import SandboxInstance
from sandbox.polling import wait_until

MANIFEST = Path(__file__).with_name("rocketmq-broker.yaml")
NAMESPACE = "rocketmq"
SELECTOR = "app=rocketmq-broker,!app.kubernetes.io/name"
"""Brokers of the original team. Those of the stack have more labels than `app`."""
_FAILURE_SECONDS = 120.0


def apply(instance: SandboxInstance, toolchain: Toolchain) -> None:
    """Apply the brokers of the original team."""
    kubectl(instance, toolchain, "apply", "-f", str(MANIFEST))


def claim_phases(instance: SandboxInstance, toolchain: Toolchain) -> dict[str, str]:
    """Return the phase of each claim by name, such as `{"store-rocketmq-broker-0": "Pending"}`."""
    return {claim["metadata"]["name"]: claim["status"]["phase"] for claim in _claims(instance, toolchain)}


@dataclass(frozen=True)
class Failure:
    """Cause of Pending claims."""

    event: str
    """Text of the claim's event. Before driver 1.49 it contains the driver's error."""
    log: str = ""
    """Error in the driver's log, since 1.49."""


def wait_for_failure(instance: SandboxInstance, toolchain: Toolchain) -> Failure | None:
    """Wait until the claims fail or are bound. Return the failure, or None when all are bound.

    Raises TimeoutError when neither happens within 120 s.
    """

    def event(reason: str) -> str:
        chosen = f"--field-selector=reason={reason},involvedObject.kind=PersistentVolumeClaim"
        listed = json.loads(kubectl(instance, toolchain, "-n", NAMESPACE, "get", "events", chosen, "-o", "json"))
        # Events of an earlier claim with the same name do not count.
        own = {claim["metadata"]["uid"] for claim in _claims(instance, toolchain)}
        words = [item["message"] for item in listed["items"] if item["involvedObject"].get("uid") in own]
        return words[-1] if words else ""

    def seen() -> list[Failure | None]:
        if set(claim_phases(instance, toolchain).values()) == {"Bound"}:
            return [None]
        if failed := event("ProvisioningFailed"):
            return [Failure(failed)]
        if (waiting := event("ExternalProvisioning")) and (said := driver.log(instance, toolchain)):
            return [Failure(waiting, said)]
        return []

    if not (found := wait_until(seen, _FAILURE_SECONDS, every=1)):
        phases = claim_phases(instance, toolchain)
        raise TimeoutError(f"no claim in {NAMESPACE} failed within {_FAILURE_SECONDS:.0f} s: {phases}")
    return found[-1]


def remove(instance: SandboxInstance, toolchain: Toolchain) -> None:
    """Delete the brokers with their claims."""
    kubectl(instance, toolchain, "delete", "-f", str(MANIFEST), "--ignore-not-found", "--wait=true")
    kubectl(instance, toolchain, "-n", NAMESPACE, "delete", "pvc", "-l", SELECTOR, "--wait=true")


def _claims(instance: SandboxInstance, toolchain: Toolchain) -> list[dict[str, Any]]:
    listed = kubectl(instance, toolchain, "-n", NAMESPACE, "get", "pvc", "-l", SELECTOR, "-o", "json")
    return json.loads(listed)["items"]
