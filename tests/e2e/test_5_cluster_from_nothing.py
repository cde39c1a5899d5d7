"""The second stack file: a cluster made from nothing.

This machine runs one Kubernetes, that of `prod`. So what goes into the new cluster is planned and not made; the
account's side of it is made, changed and destroyed for real. RocketMQ of `prod` is stopped by the files before, so the
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
    """An account with the role that the stack file lets into the cluster."""
    pulumi.ensure_stack(sandbox.instance, sandbox.tools, STACK)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with sandbox.aws("iam") as iam:
        iam.create_role(RoleName=ADMINISTRATORS, AssumeRolePolicyDocument=document)
    yield sandbox
    with sandbox.aws("iam") as iam:
        iam.delete_role(RoleName=ADMINISTRATORS)


def inventory(sandbox: Sandbox) -> dict[str, set[str]]:
    """What the account has, by id; scheduled deletions count as done."""
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


def test_the_whole_stack_is_planned_before_there_is_a_cluster(account: Sandbox) -> None:
    plan = account.preview_steps("-s", STACK)

    assert plan.operations() == {"create"}
    made = {step["urn"].split("::")[2].split("$")[-1] for step in plan.steps}
    assert {
        *("aws:ec2/vpc:Vpc", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"),
        *("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "kubernetes:apps/v1:StatefulSet"),
    } <= made


@pytest.mark.usefixtures("before")
def test_what_a_killed_up_was_making_is_named_and_not_made_again(account: Sandbox) -> None:
    """What it forgot would be left over when the stack is destroyed at the end."""

    def is_amid_operations() -> bool:
        # The network takes half a second. Between two operations nothing would be interrupted.
        state = pulumi.state_file(account.instance, STACK)
        latest = json.loads(state.read_text())["checkpoint"]["latest"] if state.exists() else None
        return len((latest or {}).get("pending_operations") or ()) > 2

    account.kill_up("-s", STACK, *IN_THE_CLUSTER, when=is_amid_operations, every=0.02)

    # The killed engine has left its lock.
    account.pulumi("cancel", "-s", STACK, "--yes")
    said = account.adopt(STACK)

    (number,) = re.findall(r"was interrupted in the middle of (\d+) operations", said)
    assert len(re.findall(r"^  (?:taken over|not made) ", said, re.MULTILINE)) == int(number) > 0
    assert "pending_operations" not in json.loads(account.pulumi("stack", "export", "-s", STACK))["deployment"]


def test_the_account_gets_network_cluster_nodes_and_the_drivers_identity(
    account: Sandbox, before: dict[str, set[str]]
) -> None:
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


def test_a_second_up_finds_nothing_to_do_even_when_everything_is_read_again(account: Sandbox) -> None:
    account.pulumi("up", "-s", STACK, "--yes", "--refresh", "--expect-no-changes", *IN_THE_CLUSTER)


def test_a_cluster_that_is_protected_stays(account: Sandbox) -> None:
    assert "protect" in account.pulumi("destroy", "-s", STACK, "--yes", ok=False)
    with account.aws("eks") as eks:
        assert STACK in eks.list_clusters()["clusters"]


def test_the_driver_goes_from_irsa_to_pod_identity_by_the_command_of_the_refusal(account: Sandbox) -> None:
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
    account.pulumi("up", "-s", STACK, "--yes", "--expect-no-changes", *IN_THE_CLUSTER, *changed)


def test_destroy_leaves_the_account_as_it_was(account: Sandbox, before: dict[str, set[str]]) -> None:
    account.pulumi("destroy", "-s", STACK, "--yes")

    assert inventory(account) == before
