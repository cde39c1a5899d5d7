"""The sandbox's access policies: what each allows, and where."""

from typing import Any

import pytest

from sandbox.aws.authorizer import Authorizer, policy_allows, scope_covers

CLUSTER = {"type": "cluster"}
NAMESPACES = {"type": "namespace", "namespaces": ["rocketmq", "team-*"]}


def asked(verb: str, resource: str, namespace: str = "", group: str = "") -> dict[str, str]:
    return {"verb": verb, "resource": resource, "namespace": namespace, "group": group}


@pytest.mark.parametrize(
    ("policy", "request_", "allowed"),
    [
        ("AmazonEKSClusterAdminPolicy", asked("delete", "secrets", "kube-system"), True),
        ("AmazonEKSAdminViewPolicy", asked("get", "secrets", "rocketmq"), True),
        ("AmazonEKSAdminViewPolicy", asked("update", "secrets", "rocketmq"), False),
        ("AmazonEKSViewPolicy", asked("list", "pods", "rocketmq"), True),
        ("AmazonEKSViewPolicy", asked("get", "statefulsets", "rocketmq", "apps"), True),
        ("AmazonEKSViewPolicy", asked("get", "secrets", "rocketmq"), False),
        ("AmazonEKSViewPolicy", asked("get", "storageclasses", "", "storage.k8s.io"), False),
        ("AmazonEKSViewPolicy", asked("create", "pods", "rocketmq"), False),
        ("AmazonEKSUnknownPolicy", asked("get", "pods", "rocketmq"), False),
    ],
)
def test_each_policy_allows_what_its_rules_name(policy: str, request_: dict[str, str], allowed: bool) -> None:
    assert policy_allows(policy, request_) is allowed


def test_a_scope_of_namespaces_covers_these_alone() -> None:
    assert scope_covers(CLUSTER, asked("get", "nodes"))
    assert scope_covers(NAMESPACES, asked("get", "secrets", "rocketmq"))
    assert scope_covers(NAMESPACES, asked("get", "secrets", "team-a"))
    assert not scope_covers(NAMESPACES, asked("get", "secrets", "kube-system"))
    assert not scope_covers(NAMESPACES, asked("list", "secrets"))
    assert not scope_covers(NAMESPACES, asked("get", "nodes"))


class Eks:
    """Answers with the policies of one principal."""

    def list_associated_access_policies(self, *, clusterName: str, principalArn: str) -> dict[str, Any]:  # noqa: N803
        assert clusterName == "prod"
        found = [
            {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy", "accessScope": NAMESPACES}
        ]
        return {"associatedAccessPolicies": found if principalArn == "arn:aws:iam::1:role/preview" else []}


@pytest.mark.parametrize(
    ("extra", "attributes", "allowed"),
    [
        ({"canonicalarn": ["arn:aws:iam::1:role/preview"]}, asked("get", "secrets", "rocketmq"), True),
        ({"canonicalArn": ["arn:aws:iam::1:role/preview"]}, asked("get", "secrets", "kube-system"), False),
        ({"canonicalArn": ["arn:aws:iam::1:role/other"]}, asked("get", "secrets", "rocketmq"), False),
        ({}, asked("get", "secrets", "rocketmq"), False),
        ({"canonicalArn": ["arn:aws:iam::1:role/preview"]}, None, False),
    ],
)
def test_a_review_follows_the_principal_of_the_token(
    extra: dict[str, list[str]], attributes: dict[str, str] | None, allowed: bool
) -> None:
    answer = Authorizer("prod", Eks()).review({"spec": {"extra": extra, "resourceAttributes": attributes}})
    assert answer["kind"] == "SubjectAccessReview"
    assert answer["status"] == {"allowed": allowed}
