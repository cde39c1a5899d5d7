"""Table of the results of all audits."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from tests.faults.checker import Findings, build_row
from tests.faults.results import Result, collect, publish, record

FINDINGS = Findings(
    attempted=12,
    acknowledged=10,
    lost=["a-1"],
    duplicated=[],
    unexpected=[],
    recovered=[],
    out_of_order=[],
    moved_keys=[],
    early=[],
    rolled_back=[],
    repeated=[],
    late={},
    gaps={"java-normal": 3.21},
    codes={"SEND_OK": 10},
)


def report(test: str, outcome: str, rows: list[dict[str, Any]], when: str = "call") -> Any:
    properties = [("audit", row) for row in rows]
    return SimpleNamespace(
        nodeid=f"tests/faults/test_x.py::{test}",
        outcome=outcome,
        failed=outcome == "failed",
        when=when,
        user_properties=properties,
    )


def row() -> dict[str, Any]:
    item = SimpleNamespace(user_properties=[])
    audit = build_row("master-killed", FINDINGS, 8.0) | {"single_copies": 0}
    record(item, audit, load="normal", agent=True)  # ty: ignore[invalid-argument-type]
    ((_, kept),) = item.user_properties
    return kept


def test_tests_with_audits_and_failures_are_collected_once() -> None:
    reports = [
        report("test_setup", "passed", [], when="setup"),
        report("test_audit", "passed", [row()]),
        report("test_audit", "passed", [row()], when="teardown"),
        report("test_without_audit", "passed", []),
        report("test_timeout", "failed", []),
    ]
    assert [(each.test, len(each.rows)) for each in collect(reports)] == [("test_audit", 1), ("test_timeout", 0)]


def test_table_shows_what_was_lost_and_which_test_has_no_figures(tmp_path: Path) -> None:
    text = io.StringIO()
    results = [Result("test_audit", "failed", [row()]), Result("test_timeout", "failed", [])]
    publish(results, Console(file=text, width=180), tmp_path / "new")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.getvalue().splitlines() if "│" in line]
    assert [
        "master-killed",
        "load normal, agent True",
        "10",
        "1",
        "0",
        "0",
        "java-normal 3.2",
        "8.0",
        "failed",
    ] in cells
    assert ["test_timeout", *[""] * 7, "failed"] in cells
    (audit, timeout) = json.loads((tmp_path / "new" / "faults.json").read_text())["tests"]
    assert (audit["audits"][0]["lost"], timeout["audits"]) == (1, [])
    picture = (tmp_path / "new" / "faults.svg").read_text()
    assert "master-killed" in picture
    assert "1 of 10" in picture
    # Nothing is loaded from a public server.
    assert 'url("http' not in picture
