"""Lookup of resources of interrupted creates in the account, by type, and reading them by the found ID."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.lookups.aws_resources import LOG_GROUP
from eks_rocketmq.lookups.interrupted_creates import can_find_created, find_created, wait_until_ready
from sandbox import layout
from sandbox.engine.provider.servicer import State
from tests.contract.server import Server
from tests.contract.stack import Stack
from tests.contract.test_new_cluster import TAGS, cluster, role, template

OTHER_STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/prod"}
STACK_TAGS = {"eks-rocketmq/stack": "eks-rocketmq/staging"}


@dataclass(frozen=True)
class Session:
    """The part of a boto3 session that the lookups use."""

    server: Server

    def client(self, service_name: str) -> Any:
        return self.server.client(service_name)


def tags(name: str) -> dict[str, str]:
    return {"Name": name, **STACK_TAGS}


def create_all_types(stack: Stack) -> None:
    """Create a cluster with at least one resource of each type, tagged as the components do."""
    found = cluster(stack)
    vpc, (first, second) = found["vpc"]["id"], found["subnets"]
    stack.make("aws:ec2/vpc:Vpc", "own-vpc", cidrBlock="10.1.0.0/16", tags=tags("own-vpc"))
    stack.make("aws:ec2/vpc:Vpc", "others-vpc", cidrBlock="10.1.0.0/16", tags={"Name": "own-vpc", **OTHER_STACK_TAGS})
    placement = {"vpcId": vpc, "availabilityZone": f"{layout.REGION}a"}
    stack.make("aws:ec2/subnet:Subnet", "own-subnet", **placement, cidrBlock="10.0.9.0/24", tags=tags("own-subnet"))
    gateway = stack.make("aws:ec2/internetGateway:InternetGateway", "gateway", vpcId=vpc, tags=tags("gateway"))["id"]
    address = stack.make("aws:ec2/eip:Eip", "address", domain="vpc", tags=tags("address"))["id"]
    stack.make("aws:ec2/natGateway:NatGateway", "nat", allocationId=address, subnetId=first, tags=tags("nat"))
    table = stack.make("aws:ec2/routeTable:RouteTable", "table", vpcId=vpc, tags=tags("table"))["id"]
    stack.make("aws:ec2/route:Route", "out", routeTableId=table, destinationCidrBlock="0.0.0.0/0", gatewayId=gateway)
    stack.make("aws:ec2/routeTableAssociation:RouteTableAssociation", "joined", routeTableId=table, subnetId=second)
    s3 = {"serviceName": f"com.amazonaws.{layout.REGION}.s3", "routeTableIds": [table]}
    stack.make("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", vpcId=vpc, **s3, tags=tags("s3"))
    stack.make("aws:ec2/securityGroup:SecurityGroup", "group", vpcId=vpc, tags=tags("group"))
    logs = stack.make(LOG_GROUP, "logs", name="flows", tags=tags("logs"))["arn"]
    flows: dict[str, Any] = {
        "trafficType": "ALL",
        "iamRoleArn": role(stack, "flow-role", "vpc-flow-logs.amazonaws.com"),
    }
    flows |= {"vpcId": vpc, "logDestination": logs, "maxAggregationInterval": 60}
    stack.make("aws:ec2/flowLog:FlowLog", "flows", **flows, tags=tags("flows"))
    stack.make("aws:kms/key:Key", "key", description="secrets", deletionWindowInDays=30, tags=STACK_TAGS)
    stack.make("aws:kms/key:Key", "another-key", description="others", deletionWindowInDays=30, tags=STACK_TAGS)
    entry = _entry(stack)
    stack.make("aws:eks/accessEntry:AccessEntry", "entry", **entry, tags=STACK_TAGS)
    stack.make(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "rights",
        clusterName="fresh",
        principalArn=entry["principalArn"],
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        accessScope={"type": "cluster"},
    )
    made = stack.make("aws:ec2/launchTemplate:LaunchTemplate", "template", **template(tags=STACK_TAGS))
    stack.make("aws:ec2/launchTemplate:LaunchTemplate", "template-2", **template(name="others", tags=STACK_TAGS))
    nodes: dict[str, Any] = {"clusterName": "fresh", "nodeRoleArn": role(stack, "node-role", "ec2.amazonaws.com")}
    nodes |= {"subnetIds": found["subnets"], "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2}}
    nodes |= {"launchTemplate": {"id": made["id"], "version": "1"}, "instanceTypes": ["m6i.large"]}
    for number in (1, 2):
        prefix = {"nodeGroupNamePrefix": f"nodes-{number}-"}
        stack.make("aws:eks/nodeGroup:NodeGroup", f"nodes-{number}", **nodes, **prefix, tags=STACK_TAGS)
    stack.make("aws:eks/addon:Addon", "cni", clusterName="fresh", addonName="vpc-cni", tags=STACK_TAGS)


def _entry(stack: Stack) -> Mapping[str, Any]:
    return {"clusterName": "fresh", "principalArn": role(stack, "team", "ec2.amazonaws.com")}


def test_created_resource_of_each_type_is_found_once_and_read_by_id(stack: Stack, aws: Server) -> None:
    session = Session(aws)
    create_all_types(stack)
    found_types = set()
    for name, (target, state) in stack.made.items():
        if not can_find_created(target.type, state.inputs):
            assert state.inputs["tags"] == TAGS, name
            continue
        (found,) = find_created(lambda: session, target.type, state.inputs, ())
        wait_until_ready(lambda: session, target.type, found)
        assert stack.stand_in.read(target, State(found.id, {}, state.inputs)).resource_id == state.resource_id, name
        if found.id == state.resource_id:
            assert find_created(lambda: session, target.type, state.inputs, {found.id}) == [], name
        found_types.add(target.type)
    assert len(found_types) > 17


def test_deleted_resources_are_not_found(stack: Stack, aws: Server) -> None:
    session = Session(aws)
    create_all_types(stack)
    planned = {name: (target.type, state.inputs) for name, (target, state) in stack.made.items()}
    stack.destroy()
    for name, (type_, inputs) in planned.items():
        if can_find_created(type_, inputs):
            assert find_created(lambda: session, type_, inputs, ()) == [], name
