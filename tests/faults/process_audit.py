"""Audit of a cluster of processes."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import BareCluster
from tests.faults.catalogue import find_fault
from tests.faults.cluster import Cluster, require, restart_slaves_out_of_sync
from tests.faults.faults import Fault, FaultTimes
from tests.faults.load import WORKLOADS, name_run

READY_SECONDS = 120.0
IN_SYNC_SECONDS = 60.0
"""Time that slaves without the agent have to get in sync after a fault."""


def audit_on_processes(cluster: BareCluster, fault: str, folder: Path, load: str = "normal") -> Audit:
    """Run a fault, given by name, under a load, given by name. Start the processes that a former fault has killed.

    Raises what `run_audit` raises, and TimeoutError if a controller or a name server is not ready afterwards.
    """
    cluster.start_killed()
    before = len(cluster.restarts)
    (workloads,) = name_run(WORKLOADS[load])
    function = find_fault(fault, cluster) if cluster.agent else _with_restarts(find_fault(fault, cluster))
    audit = run_audit(cluster, fault, function, folder, workloads=workloads)
    for name in (*cluster.controllers, *cluster.name_servers):
        require(partial(cluster.ready, name), READY_SECONDS, f"{name} is ready")
    return replace(audit, ended=cluster.restarts[before:])


def _with_restarts(fault: Fault) -> Fault:
    """Return a fault after which slaves that do not get in sync are restarted."""

    def inject(cluster: Cluster) -> FaultTimes:
        times = fault(cluster)
        restart_slaves_out_of_sync(cluster, IN_SYNC_SECONDS)
        return times

    return inject
