"""The probes and the drain: the real scripts against a server that speaks RocketMQ's protocol."""

import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "components/eks_rocketmq/rocketmq/scripts"
HA_STATUS, GET_LEADER, GET_GROUP, ELECT, UPDATE = 907, 1005, 1006, 1002, 25


def frame(header: dict[str, Any], body: bytes = b"") -> bytes:
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack(">II", 4 + len(encoded) + len(body), len(encoded)) + encoded + body


@dataclass
class Server:
    """A broker or a controller: answers by request code, keeps what it was asked."""

    answers: dict[int, Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]]
    asked: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""
    context: ssl.SSLContext | None = None
    """With it, every connection must begin with TLS."""

    def handle(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            length, header_length = struct.unpack(">II", stream.read(8))
            assert header_length >> 24 == 0, "the serializer is JSON"
            header = json.loads(stream.read(header_length))
            body = stream.read(length - 4 - header_length)
        self.asked.append((header["code"], header["extFields"], body))
        fields, answer = self.answers[header["code"]](header["extFields"], body)
        connection.sendall(frame({"code": 0, "flag": 1, "language": "JAVA", "opaque": 1, **fields}, answer))


@contextmanager
def serving(server: Server) -> Generator[Server]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if server.context is None:
                server.handle(self.request)
                return
            with (
                suppress(ssl.SSLError, ConnectionError),
                server.context.wrap_socket(self.request, server_side=True) as secured,
            ):
                server.handle(secured)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.address = f"127.0.0.1:{listener.server_address[1]}"
        yield server
        listener.shutdown()


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, **environment},
    )


@dataclass
class Group:
    """A broker group as the broker under test and its controller see it."""

    master: bool = True
    in_sync: dict[int, str] = field(
        default_factory=lambda: {1: "10.0.0.1:10911", 2: "10.0.0.2:10911", 3: "10.0.0.3:10911"}
    )
    behind: dict[int, str] = field(default_factory=dict)
    lagging_polls: int = 0
    permissions: list[str] = field(default_factory=list)
    elected: list[dict[str, str]] = field(default_factory=list)

    def broker(self) -> Server:
        return Server({HA_STATUS: self._ha_status, UPDATE: self._update})

    def controller(self, leader: str | None = None) -> Server:
        server = Server({GET_GROUP: self._group, ELECT: self._elect})
        known = {"controllerLeaderId": "n0", "isLeader": "true"}
        server.answers[GET_LEADER] = lambda _, __: (
            {"extFields": {**known, "controllerLeaderAddress": leader or server.address}},
            b"",
        )
        return server

    def _ha_status(self, _: dict[str, Any], __: bytes) -> tuple[dict[str, Any], bytes]:
        lag = 7 if self.lagging_polls > 0 else 0
        self.lagging_polls -= 1
        slaves = [{"addr": "10.0.0.2:1", "diff": lag, "inSync": True, "slaveAckOffset": 5}] if self.master else []
        return {}, json.dumps(
            {"haConnectionInfo": slaves, "inSyncSlaveNums": 2, "master": self.master, "masterCommitLogMaxOffset": 12},
            separators=(",", ":"),
        ).encode()

    def _update(self, _: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        self.permissions.append(body.decode())
        return {}, b""

    def _group(self, _: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        assert json.loads(body) == ["broker-a"]

        def entries(members: dict[int, str]) -> list[dict[str, Any]]:
            return [
                {"alive": True, "brokerAddress": a, "brokerId": i, "brokerName": "broker-a"} for i, a in members.items()
            ]

        state = {
            "inSyncReplicas": entries(self.in_sync),
            "masterAddress": "10.0.0.1:10911",
            "masterBrokerId": 1,
            "notInSyncReplicas": entries(self.behind),
        }
        return {}, json.dumps({"replicasInfoTable": {"broker-a": state}}, separators=(",", ":")).encode()

    def _elect(self, fields: dict[str, Any], _: bytes) -> tuple[dict[str, Any], bytes]:
        self.elected.append({**fields, "permission": self.permissions[-1], "lag": str(max(self.lagging_polls, 0))})
        self.master = False
        return {}, b""


def environment(broker: str, controllers: str, **changes: str) -> dict[str, str]:
    return {
        "BROKER": broker,
        "SELF": "10.0.0.1:10911",
        "GROUP": "broker-a",
        "CLUSTER": "rocketmq",
        "CONTROLLERS": controllers,
        "MIN_IN_SYNC": "2",
        "DRAIN_REPLICATE_SECONDS": "5",
        "DRAIN_ELECT_SECONDS": "5",
        "DRAIN_REJOIN_SECONDS": "1",
        "DRAIN_LOG": "/dev/null",
        **changes,
    }


def ask_group(script: str, group: Group, **changes: str) -> subprocess.CompletedProcess[str]:
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        return run(script, **environment(broker.address, f"127.0.0.1:1 {controller.address}", **changes))


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.sh")))
def test_scripts_are_well_formed(script: str) -> None:
    subprocess.run(["bash", "-n", str(SCRIPTS / script)], check=True)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_a_request_is_one_frame_and_its_answer_is_read_whole(size: int) -> None:
    server = Server({26: lambda _, body: ({}, b"x" * size + str(len(body)).encode())})
    with serving(server):
        result = run("ask.sh", server.address, "26", '{"a":"b"}', "käse=1")
    assert result.returncode == 0
    assert result.stdout.split("\n", 1)[1] == "x" * size + "7"
    assert server.asked == [(26, {"a": "b"}, "käse=1".encode())]


def test_a_refusal_is_told_from_silence() -> None:
    server = Server({26: lambda _, __: ({"code": 16, "remark": "no"}, b"")})
    with serving(server):
        assert run("ask.sh", server.address, "26").returncode == 1
    assert run("ask.sh", "127.0.0.1:1", "26").returncode == 2


def test_an_answer_in_another_protocol_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=speak, daemon=True).start()
        assert run("ask.sh", f"127.0.0.1:{listener.getsockname()[1]}", "26").returncode == 2


def test_a_broker_that_hangs_is_not_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel accepts, nobody answers
        result = run("broker-alive.sh", **environment(f"127.0.0.1:{listener.getsockname()[1]}", ""))
    assert (result.returncode, "does not answer" in result.stdout) == (1, True)


def test_a_broker_that_answers_is_alive() -> None:
    assert ask_group("broker-alive.sh", Group()).returncode == 0


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (Group(), ""),
        (Group(master=False), ""),
        (Group(in_sync={2: "10.0.0.2:10911", 3: "10.0.0.3:10911"}), "10.0.0.1:10911 is not in sync"),
        (Group(master=False, in_sync={1: "10.0.0.11:10911"}), "is not in sync"),
        (Group(in_sync={1: "10.0.0.1:10911"}), "master with 1 in sync, a write needs 2"),
        (Group(master=False, in_sync={1: "10.0.0.1:10911"}), ""),
    ],
)
def test_readiness_is_membership_and_for_a_master_the_power_to_write(group: Group, said: str) -> None:
    result = ask_group("broker-ready.sh", group)
    assert (result.returncode == 0) == (not said)
    assert said in result.stdout


def test_a_broker_without_controllers_is_not_ready() -> None:
    with serving(Group().broker()) as broker:
        result = run("broker-ready.sh", **environment(broker.address, "127.0.0.1:1"))
    assert (result.returncode, "no controller knows a leader" in result.stdout) == (1, True)


def test_a_master_hands_over_after_its_slaves_have_everything() -> None:
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


def test_no_election_while_a_slave_lacks_messages() -> None:
    group = Group(lagging_polls=10_000)
    result = ask_group("broker-drain.sh", group, DRAIN_REPLICATE_SECONDS="1")
    assert (result.returncode, group.elected) == (0, [])
    assert "did not catch up" in result.stdout


def test_a_master_alone_says_so_and_stops_at_once() -> None:
    group = Group(in_sync={1: "10.0.0.1:10911"})
    result = ask_group("broker-drain.sh", group, DRAIN_REJOIN_SECONDS="20")
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])
    assert "no other member is in sync" in result.stdout


def test_a_slave_leaves_without_an_election() -> None:
    group = Group(master=False)
    result = ask_group("broker-drain.sh", group)
    assert (result.returncode, group.elected, group.permissions) == (0, [], [])


def test_a_slave_waits_for_a_member_that_still_catches_up() -> None:
    group = Group(master=False, in_sync={1: "10.0.0.1:10911", 2: "10.0.0.2:10911"}, behind={3: "10.0.0.3:10911"})
    result = ask_group("broker-drain.sh", group)
    assert "the others cannot take writes yet" in result.stdout


@pytest.mark.parametrize("listening", [True, False])
def test_a_drain_never_holds_up_a_stop_that_it_cannot_help(listening: bool) -> None:
    with serving(Group().broker()) as broker:
        result = run("broker-drain.sh", **environment(broker.address if listening else "127.0.0.1:1", "127.0.0.1:1"))
    assert (result.returncode, "stopping" in result.stdout) == (0, True)


def test_controllers_are_ready_once_there_is_a_leader() -> None:
    for leader, status in (("n1", 0), ("", 1)):
        fields = {"extFields": {"controllerLeaderId": leader}}
        server = Server({GET_LEADER: lambda _, __, fields=fields: (fields, b"")})
        with serving(server):
            assert run("controller-ready.sh", server.address).returncode == status


def test_name_servers_are_ready_when_they_answer() -> None:
    server = Server({106: lambda _, __: ({}, b"{}")})
    with serving(server):
        assert run("name-server-ready.sh", server.address).returncode == 0
    assert run("name-server-ready.sh", "127.0.0.1:1").returncode == 1


def test_a_configuration_is_filled_with_what_is_the_pods_own(tmp_path: Path) -> None:
    template, result = tmp_path / "broker.conf", tmp_path / "out.conf"
    template.write_text("brokerIP1=${POD_IP}\nbrokerIP2=${POD_IP}\nid=n${ORDINAL}\n")
    done = run("render-config.sh", str(template), str(result), POD_IP="10.0.0.7", POD_NAME="rocketmq-controller-2")
    assert done.returncode == 0, done.stderr
    assert result.read_text() == "brokerIP1=10.0.0.7\nbrokerIP2=10.0.0.7\nid=n2\n"
