"""A new EKS cluster for tests: its arguments, its program and the resources that it registers."""

from collections.abc import Callable
from typing import Any

import pulumi

from eks_rocketmq import EksCluster, EksClusterArgs
from tests.unit.harness.fakes import ACCOUNT, REGION

ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
TEAM = f"arn:aws:iam::{ACCOUNT}:role/platform"
CLUSTER = "aws:eks/cluster:Cluster"
REMOTE = "eks:index:Cluster"
ARGS: EksClusterArgs = {
    "cluster_name": "prod",
    "version": "1.35",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b", "subnet-c"],
}
INVENTORY = {
    "aws:cloudwatch/logGroup:LogGroup": 1,
    "aws:eks/cluster:Cluster": 1,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
    "aws:kms/key:Key": 1,
    "eks-rocketmq:index:EksCluster": 1,
    "eks:index:Cluster": 1,
    "pulumi:providers:kubernetes": 2,
}


def program(opts: pulumi.ResourceOptions | None = None, **changed: Any) -> Callable[[], None]:
    args: Any = {**ARGS, **changed}

    def register() -> None:
        cluster = EksCluster("cluster", args, opts)
        pulumi.export("kubeconfig", cluster.kubeconfig)

    return register


ENTRIES = [
    {
        "name": "team",
        "principal_arn": TEAM,
        "policies": [
            {"policy": "AmazonEKSViewPolicy"},
            {"policy": "AmazonEKSEditPolicy", "namespaces": ["rocketmq", "team-*"]},
        ],
    },
    {"name": "bound", "principal_arn": f"{TEAM}-ci", "kubernetes_groups": ["deployers"], "username": "ci"},
    {"name": "machines", "principal_arn": f"{TEAM}-nodes", "type": "EC2_LINUX"},
    {
        "name": "auto",
        "principal_arn": f"{TEAM}-auto",
        "type": "EC2",
        "policies": [{"policy": "AmazonEKSAutoNodePolicy"}],
    },
]
