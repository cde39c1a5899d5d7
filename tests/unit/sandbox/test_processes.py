"""Foundations of the sandbox: layout, processes, lock, progress report and remoting protocol."""

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
from sandbox.messages import remoting, topics
from sandbox.processes import Process, ProcessError
from sandbox.progress import Report

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxInstance]:
    monkeypatch.setattr(SandboxInstance, "root", property(lambda self: tmp_path / self.name))
    created = SandboxInstance("unit")
    created.root.mkdir()
    yield created
    for name in processes.names(created):
        processes.stop(created, name)


def test_sandbox_name_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EKS_ROCKETMQ_SANDBOX", raising=False)
    assert layout.current() == SandboxInstance("sandbox")
    monkeypatch.setenv("EKS_ROCKETMQ_SANDBOX", "test")
    assert layout.current() == SandboxInstance("test")


@pytest.mark.parametrize("name", ["", "../x", "Test", "a b", "elevenchars"])
def test_invalid_sandbox_name_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("EKS_ROCKETMQ_SANDBOX", name)
    with pytest.raises(layout.SandboxNameError, match="1 to 10 lower-case letters and digits"):
        layout.current()


def test_nodes_span_three_zones_and_have_eks_names() -> None:
    assert [node.zone for node in NODES] == ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]
    assert NODES[0].name == "ip-10-200-0-11.ap-southeast-1.compute.internal"


def test_process_has_its_own_session_and_is_started_once(instance: SandboxInstance) -> None:
    log = processes.log_file(instance, "one")
    process = Process("one", SLEEP, ready=lambda: log.exists() and "up" in log.read_text())
    processes.start(instance, process)
    first = json.loads((instance.run / "one.process").read_text())["pid"]
    processes.start(instance, process)
    assert json.loads((instance.run / "one.process").read_text())["pid"] == first
    assert os.getsid(first) == first

    processes.stop(instance, "one")
    assert not processes.is_alive(instance, "one")
    assert processes.names(instance) == []


def test_process_that_exits_before_it_is_ready_reports_its_log(instance: SandboxInstance) -> None:
    process = Process("bad", [sys.executable, "-c", "raise SystemExit('port 6443 is in use')"], ready=lambda: False)
    with pytest.raises(ProcessError, match=r"bad ended before it was ready\n.*\nport 6443 is in use"):
        processes.start(instance, process)


def test_process_that_exits_before_it_is_recorded_is_not_alive(instance: SandboxInstance) -> None:
    processes.start(instance, Process("short", ["true"]))
    record = instance.run / "short.process"
    record.write_text(json.dumps({"pid": json.loads(record.read_text())["pid"], "started": None}))
    assert not processes.is_alive(instance, "short")


def test_process_that_is_never_ready_times_out(instance: SandboxInstance) -> None:
    with pytest.raises(ProcessError, match="slow was not ready within 0 s"):
        processes.start(instance, Process("slow", SLEEP, ready=lambda: False, ready_seconds=0.2))


def test_reused_pid_does_not_count_as_the_recorded_process(instance: SandboxInstance) -> None:
    instance.run.mkdir()
    (instance.run / "stale.process").write_text(json.dumps({"pid": os.getpid(), "started": "1"}))
    assert not processes.is_alive(instance, "stale")
    processes.stop(instance, "stale")  # must not end this test process, whose PID is recorded


def test_second_command_reports_the_command_that_has_the_lock(instance: SandboxInstance) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom sandbox import lock\nfrom sandbox.layout import SandboxInstance\n"
        f"SandboxInstance.root = property(lambda self: Path({str(instance.root)!r}))\n"
        "with lock.sandbox_lock(SandboxInstance('unit'), 'up'):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=layout.REPOSITORY
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        busy = rf"`make up` \(pid {other.pid}\) is working on the sandbox 'unit'"
        with pytest.raises(lock.BusyError, match=busy), lock.sandbox_lock(instance, "down"):
            pass
        other.kill()
    with lock.sandbox_lock(instance, "down"):  # the kernel releases the lock of an exited process
        pass


def test_progress_report_shows_result_and_duration_of_each_step() -> None:
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
    """RocketMQ server that sends the given answers in order and records header and body of each request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def start_server(answers: list[tuple[dict, bytes]]) -> tuple[str, list[tuple[dict, bytes]]]:
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

    yield start_server
    listening.close()


def test_request_and_response_are_framed(server: Callable) -> None:
    address, requests = server([({"code": 0, "extFields": {"a": "b"}}, b'{"brokerAddrs":{0:"x",2:"y"}}')])
    answer = remoting.invoke(address, remoting.CLUSTER_INFO, {"topic": "t"}, body=b"payload")
    assert answer.fields == {"a": "b"}
    assert answer.json() == {"brokerAddrs": {"0": "x", "2": "y"}}
    ((header, body),) = requests
    assert (header["code"], header["extFields"], body) == (106, {"topic": "t"}, b"payload")


def test_remoting_error_contains_code_and_remark_of_rocketmq(server: Callable) -> None:
    address, _ = server([({"code": 16, "remark": "check signature failed."}, b"")])
    with pytest.raises(remoting.RemotingError, match=r"code 16: check signature failed\.") as error:
        remoting.invoke(address, remoting.CREATE_TOPIC)
    assert error.value.code == 16


def test_topic_that_is_missing_on_brokers_raises_a_timeout_error(server: Callable) -> None:
    address, _ = server([({"code": 0}, b'{"brokerAddrTable":{}}')])
    with pytest.raises(TimeoutError, match="topic t and group g are not on all of 3 brokers"):
        topics.ensure(address, "t", "g", members=3, seconds=0.0)
