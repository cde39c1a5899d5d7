"""Commands that ask a pod, and parsers of recorded answers."""

import subprocess
from pathlib import Path

import pytest

from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status.pod_questions import build_question, parse_answers
from eks_rocketmq.status.status_facts import BrokerAnswer, ControllerAnswer, NameServerAnswer, ReplicaConnection
from tests.unit.status.status_case import (
    DISK,
    GROUP,
    MASTER,
    RECORDS,
    ROLES,
    build_group,
    header,
    record_broker,
    respond,
    section,
)


@pytest.mark.parametrize("role", [*ROLES, "dashboard"])
@pytest.mark.parametrize("has_tls", [True, False])
@pytest.mark.parametrize("has_claim", [True, False])
def test_a_question_is_valid_bash(role: str, has_tls: bool, has_claim: bool) -> None:
    question = build_question(role, [GROUP], has_tls=has_tls, has_claim=has_claim)
    assert ("certificate" in question) == (has_tls and role in {"broker", "controller", "nameserver", "proxy"})
    assert ("answer disk" in question) == has_claim
    result = subprocess.run(["bash", "-n"], input=question, text=True, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_proxy_without_tls_is_not_asked() -> None:
    assert build_question("proxy") == ""


@pytest.mark.parametrize("role", ["true", "false"])
def test_only_a_master_is_asked_for_its_permission(role: str, tmp_path: Path) -> None:
    ask = tmp_path / "ask.sh"
    answers = f"""907) printf '%s\\n' '{{}}' '{{"master":{role}}}' ;; 26) echo brokerPermission=6 ;;"""
    ask.write_text(f"case $2 in {answers} esac\n")
    question = build_question(labels.BROKER).replace("/etc/rocketmq/ask.sh", str(ask))
    result = subprocess.run(["bash", "-c", question], text=True, capture_output=True, check=True)
    assert parse_answers(labels.BROKER, result.stdout).broker == BrokerAnswer(
        responds=True, master=role == "true", permission=6 if role == "true" else None
    )
    assert ("@@@ permission" in result.stdout) is (role == "true")


def test_passwords_stay_in_the_pod() -> None:
    # Code 3005 returns the users with their passwords. The pod of the declarations counts its own list instead.
    for role in ROLES:
        assert "3005" not in build_question(role, [GROUP], has_tls=True, has_claim=True)
    assert "grep -vc" in build_question("declarations")


def test_a_slave_has_a_master_and_no_connections() -> None:
    answer = parse_answers("broker", record_broker(1)).broker
    assert answer == BrokerAnswer(
        responds=True, master=False, master_address="10.0.0.10:10912", max_offset=5000, version="5.5.0"
    )


def test_a_master_has_the_lag_of_each_slave() -> None:
    body = {"master": True, "haConnectionInfo": [{"addr": "10.0.0.11:41312", "diff": 4096, "inSync": False}]}
    found = parse_answers("broker", section("ha", 0, respond(body))).broker
    assert found is not None
    assert found.replicas == (ReplicaConnection("10.0.0.11", 4096, in_sync=False),)
    assert (found.max_offset, found.permission, found.version) == (None, None, "")


def test_a_silent_broker_still_tells_its_disk() -> None:
    found = parse_answers("broker", section("ha", 124, "") + section("disk", 0, DISK))
    assert found.broker == BrokerAnswer(responds=False)
    assert found.disk is not None
    assert found.disk.percent == 20


def test_a_reserve_of_the_file_system_is_not_available() -> None:
    lines = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 1000 850 50 95% /data"
    disk = parse_answers("broker", section("disk", 0, lines)).disk
    assert disk is not None
    assert disk.percent == 95


def test_only_the_leader_knows_the_groups() -> None:
    leader, follower = (parse_answers("controller", RECORDS["controller"](index)) for index in (1, 0))
    assert leader.groups == (build_group(),)
    assert follower.groups is None
    assert follower.controller is not None
    assert not follower.controller.is_leader
    silent = parse_answers("controller", section("metadata", 124, ""))
    assert silent.controller == ControllerAnswer(responds=False)


def test_a_group_without_a_master_has_no_address() -> None:
    group = {"masterAddress": None, "masterEpoch": 4, "syncStateSetEpoch": 9, "inSyncReplicas": []}
    text = section("metadata", 0, header()) + section("groups", 0, respond({"replicasInfoTable": {GROUP: group}}))
    found = parse_answers("controller", text).groups
    assert found is not None
    assert [(each.master_address, each.epoch, each.replicas) for each in found] == [("", 4, ())]


def test_the_ids_of_a_name_server_are_not_quoted() -> None:
    answer = parse_answers("nameserver", RECORDS["nameserver"](0)).name_server
    assert answer == NameServerAnswer(responds=True, masters=((GROUP, MASTER),))
    assert parse_answers("nameserver", section("routes", 2, "")).name_server == NameServerAnswer(responds=False)


def test_without_access_control_there_are_no_users() -> None:
    text = section("state", 0, "missing: topic a on b") + section("age", 0, "7") + section("topics", 0, "1")
    found = parse_answers("declarations", text).declarations
    assert found is not None
    assert (found.state, found.age, found.topics, found.groups, found.users) == ("missing: topic a on b", 7, 1, 0, None)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("output", ["", "bash: command not found\n", "@@@ ha 0\nno json\nno json\n", "@@@ disk 0\n\n"])
def test_any_output_is_parsed(role: str, output: str) -> None:
    found = parse_answers(role, output)
    assert found.certificate_end is None
    assert found.disk is None


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("HTTP/1.1 503 Service Unavailable\r\nContent-length: 13\r\n\r\nlacks topics\n", "lacks topics"),
        ("HTTP/1.1 200 OK\r\nContent-length: 3\r\n\r\nok\n", ""),
        ("", ""),
    ],
)
def test_a_process_says_why_it_is_not_ready(response: str, reason: str) -> None:
    assert parse_answers("broker", section("readiness", 0, response)).readiness == reason


def test_an_unreadable_certificate_has_no_end() -> None:
    assert parse_answers("proxy", section("certificate", 0, "unable to load certificate")).certificate_end is None
    assert parse_answers("proxy", section("certificate", 1, "")).certificate_end is None
