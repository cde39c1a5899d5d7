"""The gRPC side of a provider stand-in: one process that the engine attaches to, run after run.

A stand-in subclasses `StandIn` and starts `serve(...)`. The engine opens a connection of its own for each provider
resource and each run, so everything configured is kept per connection: two providers of one package with different
settings, and runs that follow each other, never mix.
"""

# ruff: noqa: N802 - the servicer's methods have the protocol's names

import json
import logging
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import ProviderError, abort
from sandbox.engine.provider.values import JsonObject, decode, encode, plain

logger = logging.getLogger(__name__)

_Response = TypeVar("_Response", bound=Message)
_REMEMBERED_CONNECTIONS = 32


@dataclass(frozen=True)
class Target:
    """The resource that a request is about."""

    urn: str
    type: str
    name: str

    @classmethod
    def of(cls, urn: str) -> "Target":
        """From `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`."""
        _, _, qualified, name = urn.split("::", 3)
        return cls(urn, qualified.rpartition("$")[2], name)


@dataclass(frozen=True)
class Checked:
    """Inputs after defaults and normalisation. `failures` are (property, reason) pairs; with any, the engine stops."""

    inputs: Mapping[str, object]
    failures: Sequence[tuple[str, str]] = ()


class Change(IntEnum):
    """What happens to one property; the `_REPLACE` forms force a replacement."""

    ADD = provider_pb2.PropertyDiff.ADD
    ADD_REPLACE = provider_pb2.PropertyDiff.ADD_REPLACE
    DELETE = provider_pb2.PropertyDiff.DELETE
    DELETE_REPLACE = provider_pb2.PropertyDiff.DELETE_REPLACE
    UPDATE = provider_pb2.PropertyDiff.UPDATE
    UPDATE_REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE

    @property
    def kind(self) -> provider_pb2.PropertyDiff.Kind.ValueType:
        return provider_pb2.PropertyDiff.Kind.ValueType(self.value)

    def replacing(self) -> "Change":
        return Change(self | 1)

    @property
    def replaces(self) -> bool:
        return bool(self & 1)


@dataclass(frozen=True)
class Difference:
    """Property path (`spec.ports[0].port`, `data["a.b"]`) to what changes; empty means no change.

    `compares_inputs`: the engine shows old inputs against new inputs; otherwise old outputs against new inputs, but for
    a deletion, which is always of an input.
    """

    changes: Mapping[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False
    compares_inputs: bool = True


@dataclass(frozen=True)
class State:
    """A resource as it is: `outputs` for state, `inputs` for the next comparison. An empty id means it is gone."""

    resource_id: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)


class StandIn(ABC):
    """One provider resource of one engine run. Operations run in threads, several at a time.

    Every method may raise ProviderError; values are plain Python, with `Secret` and `UNKNOWN` where `accept_secrets`
    and previews bring them. `timeout` is in seconds, 0 when the program names none.
    """

    package: str
    version: str
    accept_secrets: bool = False

    def __init__(self, log: EngineLog, cancelled: threading.Event) -> None:
        self.log = log
        self.cancelled = cancelled

    def close(self) -> None:
        """Let go of what was opened; the engine has gone or begins anew."""
        self.log.close()

    def check_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Checked:  # noqa: ARG002
        return Checked(news)

    def diff_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Difference:  # noqa: ARG002
        """Any changed setting updates the provider resource and leaves what it manages alone."""
        return Difference(top_level_changes(olds, news))

    @abstractmethod
    def configure(self, config: JsonObject) -> None:
        """Settings as the SDK sends them: all but strings are JSON text (see `setting`)."""

    @abstractmethod
    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        """`olds` are the old inputs, empty for a new resource. `seed` makes an automatic name the same all through."""

    @abstractmethod
    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference: ...

    @abstractmethod
    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State: ...

    @abstractmethod
    def read(self, target: Target, olds: State) -> State:
        """The resource as it is now. `olds` has empty outputs for an import or `get`. An empty id means it is gone."""

    @abstractmethod
    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State: ...

    @abstractmethod
    def delete(self, target: Target, olds: State, timeout: float) -> None: ...

    @abstractmethod
    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]: ...


def setting(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A provider setting that is no string: the SDK sends such values as JSON text."""
    bare = plain(value)
    return json.loads(bare) if isinstance(bare, str) else bare


def top_level_changes(olds: Mapping[str, object], news: Mapping[str, object]) -> dict[str, Change]:
    """Which keys were added, removed or have another value."""
    changes: dict[str, Change] = {}
    for key in sorted({*olds, *news}):
        if key not in olds:
            changes[key] = Change.ADD
        elif key not in news:
            changes[key] = Change.DELETE
        elif olds[key] != news[key]:
            changes[key] = Change.UPDATE
    return changes


@dataclass
class _Connection:
    stand_in: StandIn
    cancelled: threading.Event


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates the engine's requests into calls on the `StandIn` of the connection they came by."""

    def __init__(self, kind: Callable[[EngineLog, threading.Event], StandIn]) -> None:
        """`kind` is the StandIn class (or any maker of one)."""
        self._kind = kind
        self._connections: OrderedDict[str, _Connection] = OrderedDict()
        self._lock = threading.Lock()

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        connection = self._open(context, request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=connection.stand_in.accept_secrets)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self._open(context, request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(
        self,
        request: empty_pb2.Empty,  # noqa: ARG002
        context: grpc.ServicerContext,
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._stand_in(context).version)

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        def work() -> provider_pb2.CheckResponse:
            stand_in = self._stand_in(context)
            return _checked(stand_in.check_config(Target.of(request.urn), decode(request.olds), decode(request.news)))

        return self._answer(context, work)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        def work() -> provider_pb2.DiffResponse:
            olds = decode(request.old_inputs) or decode(request.olds)
            return _difference(self._stand_in(context).diff_config(Target.of(request.urn), olds, decode(request.news)))

        return self._answer(context, work)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        def work() -> provider_pb2.ConfigureResponse:
            stand_in = self._stand_in(context)
            stand_in.configure(decode(request.args))
            return provider_pb2.ConfigureResponse(acceptSecrets=stand_in.accept_secrets, supportsPreview=True)

        return self._answer(context, work)

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        def work() -> provider_pb2.CheckResponse:
            target = Target.of(request.urn)
            stand_in = self._stand_in(context)
            return _checked(stand_in.check(target, decode(request.olds), decode(request.news), request.randomSeed))

        return self._answer(context, work)

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        def work() -> provider_pb2.DiffResponse:
            olds = State(request.id, decode(request.olds), decode(request.old_inputs))
            stand_in = self._stand_in(context)
            return _difference(
                stand_in.diff(
                    Target.of(request.urn), request.id, olds, decode(request.news), list(request.ignoreChanges)
                )
            )

        return self._answer(context, work)

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        def work() -> provider_pb2.CreateResponse:
            state = self._stand_in(context).create(
                Target.of(request.urn), decode(request.properties), request.timeout, preview=request.preview
            )
            return provider_pb2.CreateResponse(id=state.resource_id, properties=encode(state.outputs))

        return self._answer(context, work)

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        def work() -> provider_pb2.ReadResponse:
            olds = State(request.id, decode(request.properties), decode(request.inputs))
            state = self._stand_in(context).read(Target.of(request.urn), olds)
            if not state.resource_id:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=state.resource_id, properties=encode(state.outputs), inputs=encode(state.inputs)
            )

        return self._answer(context, work)

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        def work() -> provider_pb2.UpdateResponse:
            olds = State(request.id, decode(request.olds), decode(request.old_inputs))
            state = self._stand_in(context).update(
                Target.of(request.urn), olds, decode(request.news), request.timeout, preview=request.preview
            )
            return provider_pb2.UpdateResponse(properties=encode(state.outputs))

        return self._answer(context, work)

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        def work() -> empty_pb2.Empty:
            olds = State(request.id, decode(request.properties), decode(request.old_inputs))
            self._stand_in(context).delete(Target.of(request.urn), olds, request.timeout)
            return empty_pb2.Empty()

        return self._answer(context, work)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        def work() -> provider_pb2.InvokeResponse:
            result = self._stand_in(context).invoke(request.tok, decode(request.args))
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(encode(result))
            return response

        return self._answer(context, work)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: ARG002
        self._cancel(context.peer())
        return empty_pb2.Empty()

    def cancel_all(self) -> None:
        """End every waiting operation of every run, as when the process is told to stop."""
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.cancelled.set()

    def _cancel(self, peer: str) -> None:
        with self._lock:
            connection = self._connections.get(peer)
        if connection is not None:
            connection.cancelled.set()

    def _open(self, context: grpc.ServicerContext, engine_address: str) -> _Connection:
        """Begin anew for this connection: the engine greets before it configures."""
        cancelled = threading.Event()
        connection = _Connection(self._kind(EngineLog(engine_address), cancelled), cancelled)
        with self._lock:
            replaced = [self._connections.pop(context.peer(), None)]
            self._connections[context.peer()] = connection
            while len(self._connections) > _REMEMBERED_CONNECTIONS:
                replaced.append(self._connections.popitem(last=False)[1])
        for old in replaced:
            if old is not None:
                old.stand_in.close()
        return connection

    def _stand_in(self, context: grpc.ServicerContext) -> StandIn:
        with self._lock:
            connection = self._connections.get(context.peer())
        return (connection or self._open(context, "")).stand_in

    def _answer(self, context: grpc.ServicerContext, work: Callable[[], _Response]) -> _Response:
        finished, peer = threading.Event(), context.peer()
        # An engine that is killed says nothing more; what waits for a resource would go on for its whole timeout.
        context.add_callback(lambda: None if finished.is_set() else self._cancel(peer))
        try:
            return work()
        except ProviderError as error:
            abort(context, error)
            raise
        except Exception as error:
            logger.exception("the stand-in failed")
            context.abort(grpc.StatusCode.INTERNAL, f"the sandbox's stand-in failed: {type(error).__name__}: {error}")
            raise
        finally:
            finished.set()


def _checked(checked: Checked) -> provider_pb2.CheckResponse:
    failures = [provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in checked.failures]
    return provider_pb2.CheckResponse(inputs=encode(checked.inputs), failures=failures)


def _difference(difference: Difference) -> provider_pb2.DiffResponse:
    changes = difference.changes
    some = provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        diffs=sorted({path.partition(".")[0].partition("[")[0] for path in changes}),
        replaces=[path for path, change in changes.items() if change.replaces],
        deleteBeforeReplace=difference.delete_before_replace,
        hasDetailedDiff=True,
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=change.kind, inputDiff=_against_inputs(difference, change))
            for path, change in changes.items()
        },
    )


def _against_inputs(difference: Difference, change: Change) -> bool:
    return difference.compares_inputs or change in {Change.DELETE, Change.DELETE_REPLACE}
