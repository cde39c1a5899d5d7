"""A VPC with its subnets, endpoints and flow logs, by table."""

# ruff: noqa: ARG005 - the functions of a table take the same arguments, whichever they need

from collections.abc import Mapping, Sequence
from typing import Any

import jmespath

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.policies import same_policy
from sandbox.engine.aws.properties import CHOSEN, FIXED, REGION, TAGGED, Property, Schema, one_of, same_set
from sandbox.engine.aws.resource import Resource
from sandbox.engine.aws.table import Step, TableResource, Thing, Verbs, Wait, by_id, by_list, capitalised, ec2_tags


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
            "cidrBlock": CHOSEN,
            "enableDnsHostnames": Property(computed=True),
            "enableDnsSupport": Property(default=True),
            "enableNetworkAddressUsageMetrics": Property(computed=True),
            "instanceTenancy": Property(default="default"),
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="EC2 VPC",
        service="ec2",
        create="CreateVpc",
        created="Vpc.VpcId",
        describe="DescribeVpcs",
        named=by_list("VpcIds"),
        found="Vpcs[0]",
        delete="DeleteVpc",
        deleted=by_id("VpcId"),
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
            "availabilityZone": CHOSEN,
            "availabilityZoneId": CHOSEN,
            "cidrBlock": FIXED,
            "enableDns64": Property(default=False),
            "enableResourceNameDnsAaaaRecordOnLaunch": Property(default=False),
            "enableResourceNameDnsARecordOnLaunch": Property(default=False),
            "ipv6Native": Property(default=False, replaces=True),
            "mapPublicIpOnLaunch": Property(default=False),
            "privateDnsHostnameTypeOnLaunch": Property(computed=True),
            "vpcId": FIXED,
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="EC2 Subnet",
        service="ec2",
        create="CreateSubnet",
        created="Subnet.SubnetId",
        describe="DescribeSubnets",
        named=by_list("SubnetIds"),
        found="Subnets[0]",
        delete="DeleteSubnet",
        deleted=by_id("SubnetId"),
        names=capitalised("availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId"),
        state=capitalised("mapPublicIpOnLaunch", "ownerId"),
        steps=(_attribute("mapPublicIpOnLaunch", "ModifySubnetAttribute", "SubnetId", initial=False),),
        tagging=ec2_tags("subnet"),
        arn="subnet",
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
            "serviceName": FIXED,
            "subnetIds": Property(computed=True, same=same_set),
            "vpcEndpointType": Property(
                default="Gateway",
                replaces=True,
                refusal=one_of("vpc_endpoint_type", "Interface", "Gateway", "GatewayLoadBalancer"),
            ),
            "vpcId": FIXED,
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="EC2 VPC Endpoint",
        service="ec2",
        create="CreateVpcEndpoint",
        created="VpcEndpoint.VpcEndpointId",
        describe="DescribeVpcEndpoints",
        named=by_list("VpcEndpointIds"),
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
            "iamRoleArn": FIXED,
            "logDestination": CHOSEN,
            "logDestinationType": Property(default="cloud-watch-logs", replaces=True),
            "logFormat": CHOSEN,
            "maxAggregationInterval": Property(default=600, replaces=True),
            "trafficType": Property(replaces=True, refusal=one_of("traffic_type", "ACCEPT", "REJECT", "ALL")),
            "vpcId": FIXED,
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="Flow Log",
        service="ec2",
        create="CreateFlowLogs",
        created="FlowLogIds[0]",
        describe="DescribeFlowLogs",
        named=by_list("FlowLogIds"),
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

TYPES: Sequence[Resource] = (VPC, SUBNET, VPC_ENDPOINT, FLOW_LOG)
