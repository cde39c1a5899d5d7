"""`broker-start.sh`: a store that is recovered as after a crash. `controller-start.sh`: timer slack of its threads."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from eks_rocketmq.rocketmq.pods.probes import read_script

# A thread that the main thread starts, as in a JVM.
PRINT_SLACK = """
import threading
from pathlib import Path
def show():
    print(Path(f"/proc/{threading.get_native_id()}/timerslack_ns").read_text().strip())
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""
WAIT = "trap 'echo stopped; exit' TERM; echo started; while :; do sleep 0.1; done"


def start(name: str, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    script = folder / name
    script.write_text(read_script(name))
    return subprocess.Popen(
        ["bash", str(script), *([str(folder / "store")] if name == "broker-start.sh" else []), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


start_broker = partial(start, "broker-start.sh")
start_controller = partial(start, "controller-start.sh")


def test_a_store_that_was_closed_in_order_is_marked_as_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    for _ in range(2):
        assert start_broker(tmp_path, "echo", "-c", "two words").communicate(timeout=20) == ("-c two words\n", "")
        assert (tmp_path / "store" / "abort").read_text() == ""


def test_a_new_volume_stays_empty(tmp_path: Path) -> None:
    assert start_broker(tmp_path, "echo", "started").communicate(timeout=20) == ("started\n", "")
    assert not (tmp_path / "store").exists()


def test_what_a_killed_process_left_in_tmp_is_removed(tmp_path: Path) -> None:
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    for name in ("librocksdbjni123.so", "drain-fence", "other"):
        (tmp / name).touch()
    start_broker(tmp_path, "echo", TMPDIR=str(tmp), DRAIN_FENCE=str(tmp / "drain-fence")).communicate(timeout=20)
    assert [path.name for path in tmp.iterdir()] == ["other"]


def test_threads_of_the_controller_have_a_timer_slack_of_5_ms(tmp_path: Path) -> None:
    output, errors = start_controller(tmp_path, sys.executable, "-c", PRINT_SLACK).communicate(timeout=20)
    assert (output, errors) == ("5000000\n", "")


def test_controller_starts_on_a_kernel_without_timer_slack(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "timerslack_ns")
    starting = start_controller(tmp_path, "echo", "-c", "two words", TIMER_SLACK=missing)
    assert starting.communicate(timeout=20) == ("-c two words\n", "")
    assert starting.returncode == 0


@pytest.mark.parametrize("script", ["broker-start.sh", "controller-start.sh"])
def test_broker_and_controller_receive_the_signals_of_the_pod(tmp_path: Path, script: str) -> None:
    starting = start(script, tmp_path, "bash", "-c", WAIT)
    assert starting.stdout is not None
    assert starting.stdout.readline() == "started\n"
    starting.send_signal(signal.SIGTERM)
    assert starting.communicate(timeout=20)[0] == "stopped\n"
