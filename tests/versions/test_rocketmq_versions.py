"""RocketMQ versions that the sandbox does not run: group formation, messages and master switchover."""

import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions, load_keys
from sandbox import pins
from sandbox.cache import toolchain
from sandbox.cluster.netns import inside
from sandbox.messages import remoting, rocketmq_deployment, topics
from sandbox.progress import Report
from tests.unit.rocketmq_case import deploy, group
from tests.versions.pods import Pod, Pods, create_home, start

BROKER_CONFIG = 26
# Small files, so that three stores fit on a small disk. The test also checks that the broker applies each key.
CONFIG = {
    "mappedFileSizeCommitLog": 64 * 1024**2,
    "mappedFileSizeConsumeQueue": 600000,
    "maxHashSlotNum": 10000,
    "maxIndexNum": 40000,
    "messageDelayLevel": "1s 5s 10s",
}
_IN_ALL = {"ProbeServer", "QuickStop", "Watchdog"}
INSTALLED = {
    "broker": _IN_ALL
    | {
        *("BrokerProbe", "CheckedCommitLog", "ConfirmedHAService", "ConfirmedPositions", "DrainFence"),
        *("EndedDeliveries", "FencedRecalls", "FencedSends", "MasterCopies", "NamedMaster", "OrderedAcks"),
        *("PacedTransactions", "Proposals", "RepeatedRevives", "SmallFiles", "StuckReplication", "TransactionChecks"),
        "VolumeProbe",
    },
    "controller": _IN_ALL
    | {
        *("AnsweringMembers", "ControllerLog", "ControllerProbe", "CurrentHeartbeats", "PeerConnections"),
        "RestartedMasters",
    },
    "proxy": _IN_ALL | {"MasterRoutes", "RequestProbe"},
    "nameserver": _IN_ALL | {"RequestProbe"},
}
"""Classes of the agent by role. Those that have only static methods are not visible."""


@pytest.fixture(scope="session")
def client() -> Path:
    """Python interpreter with the official client."""
    return toolchain.ensure(Report(), parts=("python-client",)).client_python


@pytest.fixture(params=[version for version in list_versions() if version != pins.ROCKETMQ])
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def running(version: str, tmp_path: Path) -> Iterator[Pods]:
    """One name server, three controllers, three brokers and a proxy of the version, ready according to their probes."""
    # A page would have a single topic.
    pages = {"splitMetadataSize": 1} if "splitMetadataSize" in load_keys(version)["broker"] else {}
    recording = deploy(
        version=version,
        broker_groups=group(memory="1536Mi", storage="1Gi", config=CONFIG | pages),
        name_servers={"replicas": 1, "memory": "320Mi"},
        controllers={"memory": "512Mi"},
        proxies={"replicas": 1, "memory": "768Mi"},
    )
    with Pods(tmp_path, create_home(tmp_path, version), recording.manifests()) as pods:
        start(*pods.of("nameserver"), *pods.of("controller"))
        start(*pods.of("broker"))
        start(*pods.of("proxy"))
        yield pods


def test_rendered_group_exchanges_messages_and_moves_the_master_role(running: Pods, client: Path) -> None:
    (name_server, *_), (proxy, *_) = running.of("nameserver"), running.of("proxy")
    registry = f"{name_server.address}:9876"
    for role, installed in INSTALLED.items():
        assert installed - find_installed_classes(running.of(role)[0]) == set(), role
    with inside(running.hub):
        for broker in running.of("broker"):
            assert find_differing_keys(broker) == {}, broker.name
        topics.ensure(registry, rocketmq_deployment.TOPIC, rocketmq_deployment.GROUP, members=3)
        for broker in running.of("broker"):
            page = remoting.invoke(f"{broker.address}:10911", remoting.ALL_TOPICS, {"topicSeq": "0"}).json()
            assert rocketmq_deployment.TOPIC in page["topicConfigTable"], broker.name

    exchange = partial(running.exchange, client)
    endpoint = f"{proxy.address}:8081"
    first = exchange("send", endpoint, rocketmq_deployment.TOPIC, "20", "before")
    old = find_master(running, registry)
    drained = old.execute(old.container["lifecycle"]["preStop"]["exec"]["command"])
    assert "master role moved to" in drained.stdout, drained.stdout + drained.stderr
    old.stop(signal.SIGTERM)
    assert old.process is not None
    assert old.process.returncode == 143
    new = find_master(running, registry)
    assert new.name != old.name

    second = exchange("send", endpoint, rocketmq_deployment.TOPIC, "20", "after")
    received = exchange("receive", endpoint, rocketmq_deployment.TOPIC, rocketmq_deployment.GROUP, "", "40", "60")
    assert sorted(received) == sorted([*first, *second])
    assert len(received) == 40


def find_installed_classes(pod: Pod) -> set[str]:
    """Return the classes of the agent that have objects in the JVM of a pod, without inner classes."""
    assert pod.process is not None
    argv = ["jcmd", str(pod.process.pid), "GC.class_histogram", "-all"]
    histogram = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r" eks_rocketmq\.(\w+)", histogram))


def find_differing_keys(broker: Pod) -> dict[str, Any]:
    """Return the keys of the broker's file whose values differ in the running broker."""
    answer = remoting.invoke(f"{broker.address}:10911", BROKER_CONFIG).body.decode()
    live = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    configured = dict(line.split("=", 1) for line in (broker.root / "run" / "broker.conf").read_text().splitlines())
    # The controllers assign the broker ID.
    return {
        key: (value, live.get(key)) for key, value in configured.items() if live.get(key) != value and key != "brokerId"
    }


def find_master(running: Pods, registry: str) -> Pod:
    """Return the member that is registered as master at the name server."""
    with inside(running.hub):
        (members,) = topics.list_brokers(registry).values()
    (found,) = [pod for pod in running.of("broker") if members[topics.MASTER] == f"{pod.address}:10911"]
    return found
