"""The parts of a VPC, by table."""

# ruff: noqa: ARG002, ARG005 - the functions of a table take the same arguments, whichever they need

import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.policies import same_policy
from sandbox.engine.aws.properties import Property, Schema, one_of, same_set
from sandbox.engine.aws.resource import Properties, Resource, Waiting
from sandbox.engine.aws.table import Step, TableResource, Thing, Verbs, Wait, capitalised, ec2_tags

_FIXED = Property(replaces=True)
_CHOSEN = Property(replaces=True, computed=True)
_REGION = {"region": _CHOSEN}
_TAGS = {"tags": Property()}


def _by_list(argument: str) -> Any:  # noqa: ANN401 - a function
    return lambda resource_id: {argument: [resource_id]}


def _by(argument: str) -> Any:  # noqa: ANN401
    return lambda resource_id, olds: {argument: resource_id}


def _attribute(key: str, verb: str, owner: str, initial: object) -> Step:
    """An attribute that a verb takes as `{Key: {Value: …}}`."""
    (name,) = capitalised(key).values()
    return Step(key, verb, lambda resource_id, value: {owner: resource_id, name: {"Value": value}}, initial)


def _vpc_attributes(aws: Account, vpc: str, thing: Thing) -> Mapping[str, Any]:
    """What DescribeVpcs does not say."""
    del thing
    ec2 = aws.client("ec2")
    found: dict[str, Any] = {}
    attributes = capitalised("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
    for key, name in attributes.items():
        found[key] = call(ec2, "DescribeVpcAttribute", VpcId=vpc, Attribute=key).get(name, {}).get("Value", False)
    inside = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = call(ec2, "DescribeSecurityGroups", Filters=inside)
    tables = call(ec2, "DescribeRouteTables", Filters=inside)
    lists = call(ec2, "DescribeNetworkAcls", Filters=inside)
    main = jmespath.search("RouteTables[?Associations[?Main]] | [0].RouteTableId", tables)
    return found | {
        "defaultSecurityGroupId": jmespath.search("SecurityGroups[?GroupName=='default'] | [0].GroupId", groups),
        "defaultNetworkAclId": jmespath.search("NetworkAcls[?IsDefault] | [0].NetworkAclId", lists),
        "defaultRouteTableId": main,
        "mainRouteTableId": main,
    }


VPC = TableResource(
    Schema(
        "aws:ec2/vpc:Vpc",
        {
            "cidrBlock": _CHOSEN,
            "enableDnsHostnames": Property(computed=True),
            "enableDnsSupport": Property(default=True),
            "enableNetworkAddressUsageMetrics": Property(computed=True),
            "instanceTenancy": Property(default="default"),
            **_REGION,
            **_TAGS,
        },
    ),
    Verbs(
        what="EC2 VPC",
        service="ec2",
        create="CreateVpc",
        created="Vpc.VpcId",
        describe="DescribeVpcs",
        named=_by_list("VpcIds"),
        found="Vpcs[0]",
        delete="DeleteVpc",
        deleted=_by("VpcId"),
        names=capitalised("cidrBlock", "instanceTenancy"),
        state=capitalised("ownerId", "dhcpOptionsId"),
        steps=(
            _attribute("enableDnsSupport", "ModifyVpcAttribute", "VpcId", initial=True),
            _attribute("enableDnsHostnames", "ModifyVpcAttribute", "VpcId", initial=False),
            _attribute("enableNetworkAddressUsageMetrics", "ModifyVpcAttribute", "VpcId", initial=False),
        ),
        tagging=ec2_tags("vpc"),
        arn="vpc",
        more=_vpc_attributes,
    ),
)

SUBNET = TableResource(
    Schema(
        "aws:ec2/subnet:Subnet",
        {
            "assignIpv6AddressOnCreation": Property(default=False),
            "availabilityZone": _CHOSEN,
            "availabilityZoneId": _CHOSEN,
            "cidrBlock": _FIXED,
            "enableDns64": Property(default=False),
            "enableResourceNameDnsAaaaRecordOnLaunch": Property(default=False),
            "enableResourceNameDnsARecordOnLaunch": Property(default=False),
            "ipv6Native": Property(default=False, replaces=True),
            "mapPublicIpOnLaunch": Property(default=False),
            "privateDnsHostnameTypeOnLaunch": Property(computed=True),
            "vpcId": _FIXED,
            **_REGION,
            **_TAGS,
        },
    ),
    Verbs(
        what="EC2 Subnet",
        service="ec2",
        create="CreateSubnet",
        created="Subnet.SubnetId",
        describe="DescribeSubnets",
        named=_by_list("SubnetIds"),
        found="Subnets[0]",
        delete="DeleteSubnet",
        deleted=_by("SubnetId"),
        names=capitalised("availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId"),
        state=capitalised("mapPublicIpOnLaunch", "ownerId"),
        steps=(_attribute("mapPublicIpOnLaunch", "ModifySubnetAttribute", "SubnetId", initial=False),),
        tagging=ec2_tags("subnet"),
        arn="subnet",
    ),
)


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
    Schema("aws:ec2/internetGateway:InternetGateway", {"vpcId": Property(computed=True), **_REGION, **_TAGS}),
    Verbs(
        what="EC2 Internet Gateway",
        service="ec2",
        create="CreateInternetGateway",
        created="InternetGateway.InternetGatewayId",
        describe="DescribeInternetGateways",
        named=_by_list("InternetGatewayIds"),
        found="InternetGateways[0]",
        delete="DeleteInternetGateway",
        deleted=_by("InternetGatewayId"),
        names={},
        state={"ownerId": "OwnerId", "vpcId": "Attachments[0].VpcId"},
        tagging=ec2_tags("internet-gateway"),
        arn="internet-gateway",
    ),
)

EIP = TableResource(
    Schema("aws:ec2/eip:Eip", {"domain": _CHOSEN, **_REGION, **_TAGS}),
    Verbs(
        what="EC2 EIP",
        service="ec2",
        create="AllocateAddress",
        created="AllocationId",
        describe="DescribeAddresses",
        named=_by_list("AllocationIds"),
        found="Addresses[0]",
        delete="ReleaseAddress",
        deleted=_by("AllocationId"),
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
            "allocationId": _FIXED,
            "connectivityType": Property(
                default="public", replaces=True, refusal=one_of("connectivity_type", "private", "public")
            ),
            "privateIp": _CHOSEN,
            "subnetId": _FIXED,
            **_REGION,
            **_TAGS,
        },
    ),
    Verbs(
        what="EC2 NAT Gateway",
        service="ec2",
        create="CreateNatGateway",
        created="NatGateway.NatGatewayId",
        describe="DescribeNatGateways",
        named=_by_list("NatGatewayIds"),
        found="NatGateways[?State!='deleted'] | [0]",
        delete="DeleteNatGateway",
        deleted=_by("NatGatewayId"),
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
    Schema("aws:ec2/routeTable:RouteTable", {"vpcId": _FIXED, **_REGION, **_TAGS}),
    Verbs(
        what="EC2 Route Table",
        service="ec2",
        create="CreateRouteTable",
        created="RouteTable.RouteTableId",
        describe="DescribeRouteTables",
        named=_by_list("RouteTableIds"),
        found="RouteTables[0]",
        delete="DeleteRouteTable",
        deleted=_by("RouteTableId"),
        names={"vpcId": "VpcId"},
        state={"ownerId": "OwnerId"},
        tagging=ec2_tags("route-table"),
        arn="route-table",
    ),
)

_WAYS = capitalised("gatewayId", "natGatewayId")


class Route(Resource):
    """One way out of a table. Its id holds the table and a hash of the destination."""

    schema = Schema(
        "aws:ec2/route:Route",
        {
            "destinationCidrBlock": _FIXED,
            "routeTableId": _FIXED,
            **dict.fromkeys(_WAYS, Property()),
            **_REGION,
        },
    )

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


ROUTE_TABLE_ASSOCIATION = TableResource(
    Schema(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": _FIXED, "subnetId": _FIXED, **_REGION}
    ),
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
        deleted=_by("AssociationId"),
        names=capitalised("routeTableId", "subnetId"),
        more=lambda aws, resource_id, thing: {
            "subnetId": jmespath.search(
                f"Associations[?RouteTableAssociationId=='{resource_id}'] | [0].SubnetId", thing
            )
        },
    ),
)

VPC_ENDPOINT = TableResource(
    Schema(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "policy": Property(computed=True, same=same_policy, keeps_text=True),
            "privateDnsEnabled": Property(computed=True),
            "routeTableIds": Property(computed=True, same=same_set),
            "securityGroupIds": Property(computed=True, same=same_set),
            "serviceName": _FIXED,
            "subnetIds": Property(computed=True, same=same_set),
            "vpcEndpointType": Property(
                default="Gateway",
                replaces=True,
                refusal=one_of("vpc_endpoint_type", "Interface", "Gateway", "GatewayLoadBalancer"),
            ),
            "vpcId": _FIXED,
            **_REGION,
            **_TAGS,
        },
    ),
    Verbs(
        what="EC2 VPC Endpoint",
        service="ec2",
        create="CreateVpcEndpoint",
        created="VpcEndpoint.VpcEndpointId",
        describe="DescribeVpcEndpoints",
        named=_by_list("VpcEndpointIds"),
        found="VpcEndpoints[?State!='deleted'] | [0]",
        delete="DeleteVpcEndpoints",
        deleted=lambda resource_id, olds: {"VpcEndpointIds": [resource_id]},
        names=capitalised(
            "privateDnsEnabled",
            "routeTableIds",
            "securityGroupIds",
            "serviceName",
            "subnetIds",
            "vpcEndpointType",
            "vpcId",
        )
        | {"policy": "PolicyDocument"},
        state=capitalised("networkInterfaceIds", "ownerId", "requesterManaged", "state")
        | {"securityGroupIds": "Groups[].GroupId"},
        tagging=ec2_tags("vpc-endpoint"),
        arn="vpc-endpoint",
        made=Wait("State", frozenset({"pending"}), frozenset({"available", "Available"}), 600),
        gone=Wait("State", frozenset({"available", "deleting"}), frozenset({"", "deleted"}), 600),
    ),
)

FLOW_LOG = TableResource(
    Schema(
        "aws:ec2/flowLog:FlowLog",
        {
            "iamRoleArn": _FIXED,
            "logDestination": _CHOSEN,
            "logDestinationType": Property(default="cloud-watch-logs", replaces=True),
            "logFormat": _CHOSEN,
            "maxAggregationInterval": Property(default=600, replaces=True),
            "trafficType": Property(replaces=True, refusal=one_of("traffic_type", "ACCEPT", "REJECT", "ALL")),
            "vpcId": _FIXED,
            **_REGION,
            **_TAGS,
        },
    ),
    Verbs(
        what="Flow Log",
        service="ec2",
        create="CreateFlowLogs",
        created="FlowLogIds[0]",
        describe="DescribeFlowLogs",
        named=_by_list("FlowLogIds"),
        found="FlowLogs[0]",
        delete="DeleteFlowLogs",
        deleted=lambda resource_id, olds: {"FlowLogIds": [resource_id]},
        names=capitalised("logDestination", "logDestinationType", "logFormat", "maxAggregationInterval", "trafficType")
        | {"iamRoleArn": "DeliverLogsPermissionArn"},
        also=lambda inputs: {"ResourceIds": [inputs["vpcId"]], "ResourceType": "VPC"},
        state={"vpcId": "ResourceId"},
        tagging=ec2_tags("vpc-flow-log"),
        arn="vpc-flow-log",
    ),
)

TYPES: Sequence[Resource] = (
    VPC,
    SUBNET,
    INTERNET_GATEWAY,
    EIP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    Route(),
    ROUTE_TABLE_ASSOCIATION,
    VPC_ENDPOINT,
    FLOW_LOG,
)
