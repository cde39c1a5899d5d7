"""containerd of one node: folders, configuration, command lines."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.layout import Node
from sandbox.pins import PAUSE_IMAGE

CNI_PLUGINS = Path("/usr/lib/cni")
KUBERNETES_NAMESPACE = "k8s.io"
MTU = 1500
PROBE_SECONDS = 5.0
# Built into Debian's containerd. Here they only log missing requirements.
UNUSED_PLUGINS = (
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
)


@dataclass(frozen=True)
class ContainerdFolders:
    """Folders of one containerd.

    `root` holds images and container metadata, which outlive a restart.
    """

    folder: Path
    root: Path

    @property
    def state(self) -> Path:
        return self.folder / "containerd-state"

    @property
    def socket(self) -> Path:
        return self.folder / "containerd.sock"

    @property
    def config(self) -> Path:
        return self.folder / "containerd.toml"

    @property
    def cni(self) -> Path:
        return self.folder / "cni"

    def write(self, config: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(toml(config))


def command(folders: ContainerdFolders) -> list[str]:
    return ["containerd", f"--config={folders.config}"]


def client(folders: ContainerdFolders, *arguments: str) -> list[str]:
    return ["ctr", f"--address={folders.socket}", f"--namespace={KUBERNETES_NAMESPACE}", *arguments]


def answers(folders: ContainerdFolders) -> bool:
    """Return whether the API answers."""
    if not folders.socket.is_socket():
        return False
    try:
        done = subprocess.run(client(folders, "version"), capture_output=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def importer_config(folders: ContainerdFolders) -> dict[str, Any]:
    """Return the configuration of a containerd that imports images and runs no pods."""
    base = _base_config(folders)
    return {**base, "disabled_plugins": [*UNUSED_PLUGINS, "io.containerd.grpc.v1.cri"]}


def node_config(folders: ContainerdFolders, runc: Path) -> dict[str, Any]:
    """Return the configuration of a containerd that runs pods (CRI plugin) with the given runc."""
    runtime = {
        "runtime_type": "io.containerd.runc.v2",
        "options": {"BinaryName": str(runc), "Root": str(folders.state / "runc"), "SystemdCgroup": False},
    }
    cri = {
        "sandbox_image": PAUSE_IMAGE,
        "disable_tcp_service": True,
        # Root without CAP_SYS_RESOURCE may not lower a score below its own. With it, this has no relevant effect.
        "restrict_oom_score_adj": True,
        # Network namespaces of pods are mounts. In this folder they are removed with the node.
        "netns_mounts_under_state_dir": True,
        "containerd": {"snapshotter": "overlayfs", "runtimes": {"runc": runtime}},
        "cni": {"bin_dir": str(CNI_PLUGINS), "conf_dir": str(folders.cni)},
    }
    return {
        **_base_config(folders),
        "disabled_plugins": list(UNUSED_PLUGINS),
        "plugins": {
            "io.containerd.grpc.v1.cri": cri,
            "io.containerd.internal.v1.opt": {"path": str(folders.folder / "opt")},
        },
    }


def cni_config(folders: ContainerdFolders, node: Node, network: str) -> str:
    """Return the pod network of `node` as JSON: one routed veth pair for each pod.

    No bridge: answers between two pods of a node must pass its iptables rules, or services break.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": node.pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folders.folder / "ipam"),
    }
    plugins = [{"type": "ptp", "mtu": MTU, "ipMasq": False, "ipam": ipam}]
    return json.dumps({"cniVersion": "1.0.0", "name": network, "plugins": plugins}, indent=2)


def toml(table: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """Render nested tables of strings, booleans, integers and lists of strings as TOML."""
    values = {name: value for name, value in table.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    # JSON strings, booleans, numbers and lists of strings are valid TOML.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    heading = [f"[{'.'.join(json.dumps(part) for part in path)}]"] if path and values else []
    text = "".join(f"{line}\n" for line in [*heading, *lines])
    return text + "".join(toml(value, (*path, name)) for name, value in tables.items())


def _base_config(folders: ContainerdFolders) -> dict[str, Any]:
    return {
        "version": 2,
        "root": str(folders.root),
        "state": str(folders.state),
        "grpc": {"address": str(folders.socket)},
        "plugins": {"io.containerd.internal.v1.opt": {"path": str(folders.folder / "opt")}},
    }
