"""Checks of facts that confirm a message about a volume: kernel of the node, and modifications. Pure."""

import re

from eks_rocketmq.doctor.catalogue.symptoms import find_text
from eks_rocketmq.doctor.checks.chain import Finding, NotJudged, Outcome, explain_unreadable
from eks_rocketmq.doctor.facts.cluster_facts import (
    ClaimFacts,
    Facts,
    ModificationFacts,
    NodeFacts,
    PodFacts,
    Unreadable,
    VolumeFacts,
)
from eks_rocketmq.doctor.facts.fact_queries import find_driver_version, list_events, list_readable, quote

_KERNEL = re.compile(r"(\d+)\.(\d+)")
_XFS = "xfs"
# The driver formats with xfsprogs 5.18 since version 1.23, which sets `bigtime` and `inobtcount` (pull request 1972 of
# the driver), and with xfsprogs 6.12 since 1.49, which sets `nrext64` too (pull request 2690).
_OLD_KERNEL, _NEW_KERNEL = (5, 10), (5, 19)
_NEW_XFSPROGS = (1, 49, 0)
_IN_PROGRESS = ("modifying", "optimizing")
_SECONDS = len("2026-11-28T10:00:00")


def judge_file_system(facts: Facts, claim: ClaimFacts, pod: PodFacts, message: str) -> Outcome:
    """Judge whether the kernel of the node knows the features of the file system that it cannot mount.

    `pod` waits for the volume. `message` is that of the node plugin.
    """
    for each in (facts.nodes, facts.volumes):
        if isinstance(each, Unreadable):
            return explain_unreadable(each)
    node: NodeFacts | None = next((each for each in list_readable(facts.nodes) if each.name == pod.node), None)
    volume: VolumeFacts | None = next((e for e in list_readable(facts.volumes) if e.name == claim.volume), None)
    kernel = node.kernel if node else ""
    type_ = volume.file_system if volume else ""
    if type_ not in {"", _XFS}:
        return NotJudged(f"pod {pod.id_}: {message}. Features of {type_} do not explain it; it may be damaged")
    needed = _find_needed_kernel(facts)
    if (found := _KERNEL.match(kernel)) and tuple(map(int, found.groups())) >= needed:
        return NotJudged(
            f"pod {pod.id_}: {message}. Kernel {kernel} of node {pod.node} knows the features of the file system; "
            "it may be damaged"
        )
    return Finding(
        "filesystem-features",
        f"node {pod.node} with kernel {kernel or 'of unknown version'} cannot mount the file system "
        f"{f'{type_} ' if type_ else ''}of volume {claim.volume}",
        f"a kernel since {'.'.join(map(str, needed))}, which knows the features that the driver sets for {_XFS}",
        quote(f"pod {pod.id_}", message),
        (f"kubectl get node {pod.node} -o wide", f"kubectl get pv {claim.volume} -o yaml"),
    )


def _find_needed_kernel(facts: Facts) -> tuple[int, int]:
    version = find_driver_version(facts)
    return _OLD_KERNEL if version and version < _NEW_XFSPROGS else _NEW_KERNEL


def judge_modification(facts: Facts, claim: ClaimFacts, message: str) -> Outcome:
    """Judge whether the latest modification of a volume prevents the next one. `message` is that of EC2."""
    if isinstance(facts.volumes, Unreadable):
        return explain_unreadable(facts.volumes)
    if isinstance(facts.modifications, Unreadable):
        return explain_unreadable(facts.modifications)
    volume = next((each.volume_id for each in facts.volumes if each.name == claim.volume), "")
    latest = next((each for each in facts.modifications if each.volume_id == volume), None)
    events = list_events(facts, "PersistentVolumeClaim", claim.namespace, claim.name)
    seen = next((each.last_seen for each in events if find_text("modification", [each.message])), "")
    if latest and seen and latest.started[:_SECONDS] > seen[:_SECONDS]:
        return None  # EC2 has accepted a modification since
    return Finding(
        "modification-rate",
        f"EC2 does not modify volume {volume or '<volume>'} again yet{_describe_modification(latest)}",
        "at most four modifications in 24 hours, each after the previous one",
        quote("message", message),
        (f"aws ec2 describe-volumes-modifications --volume-ids {volume or '<volume>'}",),
    )


def _describe_modification(latest: ModificationFacts | None) -> str:
    if latest is None:
        return ""
    if latest.state in _IN_PROGRESS:
        return f": its modification began {latest.started} and is {latest.state}, {latest.progress} %"
    return f": its latest modification began {latest.started} and is {latest.state}"
