"""Steps of docs/how-to/migrate-a-statefulset.md with plain processes: a group takes over the store of a broker.

The first member starts alone with the volume. Two more members replicate it, and then the volume is deleted. The
end-to-end tests cover the part of Kubernetes: a claim that binds the volume of another claim.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox import pins
from sandbox.cache import toolchain
from sandbox.cluster.netns import inside
from sandbox.messages import rocketmq_deployment, topics
from sandbox.polling import wait_until
from sandbox.progress import Report
from tests.unit.rocketmq_case import deploy, group
from tests.versions import old_brokers
from tests.versions.pods import Pods, create_home, start

OLD = 40
NEW = 20
FILE_SIZE = 64 * 1024**2
JDK = "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED"


def manifests(profile: str, replicas: int) -> list[dict[str, Any]]:
    config = {"mappedFileSizeCommitLog": FILE_SIZE}
    return deploy(
        profile=profile,
        broker_groups=group(memory="1536Mi", storage="1Gi", replicas=replicas, config=config),
        name_servers={"replicas": 1, "memory": "320Mi"},
        controllers={"memory": "512Mi"},
        proxies={"replicas": 1, "memory": "768Mi"},
    ).manifests()


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Pods]:
    """Pods of a `strict` group with three members, not yet started."""
    with Pods(tmp_path, create_home(tmp_path, pins.ROCKETMQ), manifests("strict", 3)) as created:
        yield created


@pytest.fixture
def store(pods: Pods, tmp_path: Path) -> Path:
    """Volume of the first member, with the store of a broker that ran without controllers."""
    first = pods.of("broker")[0]
    volume = first.root / "data"
    file = tmp_path / "old.conf"
    file.write_text(
        f"brokerClusterName=incident\nbrokerName=broker-a\nbrokerId=0\nbrokerIP1={first.address}\n"
        f"storePathRootDir={volume}\nmappedFileSizeCommitLog={FILE_SIZE}\ntimerWheelEnable=false\n"
    )
    memory = ("-Xms256m", "-Xmx256m", "-XX:MaxDirectMemorySize=128m", f"-Duser.home={tmp_path}")
    java = ("java", *memory, "-cp", f"{pods.home}/lib/*", "org.apache.rocketmq.broker.BrokerStartup", "-c", str(file))
    environment = {**os.environ, "ROCKETMQ_HOME": str(pods.home), "JDK_JAVA_OPTIONS": JDK}
    with (tmp_path / "old.log").open("wb") as log:
        broker = subprocess.Popen(first.command(list(java)), env=environment, stdout=log, stderr=log)
    address = f"{first.address}:10911"
    try:
        with inside(pods.hub):
            assert wait_until(lambda: old_brokers.answers(address), 120, every=0.5), (tmp_path / "old.log").read_text()
            old_brokers.fill(
                address,
                rocketmq_deployment.TOPIC,
                rocketmq_deployment.GROUP,
                [f"old-{number}" for number in range(OLD)],
            )
    finally:
        broker.send_signal(signal.SIGTERM)
        assert broker.wait(60) == 143
    # Step 3 of the guide.
    (volume / "store").mkdir()
    for each in [each for each in volume.iterdir() if each.name != "store"]:
        each.rename(volume / "store" / each.name)
    return volume


def test_group_takes_over_the_store_of_a_standalone_broker(pods: Pods, store: Path) -> None:
    exchange = partial(pods.exchange, toolchain.ensure(Report(), parts=("python-client",)).client_python)
    (names, *_), (proxy, *_), (first, *others) = (pods.of(role) for role in ("nameserver", "proxy", "broker"))

    def members() -> dict[str, str]:
        with inside(pods.hub):
            (found,) = topics.list_brokers(f"{names.address}:9876").values()
        return found

    strict = (first.container, first.files)
    first.container, first.files = as_single_member()
    first.prepare()
    start(names, *pods.of("controller"))
    start(first)
    start(proxy)
    endpoint = f"{proxy.address}:8081"
    sent = exchange("send", endpoint, rocketmq_deployment.TOPIC, str(NEW), "single")

    start(*others)
    assert len(members()) == 3
    drained = first.execute(first.container["lifecycle"]["preStop"]["exec"]["command"])
    assert "master role moved to" in drained.stdout, drained.stdout + drained.stderr
    first.stop(signal.SIGTERM)
    first.container, first.files = strict
    first.prepare()
    start(first)
    first.stop(signal.SIGKILL)
    shutil.rmtree(store)

    sent += exchange("send", endpoint, rocketmq_deployment.TOPIC, str(NEW), "strict")
    sent += [f"old-{number}" for number in range(OLD)]
    received = exchange(
        "receive", endpoint, rocketmq_deployment.TOPIC, rocketmq_deployment.GROUP, "", str(len(sent)), "90"
    )
    assert sorted(received) == sorted(sent)


def as_single_member() -> tuple[dict[str, Any], dict[str, str]]:
    """Return container and files of the only member of a `dev` group."""
    by_name = {(each["kind"], each["metadata"]["name"]): each for each in manifests("dev", 1)}
    spec = by_name["StatefulSet", "rocketmq-broker-a"]["spec"]["template"]["spec"]
    sources = next(volume["projected"]["sources"] for volume in spec["volumes"] if "projected" in volume)
    maps = [by_name["ConfigMap", source["configMap"]["name"]]["data"] for source in sources]
    return spec["containers"][0], {name: text for each in maps for name, text in each.items()}
