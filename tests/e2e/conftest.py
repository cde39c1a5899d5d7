"""Fixtures of the end-to-end tests: one sandbox for all files.

The files run in the order of their names and depend on each other: the incident, its correction, everyday changes,
identities, faults, and the end of the stack.
"""

import json
import os
import subprocess
import uuid
from collections.abc import Generator, Iterator

import pytest

from sandbox import lifecycle, processes
from sandbox.command import CommandError
from sandbox.layout import SandboxInstance
from sandbox.progress import Report
from tests.e2e.running_sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Sandbox in the state of the original case. The stack is not deployed yet.

    With KEEP_SANDBOX=1 the sandbox of the previous run is reused and left running, so that you can repeat one file.
    """
    keep = os.environ.get("KEEP_SANDBOX") == "1"
    instance, report = SandboxInstance("test"), Report()
    if not keep:
        lifecycle.down(instance, report)
    tools = lifecycle.start_platform(instance, report)
    yield Sandbox(instance, tools, report)
    if not keep:
        lifecycle.down(instance, report)


@pytest.fixture(scope="session")
def stack(sandbox: Sandbox) -> Sandbox:
    """Sandbox with the deployed stack, so that each later file can also run alone."""
    sandbox.start()  # KEEP_SANDBOX may have left it stopped
    sandbox.adopt()
    sandbox.pulumi("up", "-s", "prod", "--yes")
    return sandbox


@pytest.fixture
def deployed(stack: Sandbox) -> Sandbox:
    """Sandbox with the deployed stack and its running RocketMQ."""
    stack.start()
    return stack


@pytest.fixture(scope="module")
def stopped(stack: Sandbox) -> Sandbox:
    """Sandbox with the stack's RocketMQ stopped, so that another one can run. `deployed` starts it again.

    Messages are sent before, see `sent_before_stop`.
    """
    if not stack.is_stopped():
        stack.rocketmq.ensure_topic()
        stack.sent_before_stop.write_text(json.dumps(stack.rocketmq.send(5, f"stopped-{uuid.uuid4().hex[:6]}")))
    stack.stop()
    return stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the state of the cluster and the process logs to the report of a failure, which CI shows."""
    report = yield
    arguments = getattr(item, "funcargs", {})
    sandbox = next((arguments[name] for name in ("sandbox", "deployed", "stopped") if name in arguments), None)
    if report.failed and sandbox is not None:
        for title, text in evidence(sandbox).items():
            report.sections.append((title, text))
    return report


def evidence(sandbox: Sandbox) -> dict[str, str]:
    """Return pods, warning events and the ends of the process logs."""
    found = {}
    for title, arguments in {
        "pods": ["get", "pods,pvc", "-A", "-o", "wide"],
        "events": ["get", "events", "-A", "--sort-by=.lastTimestamp", "--field-selector=type=Warning"],
    }.items():
        try:
            found[title] = sandbox.kubectl(*arguments)
        except (OSError, subprocess.SubprocessError, CommandError) as error:
            found[title] = str(error)
    found |= {name: processes.log_tail(sandbox.instance, name, 4) for name in processes.names(sandbox.instance)}
    return found
