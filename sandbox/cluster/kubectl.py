"""kubectl with the rights of the cluster's administrator, in the control namespace."""

import json
from collections.abc import Sequence

from sandbox.cache.toolchain import Toolchain
from sandbox.command import run
from sandbox.layout import SandboxInstance
from sandbox.processes import in_netns

FIELD_MANAGER = "eks-rocketmq-sandbox"


def kubectl(instance: SandboxInstance, toolchain: Toolchain, *args: str, stdin: str | None = None) -> str:
    """Return the output of `kubectl ARGS`, or raise CommandError with kubectl's message."""
    argv = [str(toolchain.bin / "kubectl"), f"--kubeconfig={instance.admin_kubeconfig}", *args]
    return run(in_netns(instance.control_netns, argv), stdin=stdin)


def apply(instance: SandboxInstance, toolchain: Toolchain, manifests: Sequence[dict]) -> None:
    """Apply manifests with server-side apply. Repeatable."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    arguments = ["apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "-f", "-"]
    kubectl(instance, toolchain, *arguments, stdin=listed)
