"""Network between nodes and an API of AWS. Pure."""

from dataclasses import dataclass

from eks_rocketmq.doctor.facts.unreadable_fact import Unreadable


@dataclass(frozen=True)
class InterfaceFacts:
    """Network interface of an instance."""

    addresses: tuple[str, ...]
    """Private IPv4 addresses, and prefixes from which pods get addresses."""
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeNetworkFacts:
    """Network of the instance of a node."""

    node: str
    """Name of the node."""
    instance_id: str
    vpc_id: str
    subnet_id: str
    zone: str = ""
    public_address: str = ""
    """Public IPv4 address; empty if there is none."""
    interfaces: tuple[InterfaceFacts, ...] = ()


@dataclass(frozen=True)
class RouteTableFacts:
    """Route table with its route for 0.0.0.0/0."""

    id_: str
    vpc_id: str
    main: bool = False
    """Whether subnets without an association use it."""
    subnets: tuple[str, ...] = ()
    """Subnets with an association."""
    target: str = ""
    """Id of the target of the route, such as `nat-0a1b`; empty if there is no route."""
    blackhole: bool = False
    """Whether the target of the route does not exist any more."""


@dataclass(frozen=True)
class EndpointFacts:
    """VPC endpoint of a service."""

    id_: str
    vpc_id: str
    service: str
    """Name of the service, such as `com.amazonaws.eu-west-1.sts`."""
    state: str = "available"
    """State in lower case. EC2 and its clients spell it differently."""
    private_dns: bool = True
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityGroupFacts:
    """Sources from which a security group allows TCP to port 443."""

    id_: str
    ranges: tuple[str, ...] = ()
    """IPv4 ranges."""
    groups: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    """Prefix lists. Their ranges are not read."""


@dataclass(frozen=True)
class NetworkFacts:
    """Network of the nodes whose pods do not reach STS or EC2."""

    nodes: tuple[NodeNetworkFacts, ...] = ()
    route_tables: tuple[RouteTableFacts, ...] | Unreadable = ()
    """Route tables of the VPCs of the nodes."""
    endpoints: tuple[EndpointFacts, ...] | Unreadable = ()
    """Endpoints of the services in these VPCs."""
    security_groups: tuple[SecurityGroupFacts, ...] | Unreadable = ()
    """Security groups of the endpoints."""
