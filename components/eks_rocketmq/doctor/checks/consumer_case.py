"""Claim that is judged with the pods that use it, and what fails at the moment. Pure.

An event outlives what it reports. A failure counts while its object is in that state and no event of success follows.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from eks_rocketmq.doctor.facts.cluster_facts import ClaimFacts, EventFacts, Facts, PodFacts, VolumeFacts
from eks_rocketmq.doctor.facts.fact_queries import (
    find_named_volume,
    find_volume,
    list_claim_messages,
    list_events,
    list_readable,
)

UNBOUND_PHASES = ("Pending", "Lost")
"""Phases of a claim without a volume."""
_ATTACH_FAILURES = ("FailedAttachVolume",)
_ATTACHED = ("SuccessfulAttachVolume",)
_MOUNT_FAILURES = ("FailedMount", "FailedMapVolume")
_MOUNTED = (
    "FailedCreatePodSandBox", "Pulling", "Pulled", "Failed", "BackOff", "InspectFailed", "ErrImageNeverPull", "Created",
    "Started", "Unhealthy",
)  # fmt: skip
"""Reasons of events of the kubelet after it has mounted the volumes of a pod."""
_VOLUME_RESIZE_FAILURE, _FILE_SYSTEM_RESIZE_FAILURE = "VolumeResizeFailed", "FileSystemResizeFailed"
_FILE_SYSTEM_RESIZED = "FileSystemResizeSuccessful"
_VOLUME_RESIZED = ("VolumeResizeSuccessful", "FileSystemResizeRequired", _FILE_SYSTEM_RESIZED)
_SECONDS = len("2026-11-28T10:00:00")
"""Length of a time in seconds. Some events have fractions of a second, others do not."""


@dataclass(frozen=True)
class ConsumerCase:
    """Claim and the pods that use it."""

    facts: Facts
    claim: ClaimFacts

    @property
    def pods(self) -> tuple[PodFacts, ...]:
        """Return the pods that use the claim."""
        found = list_readable(self.facts.pods)
        return tuple(
            each for each in found if each.namespace == self.claim.namespace and self.claim.name in each.claims
        )

    @property
    def unplaced(self) -> tuple[PodFacts, ...]:
        """Return the pods without a node."""
        return tuple(each for each in self.pods if each.phase == "Pending" and not each.node)

    @property
    def waiting(self) -> tuple[PodFacts, ...]:
        """Return the pods that have a node and do not run."""
        return tuple(each for each in self.pods if each.phase == "Pending" and each.node)

    @property
    def volume(self) -> VolumeFacts | None:
        """Return the volume of the claim."""
        return find_volume(self.facts, self.claim)

    @property
    def is_in_trouble(self) -> bool:
        """Return whether the claim has no volume, is to grow, or has pods that do not start."""
        return self.claim.phase in UNBOUND_PHASES or self.claim.resizing or bool(self.unplaced or self.waiting)

    def list_pod_events(self, pods: tuple[PodFacts, ...]) -> list[EventFacts]:
        """Return the events of pods."""
        return [event for pod in pods for event in list_events(self.facts, "Pod", pod.namespace, pod.name)]

    def describe_phase(self) -> str:
        """Return the latest message about the claim."""
        return next(iter(list_claim_messages(self.facts, [self.claim])), "")

    def list_attach_failures(self) -> list[str]:
        """Return the messages about attachments that fail, the latest first."""
        return [each.message for pod in self.waiting for each in self._list_failures(pod, mounts=False)]

    def list_volume_failures(self) -> list[str]:
        """Return the messages about attachments and mounts that fail, the attachments first."""
        return [each.message for pod in self.waiting for each in self._list_failures(pod, mounts=True)]

    def _list_failures(self, pod: PodFacts, *, mounts: bool) -> list[EventFacts]:
        events = list_events(self.facts, "Pod", pod.namespace, pod.name)
        attached = [each for each in events if each.reason in _ATTACHED]
        found = [
            each
            for each in _list_current(events, _ATTACH_FAILURES, _MOUNTED)
            if not any(_ends(done, each) and _names_same_volume(done, each) for done in attached)
        ]
        return self._select_own([*found, *(_list_current(events, _MOUNT_FAILURES, _MOUNTED) if mounts else [])])

    def list_resize_failures(self) -> list[str]:
        """Return the messages about the growth that fails, the condition of the claim first."""
        if not self.claim.resizing:
            return []
        own = list_events(self.facts, "PersistentVolumeClaim", self.claim.namespace, self.claim.name)
        of_pods = self.list_pod_events(self.pods)
        every = [*own, *of_pods]
        found = [
            *_list_current(own, (_VOLUME_RESIZE_FAILURE,), _VOLUME_RESIZED, every),
            *_list_current(own, (_FILE_SYSTEM_RESIZE_FAILURE,), (_FILE_SYSTEM_RESIZED,), every),
            *self._select_own(
                _list_current(
                    of_pods, (_VOLUME_RESIZE_FAILURE, _FILE_SYSTEM_RESIZE_FAILURE), (_FILE_SYSTEM_RESIZED,), every
                )
            ),
        ]
        condition = [self.claim.resize_error] if self.claim.resize_error else []
        return list(dict.fromkeys([*condition, *(each.message for each in found)]))

    def _select_own(self, events: list[EventFacts]) -> list[EventFacts]:
        """Return the events about the volume of the claim. The kubelet also sums up without the name of a volume."""
        named = [each for each in events if find_named_volume(each.message)]
        own = [each for each in named if find_named_volume(each.message) == self.claim.volume]
        return [*own, *(each for each in events if each not in named and (own or not named))]


def _list_current(
    events: Iterable[EventFacts], failures: Container[str], ends: Container[str], every: Iterable[EventFacts] = ()
) -> list[EventFacts]:
    """Return the failures that no later event ends.

    `failures` and `ends` are reasons of events. `every` are the events that may end a failure; default: `events`.
    """
    events = list(events)
    ending = [each for each in (every or events) if each.reason in ends]
    return [each for each in events if each.reason in failures and not any(_ends(done, each) for done in ending)]


def _ends(done: EventFacts, failure: EventFacts) -> bool:
    return bool(done.last_seen) and done.last_seen[:_SECONDS] >= failure.last_seen[:_SECONDS]


def _names_same_volume(done: EventFacts, failure: EventFacts) -> bool:
    return find_named_volume(done.message) == find_named_volume(failure.message)
