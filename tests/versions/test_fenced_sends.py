"""Send to a broker that becomes a slave after RocketMQ has checked that it is master."""

import subprocess
from pathlib import Path

import pytest

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from sandbox.cache import entry, recipes
from sandbox.layout import CACHE
from sandbox.progress import Report
from scripts.agent_jar import JAR

SOURCES = Path(__file__).with_name("java")
SUCCESS, SERVICE_NOT_AVAILABLE = "0", "14"


@pytest.mark.parametrize("version", list_versions())
def test_a_send_is_acknowledged_only_by_a_broker_that_stays_master(version: str, tmp_path: Path) -> None:
    jars = entry.ensure(CACHE, recipes.rocketmq_jars(version), Report())
    classes = f"{tmp_path}:{JAR}:{jars}/*"
    file = tmp_path / "broker.conf"
    settings = {
        "storePathRootDir": tmp_path / "store",
        "storePathCommitLog": tmp_path / "store" / "commitlog",
        "brokerRole": "SYNC_MASTER",
        "mappedFileSizeCommitLog": 1024**2,
        "timerWheelEnable": False,
    }
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()).replace("False", "false"))
    source = SOURCES / "eks_rocketmq" / "DemotedSend.java"
    subprocess.run(["javac", "-cp", classes, "-d", tmp_path, source], check=True)
    # Without TLS, no key is generated.
    argv = [
        "java",
        "-Dtls.server.mode=disabled",
        f"-Duser.home={tmp_path}",
        f"-Drocketmq.home.dir={tmp_path}",
        "-cp",
        classes,
    ]
    run = subprocess.run(
        [*argv, "eks_rocketmq.DemotedSend", file], check=True, capture_output=True, text=True, timeout=120
    )

    codes = {name: code for name, code, *_ in (line.split(" ", 2) for line in run.stdout.splitlines() if " " in line)}
    # RocketMQ acknowledges a message that the next master does not have.
    assert codes["rocketmq"] == SUCCESS
    assert codes["agent"] == codes["agent-master-again"] == SERVICE_NOT_AVAILABLE
    assert codes["agent-master"] == SUCCESS
