"""Summary of several runs of one fault."""

from tests.faults.__main__ import summarize


def test_runs_are_summarized_by_client() -> None:
    rows = [
        {"gaps": {"grpc-normal": 2.0, "java-normal": 0.4}, "acknowledged": 900, "lost": 0},
        {"gaps": {"java-normal": 1.04}, "acknowledged": 1000, "lost": 1},
        {"gaps": {"java-normal": 0.6}, "acknowledged": 100, "lost": 0},
    ]
    assert summarize(rows).splitlines() == [
        "grpc-normal: 2.0 to 2.0 s without writes, median 2.0 s",
        "java-normal: 0.4 to 1.0 s without writes, median 0.6 s",
        "3 runs: 1 of 2,000 acknowledged messages lost",
    ]
