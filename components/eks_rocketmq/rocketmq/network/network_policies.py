"""Who connects to whom, once, and the NetworkPolicies that follow from it. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.validation import label_pairs
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.network.network_policy_args import NetworkPoliciesArgs, PeerArgs

Peers = list[dict[str, Any]]
Row = tuple[str, str, int]

# From, to, port: every connection that the roles open to each other.
CONNECTIONS: tuple[Row, ...] = (
    (labels.BROKER, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.PROXY, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.CONTROLLER, labels.CONTROLLER, ports.CONTROLLER),
    (labels.BROKER, labels.CONTROLLER, ports.CONTROLLER),
    (labels.BROKER, labels.BROKER, ports.BROKER),  # slaves ask the master for topics and offsets
    (labels.CONTROLLER, labels.BROKER, ports.BROKER),  # controllers tell a broker of its role
    (labels.PROXY, labels.BROKER, ports.BROKER),
    (labels.DECLARATIONS, labels.BROKER, ports.BROKER),
    (labels.BROKER, labels.BROKER, ports.BROKER_FAST),
    (labels.BROKER, labels.BROKER, ports.BROKER_HA),
    (labels.DASHBOARD, labels.NAME_SERVER, ports.NAME_SERVER),
    (labels.DASHBOARD, labels.BROKER, ports.BROKER),
    (labels.DASHBOARD, labels.PROXY, ports.PROXY_REMOTING),
)
MEASURED = (labels.BROKER, labels.CONTROLLER, labels.PROXY)
"""Roles with metrics; a name server has none."""
OPTIONAL = frozenset({labels.DECLARATIONS, labels.DASHBOARD})
"""Roles that are not always there."""
_ALWAYS_CLOSED = frozenset({labels.DECLARATIONS})  # it holds everyone's passwords: it goes nowhere else, ever

EVERY_POD: Peers = [{"namespaceSelector": {}}]
CLUSTER_DNS: Peers = [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]


@dataclass(frozen=True)
class NetworkPolicyPlan:
    """The policies' choices; peers in Kubernetes' spelling, None for everyone."""

    policies: bool = True
    egress: bool = False
    dns: Peers = field(default_factory=lambda: CLUSTER_DNS)
    clients: Peers | None = None
    scrapers: Peers = field(default_factory=lambda: EVERY_POD)
    """Who may reach the metrics."""
    dashboard_clients: Peers = field(default_factory=list)


def plan_network_policies(
    args: NetworkPoliciesArgs, *, scrapers: Peers, dashboard_clients: Peers | None = None
) -> NetworkPolicyPlan:
    """The choices of the arguments.

    Raises:
        ValueError: for peers that name nobody or cannot be.
    """
    return NetworkPolicyPlan(
        policies=args.get("enabled", True),
        egress=args.get("egress", False),
        dns=peers(args["dns"], "network_policies.dns") if "dns" in args else CLUSTER_DNS,
        clients=peers(args["clients"], "network_policies.clients") if "clients" in args else None,
        scrapers=scrapers,
        dashboard_clients=dashboard_clients or [],
    )


def peers(given: Sequence[PeerArgs], what: str) -> Peers:
    """Peers as a policy spells them.

    Raises:
        ValueError: for an entry that names nobody, mixes labels with addresses, or whose addresses cannot be.
    """
    return [_peer(peer, f"{what}[{number}]") for number, peer in enumerate(given)]


def _peer(peer: PeerArgs, what: str) -> dict[str, Any]:
    selectors = {
        selector: {"matchLabels": label_pairs(chosen, f"{what}.{said}")} if chosen else {}
        for selector, said, chosen in (
            ("namespaceSelector", "namespace_labels", peer.get("namespace_labels")),
            ("podSelector", "pod_labels", peer.get("pod_labels")),
        )
        if chosen is not None
    }
    address = peer.get("cidr")
    if (address is None) is not bool(selectors):
        msg = f"{what} is {dict(peer)}; accepted are namespace_labels, pod_labels or both, or a cidr alone"
        raise ValueError(msg)
    return selectors if address is None else {"ipBlock": {"cidr": cidr(address, f"{what}.cidr")}}


def cidr(value: str, what: str) -> str:
    """Returns `value` when it is a range of addresses.

    Raises:
        ValueError: naming `what`, the value and what is accepted.
    """
    try:
        # A bare address would pass as the range of that one; Kubernetes wants it spelt out.
        return str(ipaddress.ip_network(value)) if "/" in value else _no_range(value, what)
    except ValueError:
        return _no_range(value, what)


def _no_range(value: str, what: str) -> str:
    msg = f"{what} is {value!r}; accepted is a range of addresses without host bits, such as '10.0.0.0/16'"
    raise ValueError(msg) from None


def policy(role: str, selector: Mapping[str, str], chosen: NetworkPolicyPlan, there: frozenset[str]) -> dict[str, Any]:
    """Spec of the policy over the pods of a role, or of one group of them.

    Args:
        role: whose pods.
        selector: what picks them.
        chosen: the caller's choices.
        there: the optional roles that are there.
    """
    rows = [row for row in CONNECTIONS if not (OPTIONAL - there) & {row[0], row[1]}]
    closed = chosen.egress or role in _ALWAYS_CLOSED
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": dict(selector)},
        "policyTypes": ["Ingress", "Egress"] if closed else ["Ingress"],
    }
    # The API server drops an empty list, and every preview would then add it again.
    if ingress := _ingress(role, chosen, rows):
        spec["ingress"] = ingress
    if closed and (egress := _egress(role, chosen, rows)):
        spec["egress"] = egress
    return spec


def _ingress(role: str, chosen: NetworkPolicyPlan, rows: Sequence[Row]) -> list[dict[str, Any]]:
    within: dict[int, Peers] = {}
    for source, target, port in rows:
        if target == role:
            within.setdefault(port, []).append(_pods(source))
    if role == labels.PROXY:
        clients = chosen.clients
        within = {port: within.get(port, []) for port in (ports.PROXY_GRPC, ports.PROXY_REMOTING)}
        rules = [_rule("from", None if clients is None else [*clients, *own], port) for port, own in within.items()]
    else:
        rules = [_rule("from", sources, port) for port, sources in within.items()]
    if role in MEASURED:
        rules.append(_rule("from", chosen.scrapers, ports.METRICS))
    if role == labels.DASHBOARD:
        rules.append(_rule("from", chosen.dashboard_clients, ports.DASHBOARD))
    # No peers would mean everyone.
    return [rule for rule in rules if rule.get("from") != []]


def _egress(role: str, chosen: NetworkPolicyPlan, rows: Sequence[Row]) -> list[dict[str, Any]]:
    targets = [(target, port) for source, target, port in rows if source == role]
    rules = [_rule("to", [_pods(target)], port) for target, port in targets]
    if targets:
        dns = {"ports": [{"port": ports.DNS, "protocol": protocol} for protocol in ("UDP", "TCP")]}
        rules.append(dns | {"to": chosen.dns} if chosen.egress else dns)
    # No peers would mean everywhere.
    return [rule for rule in rules if rule.get("to") != []]


def _pods(role: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels.selector(role)}}


def _rule(direction: str, among: Peers | None, port: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"ports": [{"port": port, "protocol": "TCP"}]}
    return rule if among is None else rule | {direction: among}
