"""Benchmark (`make bench`): medians over several runs, and their ratios to the goals."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from sandbox import lifecycle
from sandbox.bench_previews import GROUPS, BenchPreviews
from sandbox.cache.toolchain import Toolchain
from sandbox.engine import pulumi as engines
from sandbox.layout import REPOSITORY, SandboxInstance
from sandbox.progress import Report

RUNS = 5
FEW_RUNS = 3
UP_RUNS = 2
COLUMNS = ("what", "runs", "min s", "median s", "max s", "goal s", "ratio")
SECONDS_PER_RESOURCE = 0.010
"""Goal: what each resource adds to the preview of an empty program."""

# The test harness runs the program, so only the SDK and the library are measured.
_MOCKED = (
    "import time; from tests.unit.harness import run_stack; started = time.monotonic(); "
    "run_stack('prod', preview=True); print(time.monotonic() - started)"
)


@dataclass(frozen=True)
class Measurement:
    """Durations of one command in seconds, and the goal for their median."""

    title: str
    seconds: list[float]
    goal: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def row(self) -> list[str]:
        """Cells of `COLUMNS`."""
        figures = (min(self.seconds), self.median, max(self.seconds))
        against = (f"{self.goal:.1f}", f"{self.median / self.goal:.2f}") if self.goal else ("", "")
        return [self.title, str(len(self.seconds)), *(f"{figure:.2f}" for figure in figures), *against]


def run(instance: SandboxInstance, report: Report) -> None:
    """Take the sandbox down and up, measure it, and take it down."""
    measured = [*_library(report), *_up_and_down(instance, report)]
    tools = lifecycle.require_running(instance, report)
    measured += [*_commands(instance, tools), *_previews(instance, tools, report)]
    lifecycle.down(instance, report)
    table = Table(box=None, header_style="dim")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == COLUMNS[0] else "right")
    for each in measured:
        table.add_row(*each.row)
    report.console.print(table)


def _library(report: Report) -> list[Measurement]:
    """Measure the library and the unit tests before a sandbox uses the machine."""
    with report.step("import, program under mocks, unit suite, make check"):
        return [
            Measurement("import eks_rocketmq", _repeated(RUNS, lambda: _python("-c", "import eks_rocketmq"))),
            Measurement("whole program under mocks", [float(_python("-c", _MOCKED)) for _ in range(RUNS)]),
            Measurement("unit suite", _repeated(FEW_RUNS, lambda: _output(["make", "unit"])), 20),
            Measurement("make check, warm", _repeated(FEW_RUNS, lambda: _output(["make", "check"])), 30),
        ]


def _previews(instance: SandboxInstance, tools: Toolchain, report: Report) -> list[Measurement]:
    """Measure previews of few and many broker groups. The goal is 10 ms a resource above an empty program."""
    previews = BenchPreviews(instance, tools)
    with report.step(f"previews of {', '.join(map(str, GROUPS))} broker groups"):
        previews.prepare()
        empty = Measurement("pulumi preview, empty program", _repeated(FEW_RUNS, previews.empty))
        measured = [empty]
        planned = {}
        for number in GROUPS:
            counts: list[int] = []
            seconds = _repeated(FEW_RUNS, lambda: counts.append(previews.groups(number)))  # noqa: B023 (called at once)
            planned[number] = counts[0]
            title = f"pulumi preview, groups: {number}, resources: {planned[number]}"
            goal = empty.median + SECONDS_PER_RESOURCE * planned[number]
            if more := planned[number] - planned[GROUPS[0]]:
                slope = 1000 * (statistics.median(seconds) - measured[1].median) / more
                title += f", ms each further: {slope:.1f}"
            measured.append(Measurement(title, seconds, goal))
    return measured


def _python(*arguments: str) -> str:
    return _output([sys.executable, *arguments])


def _output(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise engines.PulumiError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _up_and_down(instance: SandboxInstance, report: Report) -> list[Measurement]:
    """Measure `down`, and `up` with a warm cache to the first messages."""
    ups, downs = [], []
    for _ in range(UP_RUNS):
        downs.append(_timed(lambda: lifecycle.down(instance, report)))
        ups.append(_timed(lambda: _up(instance, report)))
    return [Measurement("make up, warm, to ten messages", ups, 240), Measurement("make down", downs[1:], 15)]


def _up(instance: SandboxInstance, report: Report) -> None:
    tools = lifecycle.start_platform(instance, report)
    lifecycle.deploy(instance, tools, report)
    lifecycle.verify_messages(instance, tools, report)


def _commands(instance: SandboxInstance, tools: Toolchain) -> list[Measurement]:
    def measure(title: str, goal: float, *arguments: str) -> Measurement:
        argv = [*arguments, "-s", engines.STACK]
        return Measurement(title, _repeated(RUNS, lambda: engines.run(instance, tools, argv, capture=True)), goal)

    def measure_library(goal: float, command: str) -> Measurement:
        seconds = _repeated(RUNS, lambda: lifecycle.run_library(instance, tools, command, capture=True))
        return Measurement(f"eks-rocketmq {command}", seconds, goal)

    return [
        measure("pulumi preview -s prod", 3.0, "preview"),
        measure("pulumi up -s prod, nothing to do", 6.0, "up", "--yes"),
        measure_library(3.0, "status"),
        measure_library(5.0, "doctor"),
    ]


def _repeated(runs: int, action: Callable[[], object]) -> list[float]:
    return [_timed(action) for _ in range(runs)]


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
