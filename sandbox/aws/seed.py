"""The original case, created through the AWS API with the account's root. Repeatable.

A cluster without an IAM OIDC provider, the EBS CSI addon, and the addon's role with the original mistake in its trust
policy. Existing resources stay as they are, so a second run undoes no correction.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from sandbox import layout, pins
from sandbox.aws import env_file
from sandbox.aws.addon_catalogue import EBS_CSI

DEPLOYER = "deployer"
ROLE = "eks-ebs-csi-driver"
ROLE_ARN = f"arn:aws:iam::{layout.ACCOUNT}:role/{ROLE}"
HOST = layout.ISSUER.removeprefix("https://")
PROVIDER_ARN = f"arn:aws:iam::{layout.ACCOUNT}:oidc-provider/{HOST}"
SUBJECT = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CLUSTER_ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
EBS_CSI_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
DRIVER_VERSION = "v1.48.0-eksbuild.1"
"""Version of the original case. Its claim events contain the cause; since 1.49 only the driver's log does."""
_VPC_CIDR = "10.200.0.0/16"
_SUBNET_CIDRS = ("10.200.0.0/18", "10.200.64.0/18", "10.200.128.0/18")
_EXISTS = ("EntityAlreadyExists", "ResourceInUseException")


def original_trust_policy() -> dict[str, Any]:
    """Return the original mistake: its condition key contains the issuer's scheme, so it never matches."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": PROVIDER_ARN},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{layout.ISSUER}:sub": SUBJECT}},
            }
        ],
    }


def seed(root: Path, endpoint: str) -> None:
    """Create what is missing. `root` is the sandbox's folder; the credentials come from the environment."""

    def client(service: str) -> BaseClient:
        return boto3.client(service, region_name=layout.REGION, endpoint_url=endpoint)

    iam, eks, ec2 = client("iam"), client("eks"), client("ec2")
    _deployer(iam, root / "aws.env", endpoint)
    subnets, group = _network(ec2)
    _nodes(ec2, subnets, group)
    _cluster(iam, eks, subnets, group)
    _driver(iam, eks)


def _deployer(iam: Any, file: Path, endpoint: str) -> None:  # noqa: ANN401 (boto3 makes its clients at run time)
    """Create the operator, an IAM user whose keys are in `file`."""
    _unless_it_exists(iam.create_user, UserName=DEPLOYER)
    iam.attach_user_policy(UserName=DEPLOYER, PolicyArn=ADMINISTRATOR)
    kept = env_file.read(file) if file.exists() else {}
    keys = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=DEPLOYER)["AccessKeyMetadata"]}
    if kept.get("AWS_ACCESS_KEY_ID") in keys:
        return
    made = iam.create_access_key(UserName=DEPLOYER)["AccessKey"]
    values = {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_REGION": layout.REGION,
        "AWS_DEFAULT_REGION": layout.REGION,
        "AWS_ENDPOINT_URL": endpoint,
    }
    env_file.write(file, values)


def _network(ec2: Any) -> tuple[list[str], str]:  # noqa: ANN401
    """Create a VPC with a subnet in each node's zone and a security group. Find it again by its Name tag."""
    named = [{"Name": "tag:Name", "Values": [layout.CLUSTER]}]
    found = ec2.describe_vpcs(Filters=named)["Vpcs"]
    if not found:
        vpc = ec2.create_vpc(CidrBlock=_VPC_CIDR)["Vpc"]["VpcId"]
        for node, cidr in zip(layout.NODES, _SUBNET_CIDRS, strict=True):
            ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=node.zone)
        ec2.create_security_group(GroupName=f"eks-{layout.CLUSTER}", Description="nodes", VpcId=vpc)
        # Last: a VPC with its name is complete.
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": layout.CLUSTER}])
        found = ec2.describe_vpcs(Filters=named)["Vpcs"]
    within = [{"Name": "vpc-id", "Values": [found[0]["VpcId"]]}]
    subnets = sorted(ec2.describe_subnets(Filters=within)["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
    groups = ec2.describe_security_groups(Filters=within)["SecurityGroups"]
    group = next(group["GroupId"] for group in groups if group["GroupName"] == f"eks-{layout.CLUSTER}")
    return [subnet["SubnetId"] for subnet in subnets], group


def _nodes(ec2: Any, subnets: list[str], group: str) -> None:  # noqa: ANN401
    """Run one instance for each node. All nodes share one bridge, so the address identifies the node."""
    running = {
        instance["InstanceId"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    for node, subnet in zip(layout.NODES, subnets, strict=True):
        if node.instance_id in running:
            continue
        # Tags of EKS for the nodes of a managed group. Policies of the EBS CSI driver refer to them.
        tags = {
            "Name": f"{layout.CLUSTER}-{node.letter}",
            "eks:cluster-name": layout.CLUSTER,
            f"kubernetes.io/cluster/{layout.CLUSTER}": "owned",
        }
        ec2.run_instances(
            ImageId="ami-0123456789abcdef0",
            InstanceType="m6i.large",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            SecurityGroupIds=[group],
            PrivateIpAddress=node.address,
        )
        ec2.create_tags(
            Resources=[node.instance_id], Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
        )


def _cluster(iam: Any, eks: Any, subnets: list[str], group: str) -> None:  # noqa: ANN401
    """Create the cluster as Terraform did, and the operator's access entry."""
    role = f"{layout.CLUSTER}-cluster"
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    _unless_it_exists(
        iam.create_role,
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    _unless_it_exists(
        eks.create_cluster,
        name=layout.CLUSTER,
        version=pins.KUBERNETES_MINOR,
        roleArn=f"arn:aws:iam::{layout.ACCOUNT}:role/{role}",
        resourcesVpcConfig={
            "subnetIds": subnets,
            "securityGroupIds": [group],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
        },
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        tags={"ManagedBy": "terraform"},
    )
    eks.get_waiter("cluster_active").wait(name=layout.CLUSTER, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    operator = f"arn:aws:iam::{layout.ACCOUNT}:user/{DEPLOYER}"
    _unless_it_exists(eks.create_access_entry, clusterName=layout.CLUSTER, principalArn=operator)
    eks.associate_access_policy(
        clusterName=layout.CLUSTER,
        principalArn=operator,
        policyArn=CLUSTER_ADMINISTRATOR,
        accessScope={"type": "cluster"},
    )


def _driver(iam: Any, eks: Any) -> None:  # noqa: ANN401
    """Create the addon and its role once, as a second run must not undo the stack's corrections."""
    made = _unless_it_exists(
        iam.create_role, RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(original_trust_policy())
    )
    if not made:
        return
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=EBS_CSI_POLICY)
    _unless_it_exists(
        eks.create_addon,
        clusterName=layout.CLUSTER,
        addonName=EBS_CSI,
        addonVersion=DRIVER_VERSION,
        serviceAccountRoleArn=ROLE_ARN,
    )


def _unless_it_exists(create: Callable[..., Any], **arguments: Any) -> bool:  # noqa: ANN401
    """Call `create` and return whether it created the resource."""
    try:
        create(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in _EXISTS:
            return False
        raise
    return True


def main() -> None:
    """Run `python -m sandbox.aws.seed --root FOLDER [--endpoint URL]` with root credentials in the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the sandbox's folder")
    parser.add_argument("--endpoint", default=f"http://127.0.0.1:{layout.AWS_PORT}")
    given = parser.parse_args()
    seed(given.root, given.endpoint)


if __name__ == "__main__":
    main()
