"""The agent brings small files of a broker to the disk that RocketMQ only renames."""

import subprocess
from pathlib import Path

import pytest

from sandbox import pins
from sandbox.cache import entry, recipes
from sandbox.layout import CACHE
from sandbox.progress import Report
from scripts.agent_jar import JAR
from tests.faults.volumes import Volume

MAIN = """
package eks_rocketmq;

import org.apache.rocketmq.common.MixAll;

class WriteFiles {
    public static void main(String[] arguments) throws Exception {
        for (int index = 2; index < arguments.length; index++) {
            MixAll.string2File("written", arguments[0] + "/" + arguments[index]);
        }
        if (arguments[1].equals("flush")) {
            new SmallFiles(arguments[0]).flush();
        }
    }
}
"""
FILES = ("brokerIdentity", "epochFileCheckpoint", "config/topics.json", "config/consumerOffset.json")


@pytest.mark.parametrize(("action", "kept"), [("flush", "written"), ("nothing", "")])
def test_small_files_survive_a_power_loss_if_they_are_flushed(
    volume: Volume, tmp_path: Path, action: str, kept: str
) -> None:
    jars = entry.ensure(CACHE, recipes.rocketmq_jars(pins.ROCKETMQ), Report())
    class_path = f"{JAR}:{jars}/*:{tmp_path}"
    source = tmp_path / "WriteFiles.java"
    source.write_text(MAIN)
    subprocess.run(["javac", "-cp", class_path, "-d", tmp_path, source], check=True)
    (volume.point / "config").mkdir()
    subprocess.run(["sync", "--file-system", volume.point], check=True)
    program = ["java", "-Xmx64m", "-cp", class_path, "eks_rocketmq.WriteFiles"]
    subprocess.run([*program, volume.point, action, *FILES], check=True)
    volume.cut_power()
    volume.unmount()
    volume.mount()
    found = {name: (volume.point / name).read_text() for name in FILES if (volume.point / name).exists()}
    assert {name: found.get(name, "") for name in FILES} == dict.fromkeys(FILES, kept)
