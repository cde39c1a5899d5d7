"""`broker-start.sh`: a store that is recovered as after a crash."""

import os
import signal
import subprocess
from pathlib import Path

from eks_rocketmq.rocketmq.pods.probes import read_script

WAIT = "trap 'echo stopped; exit' TERM; echo started; while :; do sleep 0.1; done"


def start(folder: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    script = folder / "broker-start.sh"
    script.write_text(read_script(script.name))
    argv = ["bash", str(script), str(folder / "store"), *command]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


def test_a_store_that_was_closed_in_order_is_marked_as_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    for _ in range(2):
        assert start(tmp_path, "echo", "-c", "two words").communicate(timeout=20) == ("-c two words\n", None)
        assert (tmp_path / "store" / "abort").read_text() == ""


def test_a_new_volume_stays_empty(tmp_path: Path) -> None:
    assert start(tmp_path, "echo", "started").communicate(timeout=20) == ("started\n", None)
    assert not (tmp_path / "store").exists()


def test_what_a_killed_process_left_in_tmp_is_removed(tmp_path: Path) -> None:
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    for name in ("librocksdbjni123.so", "drain-fence", "other"):
        (tmp / name).touch()
    start(tmp_path, "echo", TMPDIR=str(tmp), DRAIN_FENCE=str(tmp / "drain-fence")).communicate(timeout=20)
    assert [path.name for path in tmp.iterdir()] == ["other"]


def test_the_broker_receives_the_signals_of_the_pod(tmp_path: Path) -> None:
    starting = start(tmp_path, "bash", "-c", WAIT)
    assert starting.stdout is not None
    assert starting.stdout.readline() == "started\n"
    starting.send_signal(signal.SIGTERM)
    assert starting.communicate(timeout=20)[0] == "stopped\n"
