"""kubectl as the cluster's administrator, run in the control namespace."""

import json
from collections.abc import Sequence

from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.command import run
from sandbox.place import Place
from sandbox.processes import in_netns

FIELD_MANAGER = "eks-rocketmq-sandbox"


def kubectl(place: Place, toolchain: Toolchain, *args: str, stdin: str | None = None) -> str:
    """Give what `kubectl ARGS` writes to stdout.

    Raises CommandError with kubectl's own words when it fails.
    """
    argv = [str(toolchain.bin / "kubectl"), f"--kubeconfig={place.admin_kubeconfig}", *args]
    return run(in_netns(place.control_netns, argv), stdin=stdin)


def apply(place: Place, toolchain: Toolchain, objects: Sequence[dict]) -> None:
    """Apply manifests on the server's side; a second time changes nothing."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    arguments = ["apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "-f", "-"]
    kubectl(place, toolchain, *arguments, stdin=listed)
