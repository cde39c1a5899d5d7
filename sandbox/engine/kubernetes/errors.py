"""Errors of the API server and of waiting, with the released provider's messages."""

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
    """The API server does not answer, or the configuration is not valid."""


class ApiError(ProviderError):
    """Error answer of the API server, with the server's message. `reason` is such as `Conflict` or `Invalid`."""

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
    def dry_run_unsupported(self) -> bool:
        return self.code == 400 and "does not support dry run" in str(self)


class UnknownKindError(ProviderError):
    """The API server does not serve the kind: no CRD defines it."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')
        self.kind = f"{api_version}/{kind}"


class AwaitError(ProviderError):
    """An object did not become ready. `live` is its last state, `sub_errors` are the reasons."""

    def __init__(self, message: str, live: JsonObject, sub_errors: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.sub_errors = list(sub_errors)


class ApplyConflictError(ProviderError):
    """Conflict of server-side apply with another field manager."""


def of_apply(error: ApiError, field_manager: str) -> ProviderError:
    """Return the provider's error for a conflict of server-side apply, else the error itself."""
    if error.reason != "Conflict":
        return error
    return ApplyConflictError(
        f'{_CONFLICT_HELP}\nThe resource managed by field manager "{field_manager}" had an apply conflict: {error}'
    )


def not_created(urn: str, error: ProviderError) -> str:
    text = str(error)
    if isinstance(error, UnknownKindError):
        return f'creation of resource "{urn}" with kind {error.kind} {_UNKNOWN_KIND}: {text}'
    if isinstance(error, ApiError) and error.reason == "AlreadyExists":
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
