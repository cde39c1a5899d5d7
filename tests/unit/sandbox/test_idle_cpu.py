"""`make idle`: RocketMQ processes, times of their threads, and the table."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import idle_cpu
from sandbox.idle_cpu import NoProcessError, RoleUse
from tests.unit.rocketmq_case import SETS, container, deploy

BROKER = "org.apache.rocketmq.broker.BrokerStartup"
PROXY = "org.apache.rocketmq.proxy.ProxyStartup"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Folder in the format of /proc with two brokers, a proxy, a launcher script and a shell."""
    for pid, command in (
        (10, ["/usr/bin/java", "-server", BROKER, "-c", "broker.conf"]),
        (11, ["java", BROKER]),
        (20, ["java", PROXY]),
        (30, ["bash", "/etc/rocketmq/proxy-start.sh", "java", PROXY]),
        (40, ["sh"]),
    ):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text("\0".join(command) + "\0")
    return tmp_path


def set_thread(proc: Path, pid: int, thread: int, name: str, milliseconds: int) -> None:
    folder = proc / str(pid) / "task" / str(thread)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "schedstat").write_text(f"{milliseconds * 1_000_000} 5 7\n")


def test_jvms_are_found_by_their_main_class(proc: Path) -> None:
    gone = 50
    found = idle_cpu.find_processes([10, 11, 20, 30, 40, gone], proc)
    assert found == {10: "broker", 11: "broker", 20: "proxy"}


@pytest.mark.parametrize("agent", [True, False])
@pytest.mark.parametrize("name", [*SETS, "rocketmq-proxy-deployment"])
def test_process_of_every_pod_has_its_role(tmp_path: Path, name: str, agent: bool) -> None:
    main = container(deploy(agent=agent), name)
    command = main["command"]
    (tmp_path / "10").mkdir()
    (tmp_path / "10" / "cmdline").write_text("\0".join(command[command.index("java") :]))
    assert idle_cpu.find_processes([10], tmp_path) == {10: main["name"]}


def test_threads_with_the_same_name_are_added_and_processes_are_averaged(proc: Path) -> None:
    roles = {10: "broker", 11: "broker", 20: "proxy"}
    set_thread(proc, 10, 101, "GC Thread#0", 1000)
    set_thread(proc, 10, 102, "GC Thread#1", 1000)
    set_thread(proc, 11, 111, "GC Thread#0", 1000)
    set_thread(proc, 20, 201, "GrpcBoss_1", 3000)
    before = idle_cpu.read_times(roles, proc)
    set_thread(proc, 10, 101, "GC Thread#0", 1200)
    set_thread(proc, 10, 102, "GC Thread#1", 1400)
    set_thread(proc, 11, 112, "TimerFlushServi", 200)  # has started in between
    use = idle_cpu.compute_use(roles, before, idle_cpu.read_times(roles, proc), 10.0)
    assert use["broker"].processes == pytest.approx([6.0, 2.0])
    assert use["broker"].threads == pytest.approx({"GC Thread": 3.0, "TimerFlushServi": 1.0})
    assert use["proxy"].processes == [0.0]


def test_without_rocketmq_the_error_names_the_command(proc: Path) -> None:
    del proc
    with pytest.raises(NoProcessError, match="`make up`"):
        idle_cpu.measure([], 0.0)


def test_table_has_each_role_and_the_sum() -> None:
    use = {
        "broker": RoleUse([3.0, 5.0], {"ReputMessageSer": 0.9, "TimerFlushServi": 1.6}),
        "proxy": RoleUse([1.0]),
    }
    text = io.StringIO()
    Console(file=text, width=200).print(idle_cpu.build_table(use))
    rows = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert "broker 2 4.0 8.0 TimerFlushServi 1.60, ReputMessageSer 0.90" in rows
    assert "all 3 9.0" in rows
