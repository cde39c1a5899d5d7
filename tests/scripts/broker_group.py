"""Simulated broker group and controller with RocketMQ's protocol, and functions that run scripts against them."""

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

SCRIPTS = Path(__file__).parents[2] / "components/eks_rocketmq/rocketmq/scripts"
HA_STATUS, GET_LEADER, GET_GROUP, ELECT, UPDATE = 907, 1005, 1006, 1002, 25


def frame(header: dict[str, Any], body: bytes = b"") -> bytes:
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack(">II", 4 + len(encoded) + len(body), len(encoded)) + encoded + body


@dataclass
class Server:
    """Broker or controller that answers by request code and records its requests."""

    answers: dict[int, Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]]
    asked: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""
    context: ssl.SSLContext | None = None
    """If set, every connection must use TLS."""

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
        timeout=120,  # long enough for a loaded machine, and it ends a script that hangs
        env={**os.environ, **environment},
    )


@dataclass
class Group:
    """Broker group as seen by the broker under test and its controller."""

    master: bool = True
    in_sync: dict[int, str] = field(
        default_factory=lambda: {1: "10.0.0.1:10911", 2: "10.0.0.2:10911", 3: "10.0.0.3:10911"}
    )
    behind: dict[int, str] = field(default_factory=dict)
    lagging_polls: int = 0
    permissions: list[str] = field(default_factory=list)
    elected: list[dict[str, str]] = field(default_factory=list)
    connected: dict[str, int] = field(default_factory=lambda: {"10.0.0.2": 0, "10.0.0.3": 0})
    """Addresses of the connected slaves, and how many bytes they lack when `lagging_polls` is over."""
    refused: int = 0
    """How many elections the controller refuses."""
    end: int = 12
    """End of the master's log."""
    replaced: bool = False
    """Whether the controllers know another master, but the broker does not know of it."""
    on_election: Callable[[], None] = lambda: None
    appended: int = 0
    """Bytes that the master appends between two answers, which no producer has sent. Slaves are an answer behind."""

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
        self.end += self.appended
        in_sync = {address.partition(":")[0] for address in self.in_sync.values()}
        slaves = [
            {
                "addr": f"{address}:1",
                "diff": lag + lacks + self.appended,
                "inSync": address in in_sync,
                "slaveAckOffset": self.end - lag - lacks - self.appended,
            }
            for address, lacks in self.connected.items()
            if self.master
        ]
        return {}, json.dumps(
            {
                "haConnectionInfo": slaves,
                "inSyncSlaveNums": 2,
                "master": self.master,
                "masterCommitLogMaxOffset": self.end,
            },
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
            "masterAddress": "10.0.0.1:10911" if self.master and not self.replaced else "10.0.0.2:10911",
            "masterBrokerId": 1 if self.master and not self.replaced else 2,
            "notInSyncReplicas": entries(self.behind),
        }
        return {}, json.dumps({"replicasInfoTable": {"broker-a": state}}, separators=(",", ":")).encode()

    def _elect(self, fields: dict[str, Any], _: bytes) -> tuple[dict[str, Any], bytes]:
        self.on_election()
        permission = next(reversed(self.permissions), "")
        self.elected.append({**fields, "permission": permission, "lag": str(max(self.lagging_polls, 0))})
        if len(self.elected) <= self.refused:
            return {"code": 1}, b""
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
        "DRAIN_LEADER_SECONDS": "5",
        "DRAIN_REPLICATE_SECONDS": "5",
        "DRAIN_ELECT_SECONDS": "5",
        "DRAIN_REJOIN_SECONDS": "1",
        "DRAIN_LOG": "/dev/null",
        **changes,
    }


def ask_group(script: str, group: Group, **changes: str) -> subprocess.CompletedProcess[str]:
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        return run(script, **environment(broker.address, f"127.0.0.1:1 {controller.address}", **changes))
