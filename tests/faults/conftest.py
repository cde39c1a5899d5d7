"""Audits of clusters of bare processes, and volumes."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from rich.console import Console

from tests.faults import volumes
from tests.faults.audit import Audit, run_audit
from tests.faults.bare_cluster import start_cluster
from tests.faults.catalogue import find_fault
from tests.faults.disk_faults import DISK_FAULTS
from tests.faults.load import WORKLOADS
from tests.faults.results import collect, publish, record
from tests.faults.volumes import GIB, Volume


class AuditFault(Protocol):
    """Function that runs a fault under a load."""

    def __call__(
        self, fault: str, load: str, *, agent: bool = True, broker_config: Mapping[str, str | int | bool] | None = None
    ) -> Audit: ...


def assert_nothing_lost(audit: Audit) -> None:
    """Assert that each acknowledged message is stored, intact and in order."""
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row


@pytest.fixture
def volume(tmp_path: Path) -> Generator[Volume]:
    """Return a mounted volume of 1 GiB."""
    volumes.share(tmp_path)
    volume = Volume(tmp_path / "volume", tmp_path / "mounted")
    try:
        volume.create(GIB)
        volume.mount()
        yield volume
    finally:
        volumes.remove(tmp_path)


@pytest.fixture
def audit_fault(tmp_path: Path, request: pytest.FixtureRequest) -> AuditFault:
    """Return a function that runs a fault, given by name, under a load, given by name, on a new cluster."""

    def run(
        fault: str, load: str, *, agent: bool = True, broker_config: Mapping[str, str | int | bool] | None = None
    ) -> Audit:
        with start_cluster(
            tmp_path, agent=agent, broker_config=broker_config, with_volumes=fault in DISK_FAULTS
        ) as cluster:
            audit = run_audit(cluster, fault, find_fault(fault, cluster), tmp_path, workloads=WORKLOADS[load])
        record(request.node, audit.row, load=load, agent=agent, **(broker_config or {}))
        return audit

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print and write the table of all audits."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    if results := collect(reports):
        publish(results, Console())
