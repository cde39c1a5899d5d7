"""Signed requests and reconciliation of declarations: the real scripts against simulated brokers."""

import base64
import hashlib
import hmac
import json
import os
import re
import ssl
import string
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.cluster import pki
from tests.scripts.broker_group import SCRIPTS, Group, Server, environment, run, serving

INTERNAL_USER = ("rocketmq-internal-1", "InternalPassword1")
Answer = tuple[dict[str, Any], bytes]
SYSTEM_ERROR = 1


def signature(fields: dict[str, str], body: bytes, password: str) -> str:
    """Return the signature as RocketMQ calculates it: the values sorted by field name, then the body."""
    message = "".join(fields[name] for name in sorted(fields) if name != "Signature").encode() + body
    return base64.b64encode(hmac.new(password.encode(), message, hashlib.sha1).digest()).decode()


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "username").write_text(INTERNAL_USER[0])
    (folder / "password").write_text(INTERNAL_USER[1])
    return folder


@given(password=st.text(string.ascii_letters + string.digits + "%!$&*~`", min_size=1, max_size=90))
@settings(max_examples=4, deadline=None)
def test_signature_equals_the_signature_of_rocketmq(password: str) -> None:
    script = f'. {SCRIPTS}/sign.sh; hmac "$PASSWORD" "$MESSAGE"; base64_of_20 "$digest"; printf %s "$encoded"'
    message = "käse%s\\x41"
    found = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PASSWORD": password, "MESSAGE": message},
    )
    expected = hmac.new(password.encode(), message.encode(), hashlib.sha1).digest()
    assert found.stdout == base64.b64encode(expected).decode()


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("{}", ""),
        ('{"topic":"a","attributes":"+message.type=NORMAL","perm":"6"}', ""),
        ('{"username":"b"}', '{"x":"y"}'),
    ],
)
def test_request_is_signed_over_fields_and_body(fields: str, body: str, credentials: Path) -> None:
    server = Server({17: lambda _, __: ({}, b"")})
    with serving(server):
        assert run("ask.sh", server.address, "17", fields, body, CREDENTIALS=str(credentials)).returncode == 0
    ((_, sent, sent_body),) = server.asked
    assert {**json.loads(fields), "AccessKey": INTERNAL_USER[0], "Signature": sent["Signature"]} == sent
    assert sent["Signature"] == signature(sent, sent_body, INTERNAL_USER[1])


def test_probes_and_drain_sign_requests_to_the_broker(credentials: Path) -> None:
    group = Group()
    with serving(group.broker()) as broker, serving(group.controller()) as controller:
        for arguments in (["alive.sh", "started", broker.address, "907"], ["broker-ready.sh"], ["broker-drain.sh"]):
            done = run(*arguments, **environment(broker.address, controller.address, CREDENTIALS=str(credentials)))
            assert done.returncode == 0, done.stdout
    assert {code for code, _, _ in broker.asked} == {907, 25}
    for _, fields, body in broker.asked:
        assert fields["Signature"] == signature(fields, body, INTERNAL_USER[1])


def test_password_is_rendered_into_a_file_that_only_its_owner_can_read(tmp_path: Path, credentials: Path) -> None:
    template, result = tmp_path / "template", tmp_path / "broker.conf"
    template.write_text('ip=${POD_IP}\ninner={"accessKey":"${INTERNAL_USERNAME}","secretKey":"${INTERNAL_PASSWORD}"}\n')
    (credentials / "password").write_text(r"a&b\1/c")
    done = run(
        "render-config.sh", str(template), str(result), POD_IP="10.0.0.7", POD_NAME="b-0", CREDENTIALS=str(credentials)
    )
    assert done.returncode == 0, done.stderr
    assert result.read_text() == 'ip=10.0.0.7\ninner={"accessKey":"rocketmq-internal-1","secretKey":"a&b\\1/c"}\n'
    assert result.stat().st_mode & 0o777 == 0o600


@dataclass
class Member:
    """Broker that stores topics, groups, users and permissions as RocketMQ does, and answers in its JSON."""

    master: bool = False
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    permissions: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    error_remark: str = ""
    written: list[int] = field(default_factory=list)

    def server(self) -> Server:
        writing = {17: self._topic, 200: self._group, 3001: self._user, 3002: self._user, 3003: self._delete_user,
                   3007: self._permission, 3008: self._delete_permission}  # fmt: skip

        def write_handler(code: int) -> Any:
            def answer(fields: dict[str, str], body: bytes) -> Answer:
                self.written.append(code)
                if self.error_remark:
                    return {"code": SYSTEM_ERROR, "remark": self.error_remark}, b""
                writing[code](fields, body)
                return {"remark": "not set any response code"}, b""

            return answer

        return Server(
            {
                907: lambda _, __: ({}, _json({"haConnectionInfo": [], "master": self.master})),
                21: lambda _, __: ({}, _json({"dataVersion": {"counter": 1}, "topicConfigTable": self.topics})),
                201: lambda _, __: ({}, _json({"forbiddenTable": {}, "subscriptionGroupTable": self.groups})),
                3005: lambda _, __: ({}, _json(list(self.users.values()))),
                3010: lambda _, __: ({}, _json(self._all_permissions())),
                **{code: write_handler(code) for code in writing},
            }
        )

    def _topic(self, fields: dict[str, str], _: bytes) -> None:
        name, kind = fields["topic"], fields["attributes"].removeprefix("+message.type=")
        self.topics[name] = {
            "attributes": {"message.type": kind}, "order": False, "perm": int(fields["perm"]),
            "readQueueNums": int(fields["readQueueNums"]), "topicFilterType": "SINGLE_TAG", "topicName": name,
            "topicSysFlag": 0, "writeQueueNums": int(fields["writeQueueNums"]),
        }  # fmt: skip

    def _group(self, _: dict[str, str], body: bytes) -> None:
        group = json.loads(body)
        self.groups[group["groupName"]] = {"attributes": {}, "groupRetryPolicy": {"type": "CUSTOMIZED"}, **group}

    def _user(self, fields: dict[str, str], body: bytes) -> None:
        assert (fields["username"] in self.users) == (self.written[-1] == 3002)
        self.users[fields["username"]] = json.loads(body)

    def _delete_user(self, fields: dict[str, str], _: bytes) -> None:
        del self.users[fields["username"]]
        self.permissions.pop(f"User:{fields['username']}", None)

    def _permission(self, fields: dict[str, str], body: bytes) -> None:
        assert fields["subject"].removeprefix("User:") in self.users
        kept = self.permissions.setdefault(fields["subject"], {})
        kept |= {entry["resource"]: entry for entry in json.loads(body)["policies"][0]["entries"]}

    def _delete_permission(self, fields: dict[str, str], _: bytes) -> None:
        del self.permissions[fields["subject"]][fields["resource"]]

    def _all_permissions(self) -> list[dict[str, Any]]:
        return [
            {"policies": [{"entries": list(entries.values()), "policyType": "Custom"}], "subject": subject}
            for subject, entries in self.permissions.items()
        ]


def _json(value: Any) -> bytes:
    """Encode an answer as RocketMQ does. An empty list is an empty body."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode() if value != [] else b""


@dataclass
class Declared:
    """Declarations in a folder, and the members of the group to which they apply."""

    folder: Path
    members: list[Member]
    environment: dict[str, str]
    output: str = ""

    def once(self) -> tuple[int, str]:
        """Run one round and return its exit status and state."""
        # The working directory of the container has files too.
        with chdir(self.folder):
            done = run("declare.sh", "once", **self.environment)
        assert not done.stderr, done.stderr
        self.output = done.stdout
        return done.returncode, (self.folder / "status").read_text().strip()


@pytest.fixture
def declared(tmp_path: Path, credentials: Path) -> Iterator[Declared]:
    members = [Member(master=True), Member()]
    with ExitStack() as stack:
        addresses = [stack.enter_context(serving(member.server())).address for member in members]
        (tmp_path / "members").write_text("".join(f"a {address}\n" for address in addresses))
        (tmp_path / "topics.a").write_text("orders FIFO 4 2 6\npayments NORMAL 8 8 4\n")
        (tmp_path / "groups").write_text("workers true false true 3\n")
        (tmp_path / "users").write_text(
            f"app Normal disable Password-1\n{INTERNAL_USER[0]} Super enable {INTERNAL_USER[1]}\n"
        )
        (tmp_path / "permissions").write_text(
            "User:app Group:* Sub - Deny\nUser:app Topic:o-* Pub,Sub 10.0.0.0/8,::1 Allow\n"
        )
        yield Declared(
            tmp_path,
            members,
            {
                "DECLARED": str(tmp_path),
                "ACCESS": str(tmp_path),
                "STATUS": str(tmp_path / "status"),
                "PAUSE": "0",
                "RETRY": "0",
                "CREDENTIALS": str(credentials),
                "TERMINATION_LOG": str(tmp_path / "termination"),
            },
        )


def replicate(declared: Declared) -> None:
    """Copy what a slave fetches from its master: topics and groups, but no users."""
    master, slave = declared.members
    slave.topics, slave.groups = dict(master.topics), dict(master.groups)


def test_declarations_reach_every_member_and_later_rounds_write_nothing(declared: Declared) -> None:
    status, state = declared.once()
    assert "Password" not in declared.output + state
    assert (status, state.split(";")[0]) == (1, "missing: topic orders on " + declared_address(declared, 0))
    master, slave = declared.members
    assert (
        master.topics["orders"] | {"attributes": {"message.type": "FIFO"}, "readQueueNums": 4, "writeQueueNums": 2}
        == master.topics["orders"]
    )
    assert master.topics["payments"]["perm"] == 4
    assert (
        master.groups["workers"] | {"consumeBroadcastEnable": False, "consumeMessageOrderly": True, "retryMaxTimes": 3}
        == master.groups["workers"]
    )
    assert (slave.topics, slave.groups) == ({}, {}), "a slave replicates them from its master"
    for member in declared.members:
        assert member.users["app"] == {
            "username": "app",
            "password": "Password-1",
            "userType": "Normal",
            "userStatus": "disable",
        }
        assert member.permissions["User:app"]["Topic:o-*"]["sourceIps"] == ["10.0.0.0/8", "::1"]
        assert member.permissions["User:app"]["Group:*"] == {
            "resource": "Group:*",
            "actions": ["Sub"],
            "sourceIps": [],
            "decision": "Deny",
        }
    assert declared.once()[1].startswith("missing: topic orders on " + declared_address(declared, 1))
    replicate(declared)
    for member in declared.members:
        member.written.clear()
    assert declared.once() == (0, "ok")
    assert [member.written for member in declared.members] == [[], []]


def test_no_process_has_a_password_in_its_arguments(declared: Declared, tmp_path: Path) -> None:
    # Everything that the script starts to send a request goes through `timeout`.
    arguments, wrapper = tmp_path / "arguments", tmp_path / "bin" / "timeout"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" >>{arguments}\nexec /usr/bin/timeout "$@"\n')
    wrapper.chmod(0o755)
    declared.environment["PATH"] = f"{wrapper.parent}:{os.environ['PATH']}"
    declared.once()
    assert declared.members[0].users["app"]["password"] == "Password-1"
    assert "app" in arguments.read_text()
    assert "Password" not in arguments.read_text()


def declared_address(declared: Declared, member: int) -> str:
    return (declared.folder / "members").read_text().splitlines()[member].split()[1]


def set_declared_state(declared: Declared) -> None:
    """Set all members to the declared state, as after successful rounds."""
    for member in declared.members:
        for name, kind, read, write, perm in (("orders", "FIFO", 4, 2, 6), ("payments", "NORMAL", 8, 8, 4)):
            fields = {"topic": name, "attributes": kind, "readQueueNums": read, "writeQueueNums": write, "perm": perm}
            member._topic({key: str(value) for key, value in fields.items()}, b"")
        flags = {"consumeEnable": True, "consumeBroadcastEnable": False, "consumeMessageOrderly": True}
        member.groups["workers"] = {"groupName": "workers", "retryMaxTimes": 3, **flags}
        for name, kind, status, password in (
            ("app", "Normal", "disable", "Password-1"),
            (INTERNAL_USER[0], "Super", "enable", INTERNAL_USER[1]),
        ):
            member.users[name] = {"username": name, "userType": kind, "userStatus": status, "password": password}
        member.permissions["User:app"] = {
            "Group:*": {"resource": "Group:*", "actions": ["Sub"], "decision": "Deny"},
            "Topic:o-*": {
                "resource": "Topic:o-*",
                "actions": ["Sub", "Pub"],
                "sourceIps": ["::1", "10.0.0.0/8"],
                "decision": "Allow",
            },
        }


def test_new_master_without_declarations_receives_them(declared: Declared) -> None:
    set_declared_state(declared)
    old, new = declared.members
    old.master, new.master, new.topics, new.users = False, True, {}, {}
    assert declared.once()[0] == 1
    assert sorted(new.topics) == ["orders", "payments"]
    assert sorted(new.users) == sorted(["app", INTERNAL_USER[0]])
    assert declared.once() == (0, "ok")
    assert old.written == []


def test_changed_declarations_overwrite_existing_values(declared: Declared) -> None:
    set_declared_state(declared)
    (declared.folder / "users").write_text(
        f"app Normal enable Password-2\n{INTERNAL_USER[0]} Super enable {INTERNAL_USER[1]}\n"
    )
    (declared.folder / "topics.a").write_text("orders FIFO 8 8 6\npayments NORMAL 8 8 4\n")
    declared.once()
    assert [member.users["app"]["password"] for member in declared.members] == ["Password-2", "Password-2"]
    assert declared.members[0].topics["orders"]["writeQueueNums"] == 8


def test_a_permission_for_all_resources_is_not_replaced_by_names_of_files(declared: Declared) -> None:
    (declared.folder / "permissions").write_text("User:app * All - Allow\n")
    declared.once()
    for member in declared.members:
        assert member.permissions == {
            "User:app": {"*": {"resource": "*", "actions": ["All"], "sourceIps": [], "decision": "Allow"}}
        }
    assert "permission User:app * on" not in declared.once()[1]


def test_a_topic_is_not_declared_with_fewer_queues_than_clients_write_to(declared: Declared) -> None:
    set_declared_state(declared)
    master = declared.members[0]
    master.topics["orders"] |= {"readQueueNums": 16, "writeQueueNums": 16}
    status, state = declared.once()
    assert (status, master.written) == (1, [])
    assert f"topic orders is refused: {declared_address(declared, 0)} has 16 write queues, and 4 read queues" in state
    # The first step of the guide: clients write to fewer queues, and the others are still read.
    master.topics["orders"] |= {"writeQueueNums": 4}
    declared.once()
    assert (master.topics["orders"]["readQueueNums"], master.topics["orders"]["writeQueueNums"]) == (4, 2)


def test_undeclared_users_and_permissions_are_deleted_and_topics_are_kept(declared: Declared) -> None:
    set_declared_state(declared)
    for member in declared.members:
        member.users["intruder"] = {
            "username": "intruder",
            "password": "x",
            "userType": "Super",
            "userStatus": "enable",
        }
        member.permissions["User:app"]["Topic:all"] = {"resource": "Topic:all", "actions": ["All"], "decision": "Allow"}
    (declared.folder / "topics.a").write_text("")
    (declared.folder / "groups").write_text("")
    assert declared.once()[0] == 1
    assert declared.once() == (0, "ok")
    for member in declared.members:
        assert sorted(member.users) == sorted(["app", INTERNAL_USER[0]])
        assert sorted(member.permissions["User:app"]) == ["Group:*", "Topic:o-*"]
        assert sorted(member.topics) == ["orders", "payments"]


def test_unreachable_member_and_missing_master_are_reported(declared: Declared) -> None:
    set_declared_state(declared)
    declared.members[0].master = False
    with (declared.folder / "members").open("a") as members:
        members.write("a 127.0.0.1:1\n")
    status, state = declared.once()
    assert (status, "127.0.0.1:1 of a does not answer" in state, "a has no master" in state) == (1, True, True)


def test_rejected_declaration_ends_the_script_with_the_remark_of_the_broker(declared: Declared) -> None:
    declared.members[0].error_remark = "MIXED message type is not supported."
    done = run("declare.sh", **declared.environment)
    assert done.returncode == 1
    output = (declared.folder / "termination").read_text()
    assert re.search(r"topic orders is refused by 127\.0\.0\.1:\d+: MIXED message type is not supported\.", output)
    assert "Password-1" not in done.stdout + output


def test_users_are_unchanged_without_access_control(declared: Declared) -> None:
    del declared.environment["ACCESS"]
    declared.once()
    assert (declared.members[0].users, sorted(declared.members[0].topics)) == ({}, ["orders", "payments"])


@pytest.mark.parametrize(
    ("state", "seconds", "arguments", "status", "output"),
    [
        ("ok", "60", [], 0, ""),
        ("missing: topic a on b", "60", [], 1, "missing: topic a on b"),
        ("ok", "-1", [], 1, "no round has ended for more than -1 s"),
        (None, "60", [], 1, "no round has ended yet"),
    ],
)
def test_readiness_reports_state_and_age_of_the_last_round(
    tmp_path: Path, state: str | None, seconds: str, arguments: list[str], status: int, output: str
) -> None:
    file = tmp_path / "status"
    if state is not None:
        file.write_text(f"{state}\n")
    done = run("declared.sh", str(file), seconds, *arguments)
    assert (done.returncode, done.stdout.strip()) == (status, output)


def test_liveness_depends_on_sent_requests_and_not_on_rounds(declared: Declared) -> None:
    status = declared.environment["STATUS"]
    assert "no request was sent yet" in run("declared.sh", status, "60", "alive").stdout
    declared.once()
    old = time.time() - 3600
    os.utime(status, (old, old))
    assert run("declared.sh", status, "60").returncode == 1
    assert run("declared.sh", status, "60", "alive").returncode == 0
    os.utime(f"{status}.alive", (old, old))
    assert "no request was sent for more than 60 s" in run("declared.sh", status, "60", "alive").stdout


def write_certificate(folder: Path) -> None:
    """Write `ca.crt`, and the certificate and key of a server to `tls.crt` and `tls.key`.

    The certificate does not name the address of the server: it has to name only the proxies, for clients.
    """
    pki.ensure(folder, [pki.CertificateSubject("tls", "broker", hosts=("broker",))])


def test_requests_use_tls_when_it_is_enabled(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    server = Server({26: lambda _, __: ({}, b"encrypted")}, context=context)
    with serving(server):
        assert run("ask.sh", server.address, "26", TLS="on").stdout.endswith("\nencrypted")
        assert run("ask.sh", server.address, "26", TLS="on", TLS_CA=str(tmp_path / "ca.crt")).returncode == 0
        assert run("ask.sh", server.address, "26", TLS="on", TLS_CA="/etc/hostname").returncode == 2
        assert run("ask.sh", server.address, "26").returncode == 2
