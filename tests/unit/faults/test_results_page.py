"""Published results of faults: the record of runs, and the page and the picture that show it."""

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.faults import catalogue, results_page
from tests.faults.catalogue import ALL_FAULTS
from tests.faults.results_picture import build_picture
from tests.faults.results_summary import ON_PROCESSES, ON_SANDBOX, WITHOUT_AGENT, WRONG, describe_safety, summarize


def audit(fault: str, lost: int, seconds: float, **setting: Any) -> dict[str, Any]:
    gaps = {"java-normal": seconds, "java-fifo": 99.0}
    return {
        "test": "test_x",
        "fault": fault,
        "setting": setting,
        "acknowledged": 1000,
        "lost": lost,
        "duplicated": 0,
        **dict.fromkeys(WRONG, 0),
        "gaps": gaps,
    }


def test_audits_of_a_fault_with_the_same_setting_are_summed() -> None:
    rows = [
        audit("master-killed", 0, 1.0, load="normal", agent=True),
        audit("master-killed", 2, 3.0, load="normal", agent=True),
        audit("master-killed", 0, 5.0, load="normal", agent=True, flushDiskType="SYNC_FLUSH"),
        audit("master-killed", 8, 7.0, load="normal"),
        audit("dns-gone", 0, 9.0, load="normal", on="sandbox"),
    ]
    found = [(one.section, one.setting, one.runs, one.acknowledged, one.lost, one.remoting) for one in summarize(rows)]
    assert found == [
        (ON_SANDBOX, "normal", 1, 1000, [0], [9.0]),
        (ON_PROCESSES, "normal", 2, 2000, [0, 2], [1.0, 3.0]),
        (ON_PROCESSES, "normal, `flushDiskType` SYNC_FLUSH", 1, 1000, [0], [5.0]),
        (WITHOUT_AGENT, "normal", 1, 1000, [8], [7.0]),
    ]


def test_each_event_of_a_fault_counts() -> None:
    row = audit("master-killed-10-times", 0, 9.0, load="normal", on="sandbox")
    (one,) = summarize([row | {"event_gaps": {"java-normal": [1.0, 2.0], "grpc-normal": [3.0]}}])
    assert (one.remoting, one.grpc) == ([1.0, 2.0], [3.0])


def test_the_page_names_failed_tests_and_shows_their_audits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_page, "RECORD", tmp_path / "record.json")
    row = audit("master-killed", 7, 1.0, load="normal", agent=True)
    tests = [
        {"test": "test_a[x]", "outcome": "failed", "audits": [row]},
        {"test": "test_b", "outcome": "passed", "audits": []},
    ]
    (tmp_path / "run.json").write_text(json.dumps({"date": "2026-11-30", "commit": "abc", "tests": tests}))
    results_page.record_runs([tmp_path / "run.json"] * 2)
    page = results_page.build_page(results_page.read_runs())
    assert "2 whole runs of `make faults` (2026-11-30, commit abc; 2026-11-30, commit abc)" in page
    assert "failed, and in how many runs: `test_a[x]` in 2." in page
    assert "| 2 | 2,000 | **7, 7** | 0 | 0 | 1.0, 1.0 |" in page


def test_runs_are_added_to_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_page, "RECORD", tmp_path / "record.json")
    row = audit("master-killed", 0, 1.0, load="normal", agent=True)
    run = {"commit": "abc", "tests": [{"test": "test_a", "outcome": "passed", "audits": [row]}]}
    for name, date in {"first": "2026-11-30", "second": "2026-12-01"}.items():
        (tmp_path / name).write_text(json.dumps(run | {"date": date}))
    results_page.record_runs([tmp_path / "first"])
    results_page.record_runs([tmp_path / "record.json", tmp_path / "second"])
    assert [each["date"] for each in results_page.read_runs()] == ["2026-11-30", "2026-12-01"]


def test_the_page_shows_what_is_wrong_or_stored_twice() -> None:
    row = audit("master-killed", 0, 1.0, load="normal", agent=True)
    runs = [
        {
            "date": "",
            "commit": "",
            "failed": [],
            "audits": [row | {"duplicated": 1200, "unexpected": 1, "moved_keys": 2}],
        }
    ]
    assert "| 1 | 1,000 | **0** | 3 | 1,200 | 1.0 |" in results_page.build_page(runs)


def test_more_than_two_times_are_shown_as_median_and_maximum() -> None:
    row = audit("master-killed-10-times", 0, 9.0, load="normal", on="sandbox")
    runs = [
        {"date": "", "commit": "", "failed": [], "audits": [row | {"event_gaps": {"java-normal": [1.0, 2.0, 30.0]}}]}
    ]
    assert "| 2.0, 30 |" in results_page.build_page(runs)


def test_the_readme_says_what_the_record_has() -> None:
    assert describe_safety(results_page.summarize_runs(results_page.read_runs())) in results_page.README.read_text()


def test_runs_in_which_messages_may_be_lost_do_not_count_for_safety() -> None:
    rows = [
        audit("master-killed", 0, 1.0, load="normal", agent=True),
        audit("power-lost-by-all", 9, 1.0, load="normal", agent=True),
        audit("master-killed", 8, 7.0, load="normal"),
    ]
    assert describe_safety(summarize(rows)) == "1 runs of faults under load, **0** of 1,000 messages"


def test_the_page_and_the_picture_show_the_record() -> None:
    runs = results_page.read_runs()
    assert results_page.PAGE.read_text() == results_page.build_page(runs)
    rows = [row for run in runs for row in run["audits"]]
    picture = results_page.PICTURE.read_text()
    assert picture == build_picture(summarize(rows))
    ElementTree.fromstring(picture)  # noqa: S314 - written above
    # Nothing is loaded from a public server.
    assert "href" not in picture


def test_the_record_has_every_fault_but_those_of_tests_that_failed_before_their_audit() -> None:
    left_out = {"master-pod-deleted", "agent-off-and-on"}
    for run in results_page.read_runs():
        missing = ALL_FAULTS.keys() - left_out - {row["fault"] for row in run["audits"]}
        assert len(missing) <= len(run["failed"]), missing


@pytest.mark.parametrize("fault", sorted(ALL_FAULTS))
def test_every_fault_is_described_in_a_sentence(fault: str) -> None:
    assert results_page.describe_fault(fault).endswith(".")


def test_the_elections_of_each_fault_are_known_by_its_name() -> None:
    named = catalogue.MASTER_STAYS | catalogue.MASTER_MAY_CHANGE | catalogue.SEVERAL_ELECTIONS.keys()
    assert named <= ALL_FAULTS.keys()
    assert catalogue.find_elections("slave-killed") == (0, 0)
    assert catalogue.find_elections("links-slow") == (0, math.inf)
    assert catalogue.find_elections("masters-elected") == (5, math.inf)
    assert catalogue.find_elections("master-killed") == (1, math.inf)
