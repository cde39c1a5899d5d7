"""Audit of a cluster of processes."""

from pathlib import Path

from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import BareCluster
from tests.faults.catalogue import find_fault
from tests.faults.load import WORKLOADS, name_run


def audit_on_processes(cluster: BareCluster, fault: str, folder: Path, load: str = "normal") -> Audit:
    """Run a fault, given by name, under a load, given by name. Start the processes that a former fault has killed.

    Raises what `run_audit` raises.
    """
    cluster.start_killed()
    (workloads,) = name_run(WORKLOADS[load])
    return run_audit(cluster, fault, find_fault(fault, cluster), folder, workloads=workloads)
