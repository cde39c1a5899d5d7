"""Evaluation of the driver's permissions against the policies of AWS and of this library."""

import json

import pytest

from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts, PolicyFacts
from eks_rocketmq.doctor.policies.permissions import (
    DRIVER_ACTIONS,
    DriverScope,
    allows_snapshots,
    find_denied_actions,
    find_denied_key_actions,
)
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from tests.unit.doctor.healthy_cases import KEY_ARN, ROLE, managed_policy
from tests.unit.doctor.permission_faults import ROOT_KEY_POLICY, SMALL_POLICY, USE_KEY, key_policy
from tests.unit.harness.fakes import ACCOUNT, REGION

SCOPE = DriverScope(AccountFacts("aws", ACCOUNT, REGION), "prod")


def generated_policy(*, cluster: str = "prod", region: str = REGION) -> PolicyFacts:
    return PolicyFacts("generated", build_volume_policy(PolicyScope("aws", region, ACCOUNT, cluster), snapshots=True))


@pytest.mark.parametrize(
    "policy",
    [
        managed_policy("AmazonEBSCSIDriverPolicy"),
        managed_policy("AmazonEBSCSIDriverPolicyV2"),
        managed_policy("AmazonEBSCSIDriverEKSClusterScopedPolicy"),
        generated_policy(),
    ],
    ids=["legacy", "v2", "cluster_scoped", "generated"],
)
def test_a_policy_of_the_driver_denies_nothing_that_it_needs(policy: PolicyFacts) -> None:
    assert find_denied_actions([policy], SCOPE) == []
    assert allows_snapshots([policy], SCOPE)


def test_a_policy_for_another_cluster_or_region_is_recognized() -> None:
    assert "ec2:CreateVolume" in find_denied_actions([generated_policy(cluster="test")], SCOPE)
    assert "ec2:DescribeVolumes" in find_denied_actions([generated_policy(region="eu-west-1")], SCOPE)


def test_denied_actions_are_listed() -> None:
    assert find_denied_actions([], SCOPE) == list(DRIVER_ACTIONS)
    assert find_denied_actions([PolicyFacts("broken", "{")], SCOPE) == list(DRIVER_ACTIONS)
    denied = find_denied_actions([SMALL_POLICY], SCOPE)
    assert denied == [each for each in DRIVER_ACTIONS if not each.startswith("ec2:Describe")]


def test_a_condition_that_only_the_request_decides_is_no_denial() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "ec2:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    }
    policy = PolicyFacts("vpc", json.dumps({"Statement": statement}))
    assert find_denied_actions([policy], SCOPE) == []


@pytest.mark.parametrize(
    ("policies", "key", "count"),
    [
        ([USE_KEY], ROOT_KEY_POLICY, 0),
        ([USE_KEY], key_policy(ACCOUNT), 0),
        ([USE_KEY], "", 0),
        ([PolicyFacts("own", build_key_policy([KEY_ARN]))], ROOT_KEY_POLICY, 0),
        ([], key_policy(ROLE), 0),
        ([], key_policy("*"), 0),
        ([], ROOT_KEY_POLICY, 3),
        ([USE_KEY], key_policy(f"arn:aws:iam::{ACCOUNT}:role/admin"), 3),
    ],
)
def test_the_permission_for_a_key_needs_the_role_and_the_key_policy(
    policies: list[PolicyFacts], key: str, count: int
) -> None:
    assert len(find_denied_key_actions(policies, key, KEY_ARN, ROLE, SCOPE.account)) == count
