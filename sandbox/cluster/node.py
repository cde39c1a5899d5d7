"""Worker node: containerd, kubelet and kube-proxy in the node's network namespace and control group."""

import shlex
from pathlib import Path

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import cgroups, containerd, containerd_images, kubeconfig_file, kubelet, mounts, netns
from sandbox.layout import Node, SandboxInstance
from sandbox.processes import Process

# Fixed paths of programs. Every node has its own folders mounted there.
PRIVATE_FOLDERS = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/run/containerd")


def process_names(node: Node) -> tuple[str, ...]:
    """Return the process names in starting order."""
    return (f"containerd-{node.letter}", f"kubelet-{node.letter}", f"kube-proxy-{node.letter}")


def start(instance: SandboxInstance, toolchain: Toolchain, node: Node, prepared: Path) -> None:
    """Start the processes of `node` that do not run. `prepared` is the containerd folder with the images.

    Raises ProcessError with the log of a process that does not become ready.
    """
    folder = instance.node_root(node)
    folder.mkdir(parents=True, exist_ok=True)
    # Mounts of the CSI driver must appear in the containers, and the other way round.
    mounts.share(folder)
    cgroups.create(instance.node_cgroup(node), cgroups.current_trees())
    # Outside the shared mount, which refuses hard links from the cache.
    folders = containerd.ContainerdFolders(folder, instance.root / "images" / node.letter)
    containerd_images.link_images(prepared, folders.root)
    _write_configuration(instance, toolchain, node, folders)

    def run(name: str, argv: list[str], probe: tuple[str, int] | None) -> None:
        netns_name = instance.node_netns(node)
        ready = (lambda: netns.is_listening(netns_name, *probe)) if probe else lambda: containerd.answers(folders)
        processes.start(instance, Process(name, argv, netns=netns_name, ready=ready))

    containerd_name, kubelet_name, proxy_name = process_names(node)
    binaries = toolchain.bin
    run(containerd_name, node_command(instance, node, containerd.command(folders)), None)
    kubelet_argv = kubelet.command(
        binaries / "kubelet", instance, node, folder / "kubelet.yaml", folder / "kubelet.kubeconfig"
    )
    run(kubelet_name, node_command(instance, node, kubelet_argv), ("127.0.0.1", kubelet.KUBELET_HEALTH_PORT))
    proxy_argv = [str(binaries / "kube-proxy"), f"--config={folder / 'kube-proxy.yaml'}"]
    run(proxy_name, node_command(instance, node, proxy_argv), ("127.0.0.1", kubelet.PROXY_HEALTH_PORT))


def node_command(instance: SandboxInstance, node: Node, argv: list[str]) -> list[str]:
    """Run `argv` in the node's control group with its own `PRIVATE_FOLDERS`. The process keeps its id."""
    own = instance.node_root(node) / "private"
    enter = cgroups.join_commands(instance.node_cgroup(node), cgroups.current_trees())
    binds = "\n".join(
        # Private first: below a shared mount the bind mount would appear on the host.
        f'mount --make-private "$(stat --format=%m {shlex.quote(target)})"\n'
        f"mount --bind {shlex.quote(str(own / target.lstrip('/')))} {shlex.quote(target)}"
        for target in PRIVATE_FOLDERS
    )
    inner = f'{binds}\nexec "$@"'
    script = f'{enter}\nexec unshare --mount --propagation unchanged sh -euc "$0" node "$@"'
    return ["sh", "-euc", script, inner, *argv]


def _write_configuration(
    instance: SandboxInstance, toolchain: Toolchain, node: Node, folders: containerd.ContainerdFolders
) -> None:
    folder = instance.node_root(node)
    for target in PRIVATE_FOLDERS:
        (folder / "private" / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        Path(target).mkdir(parents=True, exist_ok=True)
    folders.write(containerd.node_config(folders, toolchain.bin / "runc"))
    folders.cni.mkdir(exist_ok=True)
    (folders.cni / "10-pods.conflist").write_text(containerd.cni_config(folders, node, instance.node_netns(node)))
    (folder / "resolv.conf").write_text("")
    (folder / "kubelet.yaml").write_text(kubelet.config(instance, node, folders.socket))
    kubeconfig_file.write(instance, f"kubelet-{node.letter}", folder / "kubelet.kubeconfig")
    proxy_kubeconfig = kubeconfig_file.write(instance, "kube-proxy", folder / "kube-proxy.kubeconfig")
    (folder / "kube-proxy.yaml").write_text(kubelet.proxy_config(node, node.address, proxy_kubeconfig))
