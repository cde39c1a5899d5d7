"""Access control and TLS put into the pods of a role. Pure.

Pods are made as without them; here they get the Secrets as volumes, the variables by which `scripts/ask.sh` signs and
encrypts, and the flags of the JVM.
"""

from collections.abc import Mapping
from typing import Any

from pulumi import Input

from eks_rocketmq.rocketmq.config import tls
from eks_rocketmq.rocketmq.pods.pod_spec import variables

CREDENTIALS_DIRECTORY = "/etc/rocketmq-internal"

Pod = Mapping[str, Any]


def secured(pod: Pod, settings: tls.TlsPlan | None, credentials: Input[str] | None = None) -> dict[str, Any]:
    """The pod's spec with TLS and with RocketMQ's own user.

    Args:
        pod: spec of the pod.
        settings: TLS, None without it.
        credentials: Secret with `username` and `password`, None for a role that needs none or without access control.
    """
    result = dict(pod)
    if credentials is not None:
        result = _with_credentials(result, credentials)
    if settings is not None:
        result = _with_tls(result, settings)
    return result


def _with_credentials(pod: Pod, credentials: Input[str]) -> dict[str, Any]:
    volume = {"name": "internal", "secret": {"secretName": credentials, "defaultMode": 0o440}}
    mount = {"name": "internal", "mountPath": CREDENTIALS_DIRECTORY, "readOnly": True}
    result = _extended(pod, volume, mount, {"CREDENTIALS": CREDENTIALS_DIRECTORY}, ("initContainers", "containers"))
    # The rendered file holds the password: it never touches the node's disk.
    volumes = [
        {**each, "emptyDir": {**each["emptyDir"], "medium": "Memory"}} if each["name"] == "run" else each
        for each in result["volumes"]
    ]
    return result | {"volumes": volumes}


def _with_tls(pod: Pod, settings: tls.TlsPlan) -> dict[str, Any]:
    mount = {"name": "tls", "mountPath": tls.DIRECTORY, "readOnly": True}
    result = _extended(pod, tls.volume(settings), mount, tls.environment(settings), ("containers",))
    return result | {"containers": [_with_flags(each, tls.flags(settings)) for each in result["containers"]]}


def _extended(
    pod: Pod, volume: Pod, mount: Pod, environment: Mapping[str, str], kinds: tuple[str, ...]
) -> dict[str, Any]:
    """The pod with a volume, mounted in all containers of these kinds together with variables."""
    changed = {
        kind: [
            {
                **container,
                "env": [*container["env"], *variables(environment)],
                "volumeMounts": [*container["volumeMounts"], mount],
            }
            for container in pod[kind]
        ]
        for kind in kinds
        if kind in pod
    }
    return {**pod, **changed, "volumes": [*pod["volumes"], volume]}


def _with_flags(container: Pod, flags: list[str]) -> dict[str, Any]:
    command = container["command"]
    if "java" not in command:
        return dict(container)
    behind = command.index("java") + 1
    return {**container, "command": [*command[:behind], *flags, *command[behind:]]}
