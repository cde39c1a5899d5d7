"""The original failure, made again: brokers applied with kubectl whose claims stay Pending."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.incident import driver
from sandbox.place import Place
from sandbox.polling import until

MANIFEST = Path(__file__).with_name("rocketmq-broker.yaml")
NAMESPACE = "rocketmq"
SELECTOR = "app=rocketmq-broker,!app.kubernetes.io/name"
"""The brokers of the original team; those of the stack have the label `app` too, and more beside it."""


def apply(place: Place, toolchain: Toolchain) -> None:
    """Apply the brokers as the original team did."""
    kubectl(place, toolchain, "apply", "-f", str(MANIFEST))


def claims(place: Place, toolchain: Toolchain) -> dict[str, str]:
    """Phase of each claim by name, such as `{"store-rocketmq-broker-0": "Pending"}`."""
    return {claim["metadata"]["name"]: claim["status"]["phase"] for claim in _claims(place, toolchain)}


@dataclass(frozen=True)
class Failure:
    """Why claims stay Pending."""

    event: str
    """Text of the claim's event. Before driver 1.49 it has the driver's own words."""
    log: str = ""
    """The driver's own words in its log, since 1.49."""


def failure(place: Place, toolchain: Toolchain, seconds: float = 120.0) -> Failure | None:
    """Why the claims stay Pending, or None when every claim is bound; waits for either.

    Raises TimeoutError when neither comes within `seconds`.
    """

    def event(reason: str) -> str:
        chosen = f"--field-selector=reason={reason},involvedObject.kind=PersistentVolumeClaim"
        listed = json.loads(kubectl(place, toolchain, "-n", NAMESPACE, "get", "events", chosen, "-o", "json"))
        # An earlier claim of the same name has events too.
        own = {claim["metadata"]["uid"] for claim in _claims(place, toolchain)}
        words = [item["message"] for item in listed["items"] if item["involvedObject"].get("uid") in own]
        return words[-1] if words else ""

    def seen() -> list[Failure | None]:
        if _all_bound(claims(place, toolchain)):
            return [None]
        if failed := event("ProvisioningFailed"):
            return [Failure(failed)]
        if (waiting := event("ExternalProvisioning")) and (said := driver.log(place, toolchain)):
            return [Failure(waiting, said)]
        return []

    if not (found := until(seen, seconds, every=1)):
        raise TimeoutError(f"no claim in {NAMESPACE} failed within {seconds:.0f} s: {claims(place, toolchain)}")
    return found[-1]


def remove(place: Place, toolchain: Toolchain) -> None:
    """Delete the brokers with their claims."""
    kubectl(place, toolchain, "delete", "-f", str(MANIFEST), "--ignore-not-found", "--wait=true")
    kubectl(place, toolchain, "-n", NAMESPACE, "delete", "pvc", "-l", SELECTOR, "--wait=true")


def wait_bound(place: Place, toolchain: Toolchain, seconds: float = 120.0) -> dict[str, str]:
    """Wait until every claim is Bound and give the phases.

    Raises TimeoutError, which names those that are not.
    """
    until(lambda: _all_bound(claims(place, toolchain)), seconds, every=1)
    if not _all_bound(phases := claims(place, toolchain)):
        raise TimeoutError(f"claims of {NAMESPACE} are not bound after {seconds:.0f} s: {phases}")
    return phases


def _claims(place: Place, toolchain: Toolchain) -> list[dict[str, Any]]:
    listed = kubectl(place, toolchain, "-n", NAMESPACE, "get", "pvc", "-l", SELECTOR, "-o", "json")
    return json.loads(listed)["items"]


def _all_bound(phases: dict[str, str]) -> bool:
    return bool(phases) and set(phases.values()) == {"Bound"}
