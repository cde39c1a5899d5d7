"""Resource types defined by a table: calls after create, waits, updates in place, and errors.

tests/contract/test_new_cluster.py tests the answers of AWS.
"""

import threading
from typing import Any

import pytest

from sandbox.engine.aws import launch_template, security_group
from sandbox.engine.aws.comparison import same_settings
from sandbox.engine.aws.eks_node_group import same_taints
from sandbox.engine.aws.operations import planned
from sandbox.engine.aws.properties import CheckContext, check
from sandbox.engine.aws.stand_in import RESOURCES
from sandbox.engine.provider.failures import InitFailed, ProviderError
from sandbox.engine.provider.servicer import State
from sandbox.engine.provider.values import UNKNOWN
from tests.unit.aws_script import NOW, ScriptedAccount, provider, refusal, target

VPC = "aws:ec2/vpc:Vpc"
NAT = "aws:ec2/natGateway:NatGateway"
CLUSTER = "aws:eks/cluster:Cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
VPC_INPUTS = {
    "cidrBlock": "10.0.0.0/16",
    "instanceTenancy": "default",
    "enableDnsSupport": True,
    "enableDnsHostnames": True,
}
FOUND = {
    "CreateVpc": {"Vpc": {"VpcId": "vpc-1"}},
    "ModifyVpcAttribute": {},
    "DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default"}]},
    "DescribeVpcAttribute": {"EnableDnsSupport": {"Value": True}},
    "DescribeSecurityGroups": {"SecurityGroups": []},
    "DescribeRouteTables": {"RouteTables": []},
    "DescribeNetworkAcls": {"NetworkAcls": []},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pauses of wait loops."""

    def no_wait(self: threading.Event, timeout: float | None = None) -> bool:
        assert timeout is not None
        return self.is_set()

    monkeypatch.setattr(threading.Event, "wait", no_wait)


@pytest.mark.parametrize("token", RESOURCES)
def test_every_name_in_a_table_is_a_name_of_the_sdk(token: str) -> None:
    kind = RESOURCES[token]
    assert set(kind.properties) <= kind.names.inputs | {"namePrefix"}
    assert kind.names.required <= set(kind.properties)
    assert {*kind.outputs, *kind.output_paths} <= kind.names.outputs
    assert set(kind.unknown_parts) <= set(kind.properties)


def test_attribute_is_set_after_create_unless_aws_already_has_the_value() -> None:
    aws = ScriptedAccount(FOUND)
    state = provider(aws).create(target(VPC), VPC_INPUTS, 0, preview=False)
    assert aws.made("ModifyVpcAttribute") == [{"VpcId": "vpc-1", "EnableDnsHostnames": {"Value": True}}]
    assert state.outputs["arn"] == "arn:aws:ec2:ap-southeast-1:140023393377:vpc/vpc-1"


def test_failed_create_raises_the_error_of_aws() -> None:
    aws = ScriptedAccount({"CreateVpc": refusal("VpcLimitExceeded", "too many")})
    with pytest.raises(ProviderError, match=r"creating EC2 VPC: .*VpcLimitExceeded: too many"):
        provider(aws).create(target(VPC), VPC_INPUTS, 0, preview=False)


def test_resource_is_kept_in_the_state_when_a_later_call_fails() -> None:
    aws = ScriptedAccount({**FOUND, "ModifyVpcAttribute": refusal("UnauthorizedOperation")})
    with pytest.raises(InitFailed, match=r"creating EC2 VPC \(vpc-1\): .*UnauthorizedOperation") as failure:
        provider(aws).create(target(VPC), VPC_INPUTS, 0, preview=False)
    assert failure.value.resource_id == "vpc-1"


def test_missing_resource_is_read_with_an_empty_id_and_deleted_without_error() -> None:
    aws = ScriptedAccount(
        {"DescribeVpcs": refusal("InvalidVpcID.NotFound"), "DeleteVpc": refusal("InvalidVpcID.NotFound")}
    )
    assert provider(aws).read(target(VPC), State("vpc-1")).resource_id == ""
    provider(aws).delete(target(VPC), State("vpc-1"), 0)


def test_failed_read_or_delete_raises_an_error() -> None:
    aws = ScriptedAccount(
        {"DescribeVpcs": refusal("UnauthorizedOperation"), "DeleteVpc": refusal("DependencyViolation")}
    )
    with pytest.raises(ProviderError, match=r"reading EC2 VPC \(vpc-1\): .*UnauthorizedOperation"):
        provider(aws).read(target(VPC), State("vpc-1"))
    with pytest.raises(ProviderError, match=r"deleting EC2 VPC \(vpc-1\): .*DependencyViolation"):
        provider(aws).delete(target(VPC), State("vpc-1"), 0)


def test_change_without_an_update_operation_is_rejected_by_name() -> None:
    olds = State("vpc-1", {**VPC_INPUTS, "tagsAll": {}}, VPC_INPUTS)
    with pytest.raises(ProviderError, match="does not change 'instanceTenancy' of aws:ec2/vpc:Vpc in place"):
        provider(ScriptedAccount(FOUND)).update(
            target(VPC), olds, {**VPC_INPUTS, "instanceTenancy": "dedicated"}, 0, preview=False
        )


def nat(*states: str) -> list[dict[str, Any]]:
    return [{"NatGateways": [{"State": state, "SubnetId": "s", "NatGatewayAddresses": []}]} for state in states]


NAT_INPUTS = {"allocationId": "eipalloc-1", "subnetId": "s", "connectivityType": "public"}
CREATED = {"CreateNatGateway": {"NatGateway": {"NatGatewayId": "nat-1"}}}


def test_create_waits_until_the_resource_is_available() -> None:
    aws = ScriptedAccount({**CREATED, "DescribeNatGateways": nat("pending", "pending", "available", "available")})
    assert provider(aws).create(target(NAT), NAT_INPUTS, 0, preview=False).resource_id == "nat-1"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (nat("pending", "failed", "failed"), "unexpected state 'failed', wanted target 'available'"),
        (nat(*["pending"] * 100), "timeout while waiting for state to become one of"),
    ],
)
def test_failed_wait_after_create_raises_init_failed(answers: list[dict[str, Any]], words: str) -> None:
    aws = ScriptedAccount({**CREATED, "DescribeNatGateways": answers})
    with pytest.raises(InitFailed, match=rf"waiting for EC2 NAT Gateway \(nat-1\) create: {words}"):
        provider(aws).create(target(NAT), NAT_INPUTS, 0, preview=False)


def test_delete_waits_until_the_resource_is_deleted() -> None:
    aws = ScriptedAccount({"DeleteNatGateway": {}, "DescribeNatGateways": nat("deleting", "deleting", "deleted")})
    provider(aws).delete(target(NAT), State("nat-1"), 0)
    assert len(aws.made("DescribeNatGateways")) == 3
    stuck = ScriptedAccount({"DeleteNatGateway": {}, "DescribeNatGateways": nat(*["deleting"] * 300)})
    with pytest.raises(ProviderError, match=r"waiting for EC2 NAT Gateway \(nat-1\) delete"):
        provider(stuck).delete(target(NAT), State("nat-1"), 0)


def test_planned_cluster_leaves_nested_values_from_aws_unknown() -> None:
    state = planned(RESOURCES[CLUSTER], {"name": "c", "vpcConfig": {"subnetIds": ["s"]}}, {})
    assert state["vpcConfig"] == {"subnetIds": ["s"], "clusterSecurityGroupId": UNKNOWN, "vpcId": UNKNOWN}
    assert state["endpoint"] is UNKNOWN
    olds = {"vpcConfig": {"subnetIds": ["s"], "clusterSecurityGroupId": "sg-1"}}
    changed = planned(RESOURCES[CLUSTER], {"vpcConfig": {"subnetIds": ["s", "t"]}}, olds)
    assert changed["vpcConfig"] == {"subnetIds": ["s", "t"], "clusterSecurityGroupId": "sg-1"}


def test_failed_cluster_update_reports_the_reason() -> None:
    olds = State(
        "c", {"name": "c", "version": "1.34", "vpcConfig": {}, "tagsAll": {}, "bootstrapSelfManagedAddons": True}
    )
    errors = [{"errorCode": "InsufficientFreeAddresses", "errorMessage": "none left"}]
    aws = ScriptedAccount(
        {
            "UpdateClusterVersion": {"update": {"id": "u", "status": "InProgress"}},
            "DescribeUpdate": {"update": {"status": "Failed", "errors": errors}},
        }
    )
    with pytest.raises(
        ProviderError, match=r"waiting for EKS Cluster \(c\) update .*InsufficientFreeAddresses: none left"
    ):
        provider(aws).update(target(CLUSTER), olds, {"name": "c", "version": "1.35", "vpcConfig": {}}, 0, preview=False)


def test_node_group_with_a_name_prefix_gets_the_next_number() -> None:
    described = {"nodegroup": {"clusterName": "c", "nodegroupName": "n-2", "status": "ACTIVE", "createdAt": NOW}}
    existing = {"nodegroups": [f"n-{1:026d}", "n-x", "other-7"]}
    aws = ScriptedAccount({"ListNodegroups": existing, "CreateNodegroup": described, "DescribeNodegroup": described})
    inputs = {
        "clusterName": "c",
        "nodeGroupNamePrefix": "n-",
        "subnetIds": ["s"],
        "scalingConfig": {},
        "nodeRoleArn": "r",
    }
    provider(aws).create(target(GROUP), inputs, 0, preview=False)
    assert aws.made("CreateNodegroup")[0]["nodegroupName"] == f"n-{2:026d}"


@pytest.mark.parametrize("wrong", ["", "cluster", "cluster:"])
def test_incomplete_import_id_is_rejected(wrong: str) -> None:
    with pytest.raises(ProviderError, match="unexpected format for ID, expected cluster-name:name"):
        provider(ScriptedAccount({})).read(target(GROUP), State(wrong))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": None}}, True),
        ({}, {"a": {"b": 1}}, False),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, True),
        ({"a": ["x"]}, {"a": ["x", "y"]}, False),
        ({}, {"a": False, "b": ""}, True),
        ({}, {"a": 0}, True),
    ],
)
def test_block_is_equal_when_it_has_every_value_of_the_program(one: dict, other: dict, same: bool) -> None:
    assert same_settings(one, other) is same


def test_taints_are_compared_as_a_set() -> None:
    one, other = {"key": "a", "value": "", "effect": "NO_SCHEDULE"}, {"key": "b", "effect": "NO_EXECUTE"}
    assert same_taints([one, other], [other, {"key": "a", "effect": "NO_SCHEDULE"}])
    assert not same_taints([one], [{**one, "effect": "NO_EXECUTE"}])


def test_security_group_rules_are_compared_by_the_traffic_they_allow() -> None:
    rule = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["b", "a"]}
    assert security_group.same_rules([rule], [{**rule, "cidrBlocks": ["a", "b"], "description": "x"}])
    assert not security_group.same_rules([rule], [{**rule, "toPort": 444}])
    every = {"protocol": "all", "fromPort": 0, "toPort": 0}
    assert security_group.same_rules([every], [{"protocol": "-1", "fromPort": 0, "toPort": 65535}])


def test_launch_template_blocks_compare_strings_with_booleans() -> None:
    block = {"ebs": {"encrypted": "true", "volumeSize": 50}, "deviceName": "/dev/xvda"}
    assert launch_template.same_block([block], [{"ebs": {"encrypted": True, "volumeSize": 50}}])
    assert not launch_template.same_block([block], [{"ebs": {"encrypted": "false"}}])
    assert not launch_template.same_block([block], [block, block])


def test_tag_change_creates_no_launch_template_version() -> None:
    version = {"LaunchTemplateVersions": [{"LaunchTemplateData": {}}]}
    template = {"LatestVersionNumber": 1, "DefaultVersionNumber": 1, "LaunchTemplateName": "n"}
    aws = ScriptedAccount(
        {
            "CreateTags": {},
            "DescribeLaunchTemplates": {"LaunchTemplates": [template]},
            "DescribeLaunchTemplateVersions": version,
        }
    )
    olds = State("lt-1", {"name": "n", "tagsAll": {}})
    provider(aws).update(target(TEMPLATE), olds, {"name": "n", "tagsAll": {"a": "1"}}, 0, preview=False)
    assert aws.made("CreateTags") == [{"Resources": ["lt-1"], "Tags": [{"Key": "a", "Value": "1"}]}]


def test_default_version_is_updated_when_update_default_version_is_true() -> None:
    template = {"LatestVersionNumber": 2, "DefaultVersionNumber": 2, "LaunchTemplateName": "n"}
    aws = ScriptedAccount(
        {
            "CreateLaunchTemplateVersion": {"LaunchTemplateVersion": {"VersionNumber": 2}},
            "ModifyLaunchTemplate": {},
            "DescribeLaunchTemplates": {"LaunchTemplates": [template]},
            "DescribeLaunchTemplateVersions": {"LaunchTemplateVersions": [{"LaunchTemplateData": {"UserData": "x"}}]},
        }
    )
    news = {"name": "n", "userData": "x", "updateDefaultVersion": True}
    provider(aws).update(target(TEMPLATE), State("lt-1", {"name": "n"}), news, 0, preview=False)
    assert aws.made("ModifyLaunchTemplate") == [{"LaunchTemplateId": "lt-1", "DefaultVersion": "2"}]


LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@pytest.mark.parametrize(("kept", "calls"), [(True, []), (False, [{"logGroupName": "/x"}])])
def test_a_log_group_with_skip_destroy_is_not_deleted(kept: bool, calls: list[dict[str, str]]) -> None:
    aws = ScriptedAccount({"DeleteLogGroup": {}})
    provider(aws).delete(target(LOG_GROUP), State("/x", {"name": "/x", "skipDestroy": kept}), 0)
    assert aws.made("DeleteLogGroup") == calls


def test_skip_destroy_changes_in_the_state_only() -> None:
    aws = ScriptedAccount({"DescribeLogGroups": {"logGroups": [{"logGroupName": "/x"}]}, "ListTagsForResource": {}})
    olds = State("/x", {"name": "/x", "skipDestroy": False})
    state = provider(aws).update(target(LOG_GROUP), olds, {"name": "/x", "skipDestroy": True}, 0, preview=False)
    assert state.outputs["skipDestroy"] is True


def test_check_of_a_table_adds_automatic_names_and_default_tags() -> None:
    context = CheckContext("flows", {}, b"seed", {"owner": "x"})
    checked = check(RESOURCES["aws:cloudwatch/logGroup:LogGroup"], {"retentionInDays": 7}, context)
    assert str(checked.inputs["name"]).startswith("flows-")
    assert checked.inputs["tagsAll"] == {"owner": "x"}


@pytest.mark.parametrize(
    ("type_", "import_id", "resource_id"),
    [
        ("aws:ec2/route:Route", "rtb-00000000000000001_0.0.0.0/0", "r-rtb-000000000000000011080289494"),
        (
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "subnet-1/rtb-00000000000000001",
            "rtbassoc-1",
        ),
    ],
)
def test_import_id_is_resolved_to_the_resource_id(type_: str, import_id: str, resource_id: str) -> None:
    table = {
        "RouteTableId": "rtb-00000000000000001",
        "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
        "Associations": [{"SubnetId": "subnet-1", "RouteTableAssociationId": "rtbassoc-1"}],
    }
    account = ScriptedAccount({"DescribeRouteTables": {"RouteTables": [table]}})
    state = provider(account).read(target(type_), State(import_id))
    assert state.resource_id == resource_id
    assert provider(account).read(target(type_), state).resource_id == resource_id
