"""The network of a sandbox: one namespace with a bridge for the control plane and one namespace per node.

Every device is made inside a namespace, so the host's own network sees nothing of it.
"""

import json

from sandbox.cluster import netns
from sandbox.cluster.command import CommandError, run
from sandbox.place import CONTROL_ADDRESS, NETWORK_PREFIX, NODES, SERVICE_CIDR, Node, Place

BRIDGE = "br0"
UPLINK = "eth0"


def names(place: Place) -> list[str]:
    """The network namespaces of a sandbox."""
    return [place.control_netns, *(place.node_netns(node) for node in NODES)]


def ensure(place: Place) -> None:
    """Make the namespaces, links, addresses and routes unless they stand. What an interrupted run left is made anew."""
    if _stands(place):
        return
    remove(place)
    for name in names(place):
        run(["ip", "netns", "add", name])
        _batch(name, ["link set lo up"])
        _forward(name)
    _batch(place.control_netns, bridge_commands())
    for node in NODES:
        _batch(place.control_netns, link_commands(place, node))
    for node in NODES:
        _batch(place.node_netns(node), node_commands(node))
    _batch(place.control_netns, control_routes())


def remove(place: Place) -> None:
    """Delete the namespaces with everything in them. Processes in them must have ended."""
    for name in names(place):
        if netns.exists(name):
            run(["ip", "netns", "delete", name])


def release_folder() -> None:
    """`ip netns` mounts its folder upon itself at first use; take that mount away again when no namespace needs it."""
    if netns.FOLDER.is_mount() and not any(netns.FOLDER.iterdir()):
        run(["umount", str(netns.FOLDER)])


def bridge_commands() -> list[str]:
    """`ip` commands for the control namespace's own device."""
    return [
        f"link add {BRIDGE} type bridge",
        f"addr add {CONTROL_ADDRESS}/{NETWORK_PREFIX} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]


def link_commands(place: Place, node: Node) -> list[str]:
    """`ip` commands, for the control namespace, that join `node` to the bridge."""
    return [
        f"link add node-{node.letter} type veth peer name {UPLINK} netns {place.node_netns(node)}",
        f"link set node-{node.letter} master {BRIDGE}",
        f"link set node-{node.letter} up",
    ]


def node_commands(node: Node) -> list[str]:
    """`ip` commands for the namespace of `node`: its address and the way to the other nodes' pods."""
    routes = [f"route add {other.pod_cidr} via {other.address}" for other in NODES if other != node]
    return [
        f"addr add {node.address}/{NETWORK_PREFIX} dev {UPLINK}",
        f"link set {UPLINK} up",
        # Service addresses need a route before kube-proxy's rules see the packet; what is unknown ends in the control
        # namespace with "network is unreachable" at once instead of a timeout.
        f"route add default via {CONTROL_ADDRESS}",
        *routes,
    ]


def control_routes() -> list[str]:
    """Pods are reached through their node, services through the first node, whose kube-proxy masquerades the caller."""
    return [
        *(f"route add {node.pod_cidr} via {node.address}" for node in NODES),
        f"route add {SERVICE_CIDR} via {NODES[0].address}",
    ]


def _batch(name: str, commands: list[str]) -> None:
    run(["ip", "-netns", name, "-batch", "-"], stdin="\n".join(commands) + "\n")


def _forward(name: str) -> None:
    run(["nsenter", f"--net=/run/netns/{name}", "--", "sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"])


def _stands(place: Place) -> bool:
    """The control routes are added last, so they tell whether all of it was made."""
    if not all(netns.exists(name) for name in names(place)):
        return False
    try:
        routes = json.loads(run(["ip", "-netns", place.control_netns, "-json", "route", "show"]))
    except CommandError:
        return False
    return {route["dst"] for route in routes} >= {SERVICE_CIDR, *(node.pod_cidr for node in NODES)}
