"""Error and warning messages about the arguments of a cluster."""

from typing import Any

import pytest

from eks_rocketmq.eks.cluster.cluster_plan import plan_cluster
from eks_rocketmq.eks.cluster.existing_cluster import warn_of_config_map
from tests.unit.harness.rejections import Wording, check_wording

CLUSTER = {"cluster_name": "prod", "version": "1.35", "vpc_id": "vpc-1", "subnet_ids": ["subnet-a", "subnet-b"]}
ROLE = "arn:aws:iam::123456789012:role/platform"
SESSION = "arn:aws:sts::123456789012:assumed-role/platform/me"
WARNINGS = ["role-without-access-entry"]


def plan(**changed: Any) -> object:
    args: Any = {**CLUSTER, **changed}
    return plan_cluster(args)


def plan_entry(**changed: Any) -> object:
    return plan(access_entries=[{"name": "team", "principal_arn": ROLE, "kubernetes_groups": ["a"], **changed}])


WORDING = [
    Wording(
        "empty-group",
        lambda: plan_entry(kubernetes_groups=[" "]),
        "access_entries['team'].kubernetes_groups[0]: the name ' ' is empty, so the entry would grant nothing. "
        "Accepted: the name of a group in a role binding, such as 'platform-team'.",
    ),
    Wording(
        "ignored-property",
        lambda: plan(ignore_changes=["*"]),
        "ignore_changes[0]: '*' does not name one property. Accepted: a property, such as 'version' or "
        "'vpcConfig.publicAccessCidrs'.",
    ),
    Wording(
        "cluster-version",
        lambda: plan(version="1.29"),
        "version: '1.29' is not accepted. Accepted: a minor version of Kubernetes from 1.30 on, such as '1.35'.",
    ),
    Wording(
        "control-plane-subnets",
        lambda: plan(subnet_ids=["subnet-a"]),
        "subnet_ids: the number of subnets is 1. Accepted: 2 or more subnets, in different zones.",
    ),
    Wording(
        "cluster-timeout",
        lambda: plan(timeouts={"create": "45 minutes"}),
        "timeouts.create: '45 minutes' is not accepted. Accepted: a duration, such as '45m' or '1h30m'.",
    ),
    Wording(
        "cluster-without-administrator",
        lambda: plan(creator_is_admin=False),
        "creator_is_admin: no principal could administer the cluster, because no access entry has the policy "
        "'AmazonEKSClusterAdminPolicy' for the whole cluster. Add such an entry for the identity that runs the stack "
        "to access_entries, or leave this argument out.",
    ),
    Wording(
        "access-entry-name",
        lambda: plan_entry(name="Platform"),
        "access_entries['Platform'].name: 'Platform' is not accepted. Accepted: lower-case letters, digits and '-', "
        "such as 'platform-team'.",
    ),
    Wording(
        "access-entry-principal",
        lambda: plan_entry(principal_arn=SESSION),
        "access_entries['team'].principal_arn: 'arn:aws:sts::123456789012:assumed-role/platform/me' is no principal "
        "that EKS accepts. Accepted: the ARN of an IAM role or user. Give the ARN of the role, not of its session.",
    ),
    Wording(
        "access-entry-without-permissions",
        lambda: plan_entry(kubernetes_groups=[]),
        "access_entries['team']: the access entry grants no permissions. Set at least one of these: policies, "
        "kubernetes_groups.",
    ),
    Wording(
        "reserved-group",
        lambda: plan_entry(kubernetes_groups=["system:masters"]),
        "access_entries['team'].kubernetes_groups[0]: EKS reserves the group 'system:masters'. Accepted: a group that "
        "begins with none of 'system:', 'eks:', 'aws:', 'amazon:', 'iam:'. Bind a role to a group with another name.",
    ),
    Wording(
        "reserved-username",
        lambda: plan_entry(username="system:team"),
        "access_entries['team'].username: EKS reserves the username 'system:team'. Accepted: a name that begins with "
        "none of 'system:', 'eks:', 'aws:', 'amazon:', 'iam:'. Leave it out, and EKS takes the ARN of the principal.",
    ),
    Wording(
        "access-policy",
        lambda: plan_entry(policies=[{"policy": "ClusterAdmin"}]),
        "access_entries['team'].policies[0].policy: 'ClusterAdmin' is not accepted. Accepted: the name of an EKS "
        "access policy, such as 'AmazonEKSClusterAdminPolicy'.",
    ),
    Wording(
        "access-policy-namespace",
        lambda: plan_entry(policies=[{"policy": "AmazonEKSEditPolicy", "namespaces": ["Team"]}]),
        "access_entries['team'].policies[0].namespaces[0]: 'Team' is not accepted. Accepted: the name of a namespace, "
        "such as 'rocketmq' or 'team-*'.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_warning_about_a_role_without_access_entry() -> None:
    warning = warn_of_config_map("prod", ROLE)
    assert warning.code == "role-without-access-entry"
    assert warning.render() == (
        "role_arn: cluster 'prod' has the authentication mode CONFIG_MAP and ignores access entries. Only principals "
        "in the ConfigMap kube-system/aws-auth have access. If the cluster answers Unauthorized, add "
        "'arn:aws:iam::123456789012:role/platform' to that ConfigMap (`eksctl create iamidentitymapping`). Or change "
        "the mode to API_AND_CONFIG_MAP (`aws eks update-cluster-config`), and create an access entry for the role. "
        "This change of the mode cannot be undone."
    )
