"""Throughput, latency and memory by durability profile: `python -m tests.faults.throughput` (`make bench-rocketmq`).

Each configuration runs on new processes of this machine: three members, three controllers and a name server, or, as the
usual charts deploy it, a master and a slave without controllers. Producers, brokers and file systems share the
processors, so only the ratios of one run mean something.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from rich.table import Table

from sandbox.cluster.netns import is_listening
from sandbox.messages.topics import create_topic
from tests.faults import cluster as clusters
from tests.faults.bare_cluster import PORTS, BareCluster, start_cluster
from tests.faults.checker import NANOSECONDS
from tests.faults.ledger import Attempt
from tests.faults.load import Workload, build_java_load, wait_for_successes
from tests.faults.results import publish_benchmark

FIRST_MESSAGES = 500
FIRST_SECONDS = 180.0
START_SECONDS = 120.0
WORKLOADS = (
    Workload("one-thread", threads=1, rate=0.0),
    Workload("saturated", threads=16, rate=0.0),
)
ROLES = ("broker", "controller", "nameserver")
OUTPUT = Path("build/bench/throughput.json")


@dataclass(frozen=True)
class Configuration:
    """What is measured."""

    name: str
    profile: str = "strict"
    config: Mapping[str, str] = field(default_factory=dict)
    controllers: bool = True


CONFIGURATIONS = (
    Configuration("charts: ASYNC_MASTER and a slave", "dev", controllers=False),
    Configuration("dev", "dev"),
    Configuration("balanced", "balanced"),
    Configuration("strict"),
    Configuration("strict, SYNC_FLUSH", config={"flushDiskType": "SYNC_FLUSH"}),
)


@dataclass(frozen=True)
class Measurement:
    """Figures of one configuration and workload."""

    configuration: str
    workload: str
    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    resident_mebibytes: Mapping[str, int]
    """Largest resident memory of a process, by role."""


def measure(configuration: Configuration, folder: Path, seconds: float) -> list[Measurement]:
    """Return the figures of all workloads on new processes with their files in `folder`."""
    with _start(configuration, folder) as (cluster, master):
        return [_measure(configuration, cluster, master, workload, folder, seconds) for workload in WORKLOADS]


@contextmanager
def _start(configuration: Configuration, folder: Path) -> Generator[tuple[BareCluster, str]]:
    """Start the processes. Yield the cluster and the address of the master."""
    with start_cluster(
        folder,
        agent=configuration.controllers,
        brokers=configuration.controllers,
        profile=configuration.profile,
        broker_config=configuration.config,
        java_options=["-XX:-UsePerfData"],
    ) as cluster:
        if configuration.controllers:
            clusters.wait_until_whole(cluster)
            yield cluster, cluster.address(clusters.find_master(cluster))
            return
        for controller in cluster.controllers:
            cluster.kill(controller)
        yield cluster, _start_without_controllers(cluster)


def _start_without_controllers(cluster: BareCluster) -> str:
    """Start a master and a slave. Return the address of the master."""
    pods = cluster.pods.of("broker")[:2]
    for number, pod in enumerate(pods):
        file = pod.root / "run" / "broker.conf"
        role = "SLAVE" if number else "ASYNC_MASTER"
        changed = {"enableControllerMode": "false", "brokerId": str(number), "brokerRole": role}
        kept = [line for line in file.read_text().splitlines() if line.partition("=")[0].strip() not in changed]
        file.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in changed.items())]) + "\n")
        pod.start()
    for pod in pods:
        listening = partial(is_listening, pod.netns, pod.address, PORTS["broker"])
        clusters.require(listening, START_SECONDS, f"{pod.name} listens")
    return f"{pods[0].address}:{PORTS['broker']}"


def _measure(
    configuration: Configuration, cluster: BareCluster, master: str, workload: Workload, folder: Path, seconds: float
) -> Measurement:
    with cluster.observe():
        create_topic(master, workload.topic, workload.topic_kind)
    load = build_java_load(cluster, folder, [workload])
    load.start()
    try:
        wait_for_successes(load, time.monotonic_ns(), FIRST_MESSAGES, FIRST_SECONDS)
        begin = time.monotonic_ns()
        time.sleep(seconds)
        end = time.monotonic_ns()
        load.stop()
        took = _list_milliseconds(load.attempts(), begin, end)
    finally:
        load.close()
    return Measurement(
        configuration.name,
        workload.client,
        round(len(took) / seconds, 1),
        round(took[len(took) // 2], 2),
        round(took[len(took) * 99 // 100], 2),
        _read_memory(cluster),
    )


def _list_milliseconds(attempts: Iterable[Attempt], begin: int, end: int) -> list[float]:
    """Return the sorted durations of the acknowledged attempts within a time."""
    return sorted(
        (attempt.end - attempt.begin) / NANOSECONDS * 1000
        for attempt in attempts
        if attempt.acknowledged and attempt.end is not None and begin < attempt.begin and attempt.end < end
    )


def _read_memory(cluster: BareCluster) -> dict[str, int]:
    found: dict[str, int] = {}
    for pod in cluster.pods.pods:
        if pod.process is None or pod.process.poll() is not None:
            continue
        status = Path(f"/proc/{pod.process.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+)", status)
        role = pod.container["name"]
        found[role] = max(found.get(role, 0), int(resident[1]) // 1024 if resident else 0)
    return found


def build_table(measurements: Sequence[Measurement]) -> Table:
    """Return one line for each measurement, with the ratio to the first configuration of the same workload."""
    base: dict[str, float] = {}
    table = Table()
    for title in ("configuration", "workload"):
        table.add_column(title)
    for title in ("messages/s", "ratio", "p50 ms", "p99 ms", *(f"{role} MiB" for role in ROLES)):
        table.add_column(title, justify="right")
    for one in measurements:
        base.setdefault(one.workload, one.per_second)
        memory = [str(one.resident_mebibytes.get(role, "")) for role in ROLES]
        ratio = one.per_second / base[one.workload]
        figures = (f"{one.per_second:,.0f}", f"{ratio:.2f}", f"{one.p50_milliseconds}", f"{one.p99_milliseconds}")
        table.add_row(one.configuration, one.workload, *figures, *memory)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.throughput", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time of each workload")
    parser.add_argument("--only", default="", help="configurations whose name contains this text")
    given = parser.parse_args()
    measurements: list[Measurement] = []
    for configuration in CONFIGURATIONS:
        if given.only not in configuration.name:
            continue
        with tempfile.TemporaryDirectory(prefix="rocketmq-bench-", ignore_cleanup_errors=True) as folder:
            measurements += measure(configuration, Path(folder), given.seconds)
        for one in measurements[-len(WORKLOADS) :]:
            print(json.dumps(asdict(one)), flush=True)
    publish_benchmark(OUTPUT, "measurements", measurements, build_table(measurements))


if __name__ == "__main__":
    main()
