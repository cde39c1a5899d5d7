"""Generated IAM documents of all kinds and partitions, checked against the AWS service reference."""

import itertools
import json
from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import format_subject
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from eks_rocketmq.eks.iam.policy_documents import (
    CUSTOMER_POLICY_LIMIT,
    INLINE_POLICIES_LIMIT,
    build_pod_identity_statements,
    build_trust_policy,
    build_web_identity_statements,
    count_characters,
    normalize_permission_policy,
)
from tests.unit.harness.iam_lint import permission_problems, trust_problems

ACCOUNT = "140023393377"
PARTITIONS = {"aws": "ap-southeast-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
LONGEST = "c" * 100


def volumes(partition: str, snapshots: bool) -> str:
    return build_volume_policy(PolicyScope(partition, PARTITIONS[partition], ACCOUNT, LONGEST), snapshots=snapshots)


def keys(partition: str, number: int = 3) -> str:
    arns = [f"arn:{partition}:kms:{PARTITIONS[partition]}:{ACCOUNT}:key/mrk-{i:032x}" for i in range(number)]
    return build_key_policy(arns)


def trust(partition: str) -> str:
    region, suffix = PARTITIONS[partition], ".cn" if partition == "aws-cn" else ""
    issuer = f"https://oidc.eks.{region}.amazonaws.com{suffix}/id/8DE440F2238C6B959FB7C65EA52AF80B"
    provider = f"arn:{partition}:iam::{ACCOUNT}:oidc-provider/{issuer.removeprefix('https://')}"
    subjects = [format_subject("apps", "reader"), format_subject("apps", "worker-*")]
    return build_trust_policy(
        [
            *build_web_identity_statements(provider, issuer, subjects),
            *build_pod_identity_statements(
                f"arn:{partition}:eks:{region}:{ACCOUNT}:cluster/prod", [("apps", "reader")]
            ),
        ]
    )


@pytest.mark.parametrize(("partition", "snapshots"), list(itertools.product(PARTITIONS, (False, True))))
def test_the_volume_policy_is_valid(partition: str, snapshots: bool) -> None:
    document = volumes(partition, snapshots)
    assert permission_problems(document, partition) == []
    assert normalize_permission_policy(document, ARGS / "policy") == document
    assert ("Snapshot" in document) is snapshots


@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_key_policy_is_valid_and_restricted_to_ec2(partition: str) -> None:
    assert permission_problems(keys(partition), partition) == []
    assert normalize_permission_policy(keys(partition), ARGS / "policy") == keys(partition)
    services = json.loads(keys(partition))["Statement"][0]["Condition"]["StringEquals"]["kms:ViaService"]
    region = PARTITIONS[partition]
    names = [f"ec2.{region}.amazonaws.com", f"ec2.{region}.amazonaws.com.cn"]
    assert services == (names if partition == "aws-cn" else names[:1])


@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_trust_policy_is_valid_and_requires_the_sts_audience(partition: str) -> None:
    assert trust_problems(trust(partition), partition) == []
    audiences = {
        value
        for statement in json.loads(trust(partition))["Statement"]
        for key, value in statement["Condition"]["StringEquals"].items()
        if key.endswith(":aud")
    }
    assert audiences == {"sts.amazonaws.com"}, "the audience is the same in every partition"


def test_the_longest_documents_do_not_exceed_the_size_limits_of_iam() -> None:
    longest = volumes("aws-us-gov", snapshots=True)
    assert count_characters(longest) <= CUSTOMER_POLICY_LIMIT
    assert count_characters(longest) + count_characters(keys("aws-us-gov", 20)) <= INLINE_POLICIES_LIMIT


@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_document_is_invalid_in_every_other_partition(partition: str) -> None:
    others = set(PARTITIONS) - {partition}
    for document in (volumes(partition, snapshots=True), keys(partition)):
        assert all(permission_problems(document, other) for other in others)
    assert all(trust_problems(trust(partition), other) for other in others)


def _changed(**change: Any) -> str:
    document = json.loads(volumes("aws", snapshots=True))
    document["Statement"][1] |= change
    return json.dumps(document)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (_changed(Action="ec2:CreateVolumes"), "there is no action ec2:CreateVolumes"),
        (_changed(Action="ec2:*"), r"there is no action ec2:\*"),
        (_changed(Resource="*"), "has resource-level permissions"),
        (_changed(Resource=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*"), "is not authorized on"),
        (_changed(Resource=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:snapshot/*"), "is not authorized on"),
        (_changed(Resource=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:inst*/*"), "is not authorized on"),
        (_changed(Resource="volume/*"), "is no ARN"),
        (_changed(NotAction="x"), "unknown elements"),
        (_changed(Effect="Deny"), "Effect is Deny"),
        (_changed(Sid="Read"), "not unique"),
        (_changed(Condition={"StringEqual": {"aws:RequestTag/a": "b"}}), "unknown operator StringEqual"),
        (
            _changed(Condition={"StringEquals": {"ec2:InstanceProfile": "b"}}),
            "has no condition key ec2:InstanceProfile",
        ),
    ],
)
def test_the_linter_reports_invalid_documents(document: str, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        assert not permission_problems(document, "aws"), "\n".join(permission_problems(document, "aws"))


def test_the_linter_accepts_a_wildcard_that_matches_the_resource_types() -> None:
    volumes = json.loads(_changed(Resource=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:*/*"))
    assert permission_problems(json.dumps(volumes), "aws") == []
