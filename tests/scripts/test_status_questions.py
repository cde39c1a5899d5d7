"""Questions of `eks-rocketmq status`, run in bash against simulated processes, with access control and TLS too."""

import os
import ssl
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509

from eks_rocketmq.status.pod_questions import build_question, parse_answers
from eks_rocketmq.status.status_facts import DeclarationsAnswer, PodAnswers, ReplicaConnection, ReplicaStatus
from tests.scripts.broker_group import GET_LEADER, SCRIPTS, Group, Server, serving
from tests.scripts.test_declare import write_certificate

CONFIG, RUNTIME, ALL_BROKERS = 26, 28, 106
PORTS = {"broker": 10911, "controller": 9878, "nameserver": 9876}


def ask(
    role: str,
    server: Server | None,
    data: Path,
    environment: Mapping[str, str] | None = None,
    *,
    has_claim: bool = True,
    has_tls: bool = False,
    readiness_port: int = 0,
) -> PodAnswers:
    """Run the question of a role with the scripts and the address of this test instead of those of a pod."""
    question = build_question(role, ["broker-a"], has_claim=has_claim, has_tls=has_tls, readiness_port=readiness_port)
    question = question.replace("/etc/rocketmq", str(SCRIPTS)).replace("df -Pk /data", f"df -Pk {data}")
    if server:
        question = question.replace(f"127.0.0.1:{PORTS[role]}", server.address)
        question = question.replace(f"ends {PORTS[role]}", f"ends {server.address.rpartition(':')[2]}")
    result = subprocess.run(
        ["bash", "-c", question],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, **(environment or {})},
    )
    assert result.stderr == ""
    return parse_answers(role, result.stdout)


def build_broker(group: Group) -> Server:
    server = group.broker()
    table = b'{"table":{"brokerVersionDesc":"V5_5_0","commitLogMaxOffset":"12"}}'
    server.answers[RUNTIME] = lambda _, __: ({}, table)
    server.answers[CONFIG] = lambda _, __: ({}, b"brokerRole=SYNC_MASTER\nbrokerPermission=4\nbrokerId=0\n")
    return server


def test_a_master_is_asked_for_everything(tmp_path: Path) -> None:
    with serving(build_broker(Group(connected={"10.0.0.2": 0, "10.0.0.9": 512}))) as server:
        found = ask("broker", server, tmp_path)
    assert found.broker is not None
    assert found.broker.responds
    assert found.broker.master
    assert found.broker.replicas == (
        ReplicaConnection("10.0.0.2", 0, in_sync=True), ReplicaConnection("10.0.0.9", 512, in_sync=False),
    )  # fmt: skip
    assert (found.broker.version, found.broker.max_offset, found.broker.permission) == ("5.5.0", 12, 4)
    assert found.disk is not None
    assert 0 < found.disk.used < found.disk.size


def test_a_process_that_does_not_listen_still_tells_its_disk(tmp_path: Path) -> None:
    found = ask("broker", Server({}, address="127.0.0.1:1"), tmp_path)
    assert found.broker is not None
    assert not found.broker.responds
    assert found.disk is not None


def test_the_leader_of_the_controllers_is_asked_for_the_groups(tmp_path: Path) -> None:
    group = Group(in_sync={1: "10.0.0.1:10911", 2: "10.0.0.2:10911"}, behind={3: "10.0.0.3:10911"})
    with serving(group.controller()) as server:
        found = ask("controller", server, tmp_path)
        address = server.address
    assert found.controller is not None
    assert (found.controller.leader, found.controller.is_leader) == (address, True)
    assert found.groups is not None
    (state,) = found.groups
    assert (state.name, state.master_address) == ("broker-a", "10.0.0.1:10911")
    assert state.replicas == (
        ReplicaStatus(1, "10.0.0.1:10911", alive=True, in_sync=True),
        ReplicaStatus(2, "10.0.0.2:10911", alive=True, in_sync=True),
        ReplicaStatus(3, "10.0.0.3:10911", alive=True, in_sync=False),
    )


def test_another_controller_is_asked_for_the_leader_only(tmp_path: Path) -> None:
    server = Group().controller()
    fields = {"controllerLeaderAddress": "other:9878", "isLeader": "false"}
    server.answers[GET_LEADER] = lambda _, __: ({"extFields": fields}, b"")
    with serving(server):
        found = ask("controller", server, tmp_path)
    assert [code for code, _, _ in server.asked] == [GET_LEADER]
    assert found.groups is None
    assert found.controller is not None
    assert found.controller.leader == "other:9878"


def test_a_name_server_is_asked_for_its_routes(tmp_path: Path) -> None:
    body = b'{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",2:"10.0.0.2:10911"}}}}'
    with serving(Server({ALL_BROKERS: lambda _, __: ({}, body)})) as server:
        found = ask("nameserver", server, tmp_path, has_claim=False)
    assert found.name_server is not None
    assert found.name_server.masters == (("broker-a", "10.0.0.1:10911"),)


@pytest.mark.parametrize("secured", [True, False])
def test_a_question_is_signed_by_the_environment_of_the_pod(tmp_path: Path, secured: bool) -> None:
    for name, text in (("username", "rocketmq-internal-1"), ("password", "secret")):
        (tmp_path / name).write_text(text)
    environment = {"CREDENTIALS": str(tmp_path)} if secured else {}
    with serving(build_broker(Group())) as server:
        ask("broker", server, tmp_path, environment)
    assert len(server.asked) == 3
    for _, fields, _ in server.asked:
        assert (fields.get("AccessKey") == "rocketmq-internal-1") == secured
        assert ("Signature" in fields) == secured


def write_declarations(folder: Path) -> dict[str, str]:
    (folder / "topics.broker-a").write_text("orders NORMAL 8 8 6\npayments FIFO 8 8 6\n")
    (folder / "topics.broker-b").write_text("orders NORMAL 8 8 6\n")
    (folder / "groups").write_text("billing true true false 16\n")
    (folder / "users").write_text("app Normal enable pw\nrocketmq-internal-1 Super enable pw\n")
    (folder / "status").write_text("ok\n")
    return {"DECLARED": str(folder), "STATUS": str(folder / "status")}


def test_declarations_are_counted_without_the_internal_users(tmp_path: Path) -> None:
    environment = write_declarations(tmp_path)
    found = ask("declarations", None, tmp_path, {**environment, "ACCESS": str(tmp_path)}, has_claim=False).declarations
    assert found is not None
    assert found.age < 60
    assert found == DeclarationsAnswer("ok", found.age, topics=2, groups=1, users=1)


def test_a_declaration_that_is_missing_is_named(tmp_path: Path) -> None:
    environment = write_declarations(tmp_path)
    (tmp_path / "status").write_text("missing: topic orders on x;user app on x\n")
    os.utime(tmp_path / "status", (1, 1))
    found = ask("declarations", None, tmp_path, environment, has_claim=False).declarations
    assert found is not None
    assert found.state == "missing: topic orders on x;user app on x"
    assert (found.users, found.age > 1000) == (None, True)


def test_a_process_that_is_not_ready_is_asked_why(tmp_path: Path) -> None:
    class Probe(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path == "/ready" else 404)
            self.end_headers()
            self.wfile.write(b"it lacks topics of the master\n")

    with HTTPServer(("127.0.0.1", 0), Probe) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = ask("proxy", None, tmp_path, has_claim=False, readiness_port=server.server_port)
        server.shutdown()
    assert found.readiness == "it lacks topics of the master"


def test_a_process_with_tls_presents_its_certificate(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    server = build_broker(Group())
    server.context = context
    with serving(server):
        found = ask("broker", server, tmp_path, {"TLS": "on", "TLS_CA": str(tmp_path / "ca.crt")}, has_tls=True)
        without = ask("broker", server, tmp_path, has_tls=False)
    assert found.broker is not None
    assert found.broker.responds
    certificate = x509.load_pem_x509_certificate((tmp_path / "tls.crt").read_bytes())
    assert found.certificate_end == certificate.not_valid_after_utc.timestamp()
    assert without.broker is not None
    assert not without.broker.responds
