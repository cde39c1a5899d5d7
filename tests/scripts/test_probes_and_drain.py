"""Probes and drain: the real scripts against a server that implements RocketMQ's protocol."""

import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.broker_group import (
    ELECT,
    GET_GROUP,
    GET_LEADER,
    HA_STATUS,
    SCRIPTS,
    Group,
    Server,
    ask_group,
    environment,
    run,
    serving,
)


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.sh")))
def test_script_has_valid_syntax(script: str) -> None:
    subprocess.run(["bash", "-n", str(SCRIPTS / script)], check=True)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_request_is_one_frame_and_the_whole_answer_is_read(size: int) -> None:
    server = Server({26: lambda _, body: ({}, b"x" * size + str(len(body)).encode())})
    with serving(server):
        result = run("ask.sh", server.address, "26", '{"a":"b"}', "käse=1")
    assert result.returncode == 0
    assert result.stdout.split("\n", 1)[1] == "x" * size + "7"
    assert server.asked == [(26, {"a": "b"}, "käse=1".encode())]


def test_a_body_can_be_read_from_standard_input() -> None:
    server = Server({26: lambda _, __: ({}, b"")})
    with serving(server):
        command = f"printf '%s' 'käse=1' | bash {SCRIPTS}/ask.sh {server.address} 26 '{{}}' -"
        subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert server.asked == [(26, {}, "käse=1".encode())]


def test_error_response_and_missing_response_have_different_exit_codes() -> None:
    server = Server({26: lambda _, __: ({"code": 16, "remark": "no"}, b"")})
    with serving(server):
        assert run("ask.sh", server.address, "26").returncode == 1
    assert run("ask.sh", "127.0.0.1:1", "26").returncode == 2


def test_answer_in_another_protocol_counts_as_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert run("ask.sh", f"127.0.0.1:{listener.getsockname()[1]}", "26").returncode == 2


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (Group(), ""),
        (Group(master=False), ""),
        (Group(in_sync={2: "10.0.0.2:10911", 3: "10.0.0.3:10911"}), "10.0.0.1:10911 is not in sync"),
        (Group(master=False, in_sync={1: "10.0.0.11:10911"}), "is not in sync"),
        (Group(in_sync={1: "10.0.0.1:10911"}), "master with 1 in sync, a write needs 2"),
        (Group(master=False, in_sync={1: "10.0.0.1:10911"}), ""),
    ],
)
def test_broker_is_ready_when_in_sync_and_able_to_write_as_master(group: Group, message: str) -> None:
    result = ask_group("broker-ready.sh", group)
    assert (result.returncode == 0) == (not message)
    assert message in result.stdout


def test_broker_without_controllers_is_not_ready() -> None:
    with serving(Group().broker()) as broker:
        result = run("broker-ready.sh", **environment(broker.address, "127.0.0.1:1"))
    assert (result.returncode, "no controller knows a leader" in result.stdout) == (1, True)


def test_drain_moves_the_master_role_after_slaves_have_all_messages() -> None:
    group = Group(lagging_polls=4)
    result = ask_group("broker-drain.sh", group, DRAIN_REJOIN_SECONDS="5")
    assert result.returncode == 0, result.stderr
    (election,) = group.elected
    assert {key: election[key] for key in ("clusterName", "brokerName", "brokerId", "designateElect")} == {
        "clusterName": "rocketmq",
        "brokerName": "broker-a",
        "brokerId": "2",
        "designateElect": "true",
    }
    assert (election["permission"], election["lag"]) == ("brokerPermission=4", "0")
    assert group.permissions == ["brokerPermission=4", "brokerPermission=6"]
    assert "master role moved to 2" in result.stdout


def test_drain_starts_no_election_while_a_slave_lacks_messages() -> None:
    group = Group(lagging_polls=10_000)
    result = ask_group("broker-drain.sh", group, DRAIN_REPLICATE_SECONDS="1")
    assert (result.returncode, group.elected) == (0, [])
    assert "did not catch up" in result.stdout
    assert group.permissions == ["brokerPermission=4", "brokerPermission=6"], "writes continue until the broker stops"


def test_drain_elects_a_connected_member_with_all_messages() -> None:
    behind = Group(in_sync={1: "10.0.0.1:10911", 3: "10.0.0.3:10911"}, behind={2: "10.0.0.2:10911"})
    behind.connected = {"10.0.0.2": 9, "10.0.0.3": 0}
    not_connected = Group(connected={"10.0.0.3": 0})
    for group in (behind, not_connected):
        ask_group("broker-drain.sh", group)
        assert [election["brokerId"] for election in group.elected] == ["3"]


def test_drain_repeats_a_refused_election_with_the_next_member() -> None:
    group = Group(refused=1)
    result = ask_group("broker-drain.sh", group)
    assert [election["brokerId"] for election in group.elected] == ["2", "3"]
    assert "master role moved to 3" in result.stdout


def test_drain_permits_writes_again_when_no_member_is_elected() -> None:
    group = Group(refused=1000)
    result = ask_group("broker-drain.sh", group, DRAIN_ELECT_SECONDS="1")
    assert "no other member was elected in 1 s" in result.stdout
    assert group.permissions == ["brokerPermission=4", "brokerPermission=6"]


@pytest.mark.parametrize("refused", [0, 1000])
def test_drain_refuses_writes_in_the_agent_until_it_has_moved_the_role(tmp_path: Path, refused: int) -> None:
    fence = tmp_path / "fence"
    seconds_left = []
    group = Group(refused=refused, on_election=lambda: seconds_left.append(fence.stat().st_mtime - time.time()))
    ask_group("broker-drain.sh", group, DRAIN_FENCE=str(fence), DRAIN_ELECT_SECONDS="1")
    # It opens by itself after the longest time that these steps take: 5 s, 1 s for the election, 1 s for the role.
    assert 5 < seconds_left[0] < 13
    if refused:
        assert not fence.exists(), "writes continue"
    else:
        assert fence.stat().st_mtime > time.time() + 5, "it must not be elected again"
    assert group.permissions == [], "the routes stay as they are"


def test_with_the_agent_writes_are_taken_between_two_refused_elections(tmp_path: Path) -> None:
    fence = tmp_path / "fence"
    refused, taken = [], []
    group = Group(refused=4, on_election=lambda: refused.append(fence.exists()))
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        leader = controller.answers[GET_LEADER]

        def name_leader(fields: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
            taken.append(not fence.exists())
            return leader(fields, body)

        controller.answers[GET_LEADER] = name_leader
        result = run("broker-drain.sh", **environment(broker.address, controller.address, DRAIN_FENCE=str(fence)))
    assert refused == [True] * 5, "an election starts with all messages"
    assert all(taken[:-1]), "the controllers are asked while writes are taken, until the role has moved"
    assert "master role moved to 2" in result.stdout
    assert fence.exists()


def test_with_the_agent_writes_are_taken_while_no_controller_answers(tmp_path: Path) -> None:
    fence = tmp_path / "fence"
    refused = []
    # The slaves take so long that the drain asks the controllers again.
    group = Group(lagging_polls=25)
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        leader = controller.answers[GET_LEADER]

        def name_leader(fields: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
            refused.append(fence.exists())
            return ({"code": 1}, b"") if True in refused and len(refused) < 8 else leader(fields, body)

        controller.answers[GET_LEADER] = name_leader
        result = run(
            "broker-drain.sh",
            **environment(broker.address, controller.address, DRAIN_FENCE=str(fence), DRAIN_REPLICATE_SECONDS="20"),
        )
    assert "master role moved to 2" in result.stdout
    assert refused[refused.index(True) + 1] is False, "writes are taken after the first question without an answer"


def test_with_the_agent_the_drain_does_not_wait_for_what_consumers_append(tmp_path: Path) -> None:
    group = Group(lagging_polls=4, appended=9)
    result = ask_group("broker-drain.sh", group, DRAIN_FENCE=str(tmp_path / "fence"))
    (election,) = group.elected
    assert election["lag"] == "0", "the slaves have what was there when writes were refused"
    assert "master role moved to 2" in result.stdout


def test_with_the_agent_the_drain_elects_no_slave_that_lacks_messages(tmp_path: Path) -> None:
    fence = str(tmp_path / "fence")
    behind = Group(in_sync={1: "10.0.0.1:10911", 3: "10.0.0.3:10911"}, behind={2: "10.0.0.2:10911"})
    behind.connected = {"10.0.0.2": 9, "10.0.0.3": 0}
    ask_group("broker-drain.sh", behind, DRAIN_FENCE=fence)
    assert [election["brokerId"] for election in behind.elected] == ["3"]
    lagging = Group(lagging_polls=10_000)
    result = ask_group("broker-drain.sh", lagging, DRAIN_FENCE=fence, DRAIN_REPLICATE_SECONDS="1")
    assert lagging.elected == []
    assert "did not catch up" in result.stdout


def test_drain_waits_for_a_member_that_gets_in_sync() -> None:
    group = Group(in_sync={1: "10.0.0.1:10911"}, behind={2: "10.0.0.2:10911"})
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        timer = threading.Timer(1.5, lambda: group.in_sync.update({2: group.behind.pop(2)}))
        timer.start()
        result = run("broker-drain.sh", **environment(broker.address, controller.address, DRAIN_REJOIN_SECONDS="10"))
        timer.join()
    assert [election["brokerId"] for election in group.elected] == ["2"], result.stdout


def test_drain_repeats_its_first_request_to_the_broker() -> None:
    group = Group()
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        answer, late = broker.answers[HA_STATUS], iter([True])

        def answer_late(fields: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
            return ({"code": 1}, b"") if next(late, False) else answer(fields, body)

        broker.answers[HA_STATUS] = answer_late
        run("broker-drain.sh", **environment(broker.address, controller.address))
    assert len(group.elected) == 1


def test_drain_starts_no_election_over_a_master_that_replaced_this_one() -> None:
    group = Group(replaced=True)
    result = ask_group("broker-drain.sh", group)
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])


def test_drain_finds_the_new_leader_of_the_controllers() -> None:
    group = Group(lagging_polls=5)
    with serving(group.broker()) as broker, serving(group.controller()) as old, serving(group.controller()) as new:
        # Each step asks for the leader. The old one stops after the first step, and all still name it for one step.
        leaders = iter([old.address, "127.0.0.1:1"])
        old.answers[GET_LEADER] = lambda _, __: (
            {"extFields": {"controllerLeaderAddress": next(leaders, new.address)}},
            b"",
        )
        del old.answers[ELECT]
        result = run("broker-drain.sh", **environment(broker.address, old.address))
    assert [election["brokerId"] for election in group.elected] == ["2"], result.stdout
    assert ELECT in [code for code, _, _ in new.asked]


def test_drain_waits_for_a_leader_of_the_controllers_and_takes_writes_meanwhile() -> None:
    group = Group()
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        elected = time.monotonic() + 3
        controller.answers[GET_LEADER] = lambda _, __: (
            {"extFields": {"controllerLeaderAddress": controller.address} if time.monotonic() > elected else {}},
            b"",
        )
        limits = {"DRAIN_LEADER_SECONDS": "20", "DRAIN_ELECT_SECONDS": "1"}
        result = run("broker-drain.sh", **environment(broker.address, controller.address, **limits))
    assert [election["brokerId"] for election in group.elected] == ["2"], result.stdout
    assert group.permissions == ["brokerPermission=4", "brokerPermission=6"]


def test_drain_without_a_leader_of_the_controllers_stops_as_master() -> None:
    group = Group()
    with serving(group.broker()) as broker:
        result = run("broker-drain.sh", **environment(broker.address, "127.0.0.1:1", DRAIN_LEADER_SECONDS="1"))
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])
    assert "no controller knew a leader for 1 s, stopping" in result.stdout


def test_drain_of_the_only_member_in_sync_stops_immediately() -> None:
    group = Group(in_sync={1: "10.0.0.1:10911"})
    result = ask_group("broker-drain.sh", group, DRAIN_REJOIN_SECONDS="20")
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])
    assert "no other member is in sync" in result.stdout


def test_drain_of_a_slave_starts_no_election() -> None:
    group = Group(master=False)
    result = ask_group("broker-drain.sh", group)
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])


def test_drain_of_a_slave_tells_the_agent_that_it_must_not_be_elected(tmp_path: Path) -> None:
    fence = tmp_path / "fence"
    ask_group("broker-drain.sh", Group(master=False), DRAIN_FENCE=str(fence))
    assert fence.stat().st_mtime > time.time() + 5


def test_drain_of_a_slave_waits_for_a_member_that_is_catching_up() -> None:
    group = Group(master=False, in_sync={1: "10.0.0.1:10911", 2: "10.0.0.2:10911"}, behind={3: "10.0.0.3:10911"})
    result = ask_group("broker-drain.sh", group)
    assert "the others cannot take writes yet" in result.stdout


@pytest.mark.parametrize("listening", [True, False])
def test_drain_does_not_block_the_stop_without_a_reachable_controller(listening: bool) -> None:
    with serving(Group().broker()) as broker:
        result = run("broker-drain.sh", **environment(broker.address if listening else "127.0.0.1:1", "127.0.0.1:1"))
    assert (result.returncode, "stopping" in result.stdout) == (0, True)


ENTRY = struct.pack(">iiq", 1, 168, 0)
"""Begin of an entry in the log of a controller: magic number, size, index."""


def write_log(store: Path, name: str = "00000000000000000000", content: bytes = ENTRY) -> None:
    folder = store / "dledger-n0" / "data"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content + bytes(64))
    (folder / "00000000000000131072").write_bytes(ENTRY + bytes(64))


def ask_controller(store: Path, leader: str = "n1", *, leads: bool = False, code: int = 0) -> tuple[int, str]:
    fields = {"controllerLeaderId": leader, "isLeader": str(leads).lower()}
    server = Server({GET_LEADER: lambda _, __: ({"extFields": fields}, b"")})
    server.answers[GET_GROUP] = lambda _, __: ({"code": code}, b'{"replicasInfoTable":{}}')
    with serving(server):
        result = run("controller-ready.sh", server.address, str(store))
    return result.returncode, result.stdout


def test_controller_is_ready_when_there_is_a_leader(tmp_path: Path) -> None:
    write_log(tmp_path)
    assert ask_controller(tmp_path) == (0, "")
    assert ask_controller(tmp_path, leads=True) == (0, "")
    status, text = ask_controller(tmp_path, leader="")
    assert (status, "knows no leader" in text) == (1, True)


@pytest.mark.parametrize(
    ("name", "content"), [("00000000000000065536", ENTRY), ("00000000000000000000", bytes(len(ENTRY)))]
)
def test_controller_whose_log_lacks_its_first_events_is_not_ready(tmp_path: Path, name: str, content: bytes) -> None:
    write_log(tmp_path, name, content)
    status, text = ask_controller(tmp_path)
    assert (status, "lacks its first events" in text) == (1, True)


def test_controller_without_a_log_is_not_ready(tmp_path: Path) -> None:
    assert ask_controller(tmp_path)[0] == 1


def test_controller_that_leads_but_serves_no_requests_is_not_ready(tmp_path: Path) -> None:
    write_log(tmp_path)
    status, text = ask_controller(tmp_path, leads=True, code=2007)
    assert (status, "serves no requests" in text) == (1, True)


def test_name_server_is_ready_when_it_answers() -> None:
    server = Server({106: lambda _, __: ({}, b"{}")})
    with serving(server):
        assert run("name-server-ready.sh", server.address).returncode == 0
    assert run("name-server-ready.sh", "127.0.0.1:1").returncode == 1


def test_configuration_is_rendered_with_the_values_of_the_pod(tmp_path: Path) -> None:
    template, result = tmp_path / "broker.conf", tmp_path / "out.conf"
    template.write_text("brokerIP1=${POD_IP}\nbrokerIP2=${POD_IP}\nid=n${ORDINAL}\n")
    done = run("render-config.sh", str(template), str(result), POD_IP="10.0.0.7", POD_NAME="rocketmq-controller-2")
    assert done.returncode == 0, done.stderr
    assert result.read_text() == "brokerIP1=10.0.0.7\nbrokerIP2=10.0.0.7\nid=n2\n"
