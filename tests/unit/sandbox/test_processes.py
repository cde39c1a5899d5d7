"""Foundations of the sandbox: layout, processes, lock, remoting protocol."""

import io
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import layout, lock, processes
from sandbox.layout import NODES, SandboxInstance
from sandbox.messages import remoting, topic
from sandbox.processes import Process, ProcessError
from sandbox.progress import Report

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxInstance]:
    monkeypatch.setattr(SandboxInstance, "root", property(lambda self: tmp_path / self.name))
    made = SandboxInstance("unit")
    made.root.mkdir()
    yield made
    for name in processes.names(made):
        processes.stop(made, name)


def test_the_environment_names_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EKS_ROCKETMQ_SANDBOX", raising=False)
    assert layout.current() == SandboxInstance("sandbox")
    monkeypatch.setenv("EKS_ROCKETMQ_SANDBOX", "test")
    assert layout.current() == SandboxInstance("test")


@pytest.mark.parametrize("name", ["", "../x", "Test", "a b", "elevenchars"])
def test_a_name_that_could_leave_its_folder_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("EKS_ROCKETMQ_SANDBOX", name)
    with pytest.raises(layout.SandboxNameError, match="1 to 10 lower-case letters and digits"):
        layout.current()


def test_nodes_lie_in_three_zones_and_are_named_as_eks_names_them() -> None:
    assert [node.zone for node in NODES] == ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]
    assert NODES[0].name == "ip-10-200-0-11.ap-southeast-1.compute.internal"


def test_a_process_outlives_its_starter_and_is_started_once(here: SandboxInstance) -> None:
    log = processes.log_file(here, "one")
    process = Process("one", SLEEP, ready=lambda: log.exists() and "up" in log.read_text())
    processes.start(here, process)
    first = json.loads((here.run / "one.process").read_text())["pid"]
    processes.start(here, process)
    assert json.loads((here.run / "one.process").read_text())["pid"] == first
    assert os.getsid(first) == first

    processes.stop(here, "one")
    assert not processes.alive(here, "one")
    assert processes.names(here) == []


def test_a_process_that_ends_before_it_is_ready_shows_its_log(here: SandboxInstance) -> None:
    process = Process("bad", [sys.executable, "-c", "raise SystemExit('port 6443 is in use')"], ready=lambda: False)
    with pytest.raises(ProcessError, match=r"bad ended before it was ready\n.*\nport 6443 is in use"):
        processes.start(here, process)


def test_a_process_that_had_ended_before_it_was_recorded_is_not_alive(here: SandboxInstance) -> None:
    processes.start(here, Process("short", ["true"]))
    record = here.run / "short.process"
    record.write_text(json.dumps({"pid": json.loads(record.read_text())["pid"], "started": None}))
    assert not processes.alive(here, "short")


def test_a_process_that_never_is_ready_has_an_end(here: SandboxInstance) -> None:
    with pytest.raises(ProcessError, match="slow was not ready within 0 s"):
        processes.start(here, Process("slow", SLEEP, ready=lambda: False, ready_seconds=0.2))


def test_a_pid_of_somebody_else_is_never_taken_for_ours(here: SandboxInstance) -> None:
    here.run.mkdir()
    (here.run / "stale.process").write_text(json.dumps({"pid": os.getpid(), "started": "1"}))
    assert not processes.alive(here, "stale")
    processes.stop(here, "stale")  # would end this test run otherwise


def test_a_second_command_says_who_is_at_work(here: SandboxInstance) -> None:
    holder = (
        "import sys\nfrom pathlib import Path\nfrom sandbox import lock\nfrom sandbox.layout import SandboxInstance\n"
        f"SandboxInstance.root = property(lambda self: Path({str(here.root)!r}))\n"
        "with lock.sandbox_lock(SandboxInstance('unit'), 'up'):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=layout.REPOSITORY
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        busy = rf"`make up` \(pid {other.pid}\) is working on the sandbox 'unit'"
        with pytest.raises(lock.BusyError, match=busy), lock.sandbox_lock(here, "down"):
            pass
        other.kill()
    with lock.sandbox_lock(here, "down"):  # the kernel frees the lock of a process that is gone
        pass


def test_a_log_shows_each_step_with_its_time_and_its_failure() -> None:
    output = io.StringIO()
    report = Report(Console(file=output, width=80))
    with report.step("nodes"):
        report.detail("2 of 3")
    with pytest.raises(RuntimeError), report.step("messages"):
        raise RuntimeError
    text = output.getvalue()
    assert "… nodes\n  2 of 3\n✓ nodes" in text
    assert "✗ messages" in text
    assert list(report.seconds) == ["nodes", "messages"]


@pytest.fixture
def server() -> Iterator[Callable[[list[tuple[dict, bytes]]], tuple[str, list[tuple[dict, bytes]]]]]:
    """Plays a RocketMQ server: gives the answers in order and keeps header and body of each request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def play(answers: list[tuple[dict, bytes]]) -> tuple[str, list[tuple[dict, bytes]]]:
        requests: list[tuple[dict, bytes]] = []

        def serve() -> None:
            for header, body in answers:
                connection, _ = listening.accept()
                with connection, connection.makefile("rb") as stream:
                    length, header_length = struct.unpack(">II", stream.read(8))
                    requests.append((json.loads(stream.read(header_length)), stream.read(length - 4 - header_length)))
                    encoded = json.dumps(header).encode()
                    frame = struct.pack(">II", 4 + len(encoded) + len(body), len(encoded)) + encoded + body
                    connection.sendall(frame)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listening.getsockname()[1]}", requests

    yield play
    listening.close()


def test_a_question_and_its_answer_travel_in_frames(server: Callable) -> None:
    address, requests = server([({"code": 0, "extFields": {"a": "b"}}, b'{"brokerAddrs":{0:"x",2:"y"}}')])
    answer = remoting.invoke(address, remoting.CLUSTER_INFO, {"topic": "t"}, body=b"payload")
    assert answer.fields == {"a": "b"}
    assert answer.json() == {"brokerAddrs": {"0": "x", "2": "y"}}
    ((header, body),) = requests
    assert (header["code"], header["extFields"], body) == (106, {"topic": "t"}, b"payload")


def test_a_refusal_carries_rocketmqs_own_words(server: Callable) -> None:
    address, _ = server([({"code": 16, "remark": "check signature failed."}, b"")])
    with pytest.raises(remoting.RemotingError, match=r"code 16: check signature failed\.") as refused:
        remoting.invoke(address, remoting.CREATE_TOPIC)
    assert refused.value.code == 16


def test_a_topic_that_never_reaches_the_brokers_says_where_it_is_missing(server: Callable) -> None:
    address, _ = server([({"code": 0}, b'{"brokerAddrTable":{}}')])
    with pytest.raises(TimeoutError, match="topic t and group g are not on all of 3 brokers"):
        topic.ensure(address, "t", "g", members=3, seconds=0.0)
