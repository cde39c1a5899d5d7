"""Checks of the nodes and of the pods that use claims: node plugin, scheduling, attachment and resize. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from eks_rocketmq.args.kubernetes_names import EBS_DRIVER, ZONE
from eks_rocketmq.doctor.catalogue.symptoms import find_text
from eks_rocketmq.doctor.checks.chain import Finding, Outcome, explain_unreadable, report_unexplained
from eks_rocketmq.doctor.checks.consumer_case import UNBOUND_PHASES, ConsumerCase
from eks_rocketmq.doctor.checks.volume_checks import judge_file_system, judge_modification
from eks_rocketmq.doctor.facts.cluster_facts import Facts, NodeFacts, PodFacts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import (
    find_class,
    find_controller,
    find_daemon_set,
    list_claim_messages,
    list_pending_claims,
    list_readable,
    quote,
)

_LATE_BINDING = "WaitForFirstConsumer"
_STORAGE_REASONS = ("unbound immediate", "binding volumes", "waiting for", "provisioning", "persistentvolumeclaim")
"""Parts of the scheduler's messages about a claim without a volume, which other checks judge."""


def judge_node_plugin(facts: Facts) -> Outcome:
    """Judge whether the node plugin is registered on each node that needs it.

    A node without it may be left out on purpose, for example by a taint. It counts if a pod or a claim waits for it, or
    if pods of the plugin are not ready.
    """
    if find_controller(facts) is None:
        return None
    if isinstance(facts.csi_nodes, Unreadable):
        return explain_unreadable(facts.csi_nodes)
    if isinstance(facts.nodes, Unreadable):
        return explain_unreadable(facts.nodes)
    registered = {each.node for each in facts.csi_nodes if EBS_DRIVER in each.drivers}
    waiting = _list_unregistered(facts)
    nodes = {pod.node for pod, _ in waiting}
    daemon_set = find_daemon_set(facts, agent=False)
    topology = find_text("topology", list_claim_messages(facts, list_pending_claims(facts)))
    is_incomplete = bool(topology) or daemon_set is None or daemon_set.ready < daemon_set.desired
    missing = [
        each
        for each in facts.nodes
        if each.name not in registered and (each.name in nodes or (is_incomplete and _takes_volumes(each)))
    ]
    if not missing:
        return None
    ready = f"{daemon_set.ready} of {daemon_set.desired} pods of {daemon_set.id_} are ready" if daemon_set else ""
    message = topology or next((text for _, text in waiting), "")
    return Finding(
        "node-plugin-missing",
        f"the driver is not registered on: {', '.join(each.name for each in missing)}",
        f"{EBS_DRIVER} in the CSINode of each node",
        (
            *(f"node {each.name} has the taints {', '.join(each.taints)}" for each in missing if each.taints),
            ready or "no DaemonSet of the driver",
            *quote("message", message),
        ),
        (
            f"kubectl -n {daemon_set.namespace if daemon_set else 'kube-system'} get daemonsets -o wide",
            f"kubectl describe csinode {missing[0].name}",
        ),
        tuple(f"pod {pod.id_}" for pod, _ in waiting),
    )


def _list_unregistered(facts: Facts) -> list[tuple[PodFacts, str]]:
    """Return the pods that wait for the node plugin of their node, with their messages."""
    cases = [ConsumerCase(facts, each) for each in list_readable(facts.claims)]
    return [
        (pod, text)
        for case in cases
        for pod in case.waiting
        if (text := find_text("driver-not-registered", case.list_volume_failures()))
    ]


def _takes_volumes(node: NodeFacts) -> bool:
    """Return whether the driver of the addon can run on a node."""
    excluded = node.fargate or node.auto_mode or node.windows or node.hybrid
    return node.ready and node.schedulable and not excluded


def judge_consumer(case: ConsumerCase) -> Outcome:
    """Judge whether a pod uses the claim, if its class waits for one."""
    if isinstance(case.facts.pods, Unreadable):
        return explain_unreadable(case.facts.pods)
    class_ = find_class(case.facts, case.claim)
    if case.claim.phase != "Pending" or class_ is None or class_.binding_mode != _LATE_BINDING or case.pods:
        return None
    message = find_text("first-consumer", list_claim_messages(case.facts, [case.claim]))
    return Finding(
        "claim-unused",
        f"no pod uses claim {case.claim.id_}",
        "a pod that uses the claim",
        quote("message", message),
        (
            f"kubectl -n {case.claim.namespace} get pods",
            f"kubectl -n {case.claim.namespace} describe pvc {case.claim.name}",
        ),
        (f"claim {case.claim.id_}",),
    )


def judge_scheduling(case: ConsumerCase) -> Outcome:
    """Judge why the scheduler finds no node for the pods of the claim."""
    if not case.unplaced:
        return None
    messages = [each.message for each in case.list_pod_events(case.unplaced) if each.reason == "FailedScheduling"]
    affected = tuple(f"pod {each.id_}" for each in case.unplaced)
    pod, affinity = case.unplaced[0], find_text("node-affinity", messages)
    if zone := _find_zone_without_node(case):
        return Finding(
            "no-node-in-zone",
            f"volume {case.claim.volume} is in zone {zone}, which has no node that takes pods",
            f"a ready node in zone {zone}",
            (
                f"zones of the nodes: {_list_zones(case.facts)}",
                *quote(f"pod {pod.id_}", affinity),
            ),
            (f"kubectl get nodes --label-columns {ZONE}",),
            affected,
        )
    for each in (case.facts.events, *((case.facts.volumes, case.facts.nodes) if affinity else ())):
        if isinstance(each, Unreadable):
            return explain_unreadable(each)
    if text := find_text("attach-slots", messages):
        return _build_slot_finding(case, text, affected)
    return _judge_unplaced(case, pod, messages) if messages else None


def _judge_unplaced(case: ConsumerCase, pod: PodFacts, messages: Sequence[str]) -> Outcome:
    """Judge the message of the scheduler about a pod."""
    message = messages[0]
    if find_text("topology", messages) or any(each in message.lower() for each in _STORAGE_REASONS):
        return None if _waits_for_volume(case) else report_unexplained(f"why pod {pod.id_} has no node", message)
    return Finding(
        "pod-not-scheduled",
        f"pod {pod.id_} has no node",
        "a node that the pod fits on",
        quote(f"pod {pod.id_}", message),
        (f"kubectl -n {pod.namespace} describe pod {pod.name}",),
        tuple(f"pod {each.id_}" for each in case.unplaced),
    )


def _waits_for_volume(case: ConsumerCase) -> bool:
    """Return whether a claim of the pods has no volume, so that it is judged itself."""
    names = {name for pod in case.unplaced for name in pod.claims}
    return any(
        each.phase in UNBOUND_PHASES and each.namespace == case.claim.namespace and each.name in names
        for each in list_readable(case.facts.claims)
    )


def _find_zone_without_node(case: ConsumerCase) -> str:
    volume = case.volume
    if volume is None or not volume.zones or isinstance(case.facts.nodes, Unreadable):
        return ""
    zones = {each.zone for each in case.facts.nodes if each.ready and each.schedulable and not each.fargate}
    return "" if zones & set(volume.zones) else volume.zones[0]


def _list_zones(facts: Facts) -> str:
    zones = {each.zone for each in list_readable(facts.nodes) if each.ready and each.schedulable}
    return ", ".join(sorted(zones)) or "none"


def _build_slot_finding(case: ConsumerCase, message: str, affected: tuple[str, ...]) -> Finding:
    volumes = list_readable(case.facts.volumes)
    if any(isinstance(each.attached_to, Unreadable) for each in volumes):
        volumes = ()
    attached = [node for volume in volumes for node in list_readable(volume.attached_to)]
    slots = [
        f"node {each.node}: {attached.count(each.node)} of {each.attach_limit} slots are used"
        for each in list_readable(case.facts.csi_nodes)
        if each.attach_limit is not None and volumes
    ]
    return Finding(
        "attach-limit",
        "the nodes have no free slot for a volume",
        "a node with a free slot",
        (*quote("message", message), *slots[:5]),
        ("kubectl get csinodes -o yaml", "kubectl get volumeattachments"),
        affected,
    )


def judge_attachment(case: ConsumerCase) -> Outcome:
    """Judge why the volume is not attached to the node of the pod, or not mounted."""
    if not case.waiting:
        return None
    if isinstance(case.facts.events, Unreadable):
        return explain_unreadable(case.facts.events)
    messages = case.list_volume_failures()
    affected = tuple(f"pod {each.id_}" for each in case.waiting)
    pod = case.waiting[0]
    if text := find_text("attach-slots", messages):
        return _build_slot_finding(case, text, affected)
    if text := find_text("multi-attach", messages):
        return _build_multi_attach_finding(case, pod, text, affected)
    if text := find_text("file-system", messages):
        outcome = judge_file_system(case.facts, case.claim, pod, text)
        return replace(outcome, affected=affected) if isinstance(outcome, Finding) else outcome
    return report_unexplained(f"why pod {pod.id_} does not start", messages[0]) if messages else None


def _build_multi_attach_finding(case: ConsumerCase, pod: PodFacts, text: str, affected: tuple[str, ...]) -> Finding:
    others = [each for each in list_readable(case.volume.attached_to if case.volume else ()) if each != pod.node]
    ready = {each.name: each.ready for each in list_readable(case.facts.nodes)}
    states = [f"node {each} is {'ready' if ready.get(each) else 'not ready'}" for each in others]
    dead = [each for each in others if not ready.get(each)]
    return Finding(
        "multi-attach",
        f"volume {case.claim.volume} is attached to {', '.join(others) or 'another node'}",
        f"the volume attached to {pod.node} only",
        (*quote(f"pod {pod.id_}", text), *states),
        tuple(f"kubectl taint node {each} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute" for each in dead)
        or tuple(f"kubectl drain {each} --ignore-daemonsets" for each in others)
        or ("kubectl get volumeattachments",),
        affected,
    )


def judge_binding(case: ConsumerCase) -> Outcome:
    """Judge whether the claim has a volume. Why it has none is the question of the other checks."""
    if case.claim.phase not in UNBOUND_PHASES:
        return None
    return report_unexplained(f"why it is {case.claim.phase}", case.describe_phase())


def judge_resize(case: ConsumerCase) -> Outcome:
    """Judge why the volume does not grow."""
    if not case.claim.resizing:
        return None
    if isinstance(case.facts.events, Unreadable):
        return explain_unreadable(case.facts.events)
    messages = case.list_resize_failures()
    text = find_text("modification", messages)
    if not text:
        return report_unexplained("why it does not grow", messages[0]) if messages else None
    return judge_modification(case.facts, case.claim, text)
