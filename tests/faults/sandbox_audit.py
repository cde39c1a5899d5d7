"""Audit of the deployed stack of a running sandbox, through both protocols."""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.audit import Audit, run_audit
from tests.faults.catalogue import SANDBOX_FAULTS
from tests.faults.load import WORKLOADS, Workload, name_run
from tests.faults.pod_logs import keep_logs
from tests.faults.sandbox_cluster import SandboxCluster

ALL_ROLES = frozenset({"agent-off-and-on", "controllers-changed"})
"""Faults that replace the pods of all name servers, and so their addresses."""
GRPC = (
    Workload("grpc-normal", threads=2, rate=20.0),
    Workload("grpc-fifo", kind="fifo", threads=2, rate=10.0),
)


MOVED_KEYS = frozenset({"group-added"})
"""Faults that add queues. A sharding key then gets into another queue, and no client may use the new group."""
_HALT = re.compile(r"^(\S+) std\w+ F (?:watchdog: )?hung: ", re.MULTILINE)
"""Line of a container's log that the agent prints before it ends a JVM."""


def list_halted(logs: Path, since: datetime) -> list[str]:
    """Return the logs of the pods whose JVM the agent has ended since a time, with one entry for each JVM."""
    return [
        log.name
        for log in sorted(logs.glob("*.log"))
        for time in _HALT.findall(log.read_text(errors="replace"))
        if datetime.fromisoformat(time) >= since
    ]


def audit_on_sandbox(cluster: SandboxCluster, fault: str, folder: Path, load: str = "normal") -> Audit:
    """Run a fault, given by name, under a load, given by name, and a load through the proxies.

    Write `row.json` beside `audit.json`, with the load average of the machine, and the logs of the pods.

    Raises TimeoutError.
    """
    workloads, grpc = name_run(WORKLOADS[load], GRPC[:1] if fault in MOVED_KEYS else GRPC)
    cluster.topics = [each.topic for each in (*workloads, *grpc)]
    cluster.through_services = fault in ALL_ROLES
    inject = SANDBOX_FAULTS[fault]
    cluster.wait_until_ready()
    begin = datetime.now(UTC)
    with keep_logs(cluster.instance, folder / "pod-logs"):
        audit = run_audit(
            cluster,
            fault,
            lambda _: inject(cluster),
            folder,
            workloads=workloads,
            other_loads=[cluster.grpc_load(folder, grpc)],
        )
    audit = replace(audit, ended=list_halted(folder / "pod-logs", begin))
    row = audit.row | {"load_average": round(os.getloadavg()[0], 1)}
    (folder / "row.json").write_text(json.dumps(row) + "\n")
    return audit
