"""The original failure, made again: brokers applied with kubectl whose claims stay Pending."""

import json
from pathlib import Path

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.place import Place
from sandbox.polling import until

MANIFEST = Path(__file__).with_name("rocketmq-broker.yaml")
NAMESPACE = "rocketmq-incident"


def apply(place: Place, toolchain: Toolchain) -> None:
    """Apply the brokers as the original team did."""
    kubectl(place, toolchain, "apply", "-f", str(MANIFEST))


def claims(place: Place, toolchain: Toolchain) -> dict[str, str]:
    """Phase of each claim by name, such as `{"store-rocketmq-broker-0": "Pending"}`."""
    listed = json.loads(kubectl(place, toolchain, "-n", NAMESPACE, "get", "pvc", "-o", "json"))
    return {item["metadata"]["name"]: item["status"]["phase"] for item in listed["items"]}


def failure(place: Place, toolchain: Toolchain, seconds: float = 90.0) -> str | None:
    """The driver's own words from the newest event of a claim, or None when every claim is bound; waits for either.

    Raises TimeoutError when neither comes within `seconds`.
    """
    selector = "--field-selector=reason=ProvisioningFailed"

    def seen() -> list[str | None]:
        if _all_bound(claims(place, toolchain)):
            return [None]
        listed = json.loads(kubectl(place, toolchain, "-n", NAMESPACE, "get", "events", selector, "-o", "json"))
        return [item["message"] for item in listed["items"]]

    if not (words := until(seen, seconds, every=1)):
        raise TimeoutError(f"no claim in {NAMESPACE} failed within {seconds:.0f} s: {claims(place, toolchain)}")
    return words[-1]


def wait_bound(place: Place, toolchain: Toolchain, seconds: float = 120.0) -> dict[str, str]:
    """Wait until every claim is Bound and give the phases.

    Raises TimeoutError, which names those that are not.
    """
    until(lambda: _all_bound(claims(place, toolchain)), seconds, every=1)
    if not _all_bound(phases := claims(place, toolchain)):
        raise TimeoutError(f"claims of {NAMESPACE} are not bound after {seconds:.0f} s: {phases}")
    return phases


def _all_bound(phases: dict[str, str]) -> bool:
    return bool(phases) and set(phases.values()) == {"Bound"}
