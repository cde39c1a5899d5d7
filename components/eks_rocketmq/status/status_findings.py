"""Findings about a running deployment: what is broken, and the next risks. Judgements are pure functions of facts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from eks_rocketmq.doctor.diagnosis import ExitCode
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import CRITICAL_DISK_PERCENT, DISK_PERCENT
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.naming.versions import KNOWN_VERSIONS, is_older
from eks_rocketmq.status.status_facts import PodStatus, StatusFacts, WorkloadStatus
from eks_rocketmq.status.status_format import format_bytes, shorten_host
from eks_rocketmq.status.status_queries import (
    GroupMembers,
    MemberStatus,
    explain_pod,
    find_claim,
    get_answers,
    get_disk,
    get_host,
    list_groups,
    list_leaders,
    list_members,
    list_pods,
    list_unreadable,
    list_workloads,
)

Severity = Literal["broken", "risk", "note"]
_SEVERITIES: Sequence[Severity] = ("broken", "risk", "note")
CERTIFICATE_DAYS = 14
DAY = 24 * 3600
_READ_AND_WRITE = 6
_STALE_SECONDS = 120
"""Age of the last round of the declarations after which their pod is not ready either."""
_ROLE_NAMES = {
    labels.CONTROLLER: "controller",
    labels.NAME_SERVER: "name server",
    labels.PROXY: "proxy",
    labels.DECLARATIONS: "declarations",
}


@dataclass(frozen=True)
class StatusFinding:
    """Finding. Only `broken` and `risk` need an action."""

    id_: str
    severity: Severity
    message: str
    remedy: str = ""


Judgement = Callable[[StatusFacts], Iterator[StatusFinding]]


def judge_status(facts: StatusFacts) -> list[StatusFinding]:
    """Return the findings, the most urgent first."""
    found = [finding for judge in JUDGEMENTS for finding in judge(facts)]
    return sorted(found, key=lambda each: _SEVERITIES.index(each.severity))


def choose_exit_code(facts: StatusFacts, findings: Sequence[StatusFinding]) -> ExitCode:
    """Return whether something is broken or at risk, or could not be judged."""
    if any(each.severity != "note" for each in findings):
        return ExitCode.BROKEN
    undecided = list_unreadable(facts) or facts.identity.state == "not-judged"
    return ExitCode.NOT_JUDGED if undecided else ExitCode.HEALTHY


def judge_identity(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge the identity of the EBS CSI driver. Without it no volume is created, attached or grown."""
    if facts.identity.state == "broken":
        yield StatusFinding(
            "identity-broken",
            "risk",
            f"the EBS CSI driver cannot create, attach or grow volumes: {facts.identity.summary}",
            "Run `eks-rocketmq doctor`. It names the fix.",
        )


def judge_controllers(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge the quorum and the leader of the controllers."""
    leaders = list_leaders(facts)
    answers = [get_answers(facts, each.name).controller for each in list_pods(facts, labels.CONTROLLER)]
    if any(each is not None for each in answers) and not leaders:
        yield StatusFinding(
            "no-controller-leader",
            "broken",
            "the controllers have no leader: a master that stops now is not replaced",
            "Look why the controllers cannot reach each other: pods, network policies, logs.",
        )
    if len(leaders) > 1:
        yield StatusFinding(
            "controllers-disagree",
            "risk",
            f"the controllers name different leaders: {', '.join(map(shorten_host, leaders))}",
            "Run this again. If it stays, the controllers cannot reach each other.",
        )


def judge_groups(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge master and in-sync set of each broker group."""
    known = list_groups(facts)
    for group in list_members(facts):
        name, state = group.workload.group, group.state
        if state is None:
            if known is not None:
                yield StatusFinding("group-unknown", "broken", f"the controllers do not know group {name}")
            continue
        master = next((each for each in state.replicas if each.address == state.master_address), None)
        if master is None or not master.alive:
            yield StatusFinding(
                "no-master",
                "broken",
                f"group {name} has no master: it takes no messages",
                f"See the logs of the members: kubectl -n {facts.namespace} logs -l {labels.GROUP_LABEL}={name} "
                "--prefix --tail=200",
            )
        elif (group.in_sync or 0) < group.workload.min_in_sync:
            yield StatusFinding(
                "group-refuses-writes",
                "broken",
                f"group {name} has {group.in_sync} in-sync members; a write needs {group.workload.min_in_sync}",
                "Bring back the members that are away or out of sync.",
            )
        yield from _judge_roles(group)


def _judge_roles(group: GroupMembers) -> Iterator[StatusFinding]:
    """Compare the roles that the brokers report with the decision of the controllers."""
    masters = [each for each in group.members if each.role == "master"]
    for each in masters:
        if not each.elected and group.state and group.state.master_address:
            yield StatusFinding(
                "second-master",
                "broken",
                f"{each.pod.name} says that it is the master of group {group.workload.group}, but the controllers "
                f"name {_name_member(group, group.state.master_address)}",
                "Run this again. If it stays, delete the pod that the controllers do not name.",
            )


def judge_members(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge each member of each broker group."""
    for group in list_members(facts):
        present = len(group.members)
        if present < group.workload.desired:
            yield StatusFinding(
                "member-missing",
                "risk",
                f"group {group.workload.group} has {present} of {group.workload.desired} members",
                f"kubectl -n {facts.namespace} describe statefulset {group.workload.name}",
            )
        for each in group.members:
            reason = _explain_member(facts, each)
            if reason:
                yield StatusFinding(
                    "member-out-of-sync",
                    "risk",
                    f"{each.pod.name} is {reason}",
                    f"kubectl -n {facts.namespace} describe pod {each.pod.name}",
                )
            permission = each.answer.permission if each.answer else None
            if permission not in {None, _READ_AND_WRITE}:
                yield StatusFinding(
                    "broker-read-only",
                    "risk",
                    f"{each.pod.name} takes no messages: brokerPermission is {permission}",
                    "A drain does that for seconds. If it stays, delete the pod.",
                )


def _explain_member(facts: StatusFacts, member: MemberStatus) -> str:
    """Return why a member does not count; empty if it does."""
    pod = member.pod
    if not pod.running:
        return f"not running: {pod.reason or 'no container'}"
    if member.answer and not member.answer.responds:
        return "running, but it does not answer"
    lag = "" if not member.lag else f", {format_bytes(member.lag)} behind"
    if member.alive is False:
        return f"not registered with the controllers{lag}"
    if member.in_sync is False:
        return f"out of sync{lag}{'' if member.connected else ', not connected to the master'}"
    return "" if pod.ready else f"in sync, but not ready: {explain_pod(facts, pod)}"


def judge_routes(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge whether each name server knows the master of each group."""
    elected = {each.name: each.master_address for each in list_groups(facts) or () if each.master_address}
    for pod in list_pods(facts, labels.NAME_SERVER):
        answer = get_answers(facts, pod.name).name_server
        if answer is None:
            continue
        if not answer.responds:
            yield StatusFinding("name-server-silent", "risk", f"{pod.name} does not answer")
            continue
        known = dict(answer.masters)
        for group, address in elected.items():
            if known.get(group) != address:
                told = known.get(group, "no master")
                yield StatusFinding(
                    "route-wrong",
                    "risk",
                    f"{pod.name} has {told} for group {group}; the controllers have {address}",
                    "Run this again: brokers register every 10 s. If it stays, they cannot reach the name server.",
                )


def judge_pods(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge the pods of the roles other than brokers."""
    for role, name in _ROLE_NAMES.items():
        for workload in list_workloads(facts, role):
            ready = sum(each.ready for each in list_pods(facts, role))
            if ready >= workload.desired:
                continue
            waiting = [f"{each.name}: {explain_pod(facts, each)}" for each in list_pods(facts, role) if not each.ready]
            detail = f" ({', '.join(waiting)})" if waiting else ""
            yield StatusFinding(
                f"{name.replace(' ', '-')}-away",
                _judge_loss(workload, ready),
                f"{ready} of {workload.desired} {name} pods are ready{detail}",
                f"kubectl -n {facts.namespace} get pods -l app={labels.format_app_label(role)}",
            )


def _judge_loss(workload: WorkloadStatus, ready: int) -> Severity:
    if workload.role == labels.CONTROLLER:
        return "risk" if ready > workload.desired // 2 else "broken"
    return "risk" if ready or workload.role == labels.DECLARATIONS else "broken"


def judge_claims(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge phase, growth and usage of each claim."""
    for pod in list_readable(facts.pods):
        claim = find_claim(facts, pod)
        if claim is None:
            continue
        if claim.phase != "Bound":
            yield StatusFinding(
                "claim-not-bound",
                "broken",
                f"claim {claim.name} is {claim.phase}",
                f"eks-rocketmq doctor --claim {facts.namespace}/{claim.name}",
            )
        if claim.resize_error:
            yield StatusFinding(
                "growth-fails", "risk", f"claim {claim.name} does not grow: {claim.resize_error}",
                f"kubectl -n {facts.namespace} describe pvc {claim.name}",
            )  # fmt: skip
        elif claim.resizing:
            target = f"{format_bytes(claim.capacity)} to {format_bytes(claim.requested)}"
            yield StatusFinding("claim-grows", "note", f"claim {claim.name} grows from {target}: {claim.resizing}")
        disk = get_disk(facts, pod)
        if disk and disk.percent > DISK_PERCENT:
            critical = disk.percent > CRITICAL_DISK_PERCENT
            yield StatusFinding(
                "disk-full" if critical else "disk-filling",
                "broken" if critical else "risk",
                f"claim {claim.name} is {disk.percent} % full{_describe_full_disk(pod) if critical else ''}",
                f"Grow it: kubectl -n {facts.namespace} patch pvc {claim.name} "
                '-p \'{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}\'',
            )


def _describe_full_disk(pod: PodStatus) -> str:
    if pod.role != labels.BROKER:
        return ""
    return ": RocketMQ refuses writes at 90 %, and deletes unread messages if cleanFileForciblyEnable is true"


def judge_zones(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge whether the loss of one zone takes more than one member."""
    for workload in list_readable(facts.workloads):
        if workload.role not in {labels.BROKER, labels.CONTROLLER}:
            continue
        zones: dict[str, list[str]] = {}
        for pod in list_pods(facts, workload.role, workload.group):
            if pod.zone:
                zones.setdefault(pod.zone, []).append(pod.name)
        for zone, pods in sorted(zones.items()):
            if len(pods) < 2:
                continue
            left = workload.desired - len(pods)
            enough = left >= (workload.min_in_sync or workload.desired // 2 + 1)
            # Settings that accept this spread make it a fact to know, not one to act on.
            accepted = 0 < workload.min_zones <= len(zones)
            yield StatusFinding(
                "members-share-zone",
                "note" if accepted else "risk",
                f"{len(pods)} of {workload.desired} {workload.group or 'controller'} members are in zone {zone}"
                + ("" if enough else ": the loss of this zone stops writes" if workload.group else
                   ": the loss of this zone stops elections"),
                "" if accepted else "Add nodes in other zones, and delete the pod and the claim of one member.",
            )  # fmt: skip


def judge_certificates(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge the ends of the certificates that the processes present."""
    ends: dict[float, list[str]] = {}
    for pod in list_readable(facts.pods):
        end = get_answers(facts, pod.name).certificate_end
        if end is not None:
            ends.setdefault(end, []).append(pod.name)
    for end, (first, *others) in sorted(ends.items()):
        days = (end - facts.read_at) / DAY
        pods = f"{first} and {len(others)} more pods" if others else first
        if days < 0:
            yield StatusFinding(
                "certificate-ended", "broken", f"the certificate of {pods} ended {-days:.0f} days ago",
                "Renew the Secret. Running pods load it.",
            )  # fmt: skip
        elif days < CERTIFICATE_DAYS:
            yield StatusFinding(
                "certificate-ends", "risk", f"the certificate of {pods} ends in {days:.0f} days",
                "Renew the Secret. Running pods load it.",
            )  # fmt: skip


def judge_versions(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge whether all pods are of the newest revision and version."""
    for workload in list_readable(facts.workloads):
        present = len(list_pods(facts, workload.role, workload.group))
        old = min(workload.desired, present) - workload.updated
        if old > 0:
            yield StatusFinding(
                "pods-out-of-date",
                "note",
                f"{old} of {workload.desired} pods of {workload.name} are of an older revision",
                f"kubectl -n {facts.namespace} rollout status {workload.kind.lower()} {workload.name}",
            )
    running = {
        answer.version: each.name
        for each in list_pods(facts, labels.BROKER)
        if (answer := get_answers(facts, each.name).broker) and answer.version
    }
    if len(running) > 1:
        listed = ", ".join(f"{version} ({pod})" for version, pod in sorted(running.items()))
        yield StatusFinding("versions-differ", "note", f"brokers run different versions: {listed}")


def judge_age(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge whether the library knows a newer version of RocketMQ. The stack sets the version of the workloads."""
    newest = KNOWN_VERSIONS[-1]
    old = sorted({each.version for each in list_readable(facts.workloads) if is_older(each.version, newest)})
    if old:
        yield StatusFinding(
            "version-old",
            "note",
            f"RocketMQ is of version {', '.join(old)}; the newest one that this command knows is {newest}",
            f"Set `rocketmq.version: {newest}` in the stack file: docs/how-to/upgrade-rocketmq.md",
        )


def judge_declarations(facts: StatusFacts) -> Iterator[StatusFinding]:
    """Judge whether every member has the declared topics, consumer groups and users."""
    for pod in list_pods(facts, labels.DECLARATIONS):
        answer = get_answers(facts, pod.name).declarations
        if answer is None:
            continue
        if answer.state and answer.state != "ok":
            yield StatusFinding(
                "declarations-missing", "risk", f"declarations are {answer.state}",
                f"kubectl -n {facts.namespace} logs {pod.name}",
            )  # fmt: skip
        elif not answer.state or answer.age > _STALE_SECONDS:
            yield StatusFinding(
                "declarations-stale", "risk", f"{pod.name} has not compared the declarations for {answer.age} s"
                if answer.state else f"{pod.name} has not compared the declarations yet",
                f"kubectl -n {facts.namespace} logs {pod.name}",
            )  # fmt: skip


JUDGEMENTS: Sequence[Judgement] = (
    judge_groups,
    judge_controllers,
    judge_pods,
    judge_claims,
    judge_members,
    judge_certificates,
    judge_identity,
    judge_routes,
    judge_declarations,
    judge_zones,
    judge_versions,
    judge_age,
)
"""Judgements in the order of urgency within one severity."""


def _name_member(group: GroupMembers, address: str) -> str:
    """Return the pod of a member, or its address if no pod has it."""
    found = (each.pod.name for each in group.members if each.pod.address == get_host(address))
    return next(found, address)
