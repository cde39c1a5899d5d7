"""Messages of a provider for the engine's log."""

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """Log of one engine run. A message is dropped when the engine has ended."""

    def __init__(self, address: str) -> None:
        """Connect to the engine at `address` (host:port). With an empty address, drop all messages."""
        self._channel = grpc.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS) if address else None
        self._stub = engine_pb2_grpc.EngineStub(self._channel) if self._channel else None

    def status(self, urn: str, message: str) -> None:
        """Show what the resource waits for, until the operation ends."""
        self._send(engine_pb2.INFO, urn, message, ephemeral=True)

    def warning_status(self, urn: str, message: str) -> None:
        """Show a warning until the operation ends."""
        self._send(engine_pb2.WARNING, urn, message, ephemeral=True)

    def warning(self, urn: str, message: str) -> None:
        """Show a warning that stays in the output."""
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
