"""Error and warning messages about node groups."""

from typing import Any

import pytest

from eks_rocketmq.eks.nodes.node_plan import plan_nodes
from eks_rocketmq.eks.nodes.node_role_check import build_policy_warning
from tests.unit.harness.rejections import Wording, check_wording


def plan(**changed: Any) -> None:
    args: Any = {"cluster_name": "prod", "subnet_ids": ["s-1", "s-2", "s-3"], "instance_types": ["m7i.large"]}
    plan_nodes("brokers", {**args, **changed})


WORDING = [
    Wording(
        "node-group-name",
        lambda: plan_nodes("a/b", {"cluster_name": "prod", "subnet_ids": ["s-1"], "instance_types": ["m7i.large"]}),
        "the name 'a/b' gives node groups the prefix 'a/b-1-' of 6 characters, which EKS does not accept. Accepted: "
        "prefixes of up to 37 letters, digits, '-' and '_', beginning with a letter or a digit. Take another name.",
    ),
    Wording(
        "node-group-sizes",
        lambda: plan(min_size=2),
        "desired_size: the sizes 2, 1 and 1 are not in rising order. Accepted: sizes in the order min_size, "
        "desired_size, max_size.",
    ),
    Wording(
        "reserved-node-label",
        lambda: plan(labels={"node-role.kubernetes.io/broker": ""}),
        "labels: EKS or the kubelet rejects the label 'node-role.kubernetes.io/broker'. Accepted: labels outside "
        "kubernetes.io, k8s.io, eks.amazonaws.com and their subdomains, and labels of node.kubernetes.io and "
        "kubelet.kubernetes.io. Take a domain of your own, as in 'example.com/role'.",
    ),
    Wording(
        "ami-release",
        lambda: plan(release_version="latest"),
        "release_version: 'latest' is not accepted. Accepted: the release of an AMI, such as '1.35.2-20260715'.",
    ),
    Wording(
        "ami-release-of-other-version",
        lambda: plan(release_version="1.35.2-20260715", version="1.34"),
        "release_version: '1.35.2-20260715' has another kubelet than version '1.34'. Accepted: releases that begin "
        "with '1.34.'. Take one of them, or leave one of the two arguments out.",
    ),
    Wording(
        "subnets-and-zones",
        lambda: plan(zone_count=2),
        "subnet_ids: the list has 3 subnets, but zone_count is 2. Accepted: one subnet for each zone.",
    ),
    Wording(
        "unknown-subnet-count",
        lambda: plan(subnet_ids=None),
        "subnet_ids: the list is an output of another resource, and preview may not know its length. Give the number "
        "as zone_count, or set per_zone to false for one group over all zones.",
    ),
    Wording(
        "instance-type",
        lambda: plan(instance_types=["large"]),
        "instance_types[0]: 'large' is not accepted. Accepted: an instance type, such as 'm7i.large' or 'm7g.large'.",
    ),
    Wording(
        "instance-architectures",
        lambda: plan(instance_types=["m7i.large", "m7g.large"]),
        "instance_types: the list has m7i.large (x86_64) and m7g.large (arm64). Accepted: one or more types of the "
        "same architecture.",
    ),
    Wording(
        "ami-architecture",
        lambda: plan(ami_type="AL2023_ARM_64_STANDARD"),
        "ami_type: 'AL2023_ARM_64_STANDARD' is for arm64, but m7i.large has x86_64. Accepted: "
        "'AL2023_x86_64_STANDARD', 'BOTTLEROCKET_x86_64', 'BOTTLEROCKET_x86_64_FIPS'.",
    ),
]
WARNINGS = ["node-role-policies"]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_warning_about_missing_policies_of_the_node_role() -> None:
    role = "arn:aws:iam::123456789012:role/nodes"
    warning = build_policy_warning(role, ["AmazonEKSWorkerNodePolicy"])
    assert [warning.code] == ["node-role-policies"]
    assert warning.render() == (
        f"role_arn: without AmazonEKSWorkerNodePolicy, nodes with {role!r} cannot join the cluster or pull images. "
        "Attach what is missing, or leave the argument out."
    )


def test_error_message_for_an_empty_list_of_subnets_or_instance_types() -> None:
    with pytest.raises(ValueError, match=r"^subnet_ids: the list is empty\. Accepted: one subnet for each zone\.$"):
        plan(subnet_ids=[])
    with pytest.raises(ValueError, match=r"^instance_types: the list is empty\. Accepted: one or more types of the "):
        plan(instance_types=[])
