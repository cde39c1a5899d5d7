"""Errors of the API server and of waiting, in the released provider's words."""

from collections.abc import Sequence

from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import JsonObject

ALREADY_EXISTS_HELP = """The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use `pulumi import`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create."""

UNREACHABLE_HELP = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)

_CONFLICT_HELP = (
    "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help"
)

_UNKNOWN_KIND = (
    "failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. "
    "Verify that any required CRDs have been created"
)


class UnreachableError(ProviderError):
    """The API server does not answer, or cannot be asked with this configuration."""


class ApiError(ProviderError):
    """The API server refused. The message is the server's own."""

    def __init__(self, code: int, reason: str, message: str, details: JsonObject) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    @property
    def not_found(self) -> bool:
        return self.reason == "NotFound" or self.code == 404

    @property
    def namespace_not_found(self) -> bool:
        return self.not_found and self.details.get("kind") == "namespaces"

    @property
    def already_exists(self) -> bool:
        return self.reason == "AlreadyExists"

    @property
    def forbidden(self) -> bool:
        return self.reason == "Forbidden"

    @property
    def conflict(self) -> bool:
        return self.reason == "Conflict"

    @property
    def invalid(self) -> bool:
        return self.reason == "Invalid"

    @property
    def dry_run_unsupported(self) -> bool:
        return self.code == 400 and "does not support dry run" in str(self)


class UnknownKindError(ProviderError):
    """The API server has no such kind: no CRD brought it."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')
        self.kind = f"{api_version}/{kind}"


class AwaitError(ProviderError):
    """The object is there but did not get ready. `live` is it as last seen, `sub_errors` say what is missing."""

    def __init__(self, message: str, live: JsonObject, sub_errors: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.sub_errors = list(sub_errors)


class ApplyConflictError(ProviderError):
    """Server-side apply met fields of another manager."""


def of_apply(error: ApiError, field_manager: str) -> ProviderError:
    """A conflict of server-side apply, with where to read on; any other error as it is."""
    if not error.conflict:
        return error
    return ApplyConflictError(
        f'{_CONFLICT_HELP}\nThe resource managed by field manager "{field_manager}" had an apply conflict: {error}'
    )


def not_created(urn: str, error: ProviderError) -> str:
    text = str(error)
    if isinstance(error, UnknownKindError):
        return f'creation of resource "{urn}" with kind {error.kind} {_UNKNOWN_KIND}: {text}'
    if isinstance(error, ApiError) and error.already_exists:
        text = f"{text}\n\n{ALREADY_EXISTS_HELP}"
    return f'resource "{urn}" was not successfully created by the Kubernetes API server: {text}'


def created_but_not_ready(urn: str, error: ProviderError) -> str:
    return (
        f'resource "{urn}" was successfully created, but the Kubernetes API server reported that it failed to fully '
        f"initialize or become live: {error}"
    )


def not_updated(object_id: str, error: ProviderError) -> str:
    return f'the Kubernetes API server reported that "{object_id}" failed to fully initialize or become live: {error}'


def kind_gone_before_update(urn: str, error: UnknownKindError) -> str:
    return f'update of resource "{urn}" {_UNKNOWN_KIND}: {error}'


def gone_before_update(urn: str, update_error: ProviderError, read_error: ProviderError) -> str:
    return f'update of resource "{urn}" failed: {update_error}\nunable to get cluster state: {read_error}'
