"""One sandbox for all end-to-end tests. The files run in the order of their names and tell one story: the incident, its
cure, everyday changes, identities, faults, and the end of the stack."""

import os
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle, processes
from sandbox.command import CommandError
from sandbox.layout import SandboxInstance
from sandbox.progress import Report
from tests.e2e.processors import Times, processor_times
from tests.e2e.running_sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of its own in the state of the original case; nothing of the stack is deployed yet.

    With KEEP_SANDBOX=1 it is taken over from the run before and left running, to try one file again and again.
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
    """The sandbox with the stack on it, so that each later file can also run alone."""
    sandbox.start()  # KEEP_SANDBOX may have left it stopped
    sandbox.adopt()
    sandbox.pulumi("up", "-s", "prod", "--yes")
    return sandbox


@pytest.fixture
def deployed(stack: Sandbox) -> Sandbox:
    """The sandbox with the stack on it, whose RocketMQ runs."""
    stack.start()
    return stack


@pytest.fixture(scope="module")
def stopped(stack: Sandbox) -> Sandbox:
    """The sandbox with the stack's RocketMQ stopped, so that another one can run. `deployed` starts it again."""
    stack.stop()
    return stack


# Of each file: the processors' times while its tests ran, and seconds.
_used: dict[str, tuple[Times, float]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Add up what the processors did while the tests of a file ran, with all that they need first."""
    if item.path.parent != Path(__file__).parent:
        return (yield)  # pytest calls this hook for tests of other folders too
    before, begun = processor_times(), time.monotonic()
    try:
        return (yield)
    finally:
        times, seconds = _used.get(item.path.name, (Times(), 0.0))
        _used[item.path.name] = (times + (processor_times() - before), seconds + time.monotonic() - begun)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how busy the machine was: a file that leaves it nothing fails on a smaller or busier one."""
    if _used:
        terminalreporter.section("processor use of the end-to-end tests")
        for name, (times, seconds) in _used.items():
            terminalreporter.line(f"{name:<28} {seconds:6.0f} s  {times}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what the cluster and the processes said beside a failure, where CI shows it."""
    report = yield
    arguments = getattr(item, "funcargs", {})
    sandbox = next((arguments[name] for name in ("sandbox", "deployed", "stopped") if name in arguments), None)
    if report.failed and sandbox is not None:
        for title, text in evidence(sandbox).items():
            report.sections.append((title, text))
    return report


def evidence(sandbox: Sandbox) -> dict[str, str]:
    """Pods, warnings and the ends of the process logs."""
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
