"""Create, update and patch of objects, with field ownership, forced conflicts and retries."""

import threading
from dataclasses import dataclass

from sandbox.engine.kubernetes import errors, kinds, naming
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.configuration import Settings
from sandbox.engine.kubernetes.errors import ApiError, ApplyConflictError, UnknownKindError
from sandbox.engine.kubernetes.field_owners import forced, take_over
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import Target
from sandbox.engine.provider.values import JsonObject

_CREATE_RETRIES = 5


@dataclass(frozen=True)
class Writer:
    """Writer of objects in one run."""

    client: Client
    settings: Settings
    log: EngineLog
    cancelled: threading.Event

    def create(self, target: Target, kind: Kind, wanted: JsonObject, manager: str, *, preview: bool) -> JsonObject:
        """Create an object by POST, which fails for an existing object; by apply for a Patch resource or with upsert.

        While a dependency is missing, such as its namespace or CRD, retry after 1, 2, 4, 8 and 16 s. As in the released
        provider, the last error is raised 32 s later, after 63 s. A preview does not wait for a namespace.
        Raises ApiError, ApplyConflictError, UnknownKindError or UnreachableError.
        """
        for attempt in range(_CREATE_RETRIES + 1):
            try:
                live = self._create_once(target, kind, wanted, manager, preview=preview)
            except (ApiError, ApplyConflictError, UnknownKindError) as error:
                refused = isinstance(error, ApiError)
                if preview and refused and error.namespace_not_found:
                    raise
                self.log.status(target.urn, f"Retry #{attempt}; creation failed: {error}")
                missing = error.not_found if refused else isinstance(error, UnknownKindError)
                if not missing or _wait(self.cancelled, 2.0**attempt) or attempt == _CREATE_RETRIES:
                    raise
            else:
                if attempt:
                    self.log.status(target.urn, "")
                return live
        raise AssertionError("the last attempt returns or raises")

    def update(self, target: Target, kind: Kind, wanted: JsonObject, manager: str, *, preview: bool) -> JsonObject:
        """Apply the whole object, after taking over the fields of kubectl and of its create.

        Raises ApiError, ApplyConflictError, UnknownKindError or UnreachableError.
        """
        self._check_kind(kind)
        live = self._live(kind, wanted)
        if not preview and not kinds.is_patch(target.type):
            operations = take_over(live, manager)
            if operations:
                live = self.client.json_patch(kind, live, operations)
        return self._apply(kind, wanted, manager, live, preview=preview)

    def after_failure(self, target: Target, kind: Kind, wanted: JsonObject, error: ProviderError) -> JsonObject:
        """Return the object after a failed update, to store it. Raises ProviderError when it no longer exists."""
        try:
            return self._live(kind, wanted)
        except ProviderError as read_error:
            raise ProviderError(errors.gone_before_update(target.urn, error, read_error)) from error

    def relinquish(self, kind: Kind, obj: JsonObject, manager: str) -> None:
        """Remove the fields that only the manager owns; the object stays.

        Raises ProviderError when a removed field is required.
        """
        namespace = naming.namespace_of(obj)
        meta = {"name": naming.name_of(obj), **({"namespace": namespace} if namespace else {})}
        identity = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta}
        try:
            self.client.apply(kind, identity, manager, force=False, dry_run=False)
        except ApiError as error:
            if error.reason != "Invalid" or "Required value" not in str(error):
                raise
            causes = error.details.get("causes") or [{}]
            raise ProviderError(
                "this Patch resource is currently managing a required field, so it can't be deleted directly. Either "
                "set the `retainOnDelete` resource option, or transfer ownership of the field before deleting: "
                f"{causes[0].get('field', '')}"
            ) from error

    def _create_once(
        self, target: Target, kind: Kind, wanted: JsonObject, manager: str, *, preview: bool
    ) -> JsonObject:
        self._check_kind(kind)
        if self.settings.upsert_existing_objects or kinds.is_patch(target.type):
            return self._apply(kind, wanted, manager, None, preview=preview)
        return self.client.create(kind, wanted, dry_run=preview)

    def _apply(
        self, kind: Kind, wanted: JsonObject, manager: str, live: JsonObject | None, *, preview: bool
    ) -> JsonObject:
        force = forced(wanted, live, enabled=self.settings.enable_patch_force, preview=preview)
        try:
            return self.client.apply(kind, wanted, manager, force=force, dry_run=preview)
        except ApiError as error:
            raise errors.of_apply(error, manager) from error

    def _check_kind(self, kind: Kind) -> None:
        if not self.client.serves(kind):
            raise UnknownKindError(kind.api_version, kind.name)

    def _live(self, kind: Kind, wanted: JsonObject) -> JsonObject:
        return self.client.get(kind, naming.namespace_of(wanted), naming.name_of(wanted))


def _wait(cancelled: threading.Event, seconds: float) -> bool:
    """Wait; return whether the run was cancelled."""
    return cancelled.wait(seconds)
