"""Halts of the agent in the logs of pods."""

from datetime import UTC, datetime
from pathlib import Path

from tests.faults.sandbox_audit import list_halted

LOGS = {
    "rocketmq_rocketmq-broker-a-0_1-broker-0.log": """\
2026-12-02T04:00:00.123456789Z stdout F hung: a write waits for the volume since 12000 ms
2026-12-02T04:20:00.123456789Z stdout F hung: the volume completes no write since 12000 ms
""",
    "rocketmq_rocketmq-broker-a-1_1-broker-0.log": """\
2026-12-02T04:20:00.123456789Z stdout F watchdog: slow: no sign of life for 8 s
2026-12-02T04:30:00.123456789Z stdout F watchdog: hung: no sign of life for 8 s
""",
    "rocketmq_rocketmq-broker-a-2_1-broker-0.log": """\
2026-12-02T04:20:00.123456789Z stdout F The broker is hung: no
""",
}


def test_only_halts_since_the_begin_of_an_audit_are_listed(tmp_path: Path) -> None:
    for name, text in LOGS.items():
        (tmp_path / name).write_text(text)
    first, second, _ = LOGS
    assert list_halted(tmp_path, datetime(2026, 12, 2, 4, 10, tzinfo=UTC)) == [first, second]
    assert list_halted(tmp_path, datetime(2026, 12, 2, 4, 25, tzinfo=UTC)) == [second]
