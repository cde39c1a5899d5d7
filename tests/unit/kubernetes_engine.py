"""Client for tests of the kubernetes stand-in, which calls it over gRPC like the engine."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine.kubernetes.stand_in import KubernetesStandIn
from sandbox.engine.provider.servicer import Servicer
from sandbox.engine.provider.values import JsonObject, decode, encode

CONFIG_MAP = "urn:pulumi:prod::project::kubernetes:core/v1:ConfigMap::settings"
INPUTS: JsonObject = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "ns"},
    "data": {"a": "1"},
}


class Engine:
    """One provider resource in one run, on a separate connection."""

    def __init__(self, channel: grpc.Channel, **config: Any) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self.stub.Attach(plugin_pb2.PluginAttach(address=""))
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(config)))

    def check(self, urn: str, news: JsonObject, olds: JsonObject | None = None, seed: bytes = b"seed") -> JsonObject:
        request = provider_pb2.CheckRequest(urn=urn, news=encode(news), olds=encode(olds or {}), randomSeed=seed)
        return decode(self.stub.Check(request).inputs)

    def create(
        self, urn: str, inputs: JsonObject, *, preview: bool = False, timeout: float = 0
    ) -> tuple[str, JsonObject]:
        request = provider_pb2.CreateRequest(urn=urn, properties=encode(inputs), preview=preview, timeout=timeout)
        response = self.stub.Create(request)
        return response.id, decode(response.properties)

    def update(self, urn: str, olds: JsonObject, news: JsonObject, *, preview: bool = False) -> JsonObject:
        resource_id = "/".join(filter(None, (news["metadata"].get("namespace"), news["metadata"]["name"])))
        request = provider_pb2.UpdateRequest(
            id=resource_id, urn=urn, olds=encode(olds), news=encode(news), preview=preview
        )
        return decode(self.stub.Update(request).properties)

    def read(
        self, urn: str, resource_id: str, state: JsonObject | None = None, inputs: JsonObject | None = None
    ) -> Any:
        return self.stub.Read(
            provider_pb2.ReadRequest(
                id=resource_id, urn=urn, properties=encode(state or {}), inputs=encode(inputs or {})
            )
        )

    def delete(self, urn: str, resource_id: str, state: JsonObject, timeout: float = 0) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id=resource_id, urn=urn, properties=encode(state), timeout=timeout))


Connect = Callable[..., Engine]
"""Function that connects to the provider. Its arguments are the configuration of the provider."""


@contextmanager
def stand_in() -> Generator[Connect]:
    """Run the provider and yield a function that connects to it.

    Connections close before the server stops; otherwise gRPC reports errors.
    """
    server = grpc.server(ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(KubernetesStandIn), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with ExitStack() as connections:

        def connect(**config: Any) -> Engine:
            # Without this option, two channels of one process share a connection.
            alone = [("grpc.use_local_subchannel_pool", 1)]
            return Engine(connections.enter_context(grpc.insecure_channel(address, options=alone)), **config)

        yield connect
    server.stop(None).wait()


def refused(error: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    return error.value.details()  # ty: ignore[missing-attribute] - every error of a call has details
