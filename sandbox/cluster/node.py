"""One worker node: containerd, kubelet and kube-proxy in the node's network namespace and control group."""

import shlex
from pathlib import Path

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import cgroups, containerd, images, kubeconfig, kubelet, mounts, netns
from sandbox.place import Node, Place
from sandbox.processes import Process

# Programs that know no other folder than these; every node sees folders of its own there.
PRIVATE_FOLDERS = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/run/containerd")


def process_names(node: Node) -> tuple[str, ...]:
    """In the order in which they start."""
    return (f"containerd-{node.letter}", f"kubelet-{node.letter}", f"kube-proxy-{node.letter}")


def start(place: Place, toolchain: Toolchain, node: Node, prepared: Path) -> None:
    """Start what does not run of `node`; `prepared` is the containerd folder with the images.

    Raises ProcessError with the log of the one that does not come up.
    """
    folder = place.node_root(node)
    folder.mkdir(parents=True, exist_ok=True)
    # A volume that is mounted here by the CSI driver must appear in the containers, and the other way round.
    mounts.share(folder)
    cgroups.create(place.node_cgroup(node), cgroups.current_trees())
    # Outside of the shared mount, which would refuse hard links from the cache.
    layout = containerd.Layout(folder, place.root / "images" / node.letter)
    images.furnish(prepared, layout.root)
    _write_configuration(place, toolchain, node, layout)

    def run(name: str, argv: list[str], probe: tuple[str, int] | None) -> None:
        netns_name = place.node_netns(node)
        ready = (lambda: netns.listens(netns_name, *probe)) if probe else lambda: containerd.answers(layout)
        processes.start(place, Process(name, argv, netns=netns_name, ready=ready))

    containerd_name, kubelet_name, proxy_name = process_names(node)
    binaries = toolchain.bin
    run(containerd_name, as_node(place, node, containerd.command(layout)), None)
    kubelet_argv = kubelet.command(
        binaries / "kubelet", place, node, folder / "kubelet.yaml", folder / "kubelet.kubeconfig"
    )
    run(kubelet_name, as_node(place, node, kubelet_argv), ("127.0.0.1", kubelet.KUBELET_HEALTH_PORT))
    proxy_argv = kubelet.proxy_command(binaries / "kube-proxy", folder / "kube-proxy.yaml")
    run(proxy_name, as_node(place, node, proxy_argv), ("127.0.0.1", kubelet.PROXY_HEALTH_PORT))


def as_node(place: Place, node: Node, argv: list[str]) -> list[str]:
    """Run `argv` in the node's control group and with its own `PRIVATE_FOLDERS`; the process keeps its id."""
    own = place.node_root(node) / "private"
    enter = cgroups.joining(place.node_cgroup(node), cgroups.current_trees())
    binds = "\n".join(
        # Private first: in a shared mount the bind would show up on the host.
        f'mount --make-private "$(stat --format=%m {shlex.quote(target)})"\n'
        f"mount --bind {shlex.quote(str(own / target.lstrip('/')))} {shlex.quote(target)}"
        for target in PRIVATE_FOLDERS
    )
    inner = f'{binds}\nexec "$@"'
    script = f'{enter}\nexec unshare --mount --propagation unchanged sh -euc "$0" node "$@"'
    return ["sh", "-euc", script, inner, *argv]


def _write_configuration(place: Place, toolchain: Toolchain, node: Node, layout: containerd.Layout) -> None:
    folder = place.node_root(node)
    for target in PRIVATE_FOLDERS:
        (folder / "private" / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        Path(target).mkdir(parents=True, exist_ok=True)
    layout.write(containerd.node_config(layout, toolchain.bin / "runc"))
    layout.cni.mkdir(exist_ok=True)
    (layout.cni / "10-pods.conflist").write_text(containerd.cni_config(layout, node, place.node_netns(node)))
    (folder / "resolv.conf").write_text("")
    (folder / "kubelet.yaml").write_text(kubelet.config(place, node, layout.socket))
    kubeconfig.write(place, f"kubelet-{node.letter}", folder / "kubelet.kubeconfig")
    proxy_kubeconfig = kubeconfig.write(place, "kube-proxy", folder / "kube-proxy.kubeconfig")
    (folder / "kube-proxy.yaml").write_text(kubelet.proxy_config(node, proxy_kubeconfig))
