"""VPC, subnets, VPC endpoints and flow logs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.comparison import same_policy, same_set
from sandbox.engine.aws.resource import (
    CHOSEN,
    FIXED,
    REGION_AND_TAGS,
    Description,
    Operation,
    Property,
    Wait,
)
from sandbox.engine.aws.services import ec2_type
from sandbox.engine.aws.validators import one_of


def _vpc_outputs(aws: Account, vpc: Description) -> Mapping[str, Any]:
    """Return what DescribeVpcs does not give."""
    ec2 = aws.client("ec2")
    found: dict[str, Any] = {}
    for key in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
        answer = call(ec2, "DescribeVpcAttribute", VpcId=vpc["VpcId"], Attribute=key)
        found[key] = answer.get(VPC.argument(key), {}).get("Value", False)
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
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


def _set_attributes(op: Operation, keys: Sequence[str]) -> None:
    """Set attributes of a VPC or subnet; EC2 takes one in a call."""
    noun = "Vpc" if op.kind is VPC else "Subnet"
    for key in keys:
        op.call(f"Modify{noun}Attribute", **{op.kind.argument(key): {"Value": op.news.get(key)}})


_ON = Property(default=True, initial=True, update=_set_attributes)
_CHOSEN_ATTRIBUTE = Property(computed=True, initial=False, update=_set_attributes)
_UNSENT = Property(default=False, argument="", path="")

VPC = ec2_type(
    "aws:ec2/vpc:Vpc",
    "EC2 VPC",
    "Vpc",
    "vpc",
    {
        "cidrBlock": CHOSEN,
        "enableDnsHostnames": _CHOSEN_ATTRIBUTE,
        "enableDnsSupport": _ON,
        "enableNetworkAddressUsageMetrics": _CHOSEN_ATTRIBUTE,
        "instanceTenancy": Property(default="default"),
        **REGION_AND_TAGS,
    },
    outputs=("ownerId", "dhcpOptionsId"),
    more_outputs=_vpc_outputs,
)

SUBNET = ec2_type(
    "aws:ec2/subnet:Subnet",
    "EC2 Subnet",
    "Subnet",
    "subnet",
    {
        "assignIpv6AddressOnCreation": _UNSENT,
        "availabilityZone": CHOSEN,
        "availabilityZoneId": CHOSEN,
        "cidrBlock": FIXED,
        "enableDns64": _UNSENT,
        "enableResourceNameDnsAaaaRecordOnLaunch": _UNSENT,
        "enableResourceNameDnsARecordOnLaunch": _UNSENT,
        "ipv6Native": replace(_UNSENT, replaces=True),
        "mapPublicIpOnLaunch": Property(default=False, initial=False, update=_set_attributes),
        "privateDnsHostnameTypeOnLaunch": Property(computed=True, argument="", path=""),
        "vpcId": FIXED,
        **REGION_AND_TAGS,
    },
    outputs=("ownerId",),
)

VPC_ENDPOINT = ec2_type(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "EC2 VPC Endpoint",
    "VpcEndpoint",
    "vpc-endpoint",
    {
        "policy": Property(computed=True, same=same_policy, keeps_text=True, argument="PolicyDocument"),
        "privateDnsEnabled": Property(computed=True),
        "routeTableIds": Property(computed=True, same=same_set),
        "securityGroupIds": Property(computed=True, same=same_set, path="Groups[].GroupId"),
        "serviceName": FIXED,
        "subnetIds": Property(computed=True, same=same_set),
        "vpcEndpointType": Property(
            default="Gateway", replaces=True, validate=one_of("Interface", "Gateway", "GatewayLoadBalancer")
        ),
        "vpcId": FIXED,
        **REGION_AND_TAGS,
    },
    description_path="VpcEndpoints[?State!='deleted'] | [0]",
    delete=lambda op: call(op.client, "DeleteVpcEndpoints", VpcEndpointIds=[op.resource_id]),
    outputs=("networkInterfaceIds", "ownerId", "requesterManaged", "state"),
    create_wait=Wait("State", frozenset({"pending"}), frozenset({"available", "Available"}), 600),
    delete_wait=Wait("State", frozenset({"available", "deleting"}), frozenset({"", "deleted"}), 600),
)


def _create_flow_log(op: Operation) -> dict[str, Any]:
    arguments = op.kind.arguments(op.aws, op.news)
    return call(op.client, "CreateFlowLogs", ResourceIds=[op.news["vpcId"]], ResourceType="VPC", **arguments)


FLOW_LOG = ec2_type(
    "aws:ec2/flowLog:FlowLog",
    "Flow Log",
    "FlowLog",
    "vpc-flow-log",
    {
        "iamRoleArn": Property(replaces=True, argument="DeliverLogsPermissionArn"),
        "logDestination": CHOSEN,
        "logDestinationType": Property(default="cloud-watch-logs", replaces=True),
        "logFormat": CHOSEN,
        "maxAggregationInterval": Property(default=600, replaces=True),
        "trafficType": Property(replaces=True, validate=one_of("ACCEPT", "REJECT", "ALL")),
        "vpcId": Property(replaces=True, argument="", path="ResourceId"),
        **REGION_AND_TAGS,
    },
    create=_create_flow_log,
    id_path="FlowLogIds[0]",
    delete=lambda op: call(op.client, "DeleteFlowLogs", FlowLogIds=[op.resource_id]),
)
