"""`controller-start.sh`: timer slack of the controller's threads."""

import os
import signal
import subprocess
import sys
from pathlib import Path

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


def start(tmp_path: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    script = tmp_path / "controller-start.sh"
    script.write_text(read_script(script.name))
    return subprocess.Popen(
        ["bash", str(script), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_threads_of_the_controller_have_a_timer_slack_of_5_ms(tmp_path: Path) -> None:
    output, errors = start(tmp_path, sys.executable, "-c", PRINT_SLACK).communicate(timeout=20)
    assert (output, errors) == ("5000000\n", "")


def test_controller_starts_on_a_kernel_without_timer_slack(tmp_path: Path) -> None:
    starting = start(tmp_path, "echo", "-c", "two words", TIMER_SLACK=str(tmp_path / "missing" / "timerslack_ns"))
    assert starting.communicate(timeout=20) == ("-c two words\n", "")
    assert starting.returncode == 0


def test_controller_receives_the_signals_of_the_pod(tmp_path: Path) -> None:
    starting = start(
        tmp_path, "bash", "-c", "trap 'echo stopped; exit' TERM; echo started; while :; do sleep 0.1; done"
    )
    assert starting.stdout is not None
    assert starting.stdout.readline() == "started\n"
    starting.send_signal(signal.SIGTERM)
    assert starting.communicate(timeout=20)[0] == "stopped\n"
