"""Access control, TLS, declared topics, monitors and external access on real brokers, also after a failover.

The tests use a second RocketMQ in its own namespace, deployed by a program with the component of the library. It starts
without access control and TLS, which are enabled in two updates while it stores messages. The RocketMQ of the stack is
stopped meanwhile.
"""

import base64
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster import pki
from sandbox.command import CommandError
from sandbox.engine.kubernetes.state import prune
from sandbox.layout import NODES, REPOSITORY
from sandbox.messages.rocketmq_deployment import DeliveryError, RocketMqDeployment
from tests.e2e.running_sandbox import Program, Sandbox, eventually

NAMESPACE = "guarded"
PROXY = f"rocketmq-proxy.{NAMESPACE}.svc"
MEMBERS = 3
NODE_PORT = 30081
SENT = {"sent-before": 5, "sent-permissive": 2, "sent-enforcing": 2}
"""Prefixes and numbers of the messages that are sent before and after each update that changes TLS."""
NO_OPTIMIZING_COMPILER = {"java_options": ["-XX:TieredStopAtLevel=1"]}
"""Settings of pods: a JVM starts in less processor time."""
SCHEMAS = json.loads((REPOSITORY / "tests" / "unit" / "data" / "prometheus-operator.json").read_text())["schemas"]

ROCKETMQ: dict[str, Any] = {
    "namespace": NAMESPACE,
    "create_namespace": False,
    "storage_class": "gp2",
    "protect_data": False,
    "broker_groups": [
        {
            "name": "broker-a",
            "replicas": MEMBERS,
            "memory": "1536Mi",
            "cpu": "50m",
            "storage": "1Gi",
            "config": {"mappedFileSizeCommitLog": 67108864},
            "pods": NO_OPTIMIZING_COMPILER,
        }
    ],
    "name_servers": {"replicas": 1, "memory": "320Mi", "cpu": "50m"},
    "controllers": {"replicas": 3, "memory": "512Mi", "cpu": "50m", "storage": "1Gi"},
    "proxies": {"replicas": 1, "memory": "768Mi", "cpu": "50m", "pods": NO_OPTIMIZING_COMPILER},
    "topics": [{"name": "orders", "queues": 4}],
    "consumer_groups": [{"name": "workers", "max_retries": 3}],
    "external": {"type": "NodePort", "node_port": NODE_PORT},
    "monitoring": {"monitor": "pod", "alerts": {}},
}
TLS = {"secret_name": f"{NAMESPACE}-tls", "mode": "permissive", "authority": "ca.crt"}
ACCESS = {
    "users": [
        {
            "name": "orders",
            "permissions": [
                {"resources": ["Topic:orders"], "actions": ["Pub", "Sub"]},
                {"resources": ["Group:workers*"], "actions": ["Sub"]},
            ],
        },
        {"name": "stranger"},
    ]
}


def definition(kind: str) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind of the Prometheus operator."""
    plural, group = f"{kind.lower()}s", "monitoring.coreos.com"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMAS[kind]}}],
        },
    }


@dataclass(frozen=True)
class Guarded:
    """RocketMQ of this file and its clients."""

    program: Program
    passwords: dict[str, str]

    @property
    def sandbox(self) -> Sandbox:
        return self.program.sandbox

    def pulumi(self, *arguments: str) -> str:
        return self.program.pulumi(*arguments)

    def client(self, user: str, password: str, *, trusting: str = "ca.crt") -> RocketMqDeployment:
        """Return a client with this user and password that trusts one authority. It gives up after a few seconds."""
        return RocketMqDeployment(
            self.sandbox.instance,
            self.sandbox.tools,
            namespace=NAMESPACE,
            topic="orders",
            group="workers",
            name=PROXY,
            access={
                "ROCKETMQ_TLS": "1",
                "ROCKETMQ_USER": user,
                "ROCKETMQ_PASSWORD": password,
                "ROCKETMQ_SEND_SECONDS": "30" if user == "orders" else "3",
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self.program.folder / trusting),
            },
        )

    def with_passwords(self) -> "Guarded":
        """Return this with the passwords of the declared users, which are known after `up`."""
        output = self.pulumi("stack", "output", "passwords", "--show-secrets", "--json")
        return replace(self, passwords=json.loads(output))

    @property
    def orders(self) -> RocketMqDeployment:
        return self.client("orders", self.passwords["orders"])

    def ask(self, member: int, code: int, *arguments: str) -> str:
        """Return the answer of a broker to a signed request from the declarations pod."""
        address = f"rocketmq-broker-a-{member}.rocketmq-broker-a-peers.{NAMESPACE}.svc:10911"
        return self.sandbox.kubectl(
            *("-n", NAMESPACE, "exec", "deployment/rocketmq-declarations", "--"),
            *("bash", "/etc/rocketmq/ask.sh", address, str(code), *arguments),
        )

    def says(self, member: int, code: int, word: str) -> bool:
        """Return whether a broker's answer contains the word. A broker that is down gives no answer."""
        try:
            return word in self.ask(member, code)
        except CommandError:
            return False

    def everywhere(self, code: int, name: str) -> list[int]:
        """Return the members whose answer contains the name."""
        return [member for member in range(MEMBERS) if self.says(member, code, f'"{name}"')]

    def declared(self) -> bool:
        """Return whether every member has all declarations, as the readiness of the declarations pod reports."""
        (pod,) = self.sandbox.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-declarations")
        return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])

    def master(self) -> int:
        """Return the ordinal of the master, or -1 without a master."""
        found = [member for member in range(MEMBERS) if self.says(member, 907, '"master":true')]
        return found[0] if found else -1


def send(prefix: str, client: RocketMqDeployment) -> None:
    assert len(client.send(SENT[prefix], prefix)) == SENT[prefix]


@pytest.fixture(scope="module")
def guarded(stopped: Sandbox) -> Iterator[Guarded]:
    sandbox = stopped  # the CSI driver of the stack works, so claims bind
    program = Program(sandbox, "access")
    if not program.settings.exists():  # KEEP_SANDBOX keeps them, and pods that trust this certificate
        # A TLS Secret like that of cert-manager, with a certificate for the name of the proxies.
        pki.ensure(program.folder, [pki.CertificateSubject("tls", "rocketmq", hosts=(PROXY,), days=1)])
        entries = {name: (program.folder / name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}
        program.prepare({"rocketmq": ROCKETMQ, "certificate": entries})
    definitions = {"apiVersion": "v1", "kind": "List", "items": [definition(kind) for kind in SCHEMAS]}
    sandbox.kubectl("apply", "-f", "-", stdin=json.dumps(definitions))
    made = Guarded(program, {})
    if "access" not in json.loads(program.settings.read_text())["rocketmq"]:
        program.up()
        anyone = replace(made.client("", ""), access={"ROCKETMQ_SEND_SECONDS": "30"})
        send("sent-before", anyone)
        program.change(lambda rocketmq: rocketmq.update(access=ACCESS, tls=TLS))
        program.up()
        send("sent-permissive", made.with_passwords().orders)
        enforced = {**TLS, "mode": "enforcing"}
        program.change(lambda rocketmq: rocketmq.update(access={**ACCESS, "internal_generation": 2}, tls=enforced))
        program.up()
        send("sent-enforcing", made.with_passwords().orders)
    yield made.with_passwords()
    program.remove()
    sandbox.kubectl("delete", "-f", "-", stdin=json.dumps(definitions))


def test_up_waits_until_declarations_are_on_every_member(guarded: Guarded) -> None:
    assert guarded.everywhere(21, "orders") == [0, 1, 2]
    assert guarded.everywhere(201, "workers") == [0, 1, 2]
    for user in ("orders", "rocketmq-internal-2", "rocketmq-internal-3"):
        assert guarded.everywhere(3005, user) == [0, 1, 2]
    assert guarded.everywhere(3010, "User:orders") == [0, 1, 2]


def test_messages_sent_while_access_control_and_tls_are_enabled_are_readable(guarded: Guarded) -> None:
    expected = sorted(f"{prefix}-{index}" for prefix, count in SENT.items() for index in range(count))
    assert guarded.orders.receive("sent", len(expected)) == expected


def test_internal_user_is_rotated(guarded: Guarded) -> None:
    eventually(lambda: guarded.everywhere(3005, "rocketmq-internal-1") == [], 60, "the old user is gone")


def test_user_with_permission_sends_and_receives_over_tls(guarded: Guarded) -> None:
    sent = guarded.orders.send(5, "allowed")
    assert guarded.orders.receive("allowed", 5) == sorted(sent)


@pytest.mark.parametrize(("user", "password"), [("orders", "wrong-password"), ("", ""), ("stranger", None)])
def test_clients_without_permission_are_rejected(guarded: Guarded, user: str, password: str | None) -> None:
    client = guarded.client(user, guarded.passwords[user] if password is None else password)
    client = replace(client, access={**client.access, "ROCKETMQ_SEND_SECONDS": "3"})
    with pytest.raises(DeliveryError):
        client.send(1, "refused")


def test_client_rejects_an_untrusted_certificate_authority(guarded: Guarded) -> None:
    other = guarded.sandbox.instance.pki / "ca.crt"
    client = guarded.client("orders", guarded.passwords["orders"], trusting=str(other))
    with pytest.raises(DeliveryError):
        replace(client, access={**client.access, "ROCKETMQ_SEND_SECONDS": "3"}).send(1, "untrusted")


def test_external_client_connects_through_the_node_port_of_any_node(guarded: Guarded) -> None:
    for node in NODES:
        outside = replace(guarded.orders, through=f"{node.address}:{NODE_PORT}")
        sent = outside.send(2, f"outside-{node.zone}")
        assert outside.receive(f"outside-{node.zone}", 2) == sorted(sent)


def test_prometheus_operator_resources_are_valid_and_select_the_pods(guarded: Guarded) -> None:
    (monitor,) = guarded.sandbox.objects("podmonitors.monitoring.coreos.com", "-n", NAMESPACE)
    (rules,) = guarded.sandbox.objects("prometheusrules.monitoring.coreos.com", "-n", NAMESPACE)
    assert len(rules["spec"]["groups"][0]["rules"]) > 1
    chosen = monitor["spec"]["selector"]
    selector = ",".join(
        [
            *(f"{key}={value}" for key, value in chosen["matchLabels"].items()),
            *(f"{each['key']} in ({','.join(each['values'])})" for each in chosen["matchExpressions"]),
        ]
    )
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    scraped = {
        pod["metadata"]["labels"]["app"]
        for pod in guarded.sandbox.objects("pods", "-n", NAMESPACE, "-l", selector)
        if any(port.get("name") == endpoint["port"] for c in pod["spec"]["containers"] for port in c.get("ports", []))
    }
    assert scraped == {"rocketmq-broker", "rocketmq-controller", "rocketmq-proxy"}
    # The API server silently drops fields that the definitions do not contain, and adds defaults.
    state = json.loads(guarded.pulumi("stack", "export"))["deployment"]["resources"]
    asked = {each["type"].rpartition(":")[2]: each["inputs"]["spec"] for each in state if "coreos" in each["type"]}
    live = {"PodMonitor": monitor["spec"], "PrometheusRule": rules["spec"]}
    assert prune(live, asked) == asked


def test_brokers_reject_unsigned_and_unencrypted_requests(guarded: Guarded) -> None:
    def refused(*unset: str) -> str:
        address = f"rocketmq-broker-a-0.rocketmq-broker-a-peers.{NAMESPACE}.svc:10911"
        words = " ".join(f"-u {name}" for name in unset)
        command = f"env {words} bash /etc/rocketmq/ask.sh {address} 25 '{{}}' brokerPermission=4; echo status $?"
        return guarded.sandbox.kubectl(
            *("-n", NAMESPACE, "exec", "deployment/rocketmq-declarations", "--", "bash", "-c", command)
        )

    unsigned = refused("CREDENTIALS")
    assert "username cannot be null" in unsigned
    assert unsigned.endswith("status 1\n")
    assert refused("TLS") == "status 2\n"


def test_status_shows_declarations_and_certificates(guarded: Guarded) -> None:
    code, report = guarded.sandbox.status(NAMESPACE)

    # The certificate of this file is valid for a day.
    assert {each["id"] for each in report["findings"] if each["severity"] != "note"} == {"certificate-ends"}
    assert (code, report["notJudged"]) == (1, [])
    (group,) = report["groups"]
    assert group["inSync"] == MEMBERS
    assert sorted(each["role"] for each in group["members"]) == ["master", "slave", "slave"]
    assert {each["lagBytes"] is None for each in group["members"]} == {False}
    declared = report["declarations"]
    assert {each: declared[each] for each in ("state", "topics", "consumerGroups", "users")} == {
        "state": "ok", "topics": 1, "consumerGroups": 1, "users": 2,
    }  # fmt: skip
    presenting = {each["role"] for each in report["pods"] if each["certificateEnd"]}
    assert presenting >= {"broker", "nameserver", "proxy"}
    text = json.dumps(report)
    assert [name for name, password in guarded.passwords.items() if password in text] == []


def test_state_logs_and_config_maps_contain_no_passwords(guarded: Guarded) -> None:
    secrets = guarded.sandbox.objects("secrets", "-n", NAMESPACE)
    (users,) = [s["data"]["users"] for s in secrets if "users" in s.get("data", {})]
    passwords = {line.split()[3] for line in base64.b64decode(users).decode().splitlines()}
    assert len(passwords) == 4
    texts = {
        "state": guarded.pulumi("stack", "export"),
        "config maps": guarded.sandbox.kubectl("-n", NAMESPACE, "get", "configmaps", "-o", "json"),
        "pods": guarded.sandbox.kubectl("-n", NAMESPACE, "get", "pods", "-o", "json"),
    }
    for role in ("broker", "proxy", "declarations"):
        texts[role] = guarded.sandbox.kubectl("-n", NAMESPACE, "logs", "-l", f"app=rocketmq-{role}", "--tail=-1")
    assert {where for where, text in texts.items() for password in passwords if password in text} == set()


def test_failover_keeps_messages_and_declarations(guarded: Guarded) -> None:
    def count_silent() -> int:
        """Return how often the controllers have passed over a member."""
        logs = guarded.sandbox.kubectl("-n", NAMESPACE, "logs", "-l", "app=rocketmq-controller", "--tail=-1")
        return logs.count("so another one is elected")

    silent = count_silent()
    before = guarded.orders.send(5, "failover")
    old = guarded.master()
    os.kill(guarded.sandbox.jvm(NAMESPACE, f"rocketmq-broker-a-{old}"), signal.SIGKILL)
    eventually(lambda: guarded.master() not in {-1, old}, 60, "another member is master")
    # The controllers have asked it before, over TLS.
    assert count_silent() == silent
    after = guarded.orders.send(5, "failover-after")
    assert guarded.orders.receive("failover", 10) == sorted([*before, *after])
    eventually(guarded.declared, 90, "everything is on every member again")
    for code, name in ((21, "orders"), (201, "workers"), (3005, "orders"), (3010, "User:orders")):
        assert guarded.everywhere(code, name) == [0, 1, 2]


def test_lost_declarations_are_restored_and_undeclared_users_are_deleted(guarded: Guarded) -> None:
    body = '{"username":"intruder","password":"any-password","userType":"Super","userStatus":"enable"}'
    guarded.ask(0, 3001, '{"username":"intruder"}', body)
    guarded.ask(1, 3003, '{"username":"orders"}')
    # Delete the topic on every member: a member that kept its queues would have different offsets from the others.
    for member in range(MEMBERS):
        guarded.ask(member, 215, '{"topic":"orders"}')
    # Every request succeeded. The intermediate state is not asserted, because it may be undone at any time.

    def whole() -> bool:
        found = [
            guarded.everywhere(code, name) for code, name in ((21, "orders"), (3005, "orders"), (3010, "User:orders"))
        ]
        return found == [[0, 1, 2]] * 3 and guarded.everywhere(3005, "intruder") == []

    eventually(whole, 60, "everything is as declared")


def test_changed_password_is_accepted_without_a_restart(guarded: Guarded) -> None:
    brokers = [
        pod["metadata"]["uid"] for pod in guarded.sandbox.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-broker")
    ]
    guarded.program.change(lambda rocketmq: rocketmq["access"]["users"][0].update(password_version=2))
    guarded.program.up()
    passwords = guarded.with_passwords().passwords
    assert passwords["orders"] != guarded.passwords["orders"]
    client = guarded.client("orders", passwords["orders"])
    # The proxies refresh their users within a minute.
    patient = replace(client, access={**client.access, "ROCKETMQ_SEND_SECONDS": "90"})
    assert patient.send(1, "changed") == ["changed-0"]
    assert brokers == [
        pod["metadata"]["uid"] for pod in guarded.sandbox.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-broker")
    ]


def test_probes_leave_no_zombie_processes(guarded: Guarded) -> None:
    del guarded  # its probes have run for minutes

    def left() -> set[str]:
        """Return the names of zombie processes whose parent is a JVM."""
        status = [path.read_text() for path in Path("/proc").glob("[0-9]*/status") if path.exists()]
        fields = [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line) for text in status]
        jvms = {each["Pid"] for each in fields if each["Name"] == "java"}
        return {each["Name"] for each in fields if each["State"].startswith("Z") and each["PPid"] in jvms}

    assert left() == set()


def test_no_probe_has_killed_a_container(guarded: Guarded) -> None:
    """Slow containers are not killed, and every probe uses TLS."""
    ends = guarded.sandbox.objects("events", "-n", NAMESPACE, "--field-selector=reason=Killing")
    assert [end["message"] for end in ends if "probe" in end["message"]] == []
    assert sum(guarded.sandbox.restarts(NAMESPACE).values()) <= 1, "a test has killed one broker"


def test_drain_output_is_in_the_broker_log(guarded: Guarded) -> None:
    say = ". /etc/rocketmq/broker-lib.sh && echo said by the drain >>$(log_of_the_broker)"
    broker = ("-n", NAMESPACE, "rocketmq-broker-a-1")
    guarded.sandbox.kubectl("exec", *broker, "--", "bash", "-c", say)
    assert "said by the drain" in guarded.sandbox.kubectl("logs", *broker, "--tail=50")


def test_second_up_makes_no_changes(guarded: Guarded) -> None:
    guarded.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


@pytest.mark.long
def test_access_control_and_tls_are_turned_off_in_two_updates(guarded: Guarded) -> None:
    def relax(rocketmq: dict[str, Any]) -> None:
        rocketmq["access"]["mode"] = rocketmq["tls"]["mode"] = "permissive"

    def remove(rocketmq: dict[str, Any]) -> None:
        del rocketmq["access"], rocketmq["tls"]

    for change in (relax, remove):
        guarded.program.change(change)
        guarded.program.up()
    anyone = replace(guarded.client("", ""), access={"ROCKETMQ_SEND_SECONDS": "30"})
    assert anyone.send(2, "off") == ["off-0", "off-1"]
    assert anyone.receive("off", 2) == ["off-0", "off-1"]
