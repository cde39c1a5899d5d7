"""Startup and liveness probes distinguish slow processes from hung ones; a proxy waits for a master."""

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
"""For an answer; in the pods it is 4."""


@dataclass
class Kernel:
    """The folder of a process in /proc, with threads whose times a test decides."""

    folder: Path

    def write(self, *threads: tuple[int, int], state: str = "S") -> None:
        """Times of each thread so far, in ms: on a CPU, and waiting for one."""
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
    """The address of a process that accepts connections and never answers, as the kernel does for a hung one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def alive(
    mode: str, address: str, kernel: Kernel, during: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What the probe says; `during` happens in the middle of its wait."""
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
def test_a_process_that_answers_is_alive_even_when_it_refuses(kernel: Kernel, mode: str, code: int) -> None:
    kernel.write((0, 0))
    with serving(Server({HA_STATUS: lambda _, __: ({"code": code}, b"{}")})) as server:
        assert alive(mode, server.address, kernel).returncode == 0


def test_an_answer_may_come_late(kernel: Kernel) -> None:
    def late(_: object, __: object) -> tuple[dict[str, int], bytes]:
        time.sleep(1.5)
        return {}, b"{}"

    kernel.write((0, 0))
    with serving(Server({HA_STATUS: late})) as server:
        assert alive("running", server.address, kernel).returncode == 0
        assert alive("started", server.address, kernel).returncode == 0


@pytest.mark.parametrize(
    ("after", "slow"),
    [
        ([(0, 0), (5, 0)], False),
        ([(150, 50), (80, 20)], False),  # a deadlock: the timers of a broker go on
        ([(20, 900), (10, 1500)], True),  # an overloaded node
        ([(300, 450), (10, 0)], True),  # the request waits for a thread that shares its CPU
        ([(1000, 0), (10, 0)], True),  # garbage collection
    ],
)
def test_without_an_answer_the_threads_times_decide(kernel: Kernel, after: list[tuple[int, int]], slow: bool) -> None:
    kernel.write((9000, 9000), (9000, 9000))
    later = [(9000 + ran, 9000 + waited) for ran, waited in after]
    with silent() as address:
        result = alive("running", address, kernel, lambda: kernel.write(*later))
    assert result.returncode == (0 if slow else 1)
    assert result.stdout.startswith("" if slow else f"hung: no answer from {address} within 2 s; in ")
    assert (kernel.folder / "fd" / "1").exists() is slow, "a slow process is reported in the log of the container"


def test_a_stopped_process_hangs_whatever_it_waited_for(kernel: Kernel) -> None:
    kernel.write((0, 0))
    with silent() as address:
        result = alive("running", address, kernel, lambda: kernel.write((900, 9000), state="T"))
    assert (result.returncode, "the process is stopped" in result.stdout) == (1, True)


def test_slowness_ends_with_an_answer_and_has_an_end(kernel: Kernel) -> None:
    def busy() -> None:
        kernel.write((900_000, 0))

    kernel.write((0, 0))
    with silent() as address:
        assert alive("running", address, kernel, busy).returncode == 0
        kernel.write((0, 0))
        forever = alive("running", address, kernel, busy, PATIENCE="-1")
    assert (forever.returncode, "slow for more than" in forever.stdout) == (1, True)
    with serving(Server({HA_STATUS: lambda _, __: ({}, b"{}")})) as server:
        alive("running", server.address, kernel)
    kernel.write((0, 0))
    with silent() as address:
        assert alive("running", address, kernel, busy, PATIENCE="0").returncode == 0


def test_slow_is_not_started(kernel: Kernel) -> None:
    kernel.write((0, 0))
    with silent() as address:
        assert alive("started", address, kernel, lambda: kernel.write((9000, 9000))).returncode == 1


def test_a_closed_port_is_reported_at_once(kernel: Kernel) -> None:
    kernel.write((0, 0))
    begun = time.monotonic()
    result = alive("running", "127.0.0.1:1", kernel, lambda: kernel.write((9000, 9000)))
    assert (result.returncode, result.stdout) == (1, "127.0.0.1:1 does not answer\n")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("stopped", [False, True])
def test_the_kernels_own_times_of_a_real_process(kernel: Kernel, stopped: bool) -> None:
    spinner = subprocess.Popen(["bash", "-c", "while :; do :; done"])
    try:
        if stopped:
            spinner.send_signal(signal.SIGSTOP)
        with silent() as address:
            result = alive("running", address, kernel, PROCESS=f"/proc/{spinner.pid}", UNANSWERED=os.devnull)
    finally:
        spinner.kill()
        spinner.wait()
    assert result.returncode == (1 if stopped else 0), result.stdout


ROUTES = {
    "no master": b'{"brokerDatas":[{"brokerAddrs":{2:"10.0.0.2:10911"},"brokerName":"broker-a"}]}',
    "master": b'{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",2:"10.0.0.2:10911"},"brokerName":"broker-a"}]}',
    "quoted": b'{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a"}]}',
}


def proxy(servers: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", str(SCRIPTS / "proxy-start.sh"), "echo", "started"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NAME_SERVERS": servers, "CLUSTER": "rocketmq"},
    )


@pytest.mark.parametrize("route", ["master", "quoted"])
def test_a_proxy_waits_until_all_name_servers_that_answer_know_a_master(route: str) -> None:
    known = [route, "no master"]
    servers = [Server({ROUTE: lambda _, __, at=at: ({}, ROUTES[known[at]])}) for at in range(2)]
    with serving(servers[0]) as first, serving(servers[1]) as second:
        waiting = proxy(f"127.0.0.1:1 {first.address} {second.address}")
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith("waiting for a name server that knows a master: 127.0.0.1:1 ")
        time.sleep(1.5)
        assert waiting.poll() is None
        known[1] = route
        assert waiting.communicate(timeout=20)[0] == "started\n"
    assert servers[0].asked[0][1] == {"topic": "rocketmq"}


def test_a_proxy_waits_for_a_name_server_and_ends_when_it_is_told_to() -> None:
    refusing = Server({ROUTE: lambda _, __: ({"code": 17, "remark": "No topic route info"}, b"")})
    with serving(refusing) as server:
        for servers in ("127.0.0.1:1", server.address):
            waiting = proxy(servers)
            time.sleep(1.5)
            waiting.terminate()
            assert waiting.wait(timeout=5) == -signal.SIGTERM
