"""Probes of the servers: what they ask, and how long a pod may take."""

import re
from pathlib import Path
from typing import Any

import pytest

from eks_rocketmq.rocketmq import agent
from eks_rocketmq.rocketmq.pods.probes import ANSWER_SECONDS, HUNG_GRACE_SECONDS
from tests.unit.harness import Recording
from tests.unit.rocketmq_case import (
    SETS,
    WORKLOADS,
    config,
    container,
    deploy,
    files,
    group,
    keys,
    workload,
)

PROBE_REQUESTS = {
    "nameserver": ["127.0.0.1:9876", "106"],
    "controller": ["127.0.0.1:9878", "1005"],
    "broker": ["127.0.0.1:10911", "907"],
    "proxy": ["127.0.0.1:8080", "907"],
}


LAUNCHER = Path(agent.__file__).parent / "java" / "eks_rocketmq" / "Launcher.java"


def test_startup_probe_of_proxies_allows_for_the_start_of_a_broker(deployed: Recording) -> None:
    main = container(deployed, "rocketmq-proxy-deployment")
    environment = {variable["name"]: variable.get("value") for variable in main["env"]}
    assert environment["NAME_SERVERS"] == keys(deployed)["namesrvAddr"].replace(";", " ")
    assert environment["CLUSTER"] == keys(deployed)["brokerClusterName"]
    script = config(deployed, "rocketmq-proxy-config")["proxy-start.sh"]
    assert script.rstrip().endswith('\nexec "$@"'), "the JVM must receive the signals directly"
    assert startup_seconds(main) >= startup_seconds(container(deployed)) + 600


@pytest.mark.parametrize(
    ("name", "script_command"),
    [
        ("rocketmq-nameserver-set", ["bash", "/etc/rocketmq/name-server-ready.sh", "127.0.0.1:9876"]),
        (
            "rocketmq-controller-set",
            ["bash", "/etc/rocketmq/controller-ready.sh", "127.0.0.1:9878", "/data/controller"],
        ),
        ("rocketmq-broker-a-set", ["bash", "/etc/rocketmq/broker-ready.sh"]),
    ],
)
def test_readiness_probe_without_agent_runs_the_script_of_the_role(
    without_agent: Recording, name: str, script_command: list[str]
) -> None:
    main = container(without_agent, name)
    assert main["readinessProbe"]["exec"]["command"] == script_command
    # A pod that waits for its peers must not be killed.
    assert "ready" not in str(main["livenessProbe"])


@pytest.mark.parametrize("name", SETS)
def test_agent_answers_the_probes_of_every_set(deployed: Recording, name: str) -> None:
    main = container(deployed, name)
    paths = {kind: main[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/started", "liveness": "/alive", "readiness": "/ready"}
    command = main["command"]
    port = main["readinessProbe"]["httpGet"]["port"]
    launcher = command.index("eks_rocketmq.Launcher")
    assert command[launcher + 1 : launcher + 4] == [main["name"], str(port), "/etc/rocketmq/watchdog.sh"]
    assert f'case "{main["name"]}":' in LAUNCHER.read_text()


def test_agent_replaces_the_scripts_of_the_probes(deployed: Recording, without_agent: Recording) -> None:
    assert set(files(without_agent)) - set(files(deployed)) == {"alive.sh", "broker-ready.sh"}
    assert set(files(deployed)) - set(files(without_agent)) == {"agent.jar", "watchdog.sh"}
    assert "agent.jar" not in str(without_agent.manifests())


def test_brokers_without_agent_wait_until_topics_and_offsets_are_copied(
    deployed: Recording, without_agent: Recording
) -> None:
    assert workload(without_agent, "rocketmq-broker-a-set")["minReadySeconds"] >= 13
    assert "minReadySeconds" not in workload(deployed, "rocketmq-broker-a-set")


def test_controllers_without_agent_wait_until_the_log_is_copied(deployed: Recording, without_agent: Recording) -> None:
    assert workload(without_agent, "rocketmq-controller-set")["minReadySeconds"] == 10
    assert "minReadySeconds" not in workload(deployed, "rocketmq-controller-set")


def startup_seconds(main: dict[str, Any]) -> int:
    """Return the seconds that the startup probe allows."""
    probe = main["startupProbe"]
    return probe["periodSeconds"] * probe["failureThreshold"]


def test_hung_broker_is_killed_within_15_seconds(deployed: Recording) -> None:
    probe = container(deployed)["livenessProbe"]
    assert probe["timeoutSeconds"] >= 60, "the kubelet cannot distinguish slow from hung processes"
    watchdog = LAUNCHER.with_name("Watchdog.java").read_text()
    (period,) = re.findall(r"PERIOD_MILLIS = (\d+);", watchdog)
    (failures,) = re.findall(r"FAILURES = (\d);", watchdog)
    # The role does not answer, but the JVM works: it halts itself.
    assert f"ANSWER_MILLIS = {ANSWER_SECONDS * 1000};" in LAUNCHER.with_name("RequestProbe.java").read_text()
    assert int(period) / 1000 * int(failures) + ANSWER_SECONDS * int(failures) <= 15
    # The JVM does not work: the script kills it.
    (silence,) = re.findall(r"SILENCE=\$\{SILENCE:-(\d+)\}", files(deployed)["watchdog.sh"])
    assert 2 * int(silence) + int(period) / 1000 <= 15


def test_hung_broker_without_agent_is_killed_within_15_seconds(without_agent: Recording) -> None:
    probe = container(without_agent)["livenessProbe"]
    assert probe["exec"]["command"] == ["bash", "/etc/rocketmq/alive.sh", "running", "127.0.0.1:10911", "907"]
    script = files(without_agent)["alive.sh"]
    assert f"\nWAIT=${{ANSWER_SECONDS:-{ANSWER_SECONDS}}} " in script
    start_seconds = 1  # for the kubelet and the container runtime to start the script
    answer_seconds = probe["failureThreshold"] * (ANSWER_SECONDS + start_seconds)
    assert probe["periodSeconds"] + answer_seconds + HUNG_GRACE_SECONDS <= 15
    assert probe["terminationGracePeriodSeconds"] == HUNG_GRACE_SECONDS


@pytest.mark.parametrize("name", WORKLOADS)
def test_probes_do_not_restart_pods_on_an_overloaded_node(
    deployed: Recording, without_agent: Recording, name: str
) -> None:
    for recording in (deployed, without_agent):
        main = container(recording, name)
        assert startup_seconds(main) >= 600
        probe = main["livenessProbe"]
        unanswered = probe["periodSeconds"] * probe["failureThreshold"]
        assert unanswered >= 300 if "httpGet" in probe else probe["failureThreshold"] >= 2
        assert main["livenessProbe"]["terminationGracePeriodSeconds"] == HUNG_GRACE_SECONDS, (
            "a hung process ignores SIGTERM"
        )
    script, mode, *request = main["livenessProbe"]["exec"]["command"][1:]
    assert (script, mode) == ("/etc/rocketmq/alive.sh", "running"), "the script distinguishes slow from hung processes"
    assert request == PROBE_REQUESTS[main["name"]]
    # The kubelet counts a probe that times out as failed, also when the process is only slow.
    assert main["livenessProbe"]["timeoutSeconds"] >= 60
    assert {"alive.sh", "ask.sh"} <= set(files(without_agent, name))


def test_startup_probe_allows_for_the_recovery_of_a_large_store(deployed: Recording) -> None:
    assert startup_seconds(container(deployed)) >= 20 * 60
    assert startup_seconds(container(deploy(broker_groups=group(storage="5Gi")))) < startup_seconds(container(deployed))
