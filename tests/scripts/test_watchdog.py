"""Watchdog of the agent with real processes in place of the JVM."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.scripts.broker_group import SCRIPTS

IDLE = "import time; time.sleep(600)"
BUSY = "while True: pass"


@contextmanager
def running(program: str) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def watching(process: subprocess.Popen[bytes], **environment: str) -> Generator[subprocess.Popen[str]]:
    """Start the watchdog of a process. Standard input is its agent's."""
    watchdog = subprocess.Popen(
        ["bash", str(SCRIPTS / "watchdog.sh"), str(process.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"SILENCE": "1", **environment},
    )
    try:
        yield watchdog
    finally:
        watchdog.kill()
        watchdog.wait()


@pytest.mark.parametrize("stop", [False, True])
def test_process_that_hangs_is_killed(stop: bool) -> None:
    with running(IDLE) as process:
        if stop:
            process.send_signal(signal.SIGSTOP)
        with watching(process) as watchdog:
            assert process.wait(timeout=60) == -signal.SIGKILL
            output, _ = watchdog.communicate(timeout=60)
    assert "watchdog: hung: no sign of life for 2 s" in output
    assert f"state {'T' if stop else 'S'}" in output


def test_busy_process_that_is_stopped_is_killed() -> None:
    with running(BUSY) as process, watching(process):
        process.send_signal(signal.SIGSTOP)
        assert process.wait(timeout=60) == -signal.SIGKILL


def test_slow_process_is_killed_only_after_a_long_time() -> None:
    with running(BUSY) as process, watching(process, PATIENCE="3") as watchdog:
        assert process.wait(timeout=60) == -signal.SIGKILL
        lines = watchdog.communicate(timeout=60)[0].splitlines()
    assert [line.partition(";")[0] for line in lines] == [
        "watchdog: slow: no sign of life for 2 s",
        "watchdog: hung: no sign of life for 4 s",
    ]


def test_process_that_gives_signs_of_life_is_not_killed() -> None:
    with running(IDLE) as process, watching(process) as watchdog:
        assert watchdog.stdin is not None
        for _ in range(10):
            watchdog.stdin.write("\n")
            watchdog.stdin.flush()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.4)


def test_watchdog_ends_with_its_process() -> None:
    with running(IDLE) as process, watching(process) as watchdog:
        assert watchdog.stdin is not None
        watchdog.stdin.close()
        assert watchdog.wait(timeout=60) == 0
        assert process.poll() is None
