"""The agent's check of a volume: one that hangs is told from one that is slow."""

import mmap
import os
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from sandbox.polling import wait_until
from scripts.agent_jar import JAR
from tests.faults.volumes import Volume

MAIN = """
package eks_rocketmq;

class CheckVolume {
    public static void main(String[] arguments) throws Exception {
        VolumeProbe probe = VolumeProbe.start(arguments[0]);
        while (true) {
            String reason = probe.check();
            System.out.println(reason == null ? "ok" : reason);
            Thread.sleep(500);
        }
    }
}
"""
HUNG_SECONDS = 12.0  # the agent waits for 4 s
SLOW_SECONDS = 10.0


@pytest.fixture
def answers(volume: Volume, tmp_path: Path) -> Generator[Path]:
    """Return a file with the answers of a check that runs, one in a line, the first of which is there."""
    source, output = tmp_path / "CheckVolume.java", tmp_path / "answers"
    source.write_text(MAIN)
    subprocess.run(["javac", "-cp", JAR, "-d", tmp_path, source], check=True)
    with (
        output.open("wb") as file,
        subprocess.Popen(
            ["java", "-Xmx64m", "-cp", f"{JAR}:{tmp_path}", "eks_rocketmq.CheckVolume", volume.point], stdout=file
        ) as process,
    ):
        try:
            while output.read_text().count("ok\n") < 4:
                assert process.poll() is None
                time.sleep(0.1)
            yield output
        finally:
            process.kill()


def test_a_volume_that_completes_no_write_hangs(volume: Volume, answers: Path) -> None:
    assert "hung" not in answers.read_text()
    volume.freeze()
    try:
        hung = "hung: the volume completes no write"
        assert wait_until(lambda: hung in answers.read_text(), HUNG_SECONDS, every=0.1), answers.read_text()
    finally:
        volume.thaw()


def test_a_volume_that_completes_other_writes_is_slow_and_does_not_hang(volume: Volume, answers: Path) -> None:
    volume.freeze()
    device = os.open(volume.device, os.O_RDWR | os.O_DIRECT)
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE)
        end = time.monotonic() + SLOW_SECONDS
        while time.monotonic() < end:
            # The same content again, so that the file system stays intact.
            os.preadv(device, [page], 0)
            os.pwritev(device, [page], 0)
            time.sleep(0.2)
        assert "hung" not in answers.read_text()
    finally:
        os.close(device)
        volume.thaw()
