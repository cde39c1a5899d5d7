"""Volumes, variables and JVM flags for access control and TLS. Pure.

Pod specs are built without them. The functions add the Secrets as volumes, the variables by which `scripts/ask.sh`
signs and encrypts its requests, and the flags of the JVM.
"""

from collections.abc import Mapping
from typing import Any

from pulumi import Input

from eks_rocketmq.rocketmq.config import tls
from eks_rocketmq.rocketmq.pods.pod_spec import build_variables

CREDENTIALS_DIRECTORY = "/etc/rocketmq-internal"

Pod = Mapping[str, Any]


def add_tls_and_credentials(
    pod: Pod, settings: tls.TlsPlan | None, credentials: Input[str] | None = None
) -> dict[str, Any]:
    """Return a pod spec with TLS and with the credentials of the internal user.

    `settings` is None without TLS. `credentials` is the name of a Secret with `username` and `password`, or None for a
    role without credentials.
    """
    result = dict(pod)
    if credentials is not None:
        result = _add_credentials(result, credentials)
    if settings is not None:
        result = _add_tls(result, settings)
    return result


def _add_credentials(pod: Pod, credentials: Input[str]) -> dict[str, Any]:
    volume = {"name": "internal", "secret": {"secretName": credentials, "defaultMode": 0o440}}
    mount = {"name": "internal", "mountPath": CREDENTIALS_DIRECTORY, "readOnly": True}
    result = _add_volume(pod, volume, mount, {"CREDENTIALS": CREDENTIALS_DIRECTORY}, ("initContainers", "containers"))
    # The rendered file contains the password, so it must not be written to the node's disk.
    volumes = [
        {**each, "emptyDir": {**each["emptyDir"], "medium": "Memory"}} if each["name"] == "run" else each
        for each in result["volumes"]
    ]
    return result | {"volumes": volumes}


def _add_tls(pod: Pod, settings: tls.TlsPlan) -> dict[str, Any]:
    mount = {"name": tls.VOLUME, "mountPath": tls.DIRECTORY, "readOnly": True}
    result = _add_volume(pod, tls.build_volume(settings), mount, tls.build_environment(settings), ("containers",))
    return result | {
        "containers": [_add_flags(each, tls.build_server_flags(settings)) for each in result["containers"]]
    }


def _add_volume(
    pod: Pod, volume: Pod, mount: Pod, environment: Mapping[str, str], kinds: tuple[str, ...]
) -> dict[str, Any]:
    """Return a pod spec with a volume. All containers of the given kinds get the mount and the variables."""
    changed = {
        kind: [
            {
                **container,
                "env": [*container["env"], *build_variables(environment)],
                "volumeMounts": [*container["volumeMounts"], mount],
            }
            for container in pod[kind]
        ]
        for kind in kinds
        if kind in pod
    }
    return {**pod, **changed, "volumes": [*pod["volumes"], volume]}


def _add_flags(container: Pod, flags: list[str]) -> dict[str, Any]:
    command = container["command"]
    if "java" not in command:
        return dict(container)
    behind = command.index("java") + 1
    return {**container, "command": [*command[:behind], *flags, *command[behind:]]}
