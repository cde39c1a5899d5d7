"""Audits of clusters of bare processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.faults import FAULTS
from tests.faults.load import WORKLOADS


@pytest.fixture
def audit_fault(tmp_path: Path) -> Callable[[str, str], Audit]:
    """Return a function that runs a fault, given by name, under a load, given by name, on a new cluster."""

    def run(fault: str, load: str) -> Audit:
        with start_cluster(tmp_path) as cluster:
            audit = run_audit(cluster, fault, FAULTS[fault], tmp_path, workloads=WORKLOADS[load])
        print(audit.row)
        return audit

    return run
