"""How the tests share a machine when `make test` and `make faults` run them in two processes, and what they used of it.

In `make test` both processes run the unit tests. Then one has the faults on bare processes and the contract tests, the
other one the tests of RocketMQ's versions. The end-to-end tests follow, and only the last contract tests may run beside
them: a sandbox uses a fifth of the machine while it waits, and beside other brokers everything takes several times as
long. In `make faults` one process runs the faults on the sandbox, those with limits of time last, and before them some
faults on bare processes. The other one runs the rest of these with the lowest priority, because a saturated load takes
all processors. It has ended before the faults with limits of time, because both also share a disk.
"""

import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.processors import Times, processor_times

# Groups by folder: these tests share a sandbox, a server or network namespaces, so they run one after the other.
_GROUPS = {"faults": "bare", "contract": "bare", "versions": "versions", "e2e": "sandbox"}
_SANDBOX_PROCESS = frozenset({"test_controllers_under_load.py", "test_sandbox_faults.py", "test_sandbox_seconds.py"})
"""Files of faults that one process runs, in this order."""
_ORDER = ("faults", "contract", "versions", "e2e")
"""Folders that come last, in this order."""
# These measure time or start RocketMQ, which hangs if it does not run for seconds.
_PUNCTUAL = frozenset({"e2e", "faults", "versions"})
_LOW_PRIORITY = 10
_LOWEST_PRIORITY = 19
_SLOW_SECONDS = 5.0
_USE = "processor_use"

_used: dict[str, tuple[Times, float]] = {}
"""Processor times and seconds of the end-to-end tests, by file."""


def _folder(item: pytest.Item) -> str:
    """Return the folder below `tests`."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _priority(item: pytest.Item) -> int:
    """Return the nice value of a test. Faults on bare processes yield to those on the sandbox that run beside them."""
    if _folder(item) not in _PUNCTUAL:
        return _LOW_PRIORITY
    beside_sandbox = any(other.path.name in _SANDBOX_PROCESS for other in item.session.items)
    return _LOWEST_PRIORITY if beside_sandbox and item.path.name not in _SANDBOX_PROCESS else 0


class Progress:
    """Prints each slow or failed test when it has ended: with several processes pytest itself prints no names."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.duration >= _SLOW_SECONDS:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"{report.nodeid} {report.when} {report.outcome} {report.duration:.0f} s")
        if report.failed:
            # CI may end the run before pytest prints the failures.
            self._reporter.write_line(report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Print the progress in the process that starts the others."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(Progress(reporter))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the quick tests first. In `make check`, each process gets some of the tests that mostly wait."""
    items.sort(key=lambda item: _ORDER.index(_folder(item)) if _folder(item) in _ORDER else -1)
    if not config.getoption("loadgroup", default=False):
        items[:] = _spread(items)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those of the pods' scripts at equal distances."""
    parts: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        parts[_folder(item) == "scripts"].append(item)
    placed = [(number / len(part), item) for part in parts.values() for number, item in enumerate(part)]
    return [item for _, item in sorted(placed, key=lambda each: each[0])]


class Scheduling(LoadScopeScheduling):
    """Gives the tests of a group or a file to one process. The marks of xdist do not work with pytest 9."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        return "sandbox" if file.name in _SANDBOX_PROCESS else _GROUPS.get(file.parts[1], str(file))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Schedule by groups with `--dist loadgroup`."""
    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Set the priority, and add up processor times and seconds of each end-to-end file, including its fixtures."""
    folder = _folder(item)
    if item.config.getoption("loadgroup", default=False):
        os.setpriority(os.PRIO_PROCESS, 0, _priority(item))
    if folder != "e2e":
        return (yield)
    before, begun = processor_times(), time.monotonic()
    try:
        return (yield)
    finally:
        times, seconds = _used.get(item.path.name, (Times(), 0.0))
        _used[item.path.name] = (times + (processor_times() - before), seconds + time.monotonic() - begun)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the sums of this process to the one that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_USE] = {name: (times.busy, times.low, times.idle, seconds) for name, (times, seconds) in _used.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take the sums of a process that has ended."""
    for name, (*times, seconds) in getattr(node, "workeroutput", {}).get(_USE, {}).items():
        _used[name] = (Times(*times), seconds)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the processor use by file. A file without idle time may fail on a smaller or busier machine."""
    if _used:
        terminalreporter.section("processor use of the end-to-end tests")
        for name, (times, seconds) in sorted(_used.items()):
            terminalreporter.line(f"{name:<32} {seconds:6.0f} s  {times}")
