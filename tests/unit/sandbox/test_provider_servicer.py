"""Common part of the provider stand-ins: operations are cancelled when their engine disconnects."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.servicer import Checked, Difference, Servicer, StandIn, State, Target
from sandbox.engine.provider.values import JsonObject

URN = "urn:pulumi:prod::project::test:index:Slow::one"
SECONDS = 10


class Slow(StandIn):
    """Provider whose create waits until it is cancelled, if the input `waits` is set."""

    package, version = "test", "1.0.0"

    def __init__(self, log: EngineLog, cancelled: threading.Event) -> None:
        super().__init__(log, cancelled)
        self.creating = threading.Event()

    def configure(self, config: JsonObject) -> None:
        del config

    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        del target, olds, seed
        return Checked(news)

    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference:
        raise AssertionError((target, resource_id, olds, news, ignore_changes))

    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State:
        del target, timeout, preview
        self.creating.set()
        if inputs.get("waits"):
            self.cancelled.wait(SECONDS)
        return State("id", inputs, inputs)

    def read(self, target: Target, olds: State) -> State:
        raise AssertionError((target, olds))

    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        raise AssertionError((target, olds, news, timeout, preview))

    def delete(self, target: Target, olds: State, timeout: float) -> None:
        raise AssertionError((target, olds, timeout))

    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]:
        raise AssertionError((token, arguments))


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "alive"])
def test_operation_is_cancelled_when_its_engine_disconnects(killed: bool) -> None:
    created: list[Slow] = []

    def slow(log: EngineLog, cancelled: threading.Event) -> Slow:
        created.append(Slow(log, cancelled))
        return created[-1]

    server = grpc.server(ThreadPoolExecutor(4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(slow), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Attach(plugin_pb2.PluginAttach(address=""))
            request = provider_pb2.CreateRequest(urn=URN)
            request.properties.update({"waits": killed})
            call = stub.Create.future(request)
            (stand_in,) = created
            assert stand_in.creating.wait(SECONDS)
            if not killed:
                assert call.result(SECONDS).id == "id"
                assert not stand_in.cancelled.wait(0.2)
        if killed:  # the connection was closed during the create
            assert stand_in.cancelled.wait(SECONDS)
    finally:
        server.stop(None).wait()
