"""Commands in pods over a websocket, against a server in this process."""

import base64
import hashlib
import json
import socketserver
import struct
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from kubernetes.client.exceptions import ApiException

from eks_rocketmq.lookups.pod_exec import CommandResult, run_in_pod

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE = 2, 8
STDOUT, STDERR, ERROR = 1, 2, 3
SUCCESS = json.dumps({"status": "Success"}).encode()


def frame(kind: int, content: bytes) -> bytes:
    length = len(content)
    head = struct.pack(">BB", 0x80 | kind, length) if length < 126 else struct.pack(">BBH", 0x80 | kind, 126, length)
    return head + content


@dataclass
class ExecServer:
    """API server that answers each upgrade with the same messages."""

    messages: Sequence[tuple[int, bytes]] = ()
    """Channel and content of each message."""
    refusal: tuple[int, bytes] | None = None
    silent: bool = False
    """Whether it accepts the command and sends nothing."""
    breaks: bool = False
    """Whether it closes the connection without a message."""
    address: str = ""
    requests: list[tuple[str, list[tuple[str, str]], dict[str, str]]] = field(default_factory=list)
    """Path, query and headers of each request."""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def provider(self) -> dict[str, str]:
        return {
            "kubeconfig": json.dumps(
                {
                    "clusters": [{"name": "c", "cluster": {"server": self.address}}],
                    "users": [{"name": "u", "user": {"token": "sesame"}}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "x",
                }
            )
        }


@contextmanager
def serving(server: ExecServer) -> Generator[ExecServer]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            first = self.rfile.readline().decode()
            headers: dict[str, str] = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            url = urlsplit(first.split()[1])
            server.requests.append((url.path, parse_qsl(url.query), headers))
            if server.refusal:
                status, body = server.refusal
                self.wfile.write(b"HTTP/1.1 %d Refused\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
                return
            digest = hashlib.sha1((headers["sec-websocket-key"] + _GUID).encode()).digest()  # noqa: S324 - of the protocol
            accept = base64.b64encode(digest).decode()
            self.wfile.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n".encode()
            )
            if server.silent:
                server.done.wait(10)
            for channel, content in server.messages:
                self.wfile.write(frame(BINARY, bytes([channel]) + content))
            if not server.breaks:
                self.wfile.write(frame(CLOSE, struct.pack(">H", 1000)))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.address = f"http://127.0.0.1:{listener.server_address[1]}"
        yield server
        server.done.set()
        listener.shutdown()


def run(server: ExecServer, seconds: float = 5) -> CommandResult:
    return run_in_pod(server.provider, "rocketmq", "p-0", "broker", ["bash", "-c", "echo a && echo b"], seconds)


def test_the_output_of_a_command_is_returned() -> None:
    messages = [(STDOUT, b""), (STDOUT, "grü".encode()[:3]), (STDOUT, "grü".encode()[3:] + b"\n"), (STDERR, b"x"),
                (STDOUT, b"y" * 300), (ERROR, SUCCESS)]  # fmt: skip
    with serving(ExecServer(messages)) as server:
        assert run(server) == CommandResult("grü\n" + "y" * 300, "")
    ((path, query, headers),) = server.requests
    assert path == "/api/v1/namespaces/rocketmq/pods/p-0/exec"
    assert query == [
        ("container", "broker"), ("stdout", "true"), ("stderr", "false"), ("command", "bash"), ("command", "-c"),
        ("command", "echo a && echo b"),
    ]  # fmt: skip
    assert headers["authorization"] == "Bearer sesame"
    assert headers["sec-websocket-protocol"] == "v4.channel.k8s.io"


def test_a_failed_command_has_the_message_of_its_status() -> None:
    failure = json.dumps({"status": "Failure", "message": "command terminated with exit code 3"}).encode()
    with serving(ExecServer([(STDOUT, b"partly"), (ERROR, failure)])) as server:
        assert run(server) == CommandResult("partly", "command terminated with exit code 3")


def test_a_command_without_a_status_did_not_end() -> None:
    with serving(ExecServer([(STDOUT, b"partly")])) as server:
        assert run(server) == CommandResult("partly", "the command did not end")


def test_a_refused_command_has_the_reason_of_the_api_server() -> None:
    body = json.dumps({"kind": "Status", "message": 'cannot get resource "pods/exec"', "code": 403}).encode()
    with serving(ExecServer(refusal=(403, body))) as server, pytest.raises(ApiException) as caught:
        run(server)
    assert (caught.value.status, caught.value.reason) == (403, 'cannot get resource "pods/exec"')
    with serving(ExecServer(refusal=(502, b"<html>"))) as server, pytest.raises(ApiException, match="502"):
        run(server)


def test_a_silent_command_ends_in_time() -> None:
    started = time.monotonic()
    with serving(ExecServer(silent=True)) as server, pytest.raises(TimeoutError, match="no answer in time"):
        run(server, seconds=0.3)
    assert time.monotonic() - started < 5


def test_a_broken_connection_is_an_error() -> None:
    with serving(ExecServer([(STDOUT, b"a")], breaks=True)) as server, pytest.raises(ConnectionError):
        run(server)


def test_a_server_that_does_not_listen_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        run(ExecServer(address="http://127.0.0.1:1"))


def test_a_connection_that_breaks_behind_the_status_is_complete() -> None:
    # Some proxies close the connection without a closing message.
    with serving(ExecServer([(STDOUT, b"a"), (ERROR, SUCCESS)], breaks=True)) as server:
        assert run(server) == CommandResult("a", "")


def test_threads_share_the_token_of_one_credential_plugin(tmp_path: Path) -> None:
    log = tmp_path / "log"
    status = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "sesame"}}
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho run >>{log}\nsleep 0.2\necho '{json.dumps(status)}'\n")
    plugin.chmod(0o755)
    execute = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    with serving(ExecServer([(ERROR, SUCCESS)])) as server:
        kubeconfig = json.loads(server.provider["kubeconfig"])
        kubeconfig["users"][0]["user"] = {"exec": execute}
        provider = {"kubeconfig": json.dumps(kubeconfig)}
        with ThreadPoolExecutor(5) as executor:
            futures = [executor.submit(run_in_pod, provider, "rocketmq", "p", "c", ["true"], 20) for _ in range(5)]
            assert [each.result() for each in futures] == [CommandResult("", "")] * 5
    assert {headers["authorization"] for _, _, headers in server.requests} == {"Bearer sesame"}
    assert log.read_text().splitlines() == ["run"]
