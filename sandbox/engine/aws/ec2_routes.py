"""Gateways, addresses, route tables and routes."""

import binascii
from collections.abc import Sequence

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call, errors_of, unless_missing
from sandbox.engine.aws.resource import (
    CHOSEN,
    FIXED,
    REGION,
    REGION_AND_TAGS,
    Description,
    Operation,
    Property,
    ResourceType,
    Wait,
)
from sandbox.engine.aws.services import ec2_type, whole_id
from sandbox.engine.aws.validators import one_of


def _attach(op: Operation, _: Sequence[str]) -> None:
    before, after = op.olds.get("vpcId"), op.news.get("vpcId") or op.olds.get("vpcId")
    if before and before != after:
        _detach(op)
    if after and before != after:
        with errors_of(f"attaching EC2 Internet Gateway ({op.resource_id}) to EC2 VPC ({after})"):
            op.call("AttachInternetGateway", VpcId=after)


def _detach(op: Operation) -> None:
    vpc = op.olds["vpcId"]
    with errors_of(f"detaching EC2 Internet Gateway ({op.resource_id}) to EC2 VPC ({vpc})"):
        unless_missing(lambda: op.call("DetachInternetGateway", VpcId=vpc))


def _delete_gateway(op: Operation) -> None:
    if op.olds.get("vpcId"):
        _detach(op)
    op.call("DeleteInternetGateway")


INTERNET_GATEWAY = ec2_type(
    "aws:ec2/internetGateway:InternetGateway",
    "EC2 Internet Gateway",
    "InternetGateway",
    "internet-gateway",
    {"vpcId": Property(computed=True, path="Attachments[0].VpcId", initial="", update=_attach), **REGION_AND_TAGS},
    delete=_delete_gateway,
    outputs=("ownerId",),
)

EIP = ec2_type(
    "aws:ec2/eip:Eip",
    "EC2 EIP",
    "Allocation",
    "elastic-ip",
    {"domain": CHOSEN, **REGION_AND_TAGS},
    create="AllocateAddress",
    id_path="AllocationId",
    describe="DescribeAddresses",
    description_path="Addresses[0]",
    delete="ReleaseAddress",
    outputs=("allocationId", "associationId", "publicIp", "publicIpv4Pool"),
    output_paths={"networkInterface": "NetworkInterfaceId", "privateIp": "PrivateIpAddress"},
)

NAT_GATEWAY = ec2_type(
    "aws:ec2/natGateway:NatGateway",
    "EC2 NAT Gateway",
    "NatGateway",
    "natgateway",
    {
        "allocationId": Property(replaces=True, path="NatGatewayAddresses[0].AllocationId"),
        "connectivityType": Property(default="public", replaces=True, validate=one_of("private", "public")),
        "privateIp": Property(replaces=True, computed=True, argument="", path="NatGatewayAddresses[0].PrivateIp"),
        "subnetId": FIXED,
        **REGION_AND_TAGS,
    },
    description_path="NatGateways[?State!='deleted'] | [0]",
    output_paths={
        "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
        "publicIp": "NatGatewayAddresses[0].PublicIp",
    },
    create_wait=Wait("State", frozenset({"pending"}), frozenset({"available"}), 600),
    delete_wait=Wait("State", frozenset({"available", "deleting"}), frozenset({"", "deleted"}), 1800),
)

ROUTE_TABLE = ec2_type(
    "aws:ec2/routeTable:RouteTable",
    "EC2 Route Table",
    "RouteTable",
    "route-table",
    {"vpcId": FIXED, **REGION_AND_TAGS},
    outputs=("ownerId",),
)


def _route_id(table: str, destination: str) -> str:
    return f"r-{table}{binascii.crc32(destination.encode())}"


def _create_route(op: Operation) -> dict[str, str]:
    op.create_call("CreateRoute")
    return {"id": _route_id(op.news["routeTableId"], op.news["destinationCidrBlock"])}


def _describe_route(aws: Account, resource_id: str) -> Description | None:
    named = ROUTE.id_arguments(resource_id)
    answer = call(aws.client("ec2"), "DescribeRouteTables", RouteTableIds=[named["RouteTableId"]])
    for route in jmespath.search("RouteTables[0].Routes", answer) or []:
        if _route_id(named["RouteTableId"], route.get("DestinationCidrBlock", "")) == resource_id:
            return route
    return None


def _imported_route(_: Account, import_id: str) -> str:
    """Return the id for an import id `table_destination`."""
    table, separator, destination = import_id.partition("_")
    return _route_id(table, destination) if separator else import_id


ROUTE = ResourceType(
    "aws:ec2/route:Route",
    "Route",
    "ec2",
    {
        "destinationCidrBlock": FIXED,
        "gatewayId": Property(path="GatewayId || ''"),
        "natGatewayId": Property(path="NatGatewayId || ''"),
        "routeTableId": FIXED,
        **REGION,
    },
    # The id has a hash of the destination after the table.
    id_pattern=r"r-(?P<RouteTableId>rtb-\w{17})\d*",
    id_error="unexpected format for ID, expected ROUTETABLEID_DESTINATION",
    create=_create_route,
    id_path="id",
    describe=_describe_route,
    update=lambda op: op.create_call("ReplaceRoute"),
    delete=lambda op: op.call("DeleteRoute", DestinationCidrBlock=op.olds["destinationCidrBlock"]),
    output_paths={"origin": "Origin || 'CreateRoute'", "state": "State || 'active'"},
    import_id=_imported_route,
    messages={"creating": "creating Route in Route Table ({routeTableId}) with destination ({destinationCidrBlock})"},
)


def _describe_association(aws: Account, resource_id: str) -> Description | None:
    which = [{"Name": "association.route-table-association-id", "Values": [resource_id]}]
    answer = call(aws.client("ec2"), "DescribeRouteTables", Filters=which)
    subnet = f"Associations[?RouteTableAssociationId=='{resource_id}'] | [0].SubnetId"
    return jmespath.search(f"RouteTables[0].{{RouteTableId: RouteTableId, SubnetId: {subnet}}}", answer)


def _imported_association(aws: Account, import_id: str) -> str:
    """Return the id for an import id `subnet/table`."""
    subnet, _, table = import_id.partition("/")
    if not table:
        return import_id
    answer = unless_missing(lambda: call(aws.client("ec2"), "DescribeRouteTables", RouteTableIds=[table]))
    path = f"RouteTables[0].Associations[?SubnetId=='{subnet}'] | [0].RouteTableAssociationId"
    return jmespath.search(path, answer or {}) or import_id


ROUTE_TABLE_ASSOCIATION = ResourceType(
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "EC2 Route Table Association",
    "ec2",
    {"routeTableId": FIXED, "subnetId": FIXED, **REGION},
    id_pattern=whole_id("AssociationId"),
    create="AssociateRouteTable",
    id_path="AssociationId",
    describe=_describe_association,
    delete="DisassociateRouteTable",
    import_id=_imported_association,
)
