"""Programs of `java/`: each brings RocketMQ's class into the state in which it fails, then that of the agent."""

import functools
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eks_rocketmq.rocketmq.config.broker_config import list_versions
from sandbox.cache import entry, recipes
from sandbox.layout import CACHE
from sandbox.progress import Report
from scripts.agent_jar import JAR
from tests.contract.server import free_port

SOURCES = Path(__file__).with_name("java") / "eks_rocketmq"
SUCCESS, SYSTEM_ERROR, FLUSH_SLAVE_TIMEOUT, SERVICE_NOT_AVAILABLE = "0", "1", "12", "14"
IN_CONTROLLER_MODE = {"enableControllerMode": "true", "controllerAddr": "127.0.0.1:1"}


class Run(Protocol):
    """Function that runs a program of `java/` with a broker that has these settings, and returns results by name."""

    def __call__(self, program: str, settings: Mapping[str, str] = {}) -> dict[str, str]: ...


@dataclass
class Programs:
    """Programs of `java/`. Most of their time is waiting, so each one runs with all versions at once."""

    folder: Path
    pool: Executor
    _results: dict[str, dict[str, Future[dict[str, str]]]] = field(default_factory=dict)
    """Results by version, by program and settings."""

    def run(self, version: str, program: str, settings: Mapping[str, str] = {}) -> dict[str, str]:
        """Return the results of a program with a version. The first call starts it with all versions."""
        key = f"{program} {settings}"
        if key not in self._results:
            folder = self.folder / str(len(self._results))
            self._results[key] = {
                each: self.pool.submit(
                    run_program, program, each, compile_programs(each, self.folder), folder / each, settings
                )
                for each in list_versions()
            }
        return self._results[key][version].result()


@functools.cache
def compile_programs(version: str, folder: Path) -> Path:
    """Compile all programs of `java/` with the agent and a version of RocketMQ. Return the folder of the classes."""
    classes = folder / f"classes-{version}"
    argv = ["javac", "-cp", f"{JAR}:{find_jars(version)}/*", "-d", classes, *sorted(SOURCES.glob("*.java"))]
    subprocess.run(argv, check=True)
    return classes


def find_jars(version: str) -> Path:
    """Return the folder with the jars of a version."""
    return entry.ensure(CACHE, recipes.rocketmq_jars(version), Report())


def run_program(
    program: str,
    version: str,
    classes: Path,
    folder: Path,
    settings: Mapping[str, str],
    jvm_options: Sequence[str] = (),
) -> dict[str, str]:
    """Run a compiled program with its files in `folder`, and return its results by name."""
    folder.mkdir(parents=True)
    file = folder / "broker.conf"
    paths = {"storePathRootDir": f"{folder}/store", "storePathCommitLog": f"{folder}/store/commitlog"}
    small = {"mappedFileSizeCommitLog": "1048576", "timerWheelEnable": "false"}
    ports = {key: str(free_port()) for key in ("listenPort", "haListenPort")}
    file.write_text("".join(f"{key}={value}\n" for key, value in {**paths, **small, **ports, **settings}.items()))
    # A program ends before an optimizing compiler is of use. Without TLS, no key is generated.
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dtls.server.mode=disabled"]
    options += [f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}", *jvm_options]
    argv = ["java", *options, "-cp", f"{classes}:{JAR}:{find_jars(version)}/*", f"eks_rocketmq.{program}", file]
    output = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
    return {key: value for key, value, *_ in (line.split(" ", 2) for line in output.splitlines() if " " in line)}
