"""The ways out of a VPC: gateways and their addresses, route tables and routes."""

# ruff: noqa: ARG002, ARG005 - the functions of a table take the same arguments, whichever they need

import binascii
from collections.abc import Sequence
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import CHOSEN, FIXED, REGION, TAGGED, Property, Schema, one_of
from sandbox.engine.aws.resource import Properties, Resource, Waiting
from sandbox.engine.aws.table import TableResource, Verbs, Wait, by_id, by_list, capitalised, ec2_tags


class InternetGateway(TableResource):
    """A gateway and its attachment are one resource."""

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        made = super().create(aws, inputs, waiting)
        if inputs.get("vpcId"):
            self._each(aws, "AttachInternetGateway", made, inputs["vpcId"])
        return made

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        before, after = olds.get("vpcId"), news.get("vpcId") or olds.get("vpcId")
        if before and before != after:
            self._each(aws, "DetachInternetGateway", resource_id, before)
        if after and before != after:
            self._each(aws, "AttachInternetGateway", resource_id, after)
        super().update(aws, resource_id, {**olds, "vpcId": after}, news, waiting)

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        if olds.get("vpcId"):
            self._each(aws, "DetachInternetGateway", resource_id, olds["vpcId"])
        super().delete(aws, resource_id, olds, waiting)

    def _each(self, aws: Account, verb: str, gateway: str, vpc: str) -> None:
        try:
            unless_missing(lambda: call(aws.client("ec2"), verb, InternetGatewayId=gateway, VpcId=vpc))
        except AwsError as error:
            doing = "attaching" if verb.startswith("Attach") else "detaching"
            raise failed(f"{doing} EC2 Internet Gateway ({gateway}) to EC2 VPC ({vpc})", error) from error


INTERNET_GATEWAY = InternetGateway(
    Schema("aws:ec2/internetGateway:InternetGateway", {"vpcId": Property(computed=True), **REGION, **TAGGED}),
    Verbs(
        what="EC2 Internet Gateway",
        service="ec2",
        create="CreateInternetGateway",
        created="InternetGateway.InternetGatewayId",
        describe="DescribeInternetGateways",
        named=by_list("InternetGatewayIds"),
        found="InternetGateways[0]",
        delete="DeleteInternetGateway",
        deleted=by_id("InternetGatewayId"),
        names={},
        state={"ownerId": "OwnerId", "vpcId": "Attachments[0].VpcId"},
        tagging=ec2_tags("internet-gateway"),
        arn="internet-gateway",
    ),
)

EIP = TableResource(
    Schema("aws:ec2/eip:Eip", {"domain": CHOSEN, **REGION, **TAGGED}),
    Verbs(
        what="EC2 EIP",
        service="ec2",
        create="AllocateAddress",
        created="AllocationId",
        describe="DescribeAddresses",
        named=by_list("AllocationIds"),
        found="Addresses[0]",
        delete="ReleaseAddress",
        deleted=by_id("AllocationId"),
        names={"domain": "Domain"},
        state=capitalised("allocationId", "associationId", "publicIp", "publicIpv4Pool")
        | {"networkInterface": "NetworkInterfaceId", "privateIp": "PrivateIpAddress"},
        tagging=ec2_tags("elastic-ip"),
        arn="elastic-ip",
    ),
)

NAT_GATEWAY = TableResource(
    Schema(
        "aws:ec2/natGateway:NatGateway",
        {
            "allocationId": FIXED,
            "connectivityType": Property(
                default="public", replaces=True, refusal=one_of("connectivity_type", "private", "public")
            ),
            "privateIp": CHOSEN,
            "subnetId": FIXED,
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="EC2 NAT Gateway",
        service="ec2",
        create="CreateNatGateway",
        created="NatGateway.NatGatewayId",
        describe="DescribeNatGateways",
        named=by_list("NatGatewayIds"),
        found="NatGateways[?State!='deleted'] | [0]",
        delete="DeleteNatGateway",
        deleted=by_id("NatGatewayId"),
        names=capitalised("allocationId", "connectivityType", "subnetId"),
        state={
            "allocationId": "NatGatewayAddresses[0].AllocationId",
            "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
            "privateIp": "NatGatewayAddresses[0].PrivateIp",
            "publicIp": "NatGatewayAddresses[0].PublicIp",
        },
        tagging=ec2_tags("natgateway"),
        made=Wait("State", frozenset({"pending"}), frozenset({"available"}), 600),
        gone=Wait("State", frozenset({"available", "deleting"}), frozenset({"", "deleted"}), 1800),
    ),
)

ROUTE_TABLE = TableResource(
    Schema("aws:ec2/routeTable:RouteTable", {"vpcId": FIXED, **REGION, **TAGGED}),
    Verbs(
        what="EC2 Route Table",
        service="ec2",
        create="CreateRouteTable",
        created="RouteTable.RouteTableId",
        describe="DescribeRouteTables",
        named=by_list("RouteTableIds"),
        found="RouteTables[0]",
        delete="DeleteRouteTable",
        deleted=by_id("RouteTableId"),
        names={"vpcId": "VpcId"},
        state={"ownerId": "OwnerId"},
        tagging=ec2_tags("route-table"),
        arn="route-table",
    ),
)

_WAYS = capitalised("gatewayId", "natGatewayId")


class Route(Resource):
    """One way out of a table. Its id holds the table and a hash of the destination. Import id: `table_destination`."""

    schema = Schema(
        "aws:ec2/route:Route",
        {
            "destinationCidrBlock": FIXED,
            "routeTableId": FIXED,
            **dict.fromkeys(_WAYS, Property()),
            **REGION,
        },
    )

    def imported(self, aws: Account, import_id: str) -> str:
        table, _, destination = import_id.partition("_")
        return _route_id(table, destination) if destination else import_id

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        table, destination = inputs["routeTableId"], inputs["destinationCidrBlock"]
        self._put(
            aws, "CreateRoute", f"creating Route in Route Table ({table}) with destination ({destination})", inputs
        )
        return _route_id(table, destination)

    def read(self, aws: Account, resource_id: str) -> dict[str, Any] | None:
        table = resource_id.removeprefix("r-")[: len("rtb-") + 17]
        try:
            answer = unless_missing(lambda: call(aws.client("ec2"), "DescribeRouteTables", RouteTableIds=[table]))
        except AwsError as error:
            raise failed(f"reading Route ({resource_id})", error) from error
        for route in jmespath.search("RouteTables[0].Routes", answer or {}) or []:
            destination = route.get("DestinationCidrBlock", "")
            if _route_id(table, destination) == resource_id:
                ways = {key: route.get(name, "") for key, name in _WAYS.items()}
                return {
                    "destinationCidrBlock": destination,
                    "origin": route.get("Origin", "CreateRoute"),
                    "region": aws.region,
                    "routeTableId": table,
                    "state": route.get("State", "active"),
                    **ways,
                }
        return None

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        self._put(aws, "ReplaceRoute", f"updating Route ({resource_id})", news)

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        named = {"RouteTableId": olds["routeTableId"], "DestinationCidrBlock": olds["destinationCidrBlock"]}
        try:
            unless_missing(lambda: call(aws.client("ec2"), "DeleteRoute", **named))
        except AwsError as error:
            raise failed(f"deleting Route ({resource_id})", error) from error

    def _put(self, aws: Account, verb: str, doing: str, inputs: Properties) -> None:
        ways = {name: inputs[key] for key, name in _WAYS.items() if inputs.get(key)}
        try:
            call(
                aws.client("ec2"),
                verb,
                RouteTableId=inputs["routeTableId"],
                DestinationCidrBlock=inputs["destinationCidrBlock"],
                **ways,
            )
        except AwsError as error:
            raise failed(doing, error) from error


def _route_id(table: str, destination: str) -> str:
    return f"r-{table}{binascii.crc32(destination.encode())}"


class RouteTableAssociation(TableResource):
    """The table of a subnet. Import id: `subnet/table`."""

    def imported(self, aws: Account, import_id: str) -> str:
        subnet, _, table = import_id.partition("/")
        if not table:
            return import_id
        answer = unless_missing(lambda: call(aws.client("ec2"), "DescribeRouteTables", RouteTableIds=[table]))
        path = f"RouteTables[0].Associations[?SubnetId=='{subnet}'] | [0].RouteTableAssociationId"
        return jmespath.search(path, answer or {}) or import_id


ROUTE_TABLE_ASSOCIATION = RouteTableAssociation(
    Schema("aws:ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": FIXED, "subnetId": FIXED, **REGION}),
    Verbs(
        what="EC2 Route Table Association",
        service="ec2",
        create="AssociateRouteTable",
        created="AssociationId",
        describe="DescribeRouteTables",
        named=lambda resource_id: {
            "Filters": [{"Name": "association.route-table-association-id", "Values": [resource_id]}]
        },
        found="RouteTables[0]",
        delete="DisassociateRouteTable",
        deleted=by_id("AssociationId"),
        names=capitalised("routeTableId", "subnetId"),
        more=lambda aws, resource_id, thing: {
            "subnetId": jmespath.search(
                f"Associations[?RouteTableAssociationId=='{resource_id}'] | [0].SubnetId", thing
            )
        },
    ),
)

TYPES: Sequence[Resource] = (
    INTERNET_GATEWAY,
    EIP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    Route(),
    ROUTE_TABLE_ASSOCIATION,
)
