"""gRPC server of the component: the SDK's server, extended so that the engine attaches for run after run."""

# ruff: noqa: N802 - the servicer's methods have the protocol's names

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from pulumi import ResourceOptions
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine.eks import cluster
from sandbox.engine.provider.failures import UnsupportedTypeError

PACKAGE = "eks"
_GRACE_SECONDS = 2.0
_engine: ContextVar[str] = ContextVar("engine_address", default="")


class EksStandIn(Provider):
    """Provider of one component."""

    def __init__(self) -> None:
        super().__init__(version(f"pulumi-{PACKAGE}"))

    def construct(
        self, name: str, resource_type: str, inputs: Mapping[str, Any], options: ResourceOptions | None = None
    ) -> ConstructResult:
        if resource_type != cluster.TOKEN:
            raise UnsupportedTypeError(resource_type, PACKAGE, [cluster.TOKEN])
        return cluster.construct(name, inputs, options or ResourceOptions())


class Servicer(ProviderServicer):
    """Server for each engine that attaches; the SDK's serves only the engine that started it."""

    def __init__(self) -> None:
        super().__init__(EksStandIn(), [], "")
        self._engines: dict[str, str] = {}

    @property
    def engine_address(self) -> str:
        """Address for the current request."""
        return _engine.get()

    @engine_address.setter
    def engine_address(self, address: str) -> None:
        """Ignore the base class, which sets it before the first request."""

    async def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.aio.ServicerContext) -> empty_pb2.Empty:
        self._engines[context.peer()] = request.address
        return empty_pb2.Empty()

    async def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.aio.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        self._engines[context.peer()] = request.engine_address
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    async def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.aio.ServicerContext
    ) -> provider_pb2.CheckResponse:
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.aio.ServicerContext
    ) -> provider_pb2.DiffResponse:
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Construct(
        self, request: provider_pb2.ConstructRequest, context: grpc.aio.ServicerContext
    ) -> provider_pb2.ConstructResponse:
        _engine.set(self._engines.get(context.peer(), ""))
        return await super().Construct(request, context)


def serve(port: int) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM; print the port.

    Raises SystemExit with a message when the port is in use.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    server = grpc.aio.server(options=[*_GRPC_CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        msg = f"127.0.0.1:{port} is in use: end the process that listens there, or give another port"
        raise SystemExit(msg) from error
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await server.start()
    print(bound, flush=True)
    await stopping.wait()
    await server.stop(_GRACE_SECONDS)
