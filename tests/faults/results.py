"""Results of all audits of a run: a table in the terminal, and as JSON and a picture in `build/faults`."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from tests.faults.results_picture import build_picture
from tests.faults.results_summary import summarize

FOLDER = Path("build/faults")
_PROPERTY = "audit"


@dataclass(frozen=True)
class Result:
    """Outcome of a test, and the rows of the audits that it ran. A test that ended early has fewer."""

    test: str
    outcome: str
    rows: Sequence[Mapping[str, Any]]


def publish_benchmark(file: Path, name: str, rows: Sequence[Any], table: Table) -> None:
    """Print the table of a benchmark, and write its rows, which are data classes, with the load of the machine."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"load_average": os.getloadavg()[0], name: [asdict(each) for each in rows]}
    file.write_text(json.dumps(document, indent=1) + "\n")
    Console().print(table)


def record(item: pytest.Item, row: Mapping[str, Any], **setting: Any) -> None:
    """Keep the row of an audit for the table, with its setting: load, keys of brokers, whether the agent ran."""
    item.user_properties.append(
        (_PROPERTY, {**row, "setting": {key: value for key, value in setting.items() if value}})
    )


def collect(reports: Iterable[pytest.TestReport]) -> list[Result]:
    """Return the results of the tests that ran audits, or failed before, in the order in which they ended."""
    results = []
    for report in reports:
        rows: list[Any] = [value for name, value in report.user_properties if name == _PROPERTY]
        if report.when == "call" and (rows or report.failed):
            results.append(Result(report.nodeid.split("::")[-1], report.outcome, rows))
    return results


def build_table(results: Sequence[Result]) -> Table:
    """Return one line for each audit. A test that failed before its audit ended has a line without figures."""
    table = Table(title="Faults under load: acknowledged messages and what became of them")
    for name in ("fault", "setting"):
        table.add_column(name)
    for name in ("acknowledged", "lost", "duplicated", "out of order", "s without writes", "s until whole"):
        table.add_column(name, justify="right")
    table.add_column("test")
    for result in results:
        for row in result.rows:
            gaps = ", ".join(f"{client} {seconds}" for client, seconds in row["gaps"].items())
            setting = ", ".join(f"{key} {value}" for key, value in row["setting"].items())
            figures = [row[key] for key in ("acknowledged", "lost", "duplicated", "out_of_order")]
            table.add_row(row["fault"], setting, *map(str, figures), gaps, str(row["whole_seconds"]), result.outcome)
        if not result.rows:
            table.add_row(result.test, "", "", "", "", "", "", "", result.outcome)
    return table


def publish(results: Sequence[Result], console: Console, folder: Path = FOLDER) -> None:
    """Print the table, and write `faults.json` and `faults.svg` into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    tests = [{"test": each.test, "outcome": each.outcome, "audits": list(each.rows)} for each in results]
    document = {"date": datetime.now(UTC).date().isoformat(), "commit": _find_commit(), "tests": tests}
    (folder / "faults.json").write_text(json.dumps(document, indent=1) + "\n")
    rows = [{**row, "test": each.test} for each in results for row in each.rows]
    (folder / "faults.svg").write_text(build_picture(summarize(rows)))
    table = build_table(results)
    console.print(table)
    console.print(f"{folder}/faults.json, {folder}/faults.svg", highlight=False)


def _find_commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
