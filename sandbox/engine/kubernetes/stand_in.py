"""The `kubernetes` provider: the engine's requests on an API server."""

import importlib.metadata
import threading
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from sandbox.engine.kubernetes import configuration, diff, errors, kinds, kubeconfig, naming
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.configuration import Settings
from sandbox.engine.kubernetes.credentials import ExecTokens
from sandbox.engine.kubernetes.errors import (
    ApiError,
    ApplyConflictError,
    AwaitError,
    UnknownKindError,
    UnreachableError,
)
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.kubernetes.normalize import input_properties, normalized
from sandbox.engine.kubernetes.readiness.waiting import Awaited, Waiter
from sandbox.engine.kubernetes.state import Checkpoint, checkpoint, mark_secrets, outputs_of, prune
from sandbox.engine.kubernetes.writer import Writer
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import InitFailed, ProviderError, UnsupportedTypeError
from sandbox.engine.provider.servicer import Checked, Difference, StandIn, State, Target
from sandbox.engine.provider.values import JsonObject, has_unknown, plain

# All runs of the process share the tokens, because `aws eks get-token` takes a second.
_TOKENS = ExecTokens()
_IMPORT_DROPS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_IMPORT_DROPS_ANNOTATIONS = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


class KubernetesStandIn(StandIn):
    """One `kubernetes` provider resource of one engine run."""

    package = kinds.PACKAGE
    version = importlib.metadata.version("pulumi-kubernetes")
    accept_secrets = True

    def __init__(self, log: EngineLog, cancelled: threading.Event) -> None:
        super().__init__(log, cancelled)
        self._settings: Settings = configuration.settings({})
        self._connected: Client | None = None
        self._unreachable = "the provider is not configured"

    @override
    def close(self) -> None:
        super().close()
        if self._connected is not None:
            self._connected.close()

    @override
    def diff_config(self, target: Target, olds: JsonObject, news: JsonObject) -> Difference:
        return configuration.settings_difference(olds, news)

    @override
    def configure(self, config: JsonObject) -> None:
        """Connect to the cluster. Without a connection, previews continue and operations fail with the reason."""
        self._settings = configuration.settings(config)
        try:
            access = kubeconfig.access(
                kubeconfig.load(self._settings.kubeconfig),
                self._settings.context,
                self._settings.cluster,
                self._settings.namespace,
            )
            client = Client(access, _TOKENS)
            client.check_reachable()
        except UnreachableError as error:
            self._unreachable = str(error)
            return
        self._connected = client

    @override
    def check(self, target: Target, olds: JsonObject, news: JsonObject, seed: bytes) -> Checked:
        kind = kinds.of(target.type)
        if self._connected is None and self._settings.skip_update_unreachable:
            self.log.warning(
                target.urn, "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping..."
            )
            return Checked(olds)
        inputs = normalized(kind, plain(news))
        if kinds.is_patch(target.type):
            if not naming.is_named(inputs):
                raise ProviderError("patch resources require the .metadata.name field to be set")
        else:
            naming.assign_name(target, inputs, plain(olds), seed)
        if kind.namespaced and self._connected is not None:
            naming.set_namespace(inputs, self._connected.namespace)
        return Checked(mark_secrets(inputs, news, kind))

    @override
    def diff(
        self,
        target: Target,
        resource_id: str,
        olds: State,
        news: JsonObject,
        ignore_changes: Sequence[str],
    ) -> Difference:
        kind = kinds.of(target.type)
        old = checkpoint(dict(olds.outputs))
        old = replace(old, inputs=normalized(kind, old.inputs))
        new_inputs = normalized(kind, plain(news))
        replacing = diff.replacing_fields(
            kind,
            new_inputs,
            patch=kinds.is_patch(target.type),
            config_map_mutable=self._settings.enable_config_map_mutable,
            secret_mutable=self._settings.enable_secret_mutable,
        )
        return diff.difference(kind, old, new_inputs, replacing, ignore_changes)

    @override
    def create(self, target: Target, inputs: JsonObject, timeout: float, *, preview: bool) -> State:
        kind = kinds.of(target.type)
        wanted = plain(inputs)
        if preview and (has_unknown(wanted) or kinds.is_patch(target.type) or not self._serves(kind)):
            return State("", inputs)
        manager = naming.annotation(wanted, naming.PATCH_FIELD_MANAGER) or naming.new_field_manager()
        try:
            live = self._writer().create(target, kind, wanted, manager, preview=preview)
        except ApiError as error:
            ignored = error.namespace_not_found or error.reason in {"Forbidden", "AlreadyExists"}
            if preview and (ignored or error.dry_run_unsupported):
                return State("", inputs)
            raise ProviderError(errors.not_created(target.urn, error)) from error
        except (ApplyConflictError, UnknownKindError) as error:
            raise ProviderError(errors.not_created(target.urn, error)) from error
        stored = Checkpoint(wanted, live, wanted.get("apiVersion", kind.api_version), manager)
        if preview:
            live.pop("status", None)
            return State("", outputs_of(stored, kind, inputs))
        awaited = Awaited(target.urn, kind, wanted, naming.timeout_seconds(timeout, wanted))
        return self._ready(awaited, stored, inputs, updated=False)

    @override
    def read(self, target: Target, olds: State) -> State:
        kind = kinds.of(target.type)
        if self._connected is None:
            return self._read_unreachable(target, olds)
        old = checkpoint(dict(olds.outputs))
        old_inputs = normalized(kind, plain(dict(olds.inputs)))
        namespace, name = naming.parse_id(olds.resource_id)
        adopted = not old_inputs and not old.live
        try:
            live = self._connected.get(kind, namespace or self._connected.namespace, name)
        except ApiError as error:
            if error.not_found:
                return State("")
            raise
        not_ready: AwaitError | None = None
        if not adopted:
            try:
                self._waiter().check(target.urn, kind, old_inputs, live)
            except AwaitError as error:
                not_ready = error
        inputs = _adopted_inputs(kind, live) if adopted else prune(live, old_inputs)
        stored = Checkpoint(
            inputs,
            live,
            old.initial_api_version or kind.api_version,
            old.field_manager or naming.new_field_manager(),
        )
        outputs = outputs_of(stored, kind, dict(olds.inputs))
        marked_inputs = mark_secrets(inputs, dict(olds.inputs), kind)
        if not_ready is not None:
            raise InitFailed(olds.resource_id, outputs, marked_inputs, [str(not_ready), *not_ready.sub_errors])
        return State(olds.resource_id, outputs, marked_inputs)

    @override
    def update(self, target: Target, olds: State, news: JsonObject, timeout: float, *, preview: bool) -> State:
        kind = kinds.of(target.type)
        wanted = normalized(kind, plain(news))
        if preview and (has_unknown(wanted) or not self._serves(kind)):
            return State(olds.resource_id, news)
        old = checkpoint(dict(olds.outputs))
        manager = naming.annotation(wanted, naming.PATCH_FIELD_MANAGER) or old.field_manager
        manager = manager or naming.new_field_manager()
        try:
            live = self._writer().update(target, kind, wanted, manager, preview=preview)
        except UnknownKindError as error:
            raise ProviderError(errors.kind_gone_before_update(target.urn, error)) from error
        except ProviderError as error:
            if preview and isinstance(error, ApiError) and error.reason == "Forbidden":
                return State(olds.resource_id, news)
            live = self._writer().after_failure(target, kind, wanted, error)
            stored = Checkpoint(wanted, live, old.initial_api_version, manager)
            reason = errors.not_updated(naming.object_id(live), error)
            raise InitFailed(olds.resource_id, outputs_of(stored, kind, news), news, [reason]) from error
        stored = Checkpoint(wanted, live, old.initial_api_version or kind.api_version, manager)
        if preview:
            return State(olds.resource_id, outputs_of(stored, kind, news))
        awaited = Awaited(target.urn, kind, wanted, naming.timeout_seconds(timeout, wanted))
        state = self._ready(awaited, stored, news, updated=True)
        if old.field_manager and old.field_manager != manager:
            self._writer().relinquish(kind, live, old.field_manager)
        return state

    @override
    def delete(self, target: Target, olds: State, timeout: float) -> None:
        kind = kinds.of(target.type)
        old = checkpoint(dict(olds.outputs))
        if self._connected is None:
            self._delete_unreachable(target)
            return
        namespace, name = naming.parse_id(olds.resource_id)
        try:
            if kinds.is_patch(target.type):
                self._writer().relinquish(kind, old.live, old.field_manager)
                return
            live = self._connected.get(kind, namespace or self._connected.namespace, name)
            self._connected.delete(
                kind, namespace or self._connected.namespace, name, naming.propagation_policy(old.inputs)
            )
        except ApiError as error:
            if error.not_found:
                return
            raise
        try:
            awaited = Awaited(target.urn, kind, old.inputs, naming.timeout_seconds(timeout, old.inputs))
            self._waiter().gone(awaited, live)
        except AwaitError as error:
            outputs = outputs_of(replace(old, live=error.live), kind, dict(olds.outputs))
            raise InitFailed(olds.resource_id, outputs, olds.inputs, [str(error), *error.sub_errors]) from error

    @override
    def invoke(self, token: str, arguments: JsonObject) -> JsonObject:
        raise UnsupportedTypeError(token, self.package, ["no functions"], noun="function")

    def _client(self) -> Client:
        if self._connected is None:
            raise UnreachableError(f"configured Kubernetes cluster is unreachable: {self._unreachable}")
        return self._connected

    def _serves(self, kind: Kind) -> bool:
        """Return whether the server serves the kind. In a preview, its CRD may not exist yet."""
        return self._connected is not None and self._connected.serves(kind)

    def _writer(self) -> Writer:
        return Writer(self._client(), self._settings, self.log, self.cancelled)

    def _waiter(self) -> Waiter:
        return Waiter(self._client(), self.log, self.cancelled)

    def _ready(self, awaited: Awaited, stored: Checkpoint, marked: JsonObject, *, updated: bool) -> State:
        """Wait and return the state; InitFailed stores an object that is not ready, with the reasons."""
        resource_id = naming.object_id(stored.live)
        try:
            live = self._waiter().ready(awaited, stored.live, updated=updated)
        except ProviderError as error:
            live = error.live if isinstance(error, AwaitError) else stored.live
            missing = error.sub_errors if isinstance(error, AwaitError) else []
            text = errors.created_but_not_ready(awaited.urn, error)
            if updated:
                text = errors.not_updated(resource_id, error)
            outputs = outputs_of(replace(stored, live=live), awaited.kind, marked)
            raise InitFailed(resource_id, outputs, marked, [text, *missing]) from error
        return State(resource_id, outputs_of(replace(stored, live=live), awaited.kind, marked))

    def _read_unreachable(self, target: Target, olds: State) -> State:
        self.log.warning(target.urn, f"configured Kubernetes cluster is unreachable: {self._unreachable}")
        if self._settings.delete_unreachable:
            return State("")
        if self._settings.skip_update_unreachable:
            return olds
        raise UnreachableError(f"failed to read resource state due to unreachable cluster. {errors.UNREACHABLE_HELP}")

    def _delete_unreachable(self, target: Target) -> None:
        self.log.warning(target.urn, f"configured Kubernetes cluster is unreachable: {self._unreachable}")
        if not self._settings.delete_unreachable:
            raise UnreachableError(f"configured Kubernetes cluster is unreachable. {errors.UNREACHABLE_HELP}")


def _adopted_inputs(kind: Kind, live: JsonObject) -> JsonObject:
    """Return the inputs for an imported object: all fields that a program can set.

    Those of a custom kind are only its identity, so the next update sets the other fields.
    """
    identity = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
    if not kind.model:
        return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": identity}
    inputs = {key: live[key] for key in input_properties(kind) if key in live}
    meta = {key: value for key, value in live["metadata"].items() if key not in _IMPORT_DROPS}
    annotations = {
        key: value
        for key, value in (meta.pop("annotations", None) or {}).items()
        if key not in _IMPORT_DROPS_ANNOTATIONS
    }
    return {**inputs, "metadata": {**meta, **({"annotations": annotations} if annotations else {})}}
