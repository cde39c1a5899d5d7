"""`make bench`: what people wait for, as medians over several runs, against the goals."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table

from sandbox import lifecycle
from sandbox.engine import pulumi as engines
from sandbox.place import Place
from sandbox.progress import Report

RUNS = 5
UP_RUNS = 2


@dataclass(frozen=True)
class Measurement:
    """Seconds of each run of one command, and the goal for the median."""

    title: str
    seconds: list[float]
    goal: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def run(place: Place, report: Report) -> None:
    """Take the sandbox `place` down and up, measure the commands of every day on it, and take it down."""
    measured = [*_whole(place, report), *_commands(place, report)]
    lifecycle.down(place, report)
    table = Table(box=None, header_style="dim")
    for column in ("what", "runs", "min s", "median s", "max s", "goal s", "ratio"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for each in measured:
        table.add_row(
            each.title,
            str(len(each.seconds)),
            f"{min(each.seconds):.1f}",
            f"{each.median:.1f}",
            f"{max(each.seconds):.1f}",
            f"{each.goal:.0f}",
            f"{each.median / each.goal:.2f}",
        )
    report.console.print(table)


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
    return [Measurement(title, [_timed(action) for _ in range(RUNS)], goal) for title, action, goal in wanted]


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
