"""Run one fault and print its row: `python -m tests.faults FAULT`, on processes or with `--on sandbox`."""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from sandbox import layout
from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.catalogue import ALL_FAULTS, PROCESS_FAULTS, find_fault
from tests.faults.disk_faults import DISK_FAULTS
from tests.faults.load import WORKLOADS
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
        help="new processes for each run, or the stack in the running sandbox that EKS_ROCKETMQ_SANDBOX names",
    )
    parser.add_argument("--folder", type=Path, default=Path("build/faults"), help="folder for stores, logs and results")
    parser.add_argument("--load", choices=sorted(WORKLOADS), default="steady")
    parser.add_argument("--runs", type=int, default=1, help="runs, each with a new cluster")
    parser.add_argument("--no-agent", action="store_true", help="leave the agent of the library out")
    parser.add_argument("--broker-config", default="{}", help="keys of broker.conf as a JSON object")
    parser.add_argument("--min-in-sync-replicas", type=int, help="in-sync members that a write needs; strict has 2")
    given = parser.parse_args()
    # The cluster is removed also after SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    if given.on == "sandbox":
        return _run_on_sandbox(given)
    if given.fault not in PROCESS_FAULTS:
        parser.error(f"{given.fault} needs --on sandbox")
    correct = True
    for number in range(given.runs):
        folder = given.folder.resolve() / given.fault / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with start_cluster(
            folder,
            agent=not given.no_agent,
            broker_config=json.loads(given.broker_config),
            min_in_sync_replicas=given.min_in_sync_replicas,
            with_volumes=given.fault in DISK_FAULTS,
        ) as cluster:
            fault = find_fault(given.fault, cluster)
            audit = run_audit(cluster, given.fault, fault, folder, workloads=WORKLOADS[given.load])
        _print(audit, folder, restarts=cluster.restarts)
        correct = correct and audit.findings.correct
    return 0 if correct else 1


def _run_on_sandbox(given: argparse.Namespace) -> int:
    correct = True
    with attach(layout.current()) as cluster:
        for number in range(given.runs):
            folder = given.folder.resolve() / given.fault / str(number)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            audit = audit_on_sandbox(cluster, given.fault, folder, given.load)
            _print(audit, folder)
            correct = correct and audit.findings.correct
    return 0 if correct else 1


def _print(audit: Audit, folder: Path, **more: Any) -> None:
    print(json.dumps(audit.row | more), flush=True)
    lost = audit.lost()
    for each in lost[:SHOWN]:
        print(f"  lost: {json.dumps(each)}", flush=True)
    if len(lost) > SHOWN:
        print(f"  lost: {len(lost) - SHOWN} more, in {folder / 'audit.json'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
