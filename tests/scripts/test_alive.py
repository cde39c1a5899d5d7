"""Startup and liveness probes of slow and hung processes, and the start of a proxy without a master."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scripts.broker_group import HA_STATUS, SCRIPTS, Server, run, serving

ROUTE = 105
SECONDS = "2"
"""Time limit for an answer. In the pods it is 4 seconds."""


@dataclass
class Kernel:
    """Folder of a process in /proc with thread times that the test sets."""

    folder: Path

    def write(self, *threads: tuple[int, int], state: str = "S") -> None:
        """Write the total times of each thread, in ms: running on a CPU, and waiting for one."""
        (self.folder / "fd").mkdir(parents=True, exist_ok=True)
        (self.folder / "comm").write_text("java\n")
        (self.folder / "stat").write_text(f"7 (a ) java) {state} 1 2 3\n")
        for number, (ran, waited) in enumerate(threads):
            task = self.folder / "task" / str(number)
            task.mkdir(parents=True, exist_ok=True)
            (task / "schedstat").write_text(f"{ran * 1_000_000} {waited * 1_000_000} 7\n")


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path / "process")


@contextmanager
def silent() -> Generator[str]:
    """Yield an address that accepts connections and never answers, as the kernel does for a hung process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def run_probe(
    mode: str, address: str, kernel: Kernel, during: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the probe, and call `during` while it waits for the answer."""
    timer = threading.Timer(1.5, during or (lambda: None))
    timer.start()
    try:
        unanswered = str(kernel.folder.parent / "unanswered")
        given = {"PROCESS": str(kernel.folder), "UNANSWERED": unanswered, "ANSWER_SECONDS": SECONDS, **environment}
        return run("alive.sh", mode, address, str(HA_STATUS), **given)
    finally:
        timer.join()


@pytest.mark.parametrize("mode", ["started", "running"])
@pytest.mark.parametrize("code", [0, 1])
def test_process_that_answers_is_alive_even_with_an_error_code(kernel: Kernel, mode: str, code: int) -> None:
    kernel.write((0, 0))
    with serving(Server({HA_STATUS: lambda _, __: ({"code": code}, b"{}")})) as server:
        assert run_probe(mode, server.address, kernel).returncode == 0


def test_late_answer_is_accepted(kernel: Kernel) -> None:
    def late(_: object, __: object) -> tuple[dict[str, int], bytes]:
        time.sleep(1.5)
        return {}, b"{}"

    kernel.write((0, 0))
    with serving(Server({HA_STATUS: late})) as server:
        assert run_probe("running", server.address, kernel).returncode == 0
        assert run_probe("started", server.address, kernel).returncode == 0


@pytest.mark.parametrize(
    ("after", "slow"),
    [
        ([(0, 0), (5, 0)], False),
        ([(150, 50), (80, 20)], False),  # a deadlock: only the timers of the broker run
        ([(20, 900), (10, 1500)], True),  # an overloaded node
        ([(300, 450), (10, 0)], True),  # the request waits for a thread that shares its CPU
        ([(1000, 0), (10, 0)], True),  # garbage collection
    ],
)
def test_thread_times_decide_when_there_is_no_answer(kernel: Kernel, after: list[tuple[int, int]], slow: bool) -> None:
    kernel.write((9000, 9000), (9000, 9000))
    later = [(9000 + ran, 9000 + waited) for ran, waited in after]
    with silent() as address:
        result = run_probe("running", address, kernel, lambda: kernel.write(*later))
    assert result.returncode == (0 if slow else 1)
    assert result.stdout.startswith("" if slow else f"hung: no answer from {address} within 2 s; in ")
    assert (kernel.folder / "fd" / "1").exists() is slow, "a slow process is reported in the log of the container"


def test_stopped_process_is_hung_regardless_of_its_thread_times(kernel: Kernel) -> None:
    kernel.write((0, 0))
    with silent() as address:
        result = run_probe("running", address, kernel, lambda: kernel.write((900, 9000), state="T"))
    assert (result.returncode, "the process is stopped" in result.stdout) == (1, True)


def test_time_of_a_slow_process_is_limited_and_reset_by_an_answer(kernel: Kernel) -> None:
    def busy() -> None:
        kernel.write((900_000, 0))

    kernel.write((0, 0))
    with silent() as address:
        assert run_probe("running", address, kernel, busy).returncode == 0
        kernel.write((0, 0))
        expired = run_probe("running", address, kernel, busy, PATIENCE="-1")
    assert (expired.returncode, "slow for more than" in expired.stdout) == (1, True)
    with serving(Server({HA_STATUS: lambda _, __: ({}, b"{}")})) as server:
        run_probe("running", server.address, kernel)
    kernel.write((0, 0))
    with silent() as address:
        assert run_probe("running", address, kernel, busy, PATIENCE="0").returncode == 0


def test_slow_process_fails_the_startup_probe(kernel: Kernel) -> None:
    kernel.write((0, 0))
    with silent() as address:
        assert run_probe("started", address, kernel, lambda: kernel.write((9000, 9000))).returncode == 1


def test_closed_port_is_reported_immediately(kernel: Kernel) -> None:
    kernel.write((0, 0))
    begun = time.monotonic()
    result = run_probe("running", "127.0.0.1:1", kernel, lambda: kernel.write((9000, 9000)))
    assert (result.returncode, result.stdout) == (1, "127.0.0.1:1 does not answer\n")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("stopped", [False, True])
def test_probe_evaluates_thread_times_of_a_real_process(kernel: Kernel, stopped: bool) -> None:
    spinner = subprocess.Popen(["bash", "-c", "while :; do :; done"])
    try:
        if stopped:
            spinner.send_signal(signal.SIGSTOP)
        with silent() as address:
            result = run_probe("running", address, kernel, PROCESS=f"/proc/{spinner.pid}", UNANSWERED=os.devnull)
    finally:
        spinner.kill()
        spinner.wait()
    assert result.returncode == (1 if stopped else 0), result.stdout


ROUTES = {
    "no master": b'{"brokerDatas":[{"brokerAddrs":{2:"10.0.0.2:10911"},"brokerName":"broker-a"}]}',
    "master": b'{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",2:"10.0.0.2:10911"},"brokerName":"broker-a"}]}',
    "quoted": b'{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a"}]}',
}


def start_proxy(servers: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", str(SCRIPTS / "proxy-start.sh"), "echo", "started"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NAME_SERVERS": servers, "CLUSTER": "rocketmq"},
    )


@pytest.mark.parametrize("route", ["master", "quoted"])
def test_proxy_waits_until_all_reachable_name_servers_know_a_master(route: str) -> None:
    known = [route, "no master"]
    servers = [Server({ROUTE: lambda _, __, at=at: ({}, ROUTES[known[at]])}) for at in range(2)]
    with serving(servers[0]) as first, serving(servers[1]) as second:
        waiting = start_proxy(f"127.0.0.1:1 {first.address} {second.address}")
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith("waiting for a name server that knows a master: 127.0.0.1:1 ")
        time.sleep(1.5)
        assert waiting.poll() is None
        known[1] = route
        assert waiting.communicate(timeout=20)[0] == "started\n"
    assert servers[0].asked[0][1] == {"topic": "rocketmq"}


def test_waiting_proxy_exits_on_sigterm() -> None:
    without_routes = Server({ROUTE: lambda _, __: ({"code": 17, "remark": "No topic route info"}, b"")})
    with serving(without_routes) as server:
        for servers in ("127.0.0.1:1", server.address):
            waiting = start_proxy(servers)
            time.sleep(1.5)
            waiting.terminate()
            assert waiting.wait(timeout=5) == -signal.SIGTERM
