"""Commands in running containers, over the websocket of the Kubernetes API."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.lookups.kubernetes_api import open_websocket

_STDOUT, _ERROR = 1, 3
_PROTOCOL = "v4.channel.k8s.io"
"""Each message begins with the number of its channel, in one byte."""
_CLOSE = 8


@dataclass(frozen=True)
class CommandResult:
    """Result of a command."""

    output: str
    """Standard output."""
    error: str
    """Message of the API server if the command failed; empty if its exit code is 0."""


def run_in_pod(  # noqa: PLR0913, PLR0917 - the address of a container
    provider: Mapping[str, Any], namespace: str, pod: str, container: str, command: Sequence[str], seconds: float
) -> CommandResult:
    """Run a command without input in a container and return its output.

    `seconds` is the time limit for everything together.

    Raises:
        ApiException: the API server rejects the request.
        ConfigException: no readable kubeconfig exists.
        OSError: the API server cannot be reached, or the command is not done in time.
    """
    deadline = time.monotonic() + seconds
    query = [("container", container), ("stdout", "true"), ("stderr", "false")]
    query += [("command", word) for word in command]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    socket = open_websocket(provider, path, query, _PROTOCOL, seconds)
    output, status = bytearray(), bytearray()
    try:
        while True:
            socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                kind, message = socket.receive()
            except ConnectionError:
                # The status is the last message, and some proxies do not send the closing one.
                if status:
                    break
                raise
            if kind == _CLOSE:
                break
            # The first byte is the channel; each stream begins with an empty message.
            if message[:1] == bytes([_STDOUT]):
                output += message[1:]
            elif message[:1] == bytes([_ERROR]):
                status += message[1:]
    finally:
        socket.close()
    return CommandResult(output.decode(errors="replace"), _read_error(bytes(status)))


def _read_error(status: bytes) -> str:
    """Return the message of the Status that the API server sends at the end."""
    try:
        found = json.loads(status or b"{}")
    except ValueError:
        return status.decode(errors="replace")
    return "" if found.get("status") == "Success" else str(found.get("message") or "the command did not end")
