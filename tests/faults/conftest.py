"""Audits of clusters of bare processes and of a deployed stack, and volumes."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest
from rich.console import Console

from sandbox import lifecycle
from sandbox.cluster import mounts
from sandbox.layout import SandboxInstance
from sandbox.progress import Report
from tests.faults import volumes
from tests.faults.audit import Audit
from tests.faults.bare_cluster import BareCluster, start_cluster
from tests.faults.catalogue import HALTED, find_elections, find_longest
from tests.faults.disk_faults import DISK_FAULTS
from tests.faults.process_audit import audit_on_processes
from tests.faults.results import collect, publish, record
from tests.faults.sandbox_audit import audit_on_sandbox
from tests.faults.sandbox_cluster import SandboxCluster, attach
from tests.faults.shared import Shared
from tests.faults.volumes import GIB, Volume


class AuditFault(Protocol):
    """Function that runs a fault under a load."""

    def __call__(
        self,
        fault: str,
        load: str,
        *,
        agent: bool = True,
        broker_config: Mapping[str, str | int | bool] | None = None,
    ) -> Audit: ...


AuditDeployed: TypeAlias = Callable[..., Audit]
"""Function that runs a fault of the deployed stack under a load, both given by name."""
SENT_ONCE = ("java-normal-", "java-fifo-")
"""Clients whose messages may be stored once only. Brokers store delayed ones and transactions again, and a gRPC client
repeats a send by itself."""


def assert_nothing_lost(audit: Audit) -> None:
    """Assert that each acknowledged message is stored, intact and in order, and that the fault had its effect.

    Writes stop for a limited time, and no process ends that the fault does not end.
    """
    assert audit.findings.lost == [], audit.lost()
    assert audit.findings.correct, audit.row
    assert audit.single_copies == [], audit.row
    assert not [id_ for id_ in audit.findings.duplicated if id_.startswith(SENT_ONCE)], audit.row
    assert audit.findings.repeated == [], audit.row
    assert audit.findings.gaps["java-normal"] <= find_longest(audit.fault), audit.row
    assert len(audit.ended) <= (audit.fault in HALTED), audit.ended
    fewest, most = find_elections(audit.fault)
    assert fewest <= audit.elections <= most, audit.row


@pytest.fixture
def volume(tmp_path: Path) -> Generator[Volume]:
    """Return a mounted volume of 1 GiB."""
    mounts.share(tmp_path)
    volume = Volume(tmp_path / "volume", tmp_path / "mounted")
    try:
        volume.create(GIB)
        volume.mount()
        yield volume
    finally:
        volumes.remove(tmp_path)


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[BareCluster]]:
    """Return a cluster of processes, with the profile `strict`, that starts with its first audit."""
    shared = Shared(lambda: start_cluster(tmp_path_factory.mktemp("cluster"), with_volumes=True))
    try:
        yield shared
    finally:
        shared.close()


@pytest.fixture
def audit_fault(shared_cluster: Shared[BareCluster], tmp_path: Path, request: pytest.FixtureRequest) -> AuditFault:
    """Return a function that runs a fault, given by name, under a load, given by name.

    Other settings than those of `strict` get a cluster of their own.
    """

    def run(
        fault: str,
        load: str,
        *,
        agent: bool = True,
        broker_config: Mapping[str, str | int | bool] | None = None,
    ) -> Audit:
        if agent and not broker_config:
            audit = shared_cluster.audit(lambda cluster: audit_on_processes(cluster, fault, tmp_path, load))
        else:
            shared_cluster.close()
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            with start_cluster(
                folder, agent=agent, broker_config=broker_config, with_volumes=fault in DISK_FAULTS
            ) as cluster:
                audit = audit_on_processes(cluster, fault, folder, load)
        record(request.node, audit.row, load=load, agent=agent, **(broker_config or {}))
        return audit

    return run


@contextmanager
def open_sandbox() -> Generator[SandboxCluster]:
    """Start a sandbox of its own, and deploy the prod stack. With KEEP_SANDBOX=1 use one that runs, and leave it."""
    keep = os.environ.get("KEEP_SANDBOX") == "1"
    instance, report = SandboxInstance("faults"), Report()
    if not keep:
        lifecycle.down(instance, report)
    tools = lifecycle.start_platform(instance, report)
    lifecycle.deploy(instance, tools, report)
    try:
        with attach(instance) as cluster:
            yield cluster
    finally:
        if not keep:
            lifecycle.down(instance, report)


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Shared[SandboxCluster]]:
    """Return the deployed prod stack of a sandbox, which starts with its first audit."""
    shared = Shared(open_sandbox)
    try:
        yield shared
    finally:
        shared.close()


@pytest.fixture
def audit_deployed(
    shared_sandbox: Shared[SandboxCluster], tmp_path: Path, request: pytest.FixtureRequest
) -> AuditDeployed:
    """Return a function that runs a fault under a load, given by name.

    No acknowledged message may be lost, damaged or reordered.
    """

    def run(fault: str, load: str = "normal") -> Audit:
        audit = shared_sandbox.audit(lambda cluster: audit_on_sandbox(cluster, fault, tmp_path, load))
        record(request.node, audit.row, load=load, on="sandbox")
        assert_nothing_lost(audit)
        return audit

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print and write the table of all audits."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    if results := collect(reports):
        publish(results, Console())
