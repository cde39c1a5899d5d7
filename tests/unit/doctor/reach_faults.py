"""Faults on the network path from the nodes to STS and EC2: routes, VPC endpoints and their security groups."""

from dataclasses import replace
from typing import Any

from eks_rocketmq.doctor.facts.cluster_facts import Facts
from eks_rocketmq.doctor.facts.network_facts import (
    EndpointFacts,
    InterfaceFacts,
    NetworkFacts,
    NodeNetworkFacts,
    RouteTableFacts,
    SecurityGroupFacts,
)
from eks_rocketmq.doctor.facts.unreadable_fact import Unreadable
from tests.unit.doctor.fault_facts import HEALTH, Fault, with_log
from tests.unit.doctor.healthy_cases import irsa_facts
from tests.unit.harness.fakes import REGION


def build_timeout(host: str) -> str:
    """Return the message of a driver that does not reach a host."""
    return f'{HEALTH}Post "https://{host}/": dial tcp 52.94.1.1:443: i/o timeout'


STS_TIMEOUT = build_timeout(f"sts.{REGION}.amazonaws.com")
GLOBAL_TIMEOUT = build_timeout("sts.amazonaws.com")
EC2_TIMEOUT = build_timeout(f"ec2.{REGION}.amazonaws.com")
NODE = NodeNetworkFacts(
    "node-a",
    "i-a",
    "vpc-1",
    "subnet-a",
    f"{REGION}a",
    interfaces=(
        InterfaceFacts(("10.0.0.5", "10.0.0.17"), ("sg-node",)),
        InterfaceFacts(("10.0.0.32/28",), ("sg-node",)),
    ),
)
TABLE = RouteTableFacts("rtb-1", "vpc-1", True, (), "nat-1")
STS_ENDPOINT = EndpointFacts(
    "vpce-sts", "vpc-1", f"com.amazonaws.{REGION}.sts", subnets=("subnet-a", "subnet-b"), security_groups=("sg-e",)
)
EC2_ENDPOINT = replace(STS_ENDPOINT, id_="vpce-ec2", service=f"com.amazonaws.{REGION}.ec2")
OPEN = SecurityGroupFacts("sg-e", ("10.0.0.0/16",))
CLOSED = SecurityGroupFacts("sg-e", ("10.9.0.0/16",), ("sg-other",))


def build_network(**changes: Any) -> NetworkFacts:
    """Return the network of one node with a route to a NAT gateway, and without VPC endpoints."""
    return replace(NetworkFacts((NODE,), (TABLE,)), **changes)


def build_isolated(*endpoints: EndpointFacts, **changes: Any) -> NetworkFacts:
    """Return the network of one node without a default route."""
    return build_network(**{"route_tables": (replace(TABLE, target=""),), "endpoints": endpoints, **changes})


def with_network(message: str, network: NetworkFacts | Unreadable | None) -> Facts:
    """Return facts of a driver that does not reach a service."""
    return with_log(message, irsa_facts(network=network))


REACH_FAULTS: tuple[Fault, ...] = (
    ("sts-unreachable", "no-route", lambda: with_network(STS_TIMEOUT, build_isolated())),
    (
        "sts-unreachable",
        "denied",
        lambda: with_network(STS_TIMEOUT, build_network(endpoints=(STS_ENDPOINT,), security_groups=(CLOSED,))),
    ),
    (
        "sts-unreachable",
        "global-endpoint",
        lambda: with_network(GLOBAL_TIMEOUT, build_isolated(STS_ENDPOINT, security_groups=(OPEN,))),
    ),
    (
        "sts-unreachable",
        "failed",
        lambda: with_network(STS_TIMEOUT, build_isolated(replace(STS_ENDPOINT, state="failed"))),
    ),
    (
        "ec2-unreachable",
        "private-dns",
        lambda: with_network(EC2_TIMEOUT, build_isolated(replace(EC2_ENDPOINT, private_dns=False))),
    ),
    (
        "ec2-unreachable",
        "blackhole",
        lambda: with_network(EC2_TIMEOUT, build_network(route_tables=(replace(TABLE, blackhole=True),))),
    ),
    ("ec2-unreachable", "in-order", lambda: with_network(EC2_TIMEOUT, build_network())),
)
