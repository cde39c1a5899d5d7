"""TLS of servers, scripts and proxies, and rejected arguments."""

import json
from typing import Any

import pulumi
import pytest

from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq.secured_case import DECLARATIONS, EVERYTHING, PROXIES, environment
from tests.unit.rocketmq_case import SETS, args, config, container, deploy, pod


def test_tls_adds_no_resources_and_topics_add_no_passwords(deployed: Recording) -> None:
    assert deploy(tls=EVERYTHING["tls"]).inventory() == deployed.inventory()
    topics = deploy(topics=EVERYTHING["topics"])
    assert (topics.by_type("Secret"), topics.by_type("RandomPassword")) == ([], [])
    assert not {"ACCESS", "CREDENTIALS", "TLS"} & set(environment(topics, DECLARATIONS))


@pytest.mark.parametrize("name", [*SETS, PROXIES])
def test_every_jvm_uses_tls_as_server_and_client(secured: Recording, name: str) -> None:
    command = container(secured, name)["command"]
    assert {
        "-Dtls.server.mode=enforcing",
        "-Dtls.enable=true",
        "-Dtls.test.mode.enable=false",
        "-Dtls.server.certPath=/etc/rocketmq-tls/tls.crt",
        "-Dtls.server.keyPath=/etc/rocketmq-tls/tls.key",
        "-Dtls.client.authServer=true",
        "-Dtls.client.trustCertPath=/etc/rocketmq-tls/ca.crt",
    } <= set(command[command.index("java") + 1 : command.index("-cp")])
    volumes = {volume["name"]: volume for volume in pod(secured, name)["volumes"]}
    assert volumes["tls"]["secret"]["secretName"] == "rocketmq-tls"
    mount = {"name": "tls", "mountPath": "/etc/rocketmq-tls", "readOnly": True}
    assert mount in container(secured, name)["volumeMounts"]


@pytest.mark.parametrize("name", [*SETS, PROXIES, DECLARATIONS])
def test_scripts_use_tls_in_enforcing_mode(secured: Recording, name: str) -> None:
    found = environment(secured, name)
    assert (found["TLS"], found["TLS_CA"]) == ("on", "/etc/rocketmq-tls/ca.crt")


def test_proxies_use_the_given_certificate_instead_of_a_test_certificate(secured: Recording) -> None:
    proxy = json.loads(config(secured, "rocketmq-proxy-config")["rmq-proxy.json"])
    assert (proxy["tlsTestModeEnable"], proxy["tlsCertPath"], proxy["tlsKeyPath"]) == (
        False,
        "/etc/rocketmq-tls/tls.crt",
        "/etc/rocketmq-tls/tls.key",
    )


def test_tls_is_permissive_and_accepts_any_certificate_by_default() -> None:
    def program() -> None:
        RocketMq("rocketmq", args(tls={"secret_name": pulumi.Output.from_input("made-elsewhere")}))

    recording = run(program)
    command = container(recording)["command"]
    assert "-Dtls.server.mode=permissive" in command
    assert not [flag for flag in command if "authServer" in flag]
    assert "TLS_CA" not in environment(recording, "rocketmq-broker-a-set")
    (volume,) = (each for each in pod(recording)["volumes"] if each["name"] == "tls")
    assert volume["secret"]["secretName"] == "made-elsewhere"


def test_certificates_are_not_verified_while_tls_is_enabled_or_disabled() -> None:
    # Pods that run without TLS present a certificate that RocketMQ has signed itself.
    recording = deploy(tls={"secret_name": "rocketmq-tls", "authority": "ca.crt", "mode": "permissive"})
    assert "-Dtls.enable=true" in container(recording)["command"]
    assert "authServer" not in str(container(recording)["command"])
    assert "TLS_CA" not in environment(recording, "rocketmq-broker-a-set")


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"tls": {"secret_name": "x", "mode": "enforce"}}, "tls.mode", "choice"),
        ({"tls": {"secret_name": "Bad Name"}}, "tls.secret_name", "dns-subdomain"),
        ({"tls": {"secret_name": ""}}, "tls.secret_name", "dns-subdomain"),
        *(
            ({"tls": {"secret_name": "x", "authority": entry}}, "tls.authority", "tls-authority")
            for entry in ("", "../../etc", "a/b", "a b", ".", "..", "..data", "a" * 254, "ca.crt\n")
        ),
        (
            {"proxies": {"config": {"tlsTestModeEnable": True}}},
            "proxies.config['tlsTestModeEnable']",
            "config-key-reserved",
        ),
    ],
)
def test_invalid_tls_arguments_are_rejected(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))
