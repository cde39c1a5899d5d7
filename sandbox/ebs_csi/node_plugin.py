"""Node plugin of the driver: one process beside each kubelet. On EKS a DaemonSet runs it."""

from pathlib import Path

from sandbox import processes
from sandbox.cluster import mounts, netns
from sandbox.ebs_csi.manifests import DRIVER
from sandbox.layout import NODES, Node, SandboxInstance
from sandbox.processes import Process

ATTACH_LIMIT = 25


def name(node: Node) -> str:
    return f"ebs-csi-node-{node.letter}"


def kubelet_root(instance: SandboxInstance, node: Node) -> Path:
    return instance.node_root(node) / "kubelet"


def socket(instance: SandboxInstance, node: Node) -> Path:
    return kubelet_root(instance, node) / "plugins" / DRIVER / "csi.sock"


def process(instance: SandboxInstance, node: Node, program: Path, attach_limit: int | None) -> Process:
    """Return the process. It shares the node's network namespace and, like the kubelet, the machine's mounts."""
    argv = [
        str(program),
        "node",
        f"--kubelet-root={kubelet_root(instance, node)}",
        f"--volumes={instance.volumes}",
        f"--instance-id={node.instance_id}",
        f"--zone={node.zone}",
        f"--volume-attach-limit={attach_limit or ATTACH_LIMIT}",
    ]
    return Process(
        name(node), argv, netns=instance.node_netns(node), ready=socket(instance, node).exists, ready_seconds=20
    )


def existing_nodes(instance: SandboxInstance) -> list[Node]:
    return [node for node in NODES if kubelet_root(instance, node).is_dir() and netns.exists(instance.node_netns(node))]


def withheld_file(instance: SandboxInstance, node: Node) -> Path:
    """Return the file whose existence keeps the plugin from a node, as a taint does that the DaemonSet lacks."""
    return instance.run / f"{name(node)}.withheld"


def ensure(instance: SandboxInstance, program: Path, attach_limit: int | None) -> None:
    """Start the plugin on each existing node where it does not run. Raises ProcessError when one does not start.

    End it where its file withholds it.
    """
    for node in existing_nodes(instance):
        if withheld_file(instance, node).exists():
            processes.stop(instance, name(node))
        elif not processes.is_alive(instance, name(node)):
            processes.start(instance, process(instance, node, program, attach_limit))


def stop_idle(instance: SandboxInstance) -> bool:
    """Stop the plugins of nodes without a mounted volume, so that pods can end first. Return whether none runs."""
    running = [node for node in NODES if processes.is_alive(instance, name(node))]
    mountinfo = mounts.TABLE.read_text()
    for node in running:
        if not staged(mountinfo, kubelet_root(instance, node)):
            processes.stop(instance, name(node))
    return not any(processes.is_alive(instance, name(node)) for node in running)


def staged(mountinfo: str, root: Path) -> list[Path]:
    """Return the mount points of the driver's volumes below a kubelet's root, from /proc/self/mountinfo."""
    return mounts.below(root / "plugins/kubernetes.io/csi" / DRIVER, mountinfo)


def stop(instance: SandboxInstance) -> None:
    """Stop all plugins, unmount all volumes of the sandbox and free their devices."""
    for node in NODES:
        processes.stop(instance, name(node))
    mounts.detach_loops(instance.volumes)
