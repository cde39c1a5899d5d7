"""Findings: a healthy deployment has none, and each fault has its own."""

import inspect
import re
from dataclasses import replace
from typing import Any

import pytest

from eks_rocketmq.doctor.checks.chain import ChainResult, Finding, Link
from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, ExitCode
from eks_rocketmq.doctor.facts.cluster_facts import Facts, Unreadable
from eks_rocketmq.rocketmq.config.broker_config import list_versions
from eks_rocketmq.rocketmq.monitoring.monitoring_args import AlertsArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import plan_monitoring
from eks_rocketmq.rocketmq.naming.versions import KNOWN_VERSIONS
from eks_rocketmq.status import status_findings
from eks_rocketmq.status.identity_summary import add_versions, summarize_identity
from eks_rocketmq.status.status_facts import (
    BrokerAnswer,
    ControllerAnswer,
    DeclarationsAnswer,
    DiskUsage,
    IdentityStatus,
    NameServerAnswer,
    PodAnswers,
    StatusFacts,
)
from eks_rocketmq.status.status_findings import DISK_PERCENT, choose_exit_code, judge_status
from eks_rocketmq.status.status_format import format_bytes, shorten_host
from eks_rocketmq.status.status_queries import list_members
from tests.unit.doctor.healthy_cases import auto_mode_facts, irsa_facts, self_managed_facts
from tests.unit.harness.fakes import REGION
from tests.unit.status.status_case import (
    DAY,
    GIB,
    GROUP,
    MASTER,
    NOW,
    build_facts,
    build_group,
    change_answers,
    change_broker,
    change_claim,
    change_group,
    change_pod,
    change_workload,
)

HEALTHY = build_facts()
FIRST, SECOND, THIRD = (f"rocketmq-{GROUP}-{index}" for index in range(3))
LEADER = "rocketmq-controller-1"


def lose_leader() -> StatusFacts:
    facts = HEALTHY
    for index in range(3):
        facts = change_answers(
            facts, f"rocketmq-controller-{index}", controller=ControllerAnswer(responds=True), groups=None
        )
    return facts


def drop_pod(name: str) -> StatusFacts:
    assert isinstance(HEALTHY.pods, tuple)
    return replace(HEALTHY, pods=tuple(each for each in HEALTHY.pods if each.name != name))


def declare(**changes: Any) -> StatusFacts:
    answer = replace(DeclarationsAnswer("ok", 4, 5, 3, 2), **changes)
    return change_answers(HEALTHY, "rocketmq-declarations-0", declarations=answer)


def share_zone(name: str) -> StatusFacts:
    return change_pod(HEALTHY, name, zone=f"{REGION}a")


def stop_pods(*names: str) -> StatusFacts:
    facts = HEALTHY
    for each in names:
        facts = change_pod(facts, each, ready=False, running=False, reason="CrashLoopBackOff")
        facts = replace(facts, answers={name: found for name, found in facts.answers.items() if name != each})
    return facts


OUT_OF_SYNC = change_group(HEALTHY, build_group(in_sync=(0, 1)))
DISK = DiskUsage(76 * GIB, 100 * GIB)
FAULTS: list[tuple[str, str, StatusFacts, str]] = [
    ("no-master", "broken", change_group(HEALTHY, replace(build_group(), master_address="")), "has no master"),
    ("no-master", "broken", change_group(HEALTHY, build_group(alive=(1, 2))), "takes no messages"),
    ("group-refuses-writes", "broken", change_group(HEALTHY, build_group(in_sync=(0,))),
     "1 in-sync members; a write needs 2"),
    ("group-refuses-writes", "broken", change_group(HEALTHY, build_group(alive=(0,))), "1 in-sync members"),
    ("group-unknown", "broken", change_answers(HEALTHY, LEADER, groups=()), "do not know group broker-a"),
    ("second-master", "broken", change_broker(HEALTHY, THIRD, master=True),
     f"{THIRD} says that it is the master of group broker-a, but the controllers name {FIRST}"),
    ("no-controller-leader", "broken", lose_leader(), "have no leader"),
    ("controllers-disagree", "risk", change_answers(
        HEALTHY, "rocketmq-controller-0", controller=ControllerAnswer(True, "rocketmq-controller-2.x:9878")),
     "rocketmq-controller-2, rocketmq-controller-1"),
    ("controller-away", "risk", stop_pods("rocketmq-controller-0"),
     "2 of 3 controller pods are ready (rocketmq-controller-0: CrashLoopBackOff)"),
    ("controller-away", "broken", stop_pods("rocketmq-controller-0", "rocketmq-controller-2"), "1 of 3"),
    ("name-server-away", "risk", stop_pods("rocketmq-nameserver-0"), "1 of 2 name server pods"),
    ("name-server-away", "broken", stop_pods("rocketmq-nameserver-0", "rocketmq-nameserver-1"), "0 of 2"),
    ("proxy-away", "risk", stop_pods("rocketmq-proxy-0"), "1 of 2 proxy pods"),
    ("proxy-away", "broken", stop_pods("rocketmq-proxy-0", "rocketmq-proxy-1"), "0 of 2"),
    ("declarations-away", "risk", stop_pods("rocketmq-declarations-0"), "0 of 1 declarations pods"),
    ("claim-not-bound", "broken", change_claim(HEALTHY, f"data-{THIRD}", phase="Pending"),
     f"claim data-{THIRD} is Pending"),
    ("growth-fails", "risk", change_claim(HEALTHY, f"data-{THIRD}", resizing="x", resize_error="rate exceeded"),
     "does not grow: rate exceeded"),
    ("claim-grows", "note", change_claim(HEALTHY, f"data-{THIRD}", requested=200 * GIB, resizing="the volume grows"),
     "grows from 100 GiB to 200 GiB: the volume grows"),
    ("disk-filling", "risk", change_answers(HEALTHY, THIRD, disk=DISK), "76 % full"),
    ("disk-full", "broken", change_answers(HEALTHY, THIRD, disk=DiskUsage(86, 100)), "86 % full: RocketMQ refuses"),
    ("disk-filling", "risk", change_answers(HEALTHY, LEADER, disk=DISK), f"claim data-{LEADER} is 76 % full"),
    ("member-out-of-sync", "risk", OUT_OF_SYNC, f"{THIRD} is out of sync"),
    ("member-out-of-sync", "risk", change_group(HEALTHY, build_group(in_sync=(0, 1), alive=(0, 1))),
     "not registered with the controllers"),
    ("member-out-of-sync", "risk", change_answers(HEALTHY, THIRD, broker=BrokerAnswer(responds=False)),
     "does not answer"),
    ("member-out-of-sync", "risk", stop_pods(THIRD), "not running: CrashLoopBackOff"),
    ("member-out-of-sync", "risk", change_pod(HEALTHY, THIRD, ready=False, reason="not ready"), "in sync, but not"),
    ("member-out-of-sync", "risk",
     change_answers(change_pod(HEALTHY, THIRD, ready=False, reason="not ready"), THIRD, readiness="lacks topics"),
     "in sync, but not ready: lacks topics"),
    ("member-missing", "risk", drop_pod(THIRD), "2 of 3 members"),
    ("broker-read-only", "risk", change_broker(HEALTHY, FIRST, permission=4), "brokerPermission is 4"),
    ("certificate-ends", "risk", change_answers(HEALTHY, "rocketmq-proxy-0", certificate_end=NOW + 13.5 * DAY),
     "the certificate of rocketmq-proxy-0 ends in 14 days"),
    ("certificate-ended", "broken", change_answers(HEALTHY, "rocketmq-proxy-0", certificate_end=NOW - 2 * DAY),
     "ended 2 days ago"),
    ("identity-broken", "risk", replace(HEALTHY, identity=IdentityStatus("broken", "oidc-provider-missing: x")),
     "oidc-provider-missing"),
    ("name-server-silent", "risk", change_answers(
        HEALTHY, "rocketmq-nameserver-0", name_server=NameServerAnswer(responds=False)), "does not answer"),
    ("route-wrong", "risk", change_answers(
        HEALTHY, "rocketmq-nameserver-0", name_server=NameServerAnswer(True, ())),
     f"has no master for group broker-a; the controllers have {MASTER}"),
    ("declarations-missing", "risk", declare(state="missing: topic orders on x"), "missing: topic orders on x"),
    ("declarations-stale", "risk", declare(age=121), "for 121 s"),
    ("declarations-stale", "risk", declare(state=""), "yet"),
    ("members-share-zone", "risk", share_zone(SECOND), f"2 of 3 broker-a members are in zone {REGION}a"),
    ("members-share-zone", "risk", share_zone("rocketmq-controller-1"), "stops elections"),
    ("members-share-zone", "note", change_workload(share_zone(SECOND), "broker", min_zones=2),
     "the loss of this zone stops writes"),
    ("pods-out-of-date", "note", change_workload(HEALTHY, "proxy", updated=1), "1 of 2 pods of rocketmq-proxy"),
    ("version-old", "note", change_workload(HEALTHY, "broker", version="5.4.0"),
     "RocketMQ is of version 5.4.0; the newest one that this command knows is 5.5.0"),
    ("versions-differ", "note", change_broker(HEALTHY, THIRD, version="5.4.0"), f"5.4.0 ({THIRD}), 5.5.0"),
]  # fmt: skip


def test_a_healthy_deployment_has_no_finding() -> None:
    assert judge_status(HEALTHY) == []
    assert choose_exit_code(HEALTHY, []) == ExitCode.HEALTHY


@pytest.mark.parametrize(
    ("id_", "severity", "facts", "text"), FAULTS, ids=[f"{index}-{each[0]}" for index, each in enumerate(FAULTS)]
)
def test_a_fault_has_its_finding(id_: str, severity: str, facts: StatusFacts, text: str) -> None:
    findings = judge_status(facts)
    found = [each for each in findings if each.id_ == id_]
    assert [each.severity for each in found] == [severity]
    assert text in found[0].message
    # Further findings are consequences of the same fault.
    consequences = {
        "no-master": {"member-out-of-sync"},
        "group-refuses-writes": {"member-out-of-sync"},
        "second-master": set(),
    }
    assert {each.id_ for each in findings} - {id_} <= consequences.get(id_, set())
    code = choose_exit_code(facts, findings)
    assert code == (ExitCode.HEALTHY if severity == "note" else ExitCode.BROKEN)


def test_a_full_volume_of_a_controller_is_not_described_as_that_of_a_broker() -> None:
    (finding,) = judge_status(change_answers(HEALTHY, LEADER, disk=DiskUsage(86, 100)))
    assert (finding.id_, finding.message) == ("disk-full", f"claim data-{LEADER} is 86 % full")


def test_only_an_older_version_is_old() -> None:
    for version, old in (
        ("5.3.3", True),
        ("5.4.0", True),
        ("5.5.0", False),
        ("5.10.0", False),
        ("", False),
        ("x", False),
    ):
        found = judge_status(change_workload(HEALTHY, "proxy", version=version))
        assert ("version-old" in {each.id_ for each in found}) is old, version


def test_the_known_versions_are_those_with_keys() -> None:
    assert sorted(KNOWN_VERSIONS) == list_versions()
    parsed = [tuple(map(int, each.split("."))) for each in KNOWN_VERSIONS]
    assert parsed == sorted(parsed)


def test_pods_with_one_certificate_have_one_finding() -> None:
    facts = HEALTHY
    for name in (FIRST, SECOND, THIRD):
        facts = change_answers(facts, name, certificate_end=NOW + DAY)
    facts = change_answers(facts, "rocketmq-proxy-0", certificate_end=NOW - DAY)
    assert [(each.id_, each.message) for each in judge_status(facts)] == [
        ("certificate-ended", "the certificate of rocketmq-proxy-0 ended 1 days ago"),
        ("certificate-ends", f"the certificate of {FIRST} and 2 more pods ends in 1 days"),
    ]


def test_the_most_urgent_finding_is_first() -> None:
    facts = change_workload(stop_pods(THIRD), "proxy", updated=1)
    facts = change_group(facts, build_group(in_sync=(0,), alive=(0, 1)))
    severities = [each.severity for each in judge_status(facts)]
    assert severities == ["broken", "risk", "risk", "note"]


@pytest.mark.parametrize(
    "facts",
    [
        replace(HEALTHY, claims=Unreadable("list persistentvolumeclaims", "list persistentvolumeclaims", "403")),
        replace(HEALTHY, zones=Unreadable("list nodes", "list nodes", "403")),
        replace(HEALTHY, answers={**HEALTHY.answers, "rocketmq-proxy-0": Unreadable("exec", "", "timeout")}),
        replace(HEALTHY, pods=Unreadable("list pods", "list pods", "403"), answers={}, workloads=()),
        replace(HEALTHY, identity=IdentityStatus("not-judged", "AWS: no credentials")),
    ],
)
def test_what_could_not_be_read_is_not_judged(facts: StatusFacts) -> None:
    assert choose_exit_code(facts, judge_status(facts)) == ExitCode.NOT_JUDGED


def test_a_skipped_identity_is_healthy() -> None:
    facts = replace(HEALTHY, identity=IdentityStatus("skipped", "--no-identity"))
    assert choose_exit_code(facts, judge_status(facts)) == ExitCode.HEALTHY


def test_the_lag_is_that_which_the_master_reports() -> None:
    found = HEALTHY.answers[FIRST]
    assert isinstance(found, PodAnswers)
    assert found.broker is not None
    behind = tuple(replace(each, lag=lag) for each, lag in zip(found.broker.replicas, (1024, 7), strict=True))
    (group,) = list_members(change_broker(HEALTHY, FIRST, replicas=behind))
    assert [(each.lag, each.connected) for each in group.members] == [(0, True), (1024, True), (7, True)]


def test_a_slave_without_a_connection_is_compared_by_its_offset() -> None:
    facts = change_broker(change_broker(OUT_OF_SYNC, FIRST, replicas=()), THIRD, max_offset=1000)
    (group,) = list_members(facts)
    assert [(each.lag, each.connected) for each in group.members] == [(0, True), (0, False), (4000, False)]
    assert "3.91 KiB behind, not connected to the master" in judge_status(facts)[0].message


def test_without_the_controllers_the_master_is_the_only_one_that_says_so() -> None:
    facts = change_answers(HEALTHY, LEADER, groups=None)
    (group,) = list_members(facts)
    assert [each.lag for each in group.members] == [0, 0, 0]
    assert [each.in_sync for each in group.members] == [None, None, None]
    facts = change_broker(facts, SECOND, master=True)
    (group,) = list_members(facts)
    assert [each.lag for each in group.members] == [None, None, None]


def test_the_threshold_is_that_of_the_alert_rules() -> None:
    alerts = plan_monitoring({"alerts": AlertsArgs()}).alerts
    assert alerts is not None
    assert alerts.disk_used_percent == DISK_PERCENT


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (100 * GIB, "100 GiB"), (1000 * GIB, "1000 GiB"),
     (1536 * GIB, "1.5 TiB")],
)  # fmt: skip
def test_a_size_has_a_unit(size: int, text: str) -> None:
    assert format_bytes(size) == text


def test_an_address_is_shortened_to_its_pod() -> None:
    assert shorten_host("rocketmq-controller-0.peers.rocketmq.svc:9878") == "rocketmq-controller-0"
    assert shorten_host("10.0.0.1:9878") == "10.0.0.1"


FINDING = Finding("oidc-provider-missing", "none", "one")
SUBJECT = "service account kube-system/ebs-csi-controller-sa"


@pytest.mark.parametrize(
    ("links", "state", "summary"),
    [
        ((Link("a", "ok"), Link("b", "ok")), "ok", f"{SUBJECT}, 2 of 2 links ok"),
        ((Link("a", "ok"), Link("b", "skipped", reason="offline")), "ok", f"{SUBJECT}, 1 of 2 links ok"),
        ((Link("a", "broken", FINDING),), "broken", f"oidc-provider-missing: {FINDING.cause}"),
        ((Link("a", "not-judged", reason="403", permission="iam:GetRole"),), "not-judged", "a: 403"),
    ],
)
def test_the_identity_chain_is_one_line(links: tuple[Link, ...], state: str, summary: str) -> None:
    found = summarize_identity(Diagnosis(DiagnosisTarget(), (ChainResult("identity", SUBJECT, links),)))
    assert (found.state, found.summary) == (state, summary)
    assert found.permissions == (("iam:GetRole",) if state == "not-judged" else ())


def test_a_cluster_without_a_chain_is_not_judged() -> None:
    assert summarize_identity(Diagnosis(DiagnosisTarget(), ())).state == "not-judged"


def test_each_finding_has_a_fault() -> None:
    source = inspect.getsource(status_findings)
    written = set(re.findall(r'StatusFinding\(\s*"([a-z-]+)"', source)) | {"disk-full", "disk-filling"}
    away = {"controller-away", "name-server-away", "proxy-away", "declarations-away"}
    assert {each[0] for each in FAULTS} == written | away


@pytest.mark.parametrize(
    ("facts", "versions"),
    [
        (irsa_facts(), ("1.35", "v1.50.0-eksbuild.1")),
        (self_managed_facts(), ("1.35", "1.50.0")),
        (auto_mode_facts(), ("1.35", "")),
        (irsa_facts(cluster=Unreadable("eks:DescribeCluster", "eks:DescribeCluster", "403")),
         ("", "v1.50.0-eksbuild.1")),
        (irsa_facts(addons=Unreadable("eks:ListAddons", "eks:ListAddons", "403")), ("1.35", "1.50.0")),
    ],
)  # fmt: skip
def test_the_identity_has_the_versions_that_were_read(facts: Facts, versions: tuple[str, str]) -> None:
    found = add_versions(IdentityStatus("ok", ""), facts)
    assert (found.kubernetes, found.driver) == versions
