"""Connections between the roles, and the NetworkPolicies derived from them. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import validate_labels
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.network.network_policy_args import NetworkPoliciesArgs, PeerArgs

Peers = list[dict[str, Any]]
Connection = tuple[str, str, int]

# Source, target, port: every connection that the roles open to each other.
CONNECTIONS: tuple[Connection, ...] = (
    (labels.BROKER, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.PROXY, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.CONTROLLER, labels.CONTROLLER, ports.CONTROLLER),
    (labels.BROKER, labels.CONTROLLER, ports.CONTROLLER),
    (labels.BROKER, labels.BROKER, ports.BROKER),  # slaves fetch topics and offsets from the master
    (labels.CONTROLLER, labels.BROKER, ports.BROKER),  # controllers notify a broker of its role
    (labels.PROXY, labels.BROKER, ports.BROKER),
    (labels.DECLARATIONS, labels.BROKER, ports.BROKER),
    (labels.BROKER, labels.BROKER, ports.BROKER_FAST),
    (labels.BROKER, labels.BROKER, ports.BROKER_HA),
    (labels.DASHBOARD, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.DASHBOARD, labels.BROKER, ports.BROKER),
    (labels.DASHBOARD, labels.PROXY, ports.PROXY_REMOTING),
)
METRIC_ROLES = (labels.BROKER, labels.CONTROLLER, labels.PROXY)
"""Roles with metrics. Name servers have none."""
OPTIONAL_ROLES = frozenset({labels.DECLARATIONS, labels.DASHBOARD})
"""Roles that exist only if the arguments enable them."""
_ALWAYS_RESTRICTED = frozenset({labels.DECLARATIONS})  # it has the passwords of all users, so egress is always limited

EVERY_POD: Peers = [{"namespaceSelector": {}}]
CLUSTER_DNS: Peers = [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]


@dataclass(frozen=True)
class NetworkPolicyPlan:
    """Validated settings of the policies. Peers have the format of a manifest; None allows all."""

    enabled: bool = True
    egress: bool = False
    dns: Peers = field(default_factory=lambda: CLUSTER_DNS)
    clients: Peers | None = None
    scrapers: Peers = field(default_factory=lambda: EVERY_POD)
    """Peers that may scrape the metrics."""
    dashboard_clients: Peers = field(default_factory=list)


def plan_network_policies(
    args: NetworkPoliciesArgs, *, scrapers: Peers, dashboard_clients: Peers | None = None
) -> NetworkPolicyPlan:
    """Return the plan of the network policies.

    Raise ValueError for a peer that is empty or not valid.
    """
    path = ARGS / "network_policies"
    return NetworkPolicyPlan(
        enabled=args.get("enabled", True),
        egress=args.get("egress", False),
        dns=build_peers(args["dns"], path / "dns") if "dns" in args else CLUSTER_DNS,
        clients=build_peers(args["clients"], path / "clients") if "clients" in args else None,
        scrapers=scrapers,
        dashboard_clients=dashboard_clients or [],
    )


def build_peers(given: Sequence[PeerArgs], path: ArgumentPath) -> Peers:
    """Return peers in the format of a NetworkPolicy.

    Raise ValueError for an entry that is empty, combines labels with a CIDR block, or has an invalid CIDR block.
    """
    return [_build_peer(peer, path.index(index)) for index, peer in enumerate(given)]


def _build_peer(peer: PeerArgs, path: ArgumentPath) -> dict[str, Any]:
    selectors = {
        selector: {"matchLabels": validate_labels(match_labels, path / field_name)} if match_labels else {}
        for selector, field_name, match_labels in (
            ("namespaceSelector", "namespace_labels", peer.get("namespace_labels")),
            ("podSelector", "pod_labels", peer.get("pod_labels")),
        )
        if match_labels is not None
    }
    address = peer.get("cidr")
    if (address is None) is not bool(selectors):
        raise ArgumentError(
            path,
            "network-peer",
            "the peer has labels and a CIDR block" if selectors else "the peer is empty",
            accepted="one or both of {labels}, or {block} alone",
            labels=Names(("namespace_labels", "pod_labels")),
            block=Names(("cidr",)),
        )
    return selectors if address is None else {"ipBlock": {"cidr": validate_cidr(address, path / "cidr")}}


def validate_cidr(value: str, path: ArgumentPath) -> str:
    """Validate a CIDR block and return it.

    Raise ValueError for a value that is not a block, or has host bits.
    """
    try:
        # Python accepts a bare address as a block of one address. Kubernetes requires the prefix length.
        block = ipaddress.ip_network(value) if "/" in value else None
    except ValueError:
        block = None
    if block is None:
        raise ArgumentError(
            path,
            "cidr-block",
            "{given!r} is no CIDR block",
            accepted="an IPv4 or IPv6 block without host bits, such as '10.0.0.0/16'",
            given=value,
        )
    return str(block)


def build_policy_spec(
    role: str, selector: Mapping[str, str], plan: NetworkPolicyPlan, optional_roles: frozenset[str]
) -> dict[str, Any]:
    """Return the spec of the policy for the pods of a role or of one broker group.

    `optional_roles` are the optional roles that are enabled.
    """
    connections = [row for row in CONNECTIONS if not (OPTIONAL_ROLES - optional_roles) & {row[0], row[1]}]
    restricts_egress = plan.egress or role in _ALWAYS_RESTRICTED
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": dict(selector)},
        "policyTypes": ["Ingress", "Egress"] if restricts_egress else ["Ingress"],
    }
    # The API server drops an empty list, and every preview would then add it again.
    if ingress := _build_ingress(role, plan, connections):
        spec["ingress"] = ingress
    if restricts_egress and (egress := _build_egress(role, plan, connections)):
        spec["egress"] = egress
    return spec


def _build_ingress(role: str, plan: NetworkPolicyPlan, connections: Sequence[Connection]) -> list[dict[str, Any]]:
    sources_by_port: dict[int, Peers] = {}
    for source, target, port in connections:
        if target == role:
            sources_by_port.setdefault(port, []).append(_build_pod_peer(source))
    if role == labels.PROXY:
        clients = plan.clients
        sources_by_port = {port: sources_by_port.get(port, []) for port in (ports.PROXY_GRPC, ports.PROXY_REMOTING)}
        rules = [
            _build_rule("from", None if clients is None else [*clients, *sources], port)
            for port, sources in sources_by_port.items()
        ]
    else:
        rules = [_build_rule("from", sources, port) for port, sources in sources_by_port.items()]
    if role in METRIC_ROLES:
        rules.append(_build_rule("from", plan.scrapers, ports.METRICS))
    if role == labels.DASHBOARD:
        rules.append(_build_rule("from", plan.dashboard_clients, ports.DASHBOARD))
    # In Kubernetes, an empty list of peers allows all sources.
    return [rule for rule in rules if rule.get("from") != []]


def _build_egress(role: str, plan: NetworkPolicyPlan, connections: Sequence[Connection]) -> list[dict[str, Any]]:
    targets = [(target, port) for source, target, port in connections if source == role]
    rules = [_build_rule("to", [_build_pod_peer(target)], port) for target, port in targets]
    if targets:
        dns = {"ports": [{"port": ports.DNS, "protocol": protocol} for protocol in ("UDP", "TCP")]}
        rules.append(dns | {"to": plan.dns} if plan.egress else dns)
    # In Kubernetes, an empty list of peers allows all destinations.
    return [rule for rule in rules if rule.get("to") != []]


def _build_pod_peer(role: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels.build_selector(role)}}


def _build_rule(direction: str, peers: Peers | None, port: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"ports": [{"port": port, "protocol": "TCP"}]}
    return rule if peers is None else rule | {direction: peers}
