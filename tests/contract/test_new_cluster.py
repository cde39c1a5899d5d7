"""Resources of a new cluster through the aws stand-in: created, read back without a diff, updated and deleted."""

import json
from typing import Any

import pytest

from sandbox import layout
from sandbox.engine.provider.failures import InitFailed, ProviderError
from sandbox.engine.provider.servicer import State, Target
from tests.contract.errors import refused
from tests.contract.server import Server
from tests.contract.stack import Stack

ZONES = ("a", "b")
TAGS = {"team": "messaging"}


def role(stack: Stack, name: str, service: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return stack.make("aws:iam/role:Role", name, assumeRolePolicy=document)["arn"]


ACCESS = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}


def network(stack: Stack) -> dict[str, Any]:
    """Create a VPC with a subnet in each of two zones."""
    vpc = stack.make("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags=TAGS)
    subnets = [
        stack.make(
            "aws:ec2/subnet:Subnet",
            f"subnet-{zone}",
            vpcId=vpc["id"],
            cidrBlock=f"10.0.{index}.0/24",
            availabilityZone=f"{layout.REGION}{zone}",
            tags=TAGS,
        )["id"]
        for index, zone in enumerate(ZONES)
    ]
    return {"vpc": vpc, "subnets": subnets}


def cluster(stack: Stack, accessConfig: dict[str, Any] = ACCESS, **more: Any) -> dict[str, Any]:  # noqa: N803
    found = network(stack)
    arn = role(stack, "cluster-role", "eks.amazonaws.com")
    made = stack.make(
        "aws:eks/cluster:Cluster",
        "cluster",
        name="fresh",
        version="1.35",
        roleArn=arn,
        accessConfig=accessConfig,
        bootstrapSelfManagedAddons=False,
        vpcConfig={"subnetIds": found["subnets"], "endpointPrivateAccess": True, "endpointPublicAccess": False},
        tags=TAGS,
        **more,
    )
    return found | {"cluster": made}


def test_vpc_and_its_network_resources_are_created(stack: Stack) -> None:
    found = network(stack)
    vpc, (first, second) = found["vpc"], found["subnets"]
    assert (vpc["enableDnsHostnames"], vpc["enableDnsSupport"], vpc["tagsAll"]) == (True, True, TAGS)
    assert vpc["arn"].endswith(f":vpc/{vpc['id']}")
    closed = stack.make("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", vpcId=vpc["id"])
    assert (closed["ingress"], closed["egress"], closed["id"]) == ([], [], vpc["defaultSecurityGroupId"])
    gateway = stack.make("aws:ec2/internetGateway:InternetGateway", "gateway", vpcId=vpc["id"], tags=TAGS)
    address = stack.make("aws:ec2/eip:Eip", "address", domain="vpc", tags=TAGS)
    nat = stack.make("aws:ec2/natGateway:NatGateway", "nat", allocationId=address["id"], subnetId=first, tags=TAGS)
    assert nat["publicIp"] == address["publicIp"]
    table = stack.make("aws:ec2/routeTable:RouteTable", "table", vpcId=vpc["id"], tags=TAGS)["id"]
    out = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0"}
    stack.make("aws:ec2/route:Route", "out", **out, gatewayId=gateway["id"])
    assert stack.change("out", **out, natGatewayId=nat["id"])["natGatewayId"] == nat["id"]
    stack.make(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", "association", routeTableId=table, subnetId=second
    )
    endpoints = {"vpcId": vpc["id"], "tags": TAGS}
    stack.make(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "s3",
        serviceName=f"com.amazonaws.{layout.REGION}.s3",
        routeTableIds=[table],
        **endpoints,
    )
    group = stack.make(
        "aws:ec2/securityGroup:SecurityGroup",
        "https",
        vpcId=vpc["id"],
        ingress=[{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]}],
        tags=TAGS,
    )
    assert group["egress"] == []
    stack.make(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "ecr",
        serviceName=f"com.amazonaws.{layout.REGION}.ecr.api",
        vpcEndpointType="Interface",
        privateDnsEnabled=True,
        subnetIds=[first, second],
        securityGroupIds=[group["id"]],
        **endpoints,
    )


def test_mutable_network_settings_are_updated_in_place(stack: Stack) -> None:
    found = network(stack)
    vpc = {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}
    assert stack.change("vpc", **vpc, tags={"team": "other", "more": "1"})["tagsAll"] == {"team": "other", "more": "1"}
    assert stack.change("vpc", **vpc, enableDnsSupport=False, tags={"more": "1"})["tagsAll"] == {"more": "1"}
    assert stack.difference("vpc", cidrBlock="10.1.0.0/16").changes["cidrBlock"].replaces
    rules = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["10.0.0.0/8"], "description": "all"}]
    group = {"name": "group", "vpcId": found["vpc"]["id"]}
    stack.make("aws:ec2/securityGroup:SecurityGroup", "group", **group, egress=rules)
    assert stack.change("group", **group, egress=rules, ingress=rules, tags=TAGS)["ingress"][0]["protocol"] == "-1"


def test_log_groups_and_kms_keys_are_created_and_updated(stack: Stack) -> None:
    logs = stack.make("aws:cloudwatch/logGroup:LogGroup", "logs", name="/aws/eks/fresh/cluster", retentionInDays=90)
    assert logs["arn"].endswith(":log-group:/aws/eks/fresh/cluster")
    stack.make("aws:cloudwatch/logGroup:LogGroup", "longer", name="/aws/eks/fresh/cluster-2")
    again = stack.change("logs", name="/aws/eks/fresh/cluster", retentionInDays=30, tags=TAGS)
    assert (again["retentionInDays"], again["tagsAll"]) == (30, TAGS)
    assert stack.change("logs", name="/aws/eks/fresh/cluster", tags=TAGS)["retentionInDays"] == 0
    settings = {"description": "secrets", "deletionWindowInDays": 30}
    key = stack.make("aws:kms/key:Key", "key", **settings, enableKeyRotation=True, tags=TAGS)
    assert (key["enableKeyRotation"], key["id"], key["tagsAll"]) == (True, key["keyId"], TAGS)
    assert stack.change("key", **settings, enableKeyRotation=False, tags={})["enableKeyRotation"] is False
    stack.make("aws:kms/alias:Alias", "alias", name="alias/fresh", targetKeyId=key["keyId"])


def test_flow_log_is_created_with_its_tags(stack: Stack, aws: Server) -> None:
    vpc = network(stack)["vpc"]
    logs = stack.make("aws:cloudwatch/logGroup:LogGroup", "logs", name="flows")["arn"]
    made = stack.make(
        "aws:ec2/flowLog:FlowLog",
        "flows",
        vpcId=vpc["id"],
        trafficType="ALL",
        logDestination=logs,
        iamRoleArn=role(stack, "flow-role", "vpc-flow-logs.amazonaws.com"),
        maxAggregationInterval=60,
        tags=TAGS,
    )
    (found,) = aws.client("ec2").describe_flow_logs(FlowLogIds=[made["id"]])["FlowLogs"]
    assert found["Tags"] == [{"Key": "team", "Value": "messaging"}]


def test_cluster_and_its_access_entries_are_created(stack: Stack) -> None:
    found = cluster(stack)
    issuer = found["cluster"]["identities"][0]["oidcs"][0]["issuer"]
    assert issuer.startswith(f"https://oidc.eks.{layout.REGION}.amazonaws.com/id/")
    assert found["cluster"]["vpcConfig"]["vpcId"] == found["vpc"]["id"]
    team = role(stack, "team", "ec2.amazonaws.com")
    entry = {"clusterName": "fresh", "principalArn": team}
    stack.make("aws:eks/accessEntry:AccessEntry", "entry", **entry, kubernetesGroups=["viewers"], tags=TAGS)
    assert stack.change("entry", **entry, kubernetesGroups=["admins"])["kubernetesGroups"] == ["admins"]
    stack.make(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "association",
        **entry,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        accessScope={"type": "namespace", "namespaces": ["rocketmq"]},
    )


def test_cluster_update_sends_one_kind_of_change_at_a_time(stack: Stack) -> None:
    found = cluster(stack, deletionProtection=True, enabledClusterLogTypes=["api", "audit"])
    inputs = dict(stack.made["cluster"][1].inputs)
    given = {key: value for key, value in inputs.items() if key not in {"__defaults", "tagsAll"}}
    changed = {
        "enabledClusterLogTypes": ["scheduler"],
        "upgradePolicy": {"supportType": "STANDARD"},
        "vpcConfig": {
            "subnetIds": found["subnets"],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["203.0.113.0/24"],
        },
        "zonalShiftConfig": {"enabled": True},
        "version": "1.36",
    }
    state = stack.change("cluster", **{**given, **changed})
    assert (state["enabledClusterLogTypes"], state["version"]) == (["scheduler"], "1.36")
    with pytest.raises(ProviderError, match="has deletion protection enabled"):
        stack.destroy("cluster")
    stack.change("cluster", **{**given, **changed, "deletionProtection": False})


def test_invalid_cluster_updates_are_rejected(stack: Stack, aws: Server) -> None:
    cluster(stack)
    eks = aws.client("eks")
    with refused("InvalidParameterException", "Only one type of update can be allowed."):
        eks.update_cluster_config(name="fresh", deletionProtection=True, upgradePolicy={"supportType": "STANDARD"})
    with refused("InvalidParameterException", "No changes needed for the deletionProtection config provided"):
        eks.update_cluster_config(name="fresh", deletionProtection=False)
    with refused("InvalidParameterException", "Unsupported Kubernetes minor version update from 1.35 to 1.37"):
        eks.update_cluster_version(name="fresh", version="1.37")
    with refused("ResourceNotFoundException", "No update found for ID: 1"):
        eks.describe_update(name="fresh", updateId="1")


def template(**more: Any) -> dict[str, Any]:
    return {
        "name": "nodes",
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "ebs": {"volumeSize": 50, "volumeType": "gp3", "encrypted": "true", "deleteOnTermination": "true"},
            }
        ],
        "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "nodes"}}],
        "tags": TAGS,
        **more,
    }


def test_node_group_update_uses_the_new_launch_template_version(stack: Stack, aws: Server) -> None:
    found = cluster(stack)
    made = stack.make("aws:ec2/launchTemplate:LaunchTemplate", "template", **template())
    assert (made["latestVersion"], made["metadataOptions"]["httpTokens"]) == (1, "required")
    group = {
        "clusterName": "fresh",
        "nodeGroupNamePrefix": "nodes-",
        "nodeRoleArn": role(stack, "node-role", "ec2.amazonaws.com"),
        "subnetIds": found["subnets"],
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2},
        "instanceTypes": ["m6i.large"],
        "amiType": "AL2023_x86_64_STANDARD",
        "launchTemplate": {"id": made["id"], "version": "1"},
        "tags": TAGS,
    }
    first = stack.make("aws:eks/nodeGroup:NodeGroup", "group", **group)
    second = stack.make("aws:eks/nodeGroup:NodeGroup", "group-2", **group)
    assert first["nodeGroupName"] != second["nodeGroupName"]
    assert first["id"] == f"fresh:{first['nodeGroupName']}"

    newer = stack.change("template", **template(userData="IyEvYmluL3NoCg=="))
    assert newer["latestVersion"] == 2
    changed = stack.change(
        "group",
        **{
            **group,
            "launchTemplate": {"id": made["id"], "version": "2"},
            "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 3},
            "labels": {"role": "broker"},
            "taints": [{"key": "rocketmq", "effect": "NO_SCHEDULE"}],
            "updateConfig": {"maxUnavailable": 2},
            "nodeRepairConfig": {"enabled": True},
        },
    )
    assert changed["labels"] == {"role": "broker"}
    described = aws.client("eks").describe_nodegroup(clusterName="fresh", nodegroupName=first["nodeGroupName"])
    assert described["nodegroup"]["launchTemplate"]["version"] == "2"
    assert "labels" not in stack.change("group", **group) or stack.read("group").outputs["labels"] == {}
    with pytest.raises(ProviderError, match="Cluster has nodegroups attached"):
        stack.destroy("cluster")


def test_invalid_node_groups_are_rejected(stack: Stack, aws: Server) -> None:
    found = cluster(stack)
    eks = aws.client("eks")
    good = {
        "clusterName": "fresh",
        "nodegroupName": "nodes",
        "subnets": found["subnets"],
        "nodeRole": role(stack, "node-role", "ec2.amazonaws.com"),
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 1},
    }
    missing = f"arn:aws:iam::{layout.ACCOUNT}:role/missing"
    for wrong, text in (
        ({"nodeRole": missing}, "The role with name missing cannot be found."),
        ({"subnets": ["subnet-0"]}, "The subnet ID 'subnet-0' does not exist"),
        (
            {"launchTemplate": {"id": "lt-0", "version": "1"}},
            "Launch template {'id': 'lt-0', 'version': '1'} not found.",
        ),
        (
            {"scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 1}},
            "desiredSize must be between minSize and maxSize",
        ),
    ):
        with refused("InvalidParameterException", text):
            eks.create_nodegroup(**{**good, **wrong})


def test_authentication_mode_enables_access_entries_and_cannot_be_reverted(aws: Server, stack: Stack) -> None:
    mode = {"bootstrapClusterCreatorAdminPermissions": True}
    made = cluster(stack, accessConfig={**mode, "authenticationMode": "CONFIG_MAP"})["cluster"]
    eks, entry = aws.client("eks"), {"clusterName": "fresh", "principalArn": made["roleArn"]}
    with refused("InvalidRequestException", "must be set to one of [API, API_AND_CONFIG_MAP]"):
        eks.create_access_entry(**entry)
    eks.update_cluster_config(name="fresh", accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"})
    eks.create_access_entry(**entry)
    eks.delete_access_entry(**entry)
    with refused("InvalidParameterException", "Unsupported authentication mode update"):
        eks.update_cluster_config(name="fresh", accessConfig={"authenticationMode": "CONFIG_MAP"})


def test_coredns_waits_for_nodes_and_vpc_cni_does_not(stack: Stack) -> None:
    found = cluster(stack)
    addon = {"clusterName": "fresh", "resolveConflictsOnCreate": "OVERWRITE", "preserve": True}
    assert stack.make("aws:eks/addon:Addon", "cni", **addon, addonName="vpc-cni")["addonVersion"].startswith("v1.")
    target = Target.of("urn:pulumi:prod::p::aws:eks/addon:Addon::dns")
    checked = stack.stand_in.check(target, {}, {**addon, "addonName": "coredns"}, b"")
    with pytest.raises(InitFailed, match="timeout while waiting for state to become 'ACTIVE'"):
        stack.stand_in.create(target, dict(checked.inputs), 0.3, preview=False)
    stack.stand_in.delete(target, State("fresh:coredns", {"preserve": True}), 0)
    stack.make(
        "aws:eks/nodeGroup:NodeGroup",
        "group",
        clusterName="fresh",
        nodeGroupName="nodes",
        nodeRoleArn=role(stack, "node-role", "ec2.amazonaws.com"),
        subnetIds=found["subnets"],
        scalingConfig={"minSize": 1, "desiredSize": 1, "maxSize": 1},
    )
    stack.make("aws:eks/addon:Addon", "dns", **addon, addonName="coredns")


def test_zones_and_endpoint_services_of_the_region_are_looked_up(stack: Stack) -> None:
    def zones_of(**arguments: Any) -> Any:
        answer = stack.stand_in.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", arguments)
        return answer["names"]

    zones = zones_of(state="available")
    assert zones == [f"{layout.REGION}{letter}" for letter in "abc"]
    assert zones_of(excludeNames=[zones[0]], state="available") == zones[1:]
    service = f"com.amazonaws.{layout.REGION}.s3"
    found = stack.stand_in.invoke(
        "aws:ec2/getVpcEndpointService:getVpcEndpointService", {"service": "s3", "serviceType": "Gateway"}
    )
    assert found["serviceName"] == service
    with pytest.raises(ProviderError, match="no matching EC2 VPC Endpoint Service found"):
        stack.stand_in.invoke("aws:ec2/getVpcEndpointService:getVpcEndpointService", {"service": "nothing"})


def test_created_keys_and_log_groups_are_saved_at_once(stack: Stack, aws: Server) -> None:
    key = stack.make("aws:kms/key:Key", "key", description="secrets")["id"]
    stack.make("aws:cloudwatch/logGroup:LogGroup", "logs", name="kept")
    saved = aws.root / "aws-state"
    assert key in (saved / "kms.json").read_text()
    assert "kept" in (saved / "cloudwatch_logs.json").read_text()
