"""Clients of an audit: the load generator and the reader, as processes in the network of the clients."""

import json
import os
import subprocess
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sandbox.cache import java
from sandbox.polling import wait_until
from sandbox.progress import Report
from tests.faults.cluster import Cluster
from tests.faults.ledger import Attempt, StoredMessage, read_ledger, read_messages

STOP_SECONDS = 60.0
READ_SECONDS = 120.0
TIMEOUT_MILLIS = 10_000
"""Time limit of an attempt. It is above the time for which a broker waits for its slaves (5 s)."""
TOPIC_KINDS = {"normal": "NORMAL", "fifo": "FIFO", "delayed": "DELAY", "transaction": "TRANSACTION"}


@dataclass(frozen=True)
class Workload:
    """Producer with its threads. `rate` is in messages per second of all threads, 0 for as many as possible."""

    client: str
    kind: str = "normal"
    threads: int = 4
    rate: float = 200.0
    keys: int = 0
    body_bytes: int = 1024
    delay_seconds: float = 0.0
    delay_level: int = 0
    """RocketMQ's level with this delay. Each level has a queue. 0 means a message of the timer."""
    pause_seconds: float = 0.05
    run: str = ""
    """Part of the topic's name that differs between audits of one deployment."""

    @property
    def topic(self) -> str:
        return "-".join(["audit", self.client, *([self.run] if self.run else [])])

    @property
    def topic_kind(self) -> str:
        return TOPIC_KINDS[self.kind]

    def plan(self) -> dict[str, Any]:
        """Return the workload as the load generator reads it."""
        same = ("client", "kind", "threads", "rate", "keys")
        return {
            **{name: value for name, value in asdict(self).items() if name in same},
            "topic": self.topic,
            "bodyBytes": self.body_bytes,
            "delayMillis": int(self.delay_seconds * 1000),
            "delayLevel": self.delay_level,
            "pauseMillis": int(self.pause_seconds * 1000),
        }


STEADY = (
    Workload("java-normal", threads=8),
    Workload("java-fifo", kind="fifo", threads=4, keys=4, rate=100.0),
    Workload("java-delayed", kind="delayed", threads=2, rate=20.0, delay_seconds=5.0),
    Workload("java-level", kind="delayed", threads=2, rate=20.0, delay_seconds=5.0, delay_level=2),
    Workload("java-transaction", kind="transaction", threads=2, rate=20.0),
)
"""One client of each kind at a steady rate."""

SATURATED = (Workload("java-normal", threads=8, rate=0.0),)
"""As many messages as eight threads send."""

WORKLOADS: dict[str, Sequence[Workload]] = {"steady": STEADY, "saturated": SATURATED, "normal": STEADY[:1]}


def name_run(*workloads: Sequence[Workload]) -> list[list[Workload]]:
    """Return workloads with topics of their own, for one of several audits of a deployment."""
    run = uuid.uuid4().hex[:6]
    return [[replace(each, run=run) for each in some] for some in workloads]


class Load(Protocol):
    """A client that sends and keeps a ledger. The Java client is one, a client of the proxies can be another."""

    @property
    def workloads(self) -> Sequence[Workload]: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """End every attempt. Transaction checks are still answered."""

    def close(self) -> None: ...

    def attempts(self) -> list[Attempt]: ...

    def list_unreceived(self) -> list[str]:
        """Return the acknowledged messages that its consumers have not received yet."""

    def list_received_out_of_order(self) -> list[str]:
        """Return the acknowledged messages that its consumers received after a later one of the same sharding key."""


@dataclass(kw_only=True)
class ClientProcess(ABC):
    """A client that runs as a process in the network of the clients. See `Load`."""

    folder: Path
    workloads: Sequence[Workload]
    in_client_network: Callable[[list[str]], list[str]]
    process: subprocess.Popen[str] | None = field(default=None, init=False)
    prefix: ClassVar[str] = ""
    """Of the names of its files."""

    @abstractmethod
    def build_command(self, plan: Path) -> list[str]:
        """Return the command that sends as a plan says."""

    @abstractmethod
    def list_settings(self) -> Mapping[str, Any]:
        """Return what the plan has beside ledger and workloads."""

    @property
    def ledger(self) -> Path:
        return self._file("ledger.jsonl")

    def start(self) -> None:
        plan = self._file("load.json")
        workloads = [each.plan() for each in self.workloads]
        plan.write_text(json.dumps({**self.list_settings(), "ledger": str(self.ledger), "workloads": workloads}))
        self.ledger.unlink(missing_ok=True)
        with self._file("load.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.in_client_network(self.build_command(plan)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "HOME": str(self.folder)},  # the Python client writes to ~/logs
            )

    def stop(self) -> None:
        process = self.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.poll() is None, f"the client ended with {process.returncode}\n{self._log()}"
        process.stdin.write("stop\n")
        process.stdin.flush()
        line = process.stdout.readline().strip()
        assert line == "stopped", f"client: {line!r}\n{self._log()}"

    def close(self) -> None:
        process = self.process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def attempts(self) -> list[Attempt]:
        return read_ledger(self.ledger) if self.ledger.exists() else []

    def list_unreceived(self) -> list[str]:
        return []

    def list_received_out_of_order(self) -> list[str]:
        return []

    def _log(self) -> str:
        return self._file("load.log").read_text(errors="replace")[-4000:]

    def _file(self, name: str) -> Path:
        return self.folder / f"{self.prefix}{name}"


@dataclass(kw_only=True)
class JavaLoad(ClientProcess):
    """Load through RocketMQ's remoting protocol."""

    class_path: str
    name_servers: Sequence[str]

    def build_command(self, plan: Path) -> list[str]:
        return self._java("load", plan)

    def list_settings(self) -> Mapping[str, Any]:
        return {"nameServers": ";".join(self.name_servers), "timeoutMillis": TIMEOUT_MILLIS}

    def read_topics(self, broker: str, topics: Sequence[str]) -> list[StoredMessage]:
        """Return every message of the topics that the broker `host:port` stores."""
        output, plan = self.folder / "stored.jsonl", self.folder / "read.json"
        plan.write_text(json.dumps({"broker": broker, "topics": list(topics), "output": str(output)}))
        argv = self.in_client_network(self._java("read", plan))
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=READ_SECONDS)
        assert done.returncode == 0, f"reading {broker} failed\n{done.stdout}{done.stderr}"
        return read_messages(output)

    def _java(self, command: str, plan: Path) -> list[str]:
        # RocketMQ's client writes its log below the home folder.
        memory = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        home = (f"-Duser.home={self.folder}", f"-Drocketmq.client.logRoot={self.folder / 'client-logs'}")
        return ["java", *memory, *home, "-cp", self.class_path, java.AUDIT.main_class, command, str(plan)]


def build_java_load(cluster: Cluster, folder: Path, workloads: Sequence[Workload]) -> JavaLoad:
    """Return the load of clients of a cluster. Compiles the load generator if needed."""
    return JavaLoad(
        class_path=java.ensure(java.AUDIT, Report()),
        name_servers=cluster.list_client_name_servers(),
        folder=folder,
        workloads=workloads,
        in_client_network=cluster.in_client_network,
    )


@dataclass
class Loads:
    """Several loads that start and stop together."""

    parts: Sequence[Load]

    @property
    def workloads(self) -> Sequence[Workload]:
        return [each for part in self.parts for each in part.workloads]

    def start(self) -> None:
        for part in self.parts:
            part.start()

    def stop(self) -> None:
        for part in self.parts:
            part.stop()

    def close(self) -> None:
        for part in self.parts:
            part.close()

    def attempts(self) -> list[Attempt]:
        return [attempt for part in self.parts for attempt in part.attempts()]

    def list_unreceived(self) -> list[str]:
        return [id_ for part in self.parts for id_ in part.list_unreceived()]

    def list_received_out_of_order(self) -> list[str]:
        return [id_ for part in self.parts for id_ in part.list_received_out_of_order()]


def wait_for_successes(load: Load, since: int, count: int, seconds: float) -> None:
    """Wait until each client has `count` acknowledged attempts that began after `since`, and each worker one.

    Raises TimeoutError with the clients and workers that have not.
    """

    def find_missing() -> dict[str, int]:
        attempts = load.attempts()
        successes = [one for one in attempts if one.acknowledged and one.begin > since]
        sent = Counter(one.client for one in successes) + Counter(one.worker for one in successes)
        needed = dict.fromkeys((one.worker for one in attempts), 1) | {one.client: count for one in load.workloads}
        return {name: sent[name] for name, least in needed.items() if sent[name] < least}

    if not wait_until(lambda: not find_missing(), seconds, every=1):
        raise TimeoutError(f"after {seconds:.0f} s without {count} acknowledged messages: {find_missing()}")


def wait_until_received(load: Load, seconds: float) -> None:
    """Wait until the consumers have received every acknowledged message.

    Raises TimeoutError with those that they have not.
    """
    if not wait_until(lambda: not load.list_unreceived(), seconds, every=1):
        missing = load.list_unreceived()
        raise TimeoutError(f"after {seconds:.0f} s consumers have not received {len(missing)}: {missing[:20]}")
