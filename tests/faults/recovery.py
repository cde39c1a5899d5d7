"""Start of a broker after a kill, by the size of its commit log: `python -m tests.faults.recovery`.

A broker that was killed reads its last files again and checks every message in them. Three members and three
controllers run as processes of this machine, with files of RocketMQ's default sizes.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from sandbox.messages.topics import create_topic
from tests.faults import cluster as clusters
from tests.faults import group_status
from tests.faults.bare_cluster import BareCluster, start_cluster
from tests.faults.load import Workload, build_java_load
from tests.faults.results import publish_benchmark

GIB = 1024**3
DEFAULT_FILES = {
    "mappedFileSizeCommitLog": GIB,
    "mappedFileSizeConsumeQueue": 6_000_000,
    "maxHashSlotNum": 5_000_000,
    "maxIndexNum": 20_000_000,
}
BODY_BYTES = 4096
FILL_SECONDS = 1200.0
START_SECONDS = 300.0
OUTPUT = Path("build/bench/recovery.json")


@dataclass(frozen=True)
class Recovery:
    """Start of one member after SIGKILL."""

    gibibytes: int
    role: str
    """Role of the member when it was killed."""
    answers_seconds: float
    in_sync_seconds: float


def measure(folder: Path, sizes: Sequence[int]) -> list[Recovery]:
    """Return the starts of a slave and of the former master for each size, in GiB, in rising order."""
    found: list[Recovery] = []
    java_options = ["-XX:-UsePerfData"]
    with start_cluster(folder, broker_config=DEFAULT_FILES, storage="20Gi", java_options=java_options) as cluster:
        clusters.wait_until_whole(cluster)
        for size in sizes:
            _fill(cluster, folder, size)
            master = clusters.find_master(cluster)
            members = ((clusters.list_slaves(cluster, master)[0], "slave"), (master, "master"))
            found += [_restart(cluster, name, size, role) for name, role in members]
            print(*(json.dumps(asdict(each)) for each in found[-2:]), sep="\n", flush=True)
    return found


def _fill(cluster: BareCluster, folder: Path, size: int) -> None:
    """Send messages until the commit log has a size in GiB."""
    workload = Workload(f"fill-{size}", threads=16, rate=0.0, body_bytes=BODY_BYTES)
    master = cluster.address(clusters.find_master(cluster))
    with cluster.observe():
        create_topic(master, workload.topic, workload.topic_kind)
    load = build_java_load(cluster, folder, [workload])

    def is_full() -> bool:
        with cluster.observe():
            return group_status.get_commit_log_bytes(master) >= size * GIB

    load.start()
    try:
        clusters.require(is_full, FILL_SECONDS, f"the commit log has {size} GiB", every=1.0)
        load.stop()
    finally:
        load.close()
    clusters.wait_until_whole(cluster)


def _restart(cluster: BareCluster, name: str, size: int, role: str) -> Recovery:
    """Kill a member, and start it when the group has a master without it."""
    cluster.kill(name)
    clusters.require(lambda: clusters.is_replaced(cluster, name), START_SECONDS, f"another member replaces {name}")
    began = time.monotonic()
    cluster.start(name)
    clusters.require(lambda: clusters.answers(cluster, name), START_SECONDS, f"{name} answers", every=0.1)
    answered = time.monotonic()
    clusters.wait_until_whole(cluster)
    return Recovery(size, role, round(answered - began, 1), round(time.monotonic() - began, 1))


def build_table(found: Sequence[Recovery]) -> Table:
    """Return one line for each start."""
    table = Table("commit log, GiB", "killed as", "answers after, s", "in sync after, s")
    for one in found:
        table.add_row(str(one.gibibytes), one.role, str(one.answers_seconds), str(one.in_sync_seconds))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.recovery", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 5], help="sizes of the commit log in GiB, rising")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rocketmq-recovery-", ignore_cleanup_errors=True) as folder:
        found = measure(Path(folder), given.sizes)
    publish_benchmark(OUTPUT, "recoveries", found, build_table(found))


if __name__ == "__main__":
    main()
