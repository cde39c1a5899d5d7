"""Nodes whose pods do not reach STS or EC2, and the network path to it. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from eks_rocketmq.doctor.checks.identity_case import IdentityCase
from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.doctor.facts.network_facts import (
    EndpointFacts,
    NetworkFacts,
    NodeNetworkFacts,
    RouteTableFacts,
    SecurityGroupFacts,
)

AVAILABLE = "available"
_HOST = re.compile(r"https://([\w.-]+)")
_GLOBAL_STS = "sts.amazonaws.com"


@dataclass(frozen=True)
class ReachCase:
    """Nodes that do not reach a service."""

    identity: IdentityCase
    """Service account of the pods."""
    service: str
    """`sts` or `ec2`."""
    message: str
    """Message of the pods."""
    network: NetworkFacts
    """Network of the nodes; empty if it could not be read."""

    @property
    def region(self) -> str:
        """Return the region of the cluster; a placeholder if it is unknown."""
        account = self.identity.facts.account
        return account.region if isinstance(account, AccountFacts) else "<region>"

    @property
    def is_global(self) -> bool:
        """Return whether the pods call the global endpoint of STS, which no VPC endpoint serves."""
        return self._called_host == _GLOBAL_STS

    @property
    def host(self) -> str:
        """Return the regional name of the service."""
        regional = f"{self.service}.{self.region}.amazonaws.com"
        return regional if self.is_global else self._called_host or regional

    @property
    def _called_host(self) -> str:
        hosts = _HOST.findall(self.message)
        return next((each for each in hosts if each.startswith(f"{self.service}.")), "")

    def list_endpoints(self, vpc: str) -> list[EndpointFacts]:
        """Return the endpoints of the service in a VPC, the one that may serve the nodes first."""
        found = [
            each
            for each in list_readable(self.network.endpoints)
            if each.vpc_id == vpc and each.service.endswith(f".{self.service}") and each.state != "deleted"
        ]
        return sorted(found, key=lambda each: (each.state != AVAILABLE, not each.private_dns))

    def find_table(self, node: NodeNetworkFacts) -> RouteTableFacts | None:
        """Return the route table of a node: that of its subnet, or else the main one of the VPC."""
        tables = [each for each in list_readable(self.network.route_tables) if each.vpc_id == node.vpc_id]
        own = [each for each in tables if node.subnet_id in each.subnets]
        return next(iter([*own, *(each for each in tables if each.main)]), None)

    def list_groups(self, endpoint: EndpointFacts) -> list[SecurityGroupFacts]:
        """Return the security groups of an endpoint that were read."""
        return [each for each in list_readable(self.network.security_groups) if each.id_ in endpoint.security_groups]

    def is_allowed(self, endpoint: EndpointFacts, node: NodeNetworkFacts) -> bool | None:
        """Return whether the security groups of an endpoint allow a node.

        None if they allow a part of its addresses, or if a prefix list or a group that was not read may allow it.
        """
        groups = self.list_groups(endpoint)
        allowed = list(_judge_addresses(groups, node))
        if not groups or not allowed or len(groups) < len(endpoint.security_groups):
            return None
        if all(allowed):
            return True
        return None if any(allowed) or any(each.prefix_lists for each in groups) else False


def _judge_addresses(groups: list[SecurityGroupFacts], node: NodeNetworkFacts) -> Iterator[bool]:
    """Yield for each address of a node whether a rule of the groups allows it."""
    ranges = [IPv4Network(text, strict=False) for each in groups for text in each.ranges]
    sources = {source for each in groups for source in each.groups}
    for interface in node.interfaces:
        by_group = bool(sources.intersection(interface.security_groups))
        for address in interface.addresses:
            yield by_group or any(IPv4Network(address, strict=False).subnet_of(each) for each in ranges)


def has_internet(table: RouteTableFacts, node: NodeNetworkFacts) -> bool | None:
    """Return whether a route table leads a node to public addresses. None if its target is not judged."""
    if table.blackhole or not table.target:
        return False
    if table.target.startswith("igw-"):
        return bool(node.public_address)
    return True if table.target.startswith("nat-") else None
