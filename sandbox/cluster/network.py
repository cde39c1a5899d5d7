"""Network of a sandbox: a namespace with a bridge for the control plane and a namespace for each node.

Every device is created inside a namespace, so the host's network does not change.
"""

import json

from sandbox.cluster import netns
from sandbox.command import CommandError, run
from sandbox.layout import CONTROL_ADDRESS, NETWORK_PREFIX, NODES, SERVICE_CIDR, Node, SandboxInstance

BRIDGE = "br0"
UPLINK = "eth0"


def names(instance: SandboxInstance) -> list[str]:
    """Return the network namespaces of a sandbox."""
    return [instance.control_netns, *(instance.node_netns(node) for node in NODES)]


def ensure(instance: SandboxInstance) -> None:
    """Create namespaces, links, addresses and routes unless they are complete. Recreate those of an interrupted run."""
    if _is_complete(instance):
        return
    remove(instance)
    for name in names(instance):
        run(["ip", "netns", "add", name])
        _batch(name, ["link set lo up"])
        _forward(name)
    _batch(instance.control_netns, bridge_commands())
    for node in NODES:
        _batch(instance.control_netns, link_commands(instance, node))
    for node in NODES:
        _batch(instance.node_netns(node), node_commands(node))
    _batch(instance.control_netns, control_routes())


def remove(instance: SandboxInstance) -> None:
    """Delete the namespaces. Their processes must have ended."""
    for name in names(instance):
        if netns.exists(name):
            run(["ip", "netns", "delete", name])


def release_folder() -> None:
    """Undo the bind mount that `ip netns` creates at first use, when no namespace needs it."""
    if netns.FOLDER.is_mount() and not any(netns.FOLDER.iterdir()):
        run(["umount", str(netns.FOLDER)])


def bridge_commands() -> list[str]:
    """Return the `ip` commands for the bridge of the control namespace."""
    return [
        f"link add {BRIDGE} type bridge",
        f"addr add {CONTROL_ADDRESS}/{NETWORK_PREFIX} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]


def link_commands(instance: SandboxInstance, node: Node) -> list[str]:
    """Return the `ip` commands of the control namespace that connect `node` to the bridge."""
    return [
        f"link add node-{node.letter} type veth peer name {UPLINK} netns {instance.node_netns(node)}",
        f"link set node-{node.letter} master {BRIDGE}",
        f"link set node-{node.letter} up",
    ]


def node_commands(node: Node) -> list[str]:
    """Return the `ip` commands of the namespace of `node`: its address and the routes to the pods of other nodes."""
    routes = [f"route add {other.pod_cidr} via {other.address}" for other in NODES if other != node]
    return [
        f"addr add {node.address}/{NETWORK_PREFIX} dev {UPLINK}",
        f"link set {UPLINK} up",
        # Service addresses need a route before kube-proxy's rules apply. Unknown addresses fail at once in the control
        # namespace ("network is unreachable") instead of after a timeout.
        f"route add default via {CONTROL_ADDRESS}",
        *routes,
    ]


def control_routes() -> list[str]:
    """Route pods through their node, and services through the first node, whose kube-proxy masquerades callers."""
    return [
        *(f"route add {node.pod_cidr} via {node.address}" for node in NODES),
        f"route add {SERVICE_CIDR} via {NODES[0].address}",
    ]


def _batch(name: str, commands: list[str]) -> None:
    run(["ip", "-netns", name, "-batch", "-"], stdin="\n".join(commands) + "\n")


def _forward(name: str) -> None:
    run(["nsenter", f"--net=/run/netns/{name}", "--", "sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"])


def _is_complete(instance: SandboxInstance) -> bool:
    """Return whether the network is complete. The control routes are added last."""
    if not all(netns.exists(name) for name in names(instance)):
        return False
    try:
        routes = json.loads(run(["ip", "-netns", instance.control_netns, "-json", "route", "show"]))
    except CommandError:
        return False
    return {route["dst"] for route in routes} >= {SERVICE_CIDR, *(node.pod_cidr for node in NODES)}
