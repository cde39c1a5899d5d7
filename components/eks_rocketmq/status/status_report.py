"""Report of a running deployment: one screen of text, or JSON. Pure."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eks_rocketmq.doctor.diagnosis import ExitCode
from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status.status_facts import PodStatus, StatusFacts
from eks_rocketmq.status.status_findings import (
    DAY,
    Severity,
    StatusFinding,
    choose_exit_code,
)
from eks_rocketmq.status.status_format import describe_unreadable, format_bytes, shorten_host
from eks_rocketmq.status.status_queries import (
    GroupMembers,
    MemberStatus,
    explain_pod,
    find_claim,
    get_answers,
    get_disk,
    list_leaders,
    list_members,
    list_pods,
    list_unreadable,
    list_workloads,
)

FORMAT = 1
"""Version of the JSON report, whose schema is `status.schema.json`."""
MIN_WIDTH = 100
WIDTH = 150
"""Width of a report that is not for a terminal."""
_MAX_LINES = 8
_STYLES: dict[Severity, str] = {"broken": "bold red", "risk": "yellow", "note": "dim"}
_IDENTITY_STYLES = {"ok": "green", "broken": "yellow", "not-judged": "yellow", "skipped": "dim"}
_COLUMNS = ("pod", "state", "in sync", "lag", "zone", "node", "restarts", "claim", "used", "growth")
_RIGHT = frozenset({"lag", "restarts", "claim", "used"})
_OPTIONAL = ("node", "restarts", "zone")
"""Columns that a narrow terminal does not show, the least important first."""
_GAP = 2


def render_text(
    facts: StatusFacts, findings: Sequence[StatusFinding], *, color: bool = False, width: int = WIDTH
) -> str:
    """Return the report for a terminal."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, MIN_WIDTH),
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    for line in _render_summary(facts, findings):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(_build_table(facts, max(width, MIN_WIDTH)))
    remarks = [*_render_findings(findings), *_render_unreadable(facts)]
    if remarks:
        console.print()
    for line in remarks:
        console.print(line, soft_wrap=True)
    return "\n".join(each.rstrip() for each in out.getvalue().splitlines()) + "\n"


def _render_summary(facts: StatusFacts, findings: Sequence[StatusFinding]) -> Iterator[Text]:
    place = f"RocketMQ in namespace {facts.namespace}" + (f", cluster {facts.cluster}" if facts.cluster else "")
    moment = datetime.fromtimestamp(facts.read_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    yield Text.assemble(f"{place}, {moment}: ", _describe_result(facts, findings))
    urgent = next((each for each in findings if each.severity != "note"), None)
    if urgent:
        yield _label("next", Text(urgent.message, _STYLES[urgent.severity]))
    identity = facts.identity
    yield _label("identity", Text(f"{identity.state}: {identity.summary}", _IDENTITY_STYLES[identity.state]))
    for group in list_members(facts):
        yield _label(f"group {group.workload.group}", Text(_describe_group(group)))
    yield _label("controllers", Text(f"{_count_ready(facts, labels.CONTROLLER)}, {_describe_leader(facts)}"))
    yield _label("name servers", Text(_count_ready(facts, labels.NAME_SERVER)))
    yield _label("proxies", Text(_count_ready(facts, labels.PROXY)))
    yield _label("declared", Text(_describe_declarations(facts)))
    yield _label("versions", Text(_describe_versions(facts)))
    certificate = _describe_certificates(facts)
    if certificate:
        yield _label("certificates", Text(certificate))


def _label(name: str, text: Text) -> Text:
    return Text.assemble((f"  {name:<15} ", "bold"), text)


def _describe_result(facts: StatusFacts, findings: Sequence[StatusFinding]) -> Text:
    code = choose_exit_code(facts, findings)
    counts = {severity: sum(each.severity == severity for each in findings) for severity in _STYLES}
    if code == ExitCode.BROKEN:
        parts = [f"{counts['broken']} broken"] if counts["broken"] else []
        parts += [f"{counts['risk']} at risk"] if counts["risk"] else []
        return Text(", ".join(parts), _STYLES["broken" if counts["broken"] else "risk"])
    if code == ExitCode.NOT_JUDGED:
        return Text("not judged: nothing is broken, but not everything could be read", "yellow")
    return Text("healthy", "green")


def _describe_group(group: GroupMembers) -> str:
    state, workload = group.state, group.workload
    if state is None:
        return "unknown to the controllers, or their leader did not answer"
    master = group.master.pod.name if group.master else state.master_address or "none"
    needed = f", a write needs {workload.min_in_sync}" if workload.min_in_sync else ""
    return (
        f"master {master}, epoch {state.epoch}, {group.in_sync} of {workload.desired} in sync{needed}, "
        f"in-sync set changed {state.set_epoch} times"
    )


def _count_ready(facts: StatusFacts, role: str) -> str:
    desired = sum(each.desired for each in list_workloads(facts, role))
    return f"{sum(each.ready for each in list_pods(facts, role))} of {desired} ready"


def _describe_leader(facts: StatusFacts) -> str:
    leaders = list_leaders(facts)
    return f"leader {', '.join(map(shorten_host, leaders))}" if leaders else "leader unknown"


def _describe_declarations(facts: StatusFacts) -> str:
    pods = list_pods(facts, labels.DECLARATIONS)
    if not list_workloads(facts, labels.DECLARATIONS) and not pods:
        return "nothing"
    answer = next((found for each in pods if (found := get_answers(facts, each.name).declarations)), None)
    if answer is None:
        return "unknown: the pod of the declarations was not asked"
    users = "" if answer.users is None else f", {answer.users} users"
    counts = f"{answer.topics} topics, {answer.groups} consumer groups{users}"
    state = "on every member" if answer.state == "ok" else answer.state or "not compared yet"
    return f"{counts}: {state}, {answer.age} s ago"


def _describe_versions(facts: StatusFacts) -> str:
    versions = sorted({each.version for each in list_readable(facts.workloads) if each.version})
    old = {
        each.name: min(each.desired, len(list_pods(facts, each.role, each.group))) - each.updated
        for each in list_readable(facts.workloads)
    }
    late = ", ".join(f"{name} {count}" for name, count in old.items() if count > 0)
    platform = (("Kubernetes", facts.identity.kubernetes), ("EBS CSI driver", facts.identity.driver))
    around = "".join(f", {name} {version}" for name, version in platform if version)
    return f"RocketMQ {', '.join(versions) or 'unknown'}{around}; " + (
        f"pods of an older revision: {late}" if late else "all pods are of the newest revision"
    )


def _describe_certificates(facts: StatusFacts) -> str:
    ends = [end for each in facts.answers if (end := get_answers(facts, each).certificate_end) is not None]
    if not ends:
        return ""
    day = datetime.fromtimestamp(min(ends), UTC).strftime("%Y-%m-%d")
    return f"the first one ends on {day}, in {(min(ends) - facts.read_at) / DAY:.0f} days"


def _build_table(facts: StatusFacts, width: int) -> Table:
    members = {each.pod.name: each for group in list_members(facts) for each in group.members}
    rows = [_build_row(facts, pod, members.get(pod.name)) for pod in list_readable(facts.pods)]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    shown = _choose_columns(rows, width)
    for name in shown:
        table.add_column(name, justify="right" if name in _RIGHT else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    return table


def _choose_columns(rows: Sequence[Mapping[str, Text]], width: int) -> list[str]:
    """Return the columns that fit. A column that is cut would hide figures."""
    widths = {name: max([len(name), *(row[name].cell_len for row in rows)]) + _GAP for name in _COLUMNS}
    for name in _OPTIONAL:
        if sum(widths.values()) > width:
            widths.pop(name)
    return list(widths)


def _build_row(facts: StatusFacts, pod: PodStatus, member: MemberStatus | None) -> dict[str, Text]:
    claim, disk = find_claim(facts, pod), get_disk(facts, pod)
    state = member.role if member and member.role != "unknown" else "ready" if pod.ready else ""
    if not pod.ready:
        state = f"{state}, {pod.reason}".removeprefix(", ")
    controller = get_answers(facts, pod.name).controller
    if controller and controller.is_leader:
        state = f"{state}, leader"
    lag = "" if member is None else "?" if member.lag is None else format_bytes(member.lag)
    in_sync = member.in_sync if member else None
    cells = [
        Text(pod.name),
        Text(state, "green" if pod.ready else "red"),
        Text("" if member is None else "?" if in_sync is None else "yes" if in_sync else "NO",
             "yellow" if in_sync is False else ""),
        Text(lag),
        Text(pod.zone),
        # The names of EKS nodes are host names.
        Text(pod.node.partition(".")[0]),
        Text(str(pod.restarts)),
        Text("" if claim is None else format_bytes(claim.capacity) if claim.phase == "Bound" else claim.phase),
        Text(f"{disk.percent} %" if disk else ""),
        Text("" if claim is None else claim.resize_error or claim.resizing),
    ]  # fmt: skip
    return dict(zip(_COLUMNS, cells, strict=True))


def _render_findings(findings: Sequence[StatusFinding]) -> Iterator[Text]:
    for each in findings[:_MAX_LINES]:
        yield Text.assemble((f"{each.severity:<7} ", _STYLES[each.severity]), (each.id_, "bold"), f": {each.message}")
        if each.remedy:
            yield Text(f"        {each.remedy}")
    if len(findings) > _MAX_LINES:
        yield Text(f"… and {len(findings) - _MAX_LINES} more; --json lists all")


def _render_unreadable(facts: StatusFacts) -> Iterator[Text]:
    # All pods refuse `exec` for one reason, so one line is enough for them.
    similar: dict[tuple[str, str], list[Unreadable]] = {}
    for each in list_unreadable(facts):
        similar.setdefault((each.call.partition(" pod ")[0], each.permission), []).append(each)
    for first, *others in similar.values():
        more = f" ({len(others)} more pods failed too)" if others else ""
        yield Text.assemble(("not judged ", "yellow"), describe_unreadable(first), more)
    permissions = {each.permission: None for each in list_unreadable(facts) if each.permission}
    permissions |= dict.fromkeys(facts.identity.permissions)
    if permissions:
        yield Text(f"Missing permissions: {'; '.join(permissions)}")


def build_json(facts: StatusFacts, findings: Sequence[StatusFinding]) -> dict[str, Any]:
    """Return the report as JSON. Its schema is `status.schema.json`."""
    leaders = list_leaders(facts)
    return {
        "format": FORMAT,
        "result": choose_exit_code(facts, findings).name.lower().replace("_", "-"),
        "namespace": facts.namespace,
        "cluster": facts.cluster or None,
        "readAt": datetime.fromtimestamp(facts.read_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "identity": {
            "state": facts.identity.state,
            "summary": facts.identity.summary,
            "kubernetesVersion": facts.identity.kubernetes or None,
            "driverVersion": facts.identity.driver or None,
        },
        "controllerLeader": shorten_host(leaders[0]) if len(leaders) == 1 else None,
        "groups": [_build_group(each) for each in list_members(facts)],
        "pods": [_build_pod(facts, each) for each in list_readable(facts.pods)],
        "workloads": [
            {
                "kind": each.kind,
                "name": each.name,
                "role": each.role,
                "version": each.version,
                "desired": each.desired,
                "updated": each.updated,
            }
            for each in list_readable(facts.workloads)
        ],
        "declarations": _build_declarations(facts),
        "findings": [
            {"id": each.id_, "severity": each.severity, "message": each.message, "remedy": each.remedy}
            for each in findings
        ],
        "notJudged": [
            {"call": each.call, "reason": each.reason, "permission": each.permission}
            for each in list_unreadable(facts)
        ],
    }  # fmt: skip


def _build_group(group: GroupMembers) -> dict[str, Any]:
    state = group.state
    return {
        "name": group.workload.group,
        "master": group.master.pod.name if group.master else None,
        "epoch": state.epoch if state else None,
        "inSyncSetEpoch": state.set_epoch if state else None,
        "inSync": group.in_sync,
        "minInSync": group.workload.min_in_sync,
        "members": [
            {
                "pod": each.pod.name,
                "role": each.role,
                "inSync": each.in_sync,
                "alive": each.alive,
                "lagBytes": each.lag,
                "connected": each.connected,
                "version": each.answer.version if each.answer else "",
            }
            for each in group.members
        ],
    }


def _build_pod(facts: StatusFacts, pod: PodStatus) -> dict[str, Any]:
    claim, disk, end = find_claim(facts, pod), get_disk(facts, pod), get_answers(facts, pod.name).certificate_end
    return {
        "name": pod.name,
        "role": pod.role,
        "ready": pod.ready,
        "reason": explain_pod(facts, pod),
        "restarts": pod.restarts,
        "image": pod.image,
        "node": pod.node,
        "zone": pod.zone,
        "certificateEnd": None if end is None else datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "claim": None
        if claim is None
        else {
            "name": claim.name,
            "phase": claim.phase,
            "storageClass": claim.storage_class,
            "requestedBytes": claim.requested,
            "capacityBytes": claim.capacity,
            "growth": claim.resize_error or claim.resizing,
            "usedBytes": disk.used if disk else None,
            "usedPercent": disk.percent if disk else None,
        },
    }


def _build_declarations(facts: StatusFacts) -> dict[str, Any] | None:
    pods = list_pods(facts, labels.DECLARATIONS)
    answer = next((found for each in pods if (found := get_answers(facts, each.name).declarations)), None)
    if answer is None:
        return None
    return {
        "state": answer.state,
        "ageSeconds": answer.age,
        "topics": answer.topics,
        "consumerGroups": answer.groups,
        "users": answer.users,
    }
