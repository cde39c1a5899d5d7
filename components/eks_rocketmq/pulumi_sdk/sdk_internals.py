"""Undocumented parts of the Pulumi SDK. No module imports them but this one and `provider_internals`.

The SDK may change them in any release, so a test runs this module with every supported version.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi import CustomResource
from pulumi.output import UNKNOWN as UNKNOWN_VALUE
from pulumi.output import Unknown
from pulumi.runtime import is_dry_run
from pulumi.runtime.config import CONFIG, is_config_secret
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret
from pulumi.runtime.settings import SETTINGS, get_root_resource

from eks_rocketmq.pulumi_sdk.engine_values import SIGNATURE_FIELD, UNKNOWN

__all__ = [
    "UNKNOWN_VALUE",
    "add_mock_resource",
    "convert_to_input",
    "get_config_values",
    "get_monitor",
    "get_project_directory",
    "get_root_resource",
    "has_callback_server",
    "is_config_secret",
    "is_dry_run",
    "name_mock_errors",
    "runs_under_mocks",
    "to_plain_value",
]

_RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
"""Value of the signature field for a reference to a resource."""


def get_config_values() -> Mapping[str, str]:
    """Return the configuration of the stack: `namespace:key` to text. Objects and lists are JSON."""
    return CONFIG.get()


def has_callback_server() -> bool:
    """Return whether hooks and transforms can be registered.

    The SDK starts a callback server for the engine, and since 3.260.0 for mocks too. Older SDKs end a program that
    registers a hook under mocks: `No callback server registered`.
    """
    if SETTINGS.callbacks is not None:
        return True
    monitor = SETTINGS.monitor
    served = isinstance(monitor, ResourceMonitorStub) or hasattr(MockMonitor, "RegisterResourceHook")
    return served and hasattr(monitor, "RegisterResourceHook")


def get_monitor() -> object:
    """Return the connection to the engine, or the mocks that the last `pulumi.runtime.set_mocks` installed."""
    return SETTINGS.monitor


def runs_under_mocks() -> bool:
    """Return whether the program runs under `pulumi.runtime.set_mocks`."""
    return isinstance(SETTINGS.monitor, MockMonitor)


def get_project_directory() -> Path:
    """Return the folder of `Pulumi.yaml`; under mocks, which do not know it, the current folder."""
    return Path.cwd() if runs_under_mocks() else Path(pulumi.get_root_directory())


def convert_to_input(resource: CustomResource) -> Any:  # noqa: ANN401 - other packages type the input as a resource
    """Return a resource as an input of a remote component.

    The SDK's mocks never finish if an input is a resource. They get its id instead.
    """
    return resource.id if runs_under_mocks() else resource


def add_mock_resource(type_: str, name: str, id_: str, state: Mapping[str, Any]) -> dict[str, str]:
    """Add a resource of a remote component to the SDK's mocks, and return a reference to it.

    `id_` is empty while it is unknown. `state` has the outputs.
    """
    monitor = SETTINGS.monitor
    urn = monitor.make_urn("", type_, name)
    monitor.resources[urn] = MockMonitor.ResourceRegistration(urn, id_, dict(state))
    return {SIGNATURE_FIELD: _RESOURCE_SIGNATURE, "urn": urn, "id": id_ or UNKNOWN}


def name_mock_errors(create_error: Callable[[str, Mapping[str, Any], Exception], Exception]) -> None:
    """Name the lookup in the error of mocks that do not answer it.

    The SDK's mocks fail internally for `None` and for `({}, None)`, the default of their base class: `'NoneType' object
    is not iterable`. That error does not name the lookup.

    `create_error` takes the token, the arguments and the SDK's own error.
    """
    monitor = SETTINGS.monitor
    if not runs_under_mocks() or "Invoke" in vars(monitor):
        return
    invoke = monitor.Invoke

    def answer(request: Any) -> Any:  # noqa: ANN401 - gRPC messages
        try:
            return invoke(request)
        except (AttributeError, KeyError, TypeError) as error:
            raise create_error(request.tok, MessageToDict(request.args), error) from error

    monitor.Invoke = answer


def to_plain_value(value: Any) -> Any:  # noqa: ANN401 - any value of a property
    """Return a value as mocks get it without the plugin protocol.

    Secrets are unwrapped, whole numbers are int, and unknown fields are left out.
    """
    if is_rpc_secret(value):
        return to_plain_value(unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: to_plain_value(item) for key, item in value.items() if not isinstance(item, Unknown)}
    if isinstance(value, list):
        return [to_plain_value(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
