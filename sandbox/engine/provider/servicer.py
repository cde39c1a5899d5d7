"""gRPC server of a provider stand-in, to which the engine attaches for run after run.

A stand-in subclasses `StandIn`; `serving.serve` starts it. The engine opens a connection for each provider resource of
each run, so all settings are kept per connection.
"""

# ruff: noqa: N802 - the servicer's methods have the protocol's names

import functools
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

_Request = TypeVar("_Request", bound=Message)
_Response = TypeVar("_Response", bound=Message)
_REMEMBERED_CONNECTIONS = 32


@dataclass(frozen=True)
class Target:
    """Resource of a request."""

    urn: str
    type: str
    name: str

    @classmethod
    def of(cls, urn: str) -> "Target":
        """Parse `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`."""
        _, _, qualified, name = urn.split("::", 3)
        return cls(urn, qualified.rpartition("$")[2], name)


@dataclass(frozen=True)
class Checked:
    """Inputs after defaults and normalisation. `failures` are (property, reason) pairs; with any, the engine stops."""

    inputs: Mapping[str, object]
    failures: Sequence[tuple[str, str]] = ()


class Change(IntEnum):
    """Change of one property; the `_REPLACE` members force a replacement."""

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
    """Changes by property path (`spec.ports[0].port`, `data["a.b"]`); empty for no change.

    compares_inputs: the engine shows old inputs against new inputs, otherwise old outputs against new inputs.
    A deletion is always of an input.
    """

    changes: Mapping[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False
    compares_inputs: bool = True


@dataclass(frozen=True)
class State:
    """Outputs to store and inputs for the next comparison. A resource with an empty id does not exist."""

    resource_id: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)


class StandIn(ABC):
    """One provider resource of one engine run. Operations run in threads, several at a time.

    Every method may raise ProviderError. Values are plain Python; with `accept_secrets` they include `Secret`, in
    previews `UNKNOWN`. `timeout` is in seconds, 0 when the program names none.
    """

    package: str
    version: str
    accept_secrets: bool = False

    def __init__(self, log: EngineLog, cancelled: threading.Event) -> None:
        self.log = log
        self.cancelled = cancelled

    def close(self) -> None:
        """Close all connections; the engine has ended or starts again."""
        self.log.close()

    def check_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Checked:  # noqa: ARG002
        return Checked(news)

    def diff_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Difference:  # noqa: ARG002
        """Update the provider resource for any changed setting, and none of its resources."""
        return Difference(top_level_changes(olds, news))

    @abstractmethod
    def configure(self, config: JsonObject) -> None:
        """Take the settings as the SDK sends them: all values but strings are JSON text (see `setting`)."""

    @abstractmethod
    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        """Check inputs. `olds` are empty for a new resource. `seed` is for automatic names."""

    @abstractmethod
    def diff(
        self, target: Target, resource_id: str, olds: State, news: JsonObject, ignore_changes: Sequence[str]
    ) -> Difference: ...

    @abstractmethod
    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State: ...

    @abstractmethod
    def read(self, target: Target, olds: State) -> State:
        """Read the current state. `olds` has no outputs for an import or `get`. An empty id means it does not exist."""

    @abstractmethod
    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State: ...

    @abstractmethod
    def delete(self, target: Target, olds: State, timeout: float) -> None: ...

    @abstractmethod
    def invoke(self, token: str, arguments: JsonObject) -> Mapping[str, object]: ...


def setting(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a provider setting that is not a string: the SDK sends such values as JSON text."""
    bare = plain(value)
    return json.loads(bare) if isinstance(bare, str) else bare


def top_level_changes(olds: Mapping[str, object], news: Mapping[str, object]) -> dict[str, Change]:
    """Return the keys that were added, removed or changed."""
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


def _answered(
    method: Callable[["Servicer", _Request, StandIn], _Response],
) -> Callable[["Servicer", _Request, grpc.ServicerContext], _Response]:
    """Call a method with the stand-in of the request's connection, and report its errors to the engine."""

    @functools.wraps(method)
    def answer(self: "Servicer", request: _Request, context: grpc.ServicerContext) -> _Response:
        finished, peer = threading.Event(), context.peer()
        # A killed engine does not cancel its requests; without this, a waiting operation runs until its timeout.
        context.add_callback(lambda: None if finished.is_set() else self._cancel(peer))
        try:
            return method(self, request, self._stand_in(context))
        except ProviderError as error:
            abort(context, error)
            raise
        except Exception as error:
            logger.exception("the stand-in failed")
            context.abort(grpc.StatusCode.INTERNAL, f"the sandbox's stand-in failed: {type(error).__name__}: {error}")
            raise
        finally:
            finished.set()

    return answer


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Server of the engine's requests, each on the `StandIn` of its connection."""

    def __init__(self, kind: Callable[[EngineLog, threading.Event], StandIn]) -> None:
        """Take the StandIn class, or a function that returns an instance."""
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

    @_answered
    def CheckConfig(self, request: provider_pb2.CheckRequest, stand_in: StandIn) -> provider_pb2.CheckResponse:
        target = Target.of(request.urn)
        return _checked(stand_in.check_config(target, decode(request.olds), decode(request.news)))

    @_answered
    def DiffConfig(self, request: provider_pb2.DiffRequest, stand_in: StandIn) -> provider_pb2.DiffResponse:
        olds = decode(request.old_inputs) or decode(request.olds)
        return _difference(stand_in.diff_config(Target.of(request.urn), olds, decode(request.news)))

    @_answered
    def Configure(self, request: provider_pb2.ConfigureRequest, stand_in: StandIn) -> provider_pb2.ConfigureResponse:
        stand_in.configure(decode(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=stand_in.accept_secrets, supportsPreview=True)

    @_answered
    def Check(self, request: provider_pb2.CheckRequest, stand_in: StandIn) -> provider_pb2.CheckResponse:
        olds, news = decode(request.olds), decode(request.news)
        return _checked(stand_in.check(Target.of(request.urn), olds, news, request.randomSeed))

    @_answered
    def Diff(self, request: provider_pb2.DiffRequest, stand_in: StandIn) -> provider_pb2.DiffResponse:
        target, olds = Target.of(request.urn), State(request.id, decode(request.olds), decode(request.old_inputs))
        ignored = list(request.ignoreChanges)
        return _difference(stand_in.diff(target, request.id, olds, decode(request.news), ignored))

    @_answered
    def Create(self, request: provider_pb2.CreateRequest, stand_in: StandIn) -> provider_pb2.CreateResponse:
        target, inputs = Target.of(request.urn), decode(request.properties)
        state = stand_in.create(target, inputs, request.timeout, preview=request.preview)
        return provider_pb2.CreateResponse(id=state.resource_id, properties=encode(state.outputs))

    @_answered
    def Read(self, request: provider_pb2.ReadRequest, stand_in: StandIn) -> provider_pb2.ReadResponse:
        olds = State(request.id, decode(request.properties), decode(request.inputs))
        state = stand_in.read(Target.of(request.urn), olds)
        if not state.resource_id:
            return provider_pb2.ReadResponse()
        outputs, inputs = encode(state.outputs), encode(state.inputs)
        return provider_pb2.ReadResponse(id=state.resource_id, properties=outputs, inputs=inputs)

    @_answered
    def Update(self, request: provider_pb2.UpdateRequest, stand_in: StandIn) -> provider_pb2.UpdateResponse:
        target, olds = Target.of(request.urn), State(request.id, decode(request.olds), decode(request.old_inputs))
        state = stand_in.update(target, olds, decode(request.news), request.timeout, preview=request.preview)
        return provider_pb2.UpdateResponse(properties=encode(state.outputs))

    @_answered
    def Delete(self, request: provider_pb2.DeleteRequest, stand_in: StandIn) -> empty_pb2.Empty:
        olds = State(request.id, decode(request.properties), decode(request.old_inputs))
        stand_in.delete(Target.of(request.urn), olds, request.timeout)
        return empty_pb2.Empty()

    @_answered
    def Invoke(self, request: provider_pb2.InvokeRequest, stand_in: StandIn) -> provider_pb2.InvokeResponse:
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(stand_in.invoke(request.tok, decode(request.args))))
        return response

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: ARG002
        self._cancel(context.peer())
        return empty_pb2.Empty()

    def cancel_all(self) -> None:
        """Cancel all waiting operations of all runs, before the process ends."""
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
        """Create the stand-in of a connection: Handshake or Attach is the first request."""
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
