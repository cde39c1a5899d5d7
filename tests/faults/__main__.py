"""Run one fault on a cluster of bare processes and print its row: `python -m tests.faults FAULT`."""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

from tests.faults.audit import run_audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.controller_faults import CONTROLLER_FAULTS
from tests.faults.faults import FAULTS
from tests.faults.load import WORKLOADS

ALL_FAULTS = {**FAULTS, **CONTROLLER_FAULTS}
SHOWN = 20
"""Number of lost messages that are printed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("fault", choices=sorted(ALL_FAULTS))
    parser.add_argument("--folder", type=Path, default=Path("build/faults"), help="folder for stores, logs and results")
    parser.add_argument("--load", choices=sorted(WORKLOADS), default="steady")
    parser.add_argument("--runs", type=int, default=1, help="runs, each with a new cluster")
    parser.add_argument("--no-agent", action="store_true", help="leave the agent of the library out")
    parser.add_argument("--broker-config", default="{}", help="keys of broker.conf as a JSON object")
    given = parser.parse_args()
    # The cluster is removed also after SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    correct = True
    for number in range(given.runs):
        folder = given.folder.resolve() / given.fault / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with start_cluster(
            folder,
            agent=not given.no_agent,
            broker_config=json.loads(given.broker_config),
        ) as cluster:
            audit = run_audit(cluster, given.fault, ALL_FAULTS[given.fault], folder, workloads=WORKLOADS[given.load])
        print(json.dumps(audit.row | {"restarts": cluster.restarts}), flush=True)
        lost = audit.lost()
        for each in lost[:SHOWN]:
            print(f"  lost: {json.dumps(each)}", flush=True)
        if len(lost) > SHOWN:
            print(f"  lost: {len(lost) - SHOWN} more, in {folder / 'audit.json'}", flush=True)
        correct = correct and audit.findings.correct
    return 0 if correct else 1


if __name__ == "__main__":
    sys.exit(main())
