"""Connections between the roles, and the network policies that allow them."""

from typing import Any

import pytest

from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.network import network_policies
from eks_rocketmq.rocketmq.plan import plan
from tests.unit.harness import Recording
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args, deploy

ROLES = (
    labels.NAME_SERVER,
    labels.CONTROLLER,
    labels.BROKER,
    labels.PROXY,
    labels.DECLARATIONS,
    labels.DASHBOARD,
)
EVERYTHING: dict[str, Any] = {
    "dashboard": {"login_secret": "login"},
    "topics": [{"name": "orders"}],
    "network_policies": {"egress": True, "clients": [{"namespace_labels": {"team": "shop"}}]},
}
PEER = {"pod_labels": {"app": "shop"}}


def policies(recording: Recording) -> dict[str, dict[str, Any]]:
    """Return the spec of every policy by the role of its pods."""
    return {
        p.inputs["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: p.inputs["spec"]
        for p in recording.by_type("NetworkPolicy")
    }


def admits(rules: list[dict[str, Any]], direction: str, role: str, port: int) -> bool:
    """Return whether the rules admit a pod of the role in the namespace of RocketMQ."""
    pod = labels.build_labels(role, "5.5.0", "broker-a" if role == labels.BROKER else None)

    def matches(peer: dict[str, Any]) -> bool:
        expected = peer.get("podSelector", {}).get("matchLabels", {})
        same_namespace = "namespaceSelector" not in peer or not peer["namespaceSelector"].get("matchLabels")
        return "ipBlock" not in peer and same_namespace and expected.items() <= pod.items()

    return any(
        port in [p["port"] for p in rule["ports"]] and (direction not in rule or any(map(matches, rule[direction])))
        for rule in rules
    )


@pytest.fixture(scope="module")
def closed() -> dict[str, dict[str, Any]]:
    return policies(deploy(**EVERYTHING))


CONNECTIONS = set(network_policies.CONNECTIONS)
PORTS = sorted({port for *_, port in CONNECTIONS})


@pytest.mark.parametrize("source", ROLES)
@pytest.mark.parametrize("target", ROLES)
def test_policies_allow_only_the_listed_connections_in_both_directions(
    closed: dict[str, dict[str, Any]], source: str, target: str
) -> None:
    for port in PORTS:
        expected = (source, target, port) in CONNECTIONS
        assert admits(closed[target].get("ingress", []), "from", source, port) is expected, port
        egress_rules = [rule for rule in closed[source].get("egress", []) if admits([rule], "to", target, port)]
        assert bool(egress_rules) is expected, port


def test_metrics_ports_accept_only_declared_scrapers() -> None:
    scrapers = [
        {"namespace_labels": {"kubernetes.io/metadata.name": "monitoring"}, "pod_labels": {"app": "prometheus"}}
    ]
    found = policies(deploy(monitoring={"scrapers": scrapers}))
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
        "podSelector": {"matchLabels": {"app": "prometheus"}},
    }
    rules = {
        role: [rule.get("from") for rule in spec["ingress"] if rule["ports"][0]["port"] == 5557]
        for role, spec in found.items()
    }
    assert rules == {"nameserver": [], "controller": [[peer]], "broker": [[peer]], "proxy": [[peer]]}


def test_metrics_ports_accept_only_pods_of_the_cluster_by_default() -> None:
    rule = policies(deploy())["broker"]["ingress"][-1]
    assert rule == {"ports": [{"port": 5557, "protocol": "TCP"}], "from": [{"namespaceSelector": {}}]}


def test_proxies_accept_only_declared_clients() -> None:
    clients = [{"pod_labels": {"app": "shop"}}, {"cidr": "10.0.0.0/16"}]
    ingress = policies(deploy(network_policies={"clients": clients}))["proxy"]["ingress"]
    peers = [{"podSelector": {"matchLabels": {"app": "shop"}}}, {"ipBlock": {"cidr": "10.0.0.0/16"}}]
    ports = (8081, 8080)
    assert [(rule["ports"][0]["port"], rule["from"]) for rule in ingress[:-1]] == [(port, peers) for port in ports]
    assert ingress[-1]["ports"][0]["port"] == 5557  # its peers are `monitoring.scrapers`


def test_empty_client_list_blocks_all_connections_to_proxies() -> None:
    spec = policies(deploy(network_policies={"clients": []}, monitoring={"scrapers": []}))["proxy"]
    assert "ingress" not in spec
    assert spec["policyTypes"] == ["Ingress"]


def test_egress_policies_allow_dns_lookups() -> None:
    found = policies(deploy(network_policies={"egress": True}))
    assert {tuple(spec["policyTypes"]) for spec in found.values()} == {("Ingress", "Egress")}
    assert "egress" not in found["nameserver"]  # name servers open no connections
    *_, dns = found["broker"]["egress"]
    assert dns == {
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        "to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
    }


def test_dns_peers_are_configurable() -> None:
    found = policies(deploy(network_policies={"egress": True, "dns": [{"cidr": "169.254.20.10/32"}]}))
    assert found["proxy"]["egress"][-1]["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]


def test_network_policies_can_be_disabled() -> None:
    recording = deploy(
        network_policies={"enabled": False}, dashboard={"login_secret": "login"}, topics=EVERYTHING["topics"]
    )
    assert recording.by_type("NetworkPolicy") == []


def test_empty_network_policies_argument_equals_the_default() -> None:
    assert policies(deploy(network_policies={})) == policies(deploy())


@pytest.mark.parametrize(
    ("peer", "path", "code"),
    [
        ({}, "", "network-peer"),
        ({"cidr": "10.0.0.0/8", "pod_labels": {}}, "", "network-peer"),
        ({"cidr": "10.0.0.1/16"}, ".cidr", "cidr-block"),
        ({"cidr": "10.0.0.1"}, ".cidr", "cidr-block"),
        ({"cidr": "everyone"}, ".cidr", "cidr-block"),
        ({"pod_labels": {"a b": "c"}}, ".pod_labels", "qualified-name"),
        ({"namespace_labels": {"team": "sh op"}}, ".namespace_labels['team']", "label-value"),
        ({"podLabels": {}}, ".podLabels", "unknown-field"),
    ],
)
def test_invalid_peers_are_rejected(peer: dict[str, Any], path: str, code: str) -> None:
    with rejects((f"network_policies.clients[0]{path}", code)):
        plan(args(network_policies={"clients": [peer]}))


def test_client_list_that_blocks_external_clients_is_rejected() -> None:
    external = {"type": "NodePort"}
    pod_clients = {"clients": [{"pod_labels": {"app": "shop"}}]}
    with rejects(("network_policies.clients", "clients-without-cidr")):
        plan(args(external=external, network_policies=pod_clients))
    plan(args(external=external, network_policies={"enabled": False}))
    plan(args(external=external, network_policies={"clients": [*pod_clients["clients"], {"cidr": "10.0.0.0/16"}]}))


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"network_policies": {"clients": []}}, ["network_policies.clients"]),
        ({"network_policies": {"dns": [PEER], "egress": True}}, ["network_policies.egress", "network_policies.dns"]),
        ({"monitoring": {"scrapers": [PEER]}}, ["monitoring.scrapers"]),
        ({"dashboard": {"login_secret": "login", "clients": [PEER]}}, ["dashboard.clients"]),
    ],
)
def test_peers_of_disabled_policies_are_rejected(changes: dict[str, Any], paths: list[str]) -> None:
    plan(args(**changes))
    changes = {**changes, "network_policies": {**changes.get("network_policies", {}), "enabled": False}}
    with rejects(*((path, "disabled-feature") for path in paths)):
        plan(args(**changes))
    plan(args(network_policies={"enabled": False, "egress": False}))


def test_dns_peers_without_egress_policies_are_rejected() -> None:
    for egress in ({}, {"egress": False}):
        with rejects(("network_policies.dns", "disabled-feature")):
            plan(args(network_policies={"dns": [PEER], **egress}))
    plan(args(network_policies={"dns": [PEER], "egress": True}))


def test_empty_labels_select_all_namespaces_or_all_pods() -> None:
    clients = plan(
        args(network_policies={"clients": [{"namespace_labels": {}}, {"pod_labels": {}}]})
    ).deployment.network.clients
    assert clients == [{"namespaceSelector": {}}, {"podSelector": {}}]
