"""containerd of one node: where it lives, its configuration, its command line."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.pins import PAUSE_IMAGE
from sandbox.place import Node

CNI_PLUGINS = Path("/usr/lib/cni")
KUBERNETES_NAMESPACE = "k8s.io"
MTU = 1500
PROBE_SECONDS = 5.0
# Built into Debian's containerd; each of them only logs what this machine lacks.
UNUSED_PLUGINS = (
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
)


@dataclass(frozen=True)
class Layout:
    """Folders of one containerd; nothing of it lies elsewhere.

    `root` is what outlives a restart: images and container metadata.
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


def command(layout: Layout) -> list[str]:
    return ["containerd", f"--config={layout.config}"]


def client(layout: Layout, *arguments: str) -> list[str]:
    return ["ctr", f"--address={layout.socket}", f"--namespace={KUBERNETES_NAMESPACE}", *arguments]


def answers(layout: Layout) -> bool:
    """Whether its API is served."""
    if not layout.socket.is_socket():
        return False
    try:
        done = subprocess.run(client(layout, "version"), capture_output=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def importer_config(layout: Layout) -> dict[str, Any]:
    """Enough to import images: no pods."""
    base = _base_config(layout)
    return {**base, "disabled_plugins": [*UNUSED_PLUGINS, "io.containerd.grpc.v1.cri"]}


def node_config(layout: Layout, runc: Path) -> dict[str, Any]:
    """Run pods by the Container Runtime Interface with the given runc."""
    runtime = {
        "runtime_type": "io.containerd.runc.v2",
        "options": {"BinaryName": str(runc), "Root": str(layout.state / "runc"), "SystemdCgroup": False},
    }
    cri = {
        "sandbox_image": PAUSE_IMAGE,
        "disable_tcp_service": True,
        # Root without CAP_SYS_RESOURCE may not lower a score below its own; with it, this changes nothing that matters.
        "restrict_oom_score_adj": True,
        # Namespaces of pods are mounts: in this folder they are found and removed with the node.
        "netns_mounts_under_state_dir": True,
        "containerd": {"snapshotter": "overlayfs", "runtimes": {"runc": runtime}},
        "cni": {"bin_dir": str(CNI_PLUGINS), "conf_dir": str(layout.cni)},
    }
    return {
        **_base_config(layout),
        "disabled_plugins": list(UNUSED_PLUGINS),
        "plugins": {
            "io.containerd.grpc.v1.cri": cri,
            "io.containerd.internal.v1.opt": {"path": str(layout.folder / "opt")},
        },
    }


def cni_config(layout: Layout, node: Node, network: str) -> str:
    """Pod network of `node` as JSON: one routed veth per pod.

    No bridge: answers between two pods of one node must pass the node's own rules, or services break for them.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": node.pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(layout.folder / "ipam"),
    }
    plugins = [{"type": "ptp", "mtu": MTU, "ipMasq": False, "ipam": ipam}]
    return json.dumps({"cniVersion": "1.0.0", "name": network, "plugins": plugins}, indent=2)


def toml(table: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """Render nested tables of strings, booleans, whole numbers and lists of strings, which is all that is used here."""
    values = {name: value for name, value in table.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    # A JSON string, boolean, number or list of strings is TOML too.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    heading = [f"[{'.'.join(json.dumps(part) for part in path)}]"] if path and values else []
    text = "".join(f"{line}\n" for line in [*heading, *lines])
    return text + "".join(toml(value, (*path, name)) for name, value in tables.items())


def _base_config(layout: Layout) -> dict[str, Any]:
    return {
        "version": 2,
        "root": str(layout.root),
        "state": str(layout.state),
        "grpc": {"address": str(layout.socket)},
        "plugins": {"io.containerd.internal.v1.opt": {"path": str(layout.folder / "opt")}},
    }
