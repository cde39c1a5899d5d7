"""Queries of facts that several checks use. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TypeVar

from eks_rocketmq.args.kubernetes_names import EBS_CSI, EBS_DRIVERS, POD_IDENTITY_AGENT
from eks_rocketmq.doctor.facts.cluster_facts import (
    AddonFacts,
    ClaimFacts,
    EventFacts,
    Facts,
    PodFacts,
    RoleFacts,
    StorageClassFacts,
    TrialFacts,
    Unreadable,
    VolumeFacts,
    WorkloadFacts,
)

Fact = TypeVar("Fact")

_IMAGE_VERSION = re.compile(r":v?(\d+)\.(\d+)\.(\d+)")
_ADDON_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
# AWS wraps an error in others, so the end of a long message names the cause.
_HEAD, _TAIL = 80, 220
# For example: AttachVolume.Attach failed for volume "pvc-1" : …, or: Multi-Attach error for volume "pvc-1" …
_NAMED_VOLUME = re.compile(r'[\w.-]+ (?:failed|error|succeeded) for volume "?([\w.-]+)')


def list_readable(facts: Sequence[Fact] | Unreadable) -> Sequence[Fact]:
    """Return a list of facts; an empty one if it could not be read."""
    return () if isinstance(facts, Unreadable) else facts


def list_missing_permissions(facts: Facts) -> tuple[str, ...]:
    """Return the permissions that the caller lacks."""
    found = [each for each in _list_unreadable(facts) if each.permission]
    return tuple(dict.fromkeys(each.permission for each in found))


def _list_unreadable(fact: object) -> Iterator[Unreadable]:
    if isinstance(fact, Unreadable):
        yield fact
    elif isinstance(fact, tuple):
        for each in fact:
            yield from _list_unreadable(each)
    elif is_dataclass(fact):
        for each in fields(fact):
            yield from _list_unreadable(getattr(fact, each.name))


def find_controller(facts: Facts) -> WorkloadFacts | None:
    """Return the Deployment of the driver."""
    found = [each for each in list_readable(facts.workloads) if each.kind == "Deployment"]
    return max(found, key=lambda each: each.desired, default=None)


def find_daemon_set(facts: Facts, *, agent: bool) -> WorkloadFacts | None:
    """Return the DaemonSet of the Pod Identity agent, or of the driver's node plugin."""
    found = [each for each in list_readable(facts.workloads) if each.kind == "DaemonSet"]
    return next((each for each in found if (each.name == POD_IDENTITY_AGENT) == agent), None)


def find_addon(facts: Facts, name: str) -> AddonFacts | None:
    """Return an addon, or None."""
    return next((each for each in list_readable(facts.addons) if each.name == name), None)


def find_driver_version(facts: Facts) -> tuple[int, ...] | None:
    """Return the version of the driver: by the image of its controller, or else of the addon. None if it is unknown."""
    controller, addon = find_controller(facts), find_addon(facts, EBS_CSI)
    images = (_IMAGE_VERSION.search(each) for each in (controller.images if controller else ()))
    found = next((each for each in images if each), None) or _ADDON_VERSION.match(addon.version if addon else "")
    return tuple(map(int, found.groups())) if found else None


def find_role(facts: Facts, arn: str) -> RoleFacts | Unreadable | None:
    """Return the role with an ARN, or None if it was not looked up."""
    for each in facts.roles:
        if isinstance(each, Unreadable):
            if each.permission.endswith(arn) or each.call.endswith(arn):
                return each
        elif each.arn == arn:
            return each
    return None


def find_trial(facts: Facts, service_account: str) -> TrialFacts | Unreadable | None:
    """Return the trial of a service account, or None if there was none."""
    for each in facts.trials:
        if isinstance(each, Unreadable):
            if service_account in each.call:
                return each
        elif each.service_account == service_account:
            return each
    return None


def list_pods_of(facts: Facts, namespace: str, service_account: str) -> tuple[PodFacts, ...]:
    """Return the pods of a service account, without those that a restart replaces at the moment."""
    return tuple(
        each
        for each in list_readable(facts.pods)
        if (each.namespace, each.service_account) == (namespace, service_account) and not each.terminating
    )


def list_pending_claims(facts: Facts) -> tuple[ClaimFacts, ...]:
    """Return the claims without a volume."""
    return tuple(each for each in list_readable(facts.claims) if each.phase == "Pending")


def find_class(facts: Facts, claim: ClaimFacts) -> StorageClassFacts | None:
    """Return the class of a claim: the one that it names, or the default class."""
    classes = list_readable(facts.storage_classes)
    if claim.storage_class is None:
        return next((each for each in classes if each.default), None)
    return next((each for each in classes if each.name == claim.storage_class), None)


def get_class_key(class_: StorageClassFacts | None) -> str:
    """Return the KMS key that a class names; an empty text if it names none."""
    return dict(class_.parameters).get("kmsKeyId", "") if class_ else ""


def is_of_ebs_driver(facts: Facts, claim: ClaimFacts) -> bool:
    """Return whether the driver of the addon serves a claim, by its class or its volume."""
    found, volume = find_class(facts, claim), find_volume(facts, claim)
    return (found is not None and found.provisioner in EBS_DRIVERS) or (
        volume is not None and volume.driver in EBS_DRIVERS
    )


def find_volume(facts: Facts, claim: ClaimFacts) -> VolumeFacts | None:
    """Return the volume of a claim, or None."""
    return next((each for each in list_readable(facts.volumes) if claim.volume and each.name == claim.volume), None)


def find_named_volume(message: str) -> str:
    """Return the volume that the message of an event begins with; an empty text if it names none."""
    found = _NAMED_VOLUME.match(message)
    return found[1] if found else ""


def list_events(facts: Facts, kind: str, namespace: str, name: str) -> list[EventFacts]:
    """Return the events of an object, the latest first."""
    found = [
        each
        for each in list_readable(facts.events)
        if (each.kind, each.namespace, each.name) == (kind, namespace, name)
    ]
    return sorted(found, key=lambda each: each.last_seen, reverse=True)


def list_claim_messages(facts: Facts, claims: Iterable[ClaimFacts]) -> list[str]:
    """Return the messages of events of claims, the latest first."""
    return [
        event.message
        for claim in claims
        for event in list_events(facts, "PersistentVolumeClaim", claim.namespace, claim.name)
    ]


def quote(source: str, text: str) -> tuple[str, ...]:
    """Return a message as evidence; nothing for an empty text."""
    short = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} … {text[-_TAIL:]}"
    return (f"{source}: {short}",) if text else ()


def name_claims(claims: Iterable[ClaimFacts]) -> tuple[str, ...]:
    """Return the names of claims for the list of affected objects."""
    return tuple(f"claim {each.id_}" for each in claims)
