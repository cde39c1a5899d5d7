"""The original case, made through the AWS API with the account's root: idempotent, and nothing is put back in order.

It says what the team of the case had: a cluster without an IAM OIDC provider, the EBS CSI addon, and the addon's role
whose trust policy has the original mistake. What exists is left alone, so a second run heals and breaks nothing.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from sandbox import pins, place
from sandbox.aws.addon_catalogue import EBS_CSI

DEPLOYER = "deployer"
ROLE = "eks-ebs-csi-driver"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CLUSTER_ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
EBS_CSI_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
DRIVER_VERSION = "v1.48.0-eksbuild.1"
"""As in the original case, a driver that says in the claim's event why it makes no volume; since 1.49 its log does."""
_VPC_CIDR = "10.200.0.0/16"
_SUBNET_CIDRS = ("10.200.0.0/18", "10.200.64.0/18", "10.200.128.0/18")
_EXISTS = ("EntityAlreadyExists", "ResourceInUseException")


def original_trust_policy() -> dict[str, Any]:
    """The original mistake: the condition key was built from the issuer with its scheme, so it matches nobody."""
    host = place.ISSUER.removeprefix("https://")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{place.ACCOUNT}:oidc-provider/{host}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{place.ISSUER}:sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa"}
                },
            }
        ],
    }


def seed(root: Path, endpoint: str) -> None:
    """Make what is missing. `root` is the sandbox's folder; the credentials come from the environment."""

    def client(service: str) -> BaseClient:
        return boto3.client(service, region_name=place.REGION, endpoint_url=endpoint)

    iam, eks, ec2 = client("iam"), client("eks"), client("ec2")
    _deployer(iam, root / "aws.env", endpoint)
    subnets, group = _network(ec2)
    _nodes(ec2, subnets, group)
    _cluster(iam, eks, subnets, group)
    _driver(iam, eks)


def _deployer(iam: Any, file: Path, endpoint: str) -> None:  # noqa: ANN401 (boto3 makes its clients at run time)
    """The operator, an ordinary IAM user whose keys are in `file`."""
    _unless_it_exists(iam.create_user, UserName=DEPLOYER)
    iam.attach_user_policy(UserName=DEPLOYER, PolicyArn=ADMINISTRATOR)
    kept = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    keys = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=DEPLOYER)["AccessKeyMetadata"]}
    if kept.get("AWS_ACCESS_KEY_ID") in keys:
        return
    made = iam.create_access_key(UserName=DEPLOYER)["AccessKey"]
    values = {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_REGION": place.REGION,
        "AWS_DEFAULT_REGION": place.REGION,
        "AWS_ENDPOINT_URL": endpoint,
    }
    file.touch(mode=0o600)
    file.write_text("".join(f"{key}={value}\n" for key, value in values.items()))


def _network(ec2: Any) -> tuple[list[str], str]:  # noqa: ANN401
    """A VPC with a subnet in each node's zone and a security group, found again by its Name."""
    named = [{"Name": "tag:Name", "Values": [place.CLUSTER]}]
    found = ec2.describe_vpcs(Filters=named)["Vpcs"]
    if not found:
        vpc = ec2.create_vpc(CidrBlock=_VPC_CIDR)["Vpc"]["VpcId"]
        for node, cidr in zip(place.NODES, _SUBNET_CIDRS, strict=True):
            ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=node.zone)
        ec2.create_security_group(GroupName=f"eks-{place.CLUSTER}", Description="nodes", VpcId=vpc)
        # Last: a VPC that has its name has all the rest.
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": place.CLUSTER}])
        found = ec2.describe_vpcs(Filters=named)["Vpcs"]
    within = [{"Name": "vpc-id", "Values": [found[0]["VpcId"]]}]
    subnets = sorted(ec2.describe_subnets(Filters=within)["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
    groups = ec2.describe_security_groups(Filters=within)["SecurityGroups"]
    group = next(group["GroupId"] for group in groups if group["GroupName"] == f"eks-{place.CLUSTER}")
    return [subnet["SubnetId"] for subnet in subnets], group


def _nodes(ec2: Any, subnets: list[str], group: str) -> None:  # noqa: ANN401
    """One running instance for each node; all nodes of the sandbox share one bridge, so the address names the node."""
    running = {
        instance["InstanceId"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    for node, subnet in zip(place.NODES, subnets, strict=True):
        if node.instance_id in running:
            continue
        # As EKS tags the nodes of a managed group; policies of the EBS CSI driver go by these.
        tags = {
            "Name": f"{place.CLUSTER}-{node.letter}",
            "eks:cluster-name": place.CLUSTER,
            f"kubernetes.io/cluster/{place.CLUSTER}": "owned",
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
    """The cluster as Terraform made it, and the access entry that lets the operator in."""
    role = f"{place.CLUSTER}-cluster"
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    _unless_it_exists(
        iam.create_role,
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    _unless_it_exists(
        eks.create_cluster,
        name=place.CLUSTER,
        version=".".join(pins.KUBERNETES.split(".")[:2]),
        roleArn=f"arn:aws:iam::{place.ACCOUNT}:role/{role}",
        resourcesVpcConfig={
            "subnetIds": subnets,
            "securityGroupIds": [group],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
        },
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        tags={"ManagedBy": "terraform"},
    )
    eks.get_waiter("cluster_active").wait(name=place.CLUSTER, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    operator = f"arn:aws:iam::{place.ACCOUNT}:user/{DEPLOYER}"
    _unless_it_exists(eks.create_access_entry, clusterName=place.CLUSTER, principalArn=operator)
    eks.associate_access_policy(
        clusterName=place.CLUSTER,
        principalArn=operator,
        policyArn=CLUSTER_ADMINISTRATOR,
        accessScope={"type": "cluster"},
    )


def _driver(iam: Any, eks: Any) -> None:  # noqa: ANN401
    """The addon and its role, made once: what the stack corrects later, a second run must not spoil."""
    made = _unless_it_exists(
        iam.create_role, RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(original_trust_policy())
    )
    if not made:
        return
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=EBS_CSI_POLICY)
    _unless_it_exists(
        eks.create_addon,
        clusterName=place.CLUSTER,
        addonName=EBS_CSI,
        addonVersion=DRIVER_VERSION,
        serviceAccountRoleArn=f"arn:aws:iam::{place.ACCOUNT}:role/{ROLE}",
    )


def _unless_it_exists(create: Callable[..., Any], **arguments: Any) -> bool:  # noqa: ANN401
    """Whether this call made it."""
    try:
        create(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in _EXISTS:
            return False
        raise
    return True


def main() -> None:
    """`python -m sandbox.aws.seed --root FOLDER [--endpoint URL]`, with the root credentials in the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the sandbox's folder")
    parser.add_argument("--endpoint", default=f"http://127.0.0.1:{place.AWS_PORT}")
    given = parser.parse_args()
    seed(given.root, given.endpoint)


if __name__ == "__main__":
    main()
