"""The second stack file: a new cluster.

This machine runs one Kubernetes cluster, that of `prod`. Resources inside the new cluster are therefore only planned.
The AWS resources are created, changed and destroyed. The previous files have stopped the RocketMQ of `prod`, so the
processors are free.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.engine import pulumi
from sandbox.layout import ACCOUNT
from tests.e2e.running_sandbox import Sandbox

STACK = "staging"
ADMINISTRATORS = "platform-team"
IN_THE_CLUSTER = (
    *("--exclude", "**$kubernetes:**"),
    *("--exclude", "**eks-rocketmq:index:RocketMq**"),
    "--exclude-dependents",
)


@pytest.fixture(scope="module")
def account(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Account with the role to which the stack file grants access to the cluster."""
    pulumi.ensure_stack(sandbox.instance, sandbox.tools, STACK)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with sandbox.aws("iam") as iam:
        iam.create_role(RoleName=ADMINISTRATORS, AssumeRolePolicyDocument=document)
    yield sandbox
    with sandbox.aws("iam") as iam:
        iam.delete_role(RoleName=ADMINISTRATORS)


def inventory(sandbox: Sandbox) -> dict[str, set[str]]:
    """Return the IDs of the resources of the account, by kind, without keys scheduled for deletion."""
    with sandbox.aws("ec2") as ec2:
        found = {
            "vpcs": {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]},
            "subnets": {each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]},
            "addresses": {each["AllocationId"] for each in ec2.describe_addresses()["Addresses"]},
            "tables": {each["RouteTableId"] for each in ec2.describe_route_tables()["RouteTables"]},
            "templates": {each["LaunchTemplateId"] for each in ec2.describe_launch_templates()["LaunchTemplates"]},
            "flow logs": {each["FlowLogId"] for each in ec2.describe_flow_logs()["FlowLogs"]},
        }
    with sandbox.aws("eks") as eks:
        found["clusters"] = set(eks.list_clusters()["clusters"])
    with sandbox.aws("iam") as iam:
        found["roles"] = {each["RoleName"] for each in iam.list_roles()["Roles"]}
        providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        found["providers"] = {each["Arn"] for each in providers}
    with sandbox.aws("logs") as logs:
        found["log groups"] = {each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]}
    with sandbox.aws("kms") as kms:
        keys = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in kms.list_keys()["Keys"]]
        found["keys"] = {each["KeyId"] for each in keys if each["KeyState"] == "Enabled"}
    return found


@pytest.fixture(scope="module")
def before(account: Sandbox) -> dict[str, set[str]]:
    return inventory(account)


def test_whole_stack_is_planned_before_the_cluster_exists(account: Sandbox) -> None:
    plan = account.preview_steps("-s", STACK)

    assert plan.operations() == {"create"}
    made = {step["urn"].split("::")[2].split("$")[-1] for step in plan.steps}
    assert {
        *("aws:ec2/vpc:Vpc", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"),
        *("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "kubernetes:apps/v1:StatefulSet"),
    } <= made


@pytest.mark.usefixtures("before")
def test_adopt_reports_interrupted_creates_and_no_resource_is_created_twice(account: Sandbox) -> None:
    """A resource that adopt misses would remain after the destroy at the end."""

    def is_amid_operations() -> bool:
        # The network is created within half a second. Between two operations the kill would interrupt nothing.
        state = pulumi.state_file(account.instance, STACK)
        latest = json.loads(state.read_text())["checkpoint"]["latest"] if state.exists() else None
        return len((latest or {}).get("pending_operations") or ()) > 2

    account.kill_up("-s", STACK, *IN_THE_CLUSTER, when=is_amid_operations, every=0.02)

    # The killed engine has not released its lock.
    account.pulumi("cancel", "-s", STACK, "--yes")
    said = account.adopt(STACK)

    (number,) = re.findall(r"was interrupted in the middle of (\d+) operations", said)
    assert len(re.findall(r"^  (?:imported|not created) ", said, re.MULTILINE)) == int(number) > 0
    assert "pending_operations" not in json.loads(account.pulumi("stack", "export", "-s", STACK))["deployment"]


def test_up_creates_network_cluster_nodes_and_driver_identity(account: Sandbox, before: dict[str, set[str]]) -> None:
    account.pulumi("up", "-s", STACK, "--yes", *IN_THE_CLUSTER)

    with account.aws("eks") as eks:
        cluster = eks.describe_cluster(name=STACK)["cluster"]
        groups = [
            eks.describe_nodegroup(clusterName=STACK, nodegroupName=name)["nodegroup"]
            for name in eks.list_nodegroups(clusterName=STACK)["nodegroups"]
        ]
        addons = set(eks.list_addons(clusterName=STACK)["addons"])
        entries = eks.list_access_entries(clusterName=STACK)["accessEntries"]
    assert (cluster["status"], cluster["deletionProtection"]) == ("ACTIVE", True)
    assert cluster["resourcesVpcConfig"]["vpcId"] not in before["vpcs"]
    assert addons == {"vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver"}
    assert f"arn:aws:iam::{ACCOUNT}:role/{ADMINISTRATORS}" in entries
    with account.aws("ec2") as ec2:
        subnets = ec2.describe_subnets(SubnetIds=[subnet for group in groups for subnet in group["subnets"]])
    assert sorted(subnet["AvailabilityZone"][-1] for subnet in subnets["Subnets"]) == ["a", "b", "c"]
    with account.aws("iam") as iam:
        trust = iam.get_role(RoleName=f"{STACK}-ebs-csi-driver")["Role"]["AssumeRolePolicyDocument"]
    host = cluster["identity"]["oidc"]["issuer"].removeprefix("https://")
    assert trust["Statement"][0]["Condition"]["StringEquals"][f"{host}:aud"] == "sts.amazonaws.com"


def test_second_up_with_refresh_makes_no_changes(account: Sandbox) -> None:
    account.pulumi("up", "-s", STACK, "--yes", "--skip-preview", "--refresh", "--expect-no-changes", *IN_THE_CLUSTER)


def test_destroy_of_a_protected_cluster_is_rejected(account: Sandbox) -> None:
    assert "protect" in account.pulumi("destroy", "-s", STACK, "--yes", ok=False)
    with account.aws("eks") as eks:
        assert STACK in eks.list_clusters()["clusters"]


def test_driver_switches_to_pod_identity_with_the_command_from_the_error(account: Sandbox) -> None:
    def change(config: dict[str, Any]) -> None:
        config["eks-rocketmq:addons"].update(podIdentityAgent=True)
        config["eks-rocketmq:ebsCsi"] = {"identity": "pod_identity"}
        config["eks-rocketmq:cluster"].update(deletionProtection=False)  # for the destroy that follows

    changed = account.changed(change, STACK)
    said = account.pulumi("preview", "-s", STACK, *IN_THE_CLUSTER, *changed, ok=False)
    (urn,) = set(re.findall(rf"pulumi up -s {STACK} --replace '([^']+)'", said))
    account.pulumi("up", "-s", STACK, "--yes", *IN_THE_CLUSTER, *changed, "--replace", urn)

    with account.aws("eks") as eks:
        addon = eks.describe_addon(clusterName=STACK, addonName="aws-ebs-csi-driver")["addon"]
        (association,) = eks.list_pod_identity_associations(clusterName=STACK)["associations"]
    assert addon["status"] == "ACTIVE"
    assert "serviceAccountRoleArn" not in addon
    assert association["associationArn"] in addon["podIdentityAssociations"]
    account.pulumi("up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes", *IN_THE_CLUSTER, *changed)


def test_destroy_deletes_all_resources_of_the_stack(account: Sandbox, before: dict[str, set[str]]) -> None:
    account.pulumi("destroy", "-s", STACK, "--yes")

    assert inventory(account) == before
