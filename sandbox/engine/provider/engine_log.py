"""Lines that a provider shows while it works, sent to the engine's log."""

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The log of one engine run. A line that cannot be sent is dropped: then the engine is gone."""

    def __init__(self, address: str) -> None:
        """`address` is the engine's, as host:port; an empty one (no engine) makes a log that says nothing."""
        self._channel = grpc.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS) if address else None
        self._stub = engine_pb2_grpc.EngineStub(self._channel) if self._channel else None

    def status(self, urn: str, message: str) -> None:
        """What the resource is waiting for just now; it vanishes when the resource is done."""
        self._send(engine_pb2.INFO, urn, message, ephemeral=True)

    def warning_status(self, urn: str, message: str) -> None:
        """A passing trouble; it vanishes when the resource is done."""
        self._send(engine_pb2.WARNING, urn, message, ephemeral=True)

    def warning(self, urn: str, message: str) -> None:
        """A trouble that stays in the output."""
        self._send(engine_pb2.WARNING, urn, message, ephemeral=False)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _send(self, severity: engine_pb2.LogSeverity.ValueType, urn: str, message: str, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError:
            return
