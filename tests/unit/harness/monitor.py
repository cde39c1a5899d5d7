"""Resource monitor in the test process: it answers the SDK's requests like the engine, with fake providers.

The SDK's mock monitor is not suitable. It drops most options of a request, creates wrong URNs, accepts duplicates and
hangs on resources as inputs.
"""

import threading
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from google.protobuf.struct_pb2 import Struct
from pulumi import ResourceTransform
from pulumi.resource_hooks import ErrorHook, ResourceHook
from pulumi.runtime.proto import callback_pb2, engine_pb2, resource_pb2
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_MARK

from tests.unit.harness import eks_component
from tests.unit.harness.fakes import Fakes, ProviderError
from tests.unit.harness.recording import UNKNOWN, Recording, Registration, from_struct, has_secret, plain

STACK_TYPE = "pulumi:pulumi:Stack"
_FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
)


def _struct(values: Any) -> Struct:
    return json_format.ParseDict(values, Struct())


def _marked(value: Any) -> Any:
    """Return values in wire format, with the engine's sentinel for unknown values."""
    if value == UNKNOWN:
        return UNKNOWN_MARK
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value


def _alias(alias: Any) -> str:
    return alias.urn or alias.spec.type or alias.spec.name


REMOTE = {eks_component.TYPE: eks_component.construct}
"""Fake Construct functions of components that a plugin provides."""


class InvokeError(grpc.RpcError):
    """gRPC error that the engine returns when a provider function fails."""

    def code(self) -> grpc.StatusCode:
        """Return the status code that the engine uses."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return the error message of the provider."""
        return str(self.args[0])


class HookRecorder:
    """Replacement of the SDK's callback server. It records hooks; tests call them."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def register_resource_hook(self, hook: ResourceHook | ErrorHook) -> None:
        """Record the hook under its name."""
        self._recording.hooks[hook.name] = hook.callback

    register_error_hook = register_resource_hook

    def register_transform(self, transform: ResourceTransform) -> callback_pb2.Callback:
        """Record the transform. The monitor applies it where the engine would."""
        token = f"transform-{len(self._recording.transforms)}"
        self._recording.transforms[token] = transform
        return callback_pb2.Callback(token=token, target="harness")


class LogRecorder:
    """Log service of the engine. It adds messages to the recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def Log(self, request: engine_pb2.LogRequest) -> None:  # noqa: N802 - the SDK's name
        """Record severity and text of a message."""
        self._recording.log.append((engine_pb2.LogSeverity.Name(request.severity), request.message))


class RecordingMonitor:
    """Calls of a language host to the engine. The gRPC protocol defines the method names."""

    def __init__(self, project: str, stack: str, fakes: Fakes, recording: Recording) -> None:
        self._project = project
        self._stack = stack
        self._fakes = fakes
        self._recording = recording
        self._lock = threading.Lock()
        self._transforms: dict[str, list[str]] = {}
        """Transforms of each resource and its ancestors. The monitor applies them to remote components."""

    def _urn(self, parent: str, type_: str, name: str) -> str:
        qualified = parent.split("::")[2] if parent else STACK_TYPE
        chain = type_ if qualified == STACK_TYPE else f"{qualified}${type_}"
        return "::".join([f"urn:pulumi:{self._stack}", self._project, chain, name])

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Record a registration and return the outputs of the fake, in preview without unknown ones."""
        urn = self._urn(request.parent, request.type, request.name)
        raw = from_struct(request.object)
        inputs = plain(raw)
        id_, outputs = ("", {})
        if request.custom:
            id_, computed = self._fakes.create(request.type, request.name, inputs)
            outputs = {**inputs, **({} if self._recording.preview else computed)}
        elif request.type not in REMOTE and request.remote:
            msg = f"no fake for the remote component {request.type} ({request.name})"
            raise KeyError(msg)
        registration = Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            inputs=inputs,
            secret_inputs=frozenset(key for key, value in raw.items() if has_secret(value)),
            dependencies=frozenset(request.dependencies),
            property_dependencies={k: frozenset(v.urns) for k, v in request.propertyDependencies.items()},
            provider=request.provider,
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            delete_before_replace=request.deleteBeforeReplace,
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            aliases=tuple(_alias(alias) for alias in request.aliases),
            timeouts=json_format.MessageToDict(request.customTimeouts),
            before_create=tuple(request.hooks.before_create),
            before_update=tuple(request.hooks.before_update),
            on_error=tuple(request.hooks.on_error),
            id=id_,
            outputs=outputs,
            version=request.version,
        )
        with self._lock:
            if urn in self._recording.resources:
                msg = f"Duplicate resource URN '{urn}'; try giving it a unique name"
                raise ValueError(msg)
            self._recording.resources[urn] = registration
        own = [callback.token for callback in request.transforms]
        self._transforms[urn] = [*own, *self._transforms.get(request.parent, [])]
        if request.remote:
            return REMOTE[request.type](self, registration, self._transforms[urn])
        answered = "" if self._recording.preview else id_
        return resource_pb2.RegisterResourceResponse(urn=urn, id=answered, object=_struct(_marked(outputs)))

    def construct(
        self, component: Registration, inside: list[Registration], outputs: Any, source: Registration
    ) -> resource_pb2.RegisterResourceResponse:
        """Record the children of a remote component and return its outputs.

        Args:
            component: the remote component.
            inside: its children, after all transforms.
            outputs: its outputs in wire format, with unknown values as `UNKNOWN`.
            source: the child that provides the outputs.
        """
        with self._lock:
            self._recording.resources |= {child.urn: child for child in inside}
        response = resource_pb2.RegisterResourceResponse(urn=component.urn, object=_struct(_marked(outputs)))
        for key in outputs:
            response.propertyDependencies[key].urns.extend([component.urn, source.urn])
        return response

    @property
    def recording(self) -> Recording:
        """Requests of this run so far."""
        return self._recording

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        """Record the outputs of a component or of the stack."""
        outputs = plain(from_struct(request.outputs))
        with self._lock:
            self._recording.component_outputs[request.urn] = outputs
            if self._recording.resources[request.urn].type == STACK_TYPE:
                self._recording.outputs.update(outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Record a read of an existing resource.

        A preview returns the live state too, unless this update creates the provider.
        """
        urn = self._urn(request.parent, request.type, request.name)
        through = self._recording.resources.get(request.provider.rpartition("::")[0])
        unreachable = self._recording.preview and through is not None and UNKNOWN in through.inputs.values()
        state = {} if unreachable else dict(self._fakes.read(request.type, request.id))
        with self._lock:
            self._recording.reads[urn] = request.id
        return resource_pb2.ReadResourceResponse(urn=urn, properties=_struct(_marked(state)))

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Return the result of a provider function, or the resource behind a reference for the SDK."""
        arguments = plain(from_struct(request.args))
        if request.tok == "pulumi:pulumi:getResource":
            found = self._recording.resources[arguments["urn"]]
            answer = {"urn": found.urn, "id": found.id, "state": found.outputs}
        else:
            with self._lock:
                self._recording.invokes.append((request.tok, arguments))
            try:
                answer = self._fakes.invoke(request.tok, arguments)
            except ProviderError as refusal:
                raise InvokeError(f"invocation of {request.tok} returned an error: {refusal}") from refusal
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(_struct(_marked(dict(answer))))
        return response

    def GetDeploymentInfo(self, request: Any) -> resource_pb2.DeploymentInfo:  # noqa: ARG002, N802
        """Return the supported features."""
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterPackage(self, request: Any) -> resource_pb2.RegisterPackageResponse:  # noqa: ARG002, N802
        """Accept any provider package."""
        return resource_pb2.RegisterPackageResponse(ref="package")

    def SignalAndWaitForShutdown(self, request: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Return immediately."""
        return empty_pb2.Empty()
