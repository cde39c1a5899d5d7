"""Run one fault and print its row: `python -m tests.faults FAULT`, on processes or with `--on sandbox`."""

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sandbox import layout
from tests.faults.audit import Audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.catalogue import ALL_FAULTS, PROCESS_FAULTS
from tests.faults.disk_faults import DISK_FAULTS
from tests.faults.load import WORKLOADS
from tests.faults.process_audit import audit_on_processes
from tests.faults.sandbox_audit import audit_on_sandbox
from tests.faults.sandbox_cluster import attach

SHOWN = 20
"""Number of lost messages that are printed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("fault", choices=sorted(ALL_FAULTS))
    parser.add_argument(
        "--on",
        choices=("processes", "sandbox"),
        default="processes",
        help="new processes, or the stack in the running sandbox that EKS_ROCKETMQ_SANDBOX names",
    )
    parser.add_argument("--folder", type=Path, default=Path("build/faults"), help="folder for stores, logs and results")
    parser.add_argument("--load", choices=sorted(WORKLOADS), default="steady")
    parser.add_argument("--runs", type=int, default=1, help="runs, one after the other")
    parser.add_argument("--no-agent", action="store_true", help="leave the agent of the library out")
    parser.add_argument("--broker-config", default="{}", help="keys of broker.conf as a JSON object")
    parser.add_argument("--min-in-sync-replicas", type=int, help="in-sync members that a write needs; strict has 2")
    given = parser.parse_args()
    # The cluster is removed also after SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    if given.on == "processes" and given.fault not in PROCESS_FAULTS:
        parser.error(f"{given.fault} needs --on sandbox")
    folders = given.folder.resolve() / given.fault
    shutil.rmtree(folders, ignore_errors=True)
    audits: list[Audit] = []
    with _open(given, folders) as run:
        for number in range(given.runs):
            folder = folders / str(number)
            folder.mkdir(parents=True)
            audits.append(run(folder))
            _print(audits[-1], folder)
    print(summarize([audit.row for audit in audits]))
    return 0 if all(audit.findings.correct for audit in audits) else 1


@contextmanager
def _open(given: argparse.Namespace, folder: Path) -> Generator[Callable[[Path], Audit]]:
    """Return a function that runs the fault once, with its files in a folder."""
    if given.on == "sandbox":
        with attach(layout.current()) as deployed:
            yield lambda files: audit_on_sandbox(deployed, given.fault, files, given.load)
        return
    stores = folder / "stores"
    stores.mkdir(parents=True)
    with start_cluster(
        stores,
        agent=not given.no_agent,
        broker_config=json.loads(given.broker_config),
        min_in_sync_replicas=given.min_in_sync_replicas,
        with_volumes=given.fault in DISK_FAULTS,
    ) as cluster:
        yield lambda files: audit_on_processes(cluster, given.fault, files, given.load)
        print(f"processes that ended by themselves: {', '.join(cluster.restarts) or 'none'}")


def summarize(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the seconds without writes of several runs, by client, and what they lost."""
    lines = []
    for client in sorted({client for row in rows for client in row["gaps"]}):
        gaps = [row["gaps"][client] for row in rows if client in row["gaps"]]
        lines.append(f"{client}: {min(gaps):.1f} to {max(gaps):.1f} s without writes, median {median(gaps):.1f} s")
    lost, acknowledged = (sum(row[key] for row in rows) for key in ("lost", "acknowledged"))
    runs = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    return "\n".join([*lines, f"{runs}: {lost} of {acknowledged:,} acknowledged messages lost"])


def _print(audit: Audit, folder: Path) -> None:
    print(json.dumps(audit.row), flush=True)
    lost = audit.lost()
    for each in lost[:SHOWN]:
        print(f"  lost: {json.dumps(each)}", flush=True)
    if len(lost) > SHOWN:
        print(f"  lost: {len(lost) - SHOWN} more, in {folder / 'audit.json'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
