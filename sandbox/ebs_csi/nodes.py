"""The driver's node plugin: one process beside each kubelet. On EKS a DaemonSet runs it."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from sandbox import processes
from sandbox.ebs_csi.manifests import DRIVER
from sandbox.place import NODES, Node, Place
from sandbox.processes import Process

ATTACH_LIMIT = 25
MOUNTS = Path("/proc/self/mountinfo")
MOUNT_POINT_FIELD = 4


def name(node: Node) -> str:
    return f"ebs-csi-node-{node.letter}"


def kubelet_root(place: Place, node: Node) -> Path:
    return place.node_root(node) / "kubelet"


def socket(place: Place, node: Node) -> Path:
    return kubelet_root(place, node) / "plugins" / DRIVER / "csi.sock"


def process(place: Place, node: Node, program: Path, attach_limit: int | None) -> Process:
    """The plugin shares the node's network namespace and, as the kubelet does, the machine's mounts."""
    argv = [
        str(program),
        "node",
        f"--kubelet-root={kubelet_root(place, node)}",
        f"--volumes={place.volumes}",
        f"--instance-id={node.instance_id}",
        f"--zone={node.zone}",
        f"--volume-attach-limit={attach_limit or ATTACH_LIMIT}",
    ]
    return Process(name(node), argv, netns=place.node_netns(node), ready=socket(place, node).exists, ready_seconds=20)


def present(place: Place) -> list[Node]:
    """The nodes that exist in this sandbox just now."""
    return [
        node
        for node in NODES
        if kubelet_root(place, node).is_dir() and (Path("/run/netns") / place.node_netns(node)).exists()
    ]


def ensure(place: Place, program: Path, attach_limit: int | None) -> None:
    """Start the plugin on each node where it does not run. Raises ProcessError when one does not come up."""
    for node in present(place):
        if not processes.alive(place, name(node)):
            processes.start(place, process(place, node, program, attach_limit))


def stop_idle(place: Place) -> bool:
    """Stop the plugins of nodes without a mounted volume; a pod must be able to end first. True when none runs."""
    running = [node for node in NODES if processes.alive(place, name(node))]
    mounts = MOUNTS.read_text() if running else ""
    for node in running:
        if not staged(mounts, kubelet_root(place, node)):
            processes.stop(place, name(node))
    return not any(processes.alive(place, name(node)) for node in running)


def staged(mountinfo: str, root: Path) -> list[str]:
    """Where volumes of the driver are mounted below a kubelet's root, from the text of /proc/PID/mountinfo."""
    folder = f"{root}/plugins/kubernetes.io/csi/{DRIVER}/"
    points = (line.split()[MOUNT_POINT_FIELD] for line in mountinfo.splitlines())
    return [point for point in points if point.startswith(folder)]


def stop(place: Place) -> None:
    """Stop all plugins, unmount what is still mounted from the sandbox's volumes and free their devices."""
    for node in NODES:
        processes.stop(place, name(node))
    for device in devices(_losetup("--json", "--list", "--output", "NAME,BACK-FILE"), place.volumes):
        for point in reversed(mounted_from(MOUNTS.read_text(), device)):
            subprocess.run(["umount", "--lazy", point], check=True)
        _losetup("--detach", device)


def devices(listing: str, volumes: Path) -> list[str]:
    """The loop devices whose backing file is in the folder `volumes`, from what `losetup --json --list` prints."""
    found: Iterable[dict[str, str | None]] = json.loads(listing)["loopdevices"] if listing.strip() else []
    return [str(each["name"]) for each in found if (each["back-file"] or "").startswith(f"{volumes}/")]


def mounted_from(mountinfo: str, device: str) -> list[str]:
    """Where a device is mounted, in the order of mounting: after ` - ` come file system type and source."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[1] == device:
            found.append(before.split()[MOUNT_POINT_FIELD])
    return found


def _losetup(*arguments: str) -> str:
    return subprocess.run(["losetup", *arguments], check=True, text=True, capture_output=True).stdout
