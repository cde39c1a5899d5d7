"""Evaluation of the driver's permissions against the policies of AWS and of this library."""

import json
from dataclasses import replace
from typing import Any

import pytest

from eks_rocketmq.doctor.facts.cluster_facts import AccountFacts, PolicyFacts, StorageClassFacts
from eks_rocketmq.doctor.policies.permissions import (
    DRIVER_ACTIONS,
    DriverScope,
    allows_snapshots,
    build_driver_scope,
    build_volume_tags,
    find_denied_actions,
    find_denied_key_actions,
)
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from tests.unit.doctor.healthy_cases import KEY_ARN, ROLE, managed_policy, self_managed_facts
from tests.unit.doctor.permission_faults import ROOT, ROOT_KEY_POLICY, SMALL_POLICY, USE_KEY, deny_key, key_policy
from tests.unit.harness.fakes import ACCOUNT, REGION

SCOPE = DriverScope(AccountFacts("aws", ACCOUNT, REGION), "prod", build_volume_tags("prod"))
CLUSTER_TAG, CLUSTER_NAME_TAG = "kubernetes.io/cluster/prod", "ebs.csi.aws.com/cluster-name"


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
    assert allows_snapshots([policy], SCOPE) is not False


def test_tags_of_the_snapshot_decide_whether_a_policy_allows_it() -> None:
    assert allows_snapshots([managed_policy("AmazonEBSCSIDriverPolicy")], SCOPE) is True
    assert allows_snapshots([managed_policy("AmazonEBSCSIDriverPolicyV2")], SCOPE) is None
    assert allows_snapshots([], SCOPE) is False


def test_a_policy_for_another_cluster_or_region_is_recognized() -> None:
    assert "ec2:CreateVolume" in find_denied_actions([generated_policy(cluster="test")], SCOPE)
    assert "ec2:DescribeVolumes" in find_denied_actions([generated_policy(region="eu-west-1")], SCOPE)


@pytest.mark.parametrize(
    ("changes", "version", "tags"),
    [
        ({}, "1.58.0", {CLUSTER_TAG, CLUSTER_NAME_TAG}),
        ({}, "1.57.1", {CLUSTER_TAG}),
        ({"cluster_id": "prod"}, "1.58.0", {CLUSTER_TAG, CLUSTER_NAME_TAG}),
        ({"cluster_id": "test"}, "1.58.0", {"kubernetes.io/cluster/test", CLUSTER_NAME_TAG}),
        ({"cluster_id": ""}, "1.58.0", set()),
        ({"cluster_id": "", "extra_tags": ((CLUSTER_TAG, "owned"),)}, "1.58.0", {CLUSTER_TAG}),
        ({"images": ("registry.example.com/driver@sha256:0",)}, "", {CLUSTER_TAG, CLUSTER_NAME_TAG}),
    ],
)
def test_the_tags_are_those_of_the_arguments_and_the_version(
    changes: dict[str, Any], version: str, tags: set[str]
) -> None:
    controller, *others = self_managed_facts().workloads  # ty: ignore[not-iterable]
    controller = replace(controller, **{"images": (f"aws-ebs-csi-driver:v{version}",), **changes})
    scope = build_driver_scope(self_managed_facts(workloads=(controller, *others)))
    assert scope is not None
    always = {"ebs.csi.aws.com/cluster", "CSIVolumeName", "kubernetes.io/created-for/pvc/name"}
    assert {*scope.tags} == always | tags
    if CLUSTER_TAG not in tags:
        assert "ec2:CreateVolume" in find_denied_actions([generated_policy()], scope)


def test_tags_of_a_class_count() -> None:
    class_ = StorageClassFacts("gp3", "ebs.csi.aws.com", parameters=(("tagSpecification_1", f"{CLUSTER_TAG}=owned"),))
    controller, *others = self_managed_facts().workloads  # ty: ignore[not-iterable]
    workloads = (replace(controller, cluster_id=""), *others)
    scope = build_driver_scope(self_managed_facts(workloads=workloads, storage_classes=(class_,)))
    assert scope is not None
    assert scope.tags[CLUSTER_TAG] == "owned"


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


ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/eks-ebs-csi-driver/1"
EC2 = f"ec2.{REGION}.amazonaws.com"


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        (deny_key(), 3),
        (deny_key({"AWS": "*"}), 3),
        (deny_key({"AWS": [ADMIN, ROLE]}), 3),
        (deny_key({"AWS": ROOT}), 3),
        (deny_key({"AWS": ACCOUNT}), 3),
        (deny_key({"AWS": ADMIN}), 0),
        (deny_key({"Service": "ec2.amazonaws.com"}), 0),
        (deny_key(action="kms:CreateGrant"), 1),
        (deny_key(action="kms:ScheduleKeyDeletion"), 0),
        # Everyone but the administrators.
        (deny_key(Condition={"ArnNotEquals": {"aws:PrincipalArn": ADMIN}}), 3),
        (deny_key(Condition={"ArnNotEquals": {"aws:PrincipalArn": [ADMIN, ROLE]}}), 0),
        (deny_key(Condition={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}), 0),
        # Only through EC2, and grants for AWS only.
        (deny_key(Condition={"StringNotEquals": {"kms:ViaService": EC2}}), 0),
        (deny_key(Condition={"StringNotEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}), 3),
        (deny_key(action="kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": False}}), 0),
        # The request decides, so it is no certain denial.
        (deny_key(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}), 0),
        ({"Effect": "Deny", "NotPrincipal": {"AWS": ADMIN}, "Action": "kms:*", "Resource": "*"}, 3),
        ({"Effect": "Deny", "NotPrincipal": {"AWS": [ROOT, ROLE]}, "Action": "kms:*", "Resource": "*"}, 0),
        ({"Effect": "Deny", "NotPrincipal": {"AWS": SESSION}, "Action": "kms:*", "Resource": "*"}, 0),
    ],
)
@pytest.mark.parametrize("principal", [ROOT, ROLE])
def test_a_deny_statement_of_the_key_policy_counts(statement: dict[str, Any], count: int, principal: str) -> None:
    policy = key_policy(principal, statement)
    assert len(find_denied_key_actions([USE_KEY], policy, KEY_ARN, ROLE, SCOPE.account)) == count


def test_a_condition_of_the_key_policy_that_does_not_hold_admits_nobody() -> None:
    for account, count in ((ACCOUNT, 0), ("999999999999", 3)):
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "kms:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:CallerAccount": account}},
        }
        policy = json.dumps({"Statement": [statement]})
        assert len(find_denied_key_actions([USE_KEY], policy, KEY_ARN, ROLE, SCOPE.account)) == count


def test_a_deny_statement_of_the_role_counts_also_if_the_key_policy_names_the_role() -> None:
    deny = PolicyFacts("deny", json.dumps({"Statement": {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}}))
    assert find_denied_key_actions([deny], key_policy(ROLE), KEY_ARN, ROLE, SCOPE.account) == ["kms:Decrypt"]
