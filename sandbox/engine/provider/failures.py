"""Errors of a provider, and their gRPC status."""

from collections.abc import Mapping, Sequence

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.engine.provider.values import encode


class ProviderError(Exception):
    """An operation failed without a change of the state. The message is for the user."""


class InitFailed(ProviderError):  # noqa: N818 - the engine's own term
    """The resource exists but is not usable: the engine stores it and updates it in the next run.

    `outputs` and `inputs` are stored. `reasons` are shown as a list and stored as `initErrors`.
    """

    def __init__(
        self, resource_id: str, outputs: Mapping[str, object], inputs: Mapping[str, object], reasons: Sequence[str]
    ) -> None:
        super().__init__("\n".join(reasons))
        self.resource_id = resource_id
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = list(reasons)


class UnsupportedTypeError(ProviderError):
    """The stand-in does not serve this resource type or function."""

    def __init__(self, token: str, package: str, served: Sequence[str], noun: str = "resource type") -> None:
        super().__init__(
            f"unsupported {noun} {token}: the sandbox's stand-in serves {', '.join(sorted(served))}; "
            f"use the released plugin of the package {package!r} for the others"
        )


def abort(context: grpc.ServicerContext, error: ProviderError) -> None:
    """End the call with the error. Always raises, as gRPC's `abort` does."""
    if not isinstance(error, InitFailed):
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.resource_id,
            properties=encode(error.outputs),
            reasons=error.reasons,
            inputs=encode(error.inputs),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=error.reasons[0], details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, error.reasons[0])
