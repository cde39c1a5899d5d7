"""Audits of clusters of bare processes."""

from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.controller_faults import CONTROLLER_FAULTS
from tests.faults.faults import FAULTS
from tests.faults.load import WORKLOADS


class AuditFault(Protocol):
    """Function that runs a fault under a load."""

    def __call__(self, fault: str, load: str, *, agent: bool = True) -> Audit: ...


@pytest.fixture
def audit_fault(tmp_path: Path) -> AuditFault:
    """Return a function that runs a fault, given by name, under a load, given by name, on a new cluster."""

    def run(fault: str, load: str, *, agent: bool = True) -> Audit:
        with start_cluster(tmp_path, agent=agent) as cluster:
            injected = {**FAULTS, **CONTROLLER_FAULTS}[fault]
            audit = run_audit(cluster, fault, injected, tmp_path, workloads=WORKLOADS[load])
        print(audit.row)
        return audit

    return run
