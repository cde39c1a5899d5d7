"""Processor times that the end-to-end tests report."""

from pathlib import Path

from tests.processors import Times, processor_times

STAT = "cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"


def test_times_of_all_processors_are_summed_and_low_priority_is_separate(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(STAT)
    times = processor_times(tmp_path / "stat")
    assert times == Times(busy=100 + 30 + 6 + 7 + 8, low=20, idle=450)
    assert times - Times(151, 20, 350) + Times(50, 25, 0) == Times(50, 25, 100)
    assert str(Times(1, 1, 2)) == "busy  25 %, low priority  25 %, idle  50 %"
    assert str(Times()) == "busy   0 %, low priority   0 %, idle   0 %"


def test_processor_times_of_this_machine_are_read() -> None:
    assert processor_times().idle > 0
