"""`make bench`: what people wait for, as medians over several runs, against the goals."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from sandbox import lifecycle
from sandbox.bench_previews import GROUPS, Previews
from sandbox.engine import pulumi as engines
from sandbox.messages.deliver import Deployment
from sandbox.place import REPOSITORY, Place
from sandbox.progress import Report

RUNS = 5
FEW_RUNS = 3
UP_RUNS = 2
SECONDS_PER_RESOURCE = 0.010
"""What a resource may add to the preview of a program that does nothing."""

# The harness of the unit tests runs the program, so that only the SDK and the library are measured.
_MOCKED = (
    "import time; from tests.unit.harness import run_stack; started = time.monotonic(); "
    "run_stack('prod', preview=True); print(time.monotonic() - started)"
)


@dataclass(frozen=True)
class Measurement:
    """Seconds of each run of one command, and the goal for the median where there is one."""

    title: str
    seconds: list[float]
    goal: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def run(place: Place, report: Report) -> None:
    """Take the sandbox `place` down and up, measure the commands of every day on it, and take it down."""
    measured = [*_library(report), *_whole(place, report), *_commands(place, report), *_previews(place, report)]
    lifecycle.down(place, report)
    table = Table(box=None, header_style="dim")
    for column in ("what", "runs", "min s", "median s", "max s", "goal s", "ratio"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for each in measured:
        table.add_row(
            each.title,
            str(len(each.seconds)),
            f"{min(each.seconds):.2f}",
            f"{each.median:.2f}",
            f"{max(each.seconds):.2f}",
            f"{each.goal:.1f}" if each.goal else "",
            f"{each.median / each.goal:.2f}" if each.goal else "",
        )
    report.console.print(table)


def _library(report: Report) -> list[Measurement]:
    """The library and the quick loop, before a sandbox takes its share of the machine."""
    with report.step("import, program under mocks, unit suite, make check"):
        return [
            Measurement("import eks_rocketmq", _repeated(RUNS, lambda: _python("-c", "import eks_rocketmq"))),
            Measurement("whole program under mocks", [float(_python("-c", _MOCKED)) for _ in range(RUNS)]),
            Measurement("unit suite", _repeated(FEW_RUNS, lambda: _output(["make", "unit"])), 20),
            Measurement("make check, warm", _repeated(FEW_RUNS, lambda: _output(["make", "check"])), 30),
        ]


def _previews(place: Place, report: Report) -> list[Measurement]:
    """Few and many broker groups against a program that does nothing: 10 ms a resource, whatever their number."""
    tools = lifecycle.running(place, report)
    previews = Previews(place, tools)
    with report.step(f"previews of {', '.join(map(str, GROUPS))} broker groups"):
        previews.at_rest(Deployment(place, tools).namespace)
        previews.prepare()
        empty = Measurement("pulumi preview, empty program", _repeated(FEW_RUNS, previews.nothing))
        measured = [empty]
        least = None
        for number in GROUPS:
            runs = [_planned(previews, number) for _ in range(FEW_RUNS)]
            seconds, planned = [each[0] for each in runs], runs[0][1]
            median = statistics.median(seconds)
            least = least or (median, planned)
            further = planned - least[1]
            slope = f", ms each further: {1000 * (median - least[0]) / further:.1f}" if further else ""
            title = f"pulumi preview, groups: {number}, resources: {planned}{slope}"
            measured.append(Measurement(title, seconds, empty.median + SECONDS_PER_RESOURCE * planned))
    return measured


def _planned(previews: Previews, number: int) -> tuple[float, int]:
    """Seconds of a preview with so many broker groups, and how many resources it plans."""
    started = time.monotonic()
    planned = previews.groups(number)
    return time.monotonic() - started, planned


def _python(*arguments: str) -> str:
    return _output([sys.executable, *arguments])


def _output(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise engines.PulumiError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _whole(place: Place, report: Report) -> list[Measurement]:
    """`down` and a warm `up` to the first messages."""
    ups, downs = [], []
    for _ in range(UP_RUNS):
        downs.append(_timed(lambda: lifecycle.down(place, report)))
        ups.append(_timed(lambda: _up(place, report)))
    return [Measurement("make up, warm, to ten messages", ups, 240), Measurement("make down", downs[1:], 15)]


def _up(place: Place, report: Report) -> None:
    tools = lifecycle.platform(place, report)
    lifecycle.deploy(place, tools, report)
    lifecycle.prove(place, tools, report)


def _commands(place: Place, report: Report) -> list[Measurement]:
    tools = lifecycle.running(place, report)

    def command(*arguments: str) -> Callable[[], object]:
        return lambda: engines.run(place, tools, [*arguments, "-s", engines.STACK], capture=True)

    wanted = (
        ("pulumi preview -s prod", command("preview"), 3.0),
        ("pulumi up -s prod, nothing to do", command("up", "--yes"), 6.0),
    )
    return [Measurement(title, _repeated(RUNS, action), goal) for title, action, goal in wanted]


def _repeated(runs: int, action: Callable[[], object]) -> list[float]:
    return [_timed(action) for _ in range(runs)]


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
