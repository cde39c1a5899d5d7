"""Authorization by EKS access policies and access scopes in the sandbox."""

from typing import Any

import pytest

from sandbox.aws.authorizer import Authorizer, policy_allows, scope_covers

CLUSTER = {"type": "cluster"}
NAMESPACES = {"type": "namespace", "namespaces": ["rocketmq", "team-*"]}


def resource_attributes(verb: str, resource: str, namespace: str = "", group: str = "") -> dict[str, str]:
    return {"verb": verb, "resource": resource, "namespace": namespace, "group": group}


@pytest.mark.parametrize(
    ("policy", "request_", "allowed"),
    [
        ("AmazonEKSClusterAdminPolicy", resource_attributes("delete", "secrets", "kube-system"), True),
        ("AmazonEKSAdminViewPolicy", resource_attributes("get", "secrets", "rocketmq"), True),
        ("AmazonEKSAdminViewPolicy", resource_attributes("update", "secrets", "rocketmq"), False),
        ("AmazonEKSViewPolicy", resource_attributes("list", "pods", "rocketmq"), True),
        ("AmazonEKSViewPolicy", resource_attributes("get", "statefulsets", "rocketmq", "apps"), True),
        ("AmazonEKSViewPolicy", resource_attributes("get", "secrets", "rocketmq"), False),
        ("AmazonEKSViewPolicy", resource_attributes("get", "storageclasses", "", "storage.k8s.io"), False),
        ("AmazonEKSViewPolicy", resource_attributes("create", "pods", "rocketmq"), False),
        ("AmazonEKSUnknownPolicy", resource_attributes("get", "pods", "rocketmq"), False),
    ],
)
def test_access_policy_allows_only_the_verbs_and_resources_in_its_rules(
    policy: str, request_: dict[str, str], allowed: bool
) -> None:
    assert policy_allows(policy, request_) is allowed


def test_namespace_scope_covers_only_the_listed_namespaces() -> None:
    assert scope_covers(CLUSTER, resource_attributes("get", "nodes"))
    assert scope_covers(NAMESPACES, resource_attributes("get", "secrets", "rocketmq"))
    assert scope_covers(NAMESPACES, resource_attributes("get", "secrets", "team-a"))
    assert not scope_covers(NAMESPACES, resource_attributes("get", "secrets", "kube-system"))
    assert not scope_covers(NAMESPACES, resource_attributes("list", "secrets"))
    assert not scope_covers(NAMESPACES, resource_attributes("get", "nodes"))


class Eks:
    """EKS client that returns the access policies of one principal."""

    def list_associated_access_policies(self, *, clusterName: str, principalArn: str) -> dict[str, Any]:  # noqa: N803
        assert clusterName == "prod"
        found = [
            {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy", "accessScope": NAMESPACES}
        ]
        return {"associatedAccessPolicies": found if principalArn == "arn:aws:iam::1:role/preview" else []}


@pytest.mark.parametrize(
    ("extra", "attributes", "allowed"),
    [
        ({"canonicalarn": ["arn:aws:iam::1:role/preview"]}, resource_attributes("get", "secrets", "rocketmq"), True),
        (
            {"canonicalArn": ["arn:aws:iam::1:role/preview"]},
            resource_attributes("get", "secrets", "kube-system"),
            False,
        ),
        ({"canonicalArn": ["arn:aws:iam::1:role/other"]}, resource_attributes("get", "secrets", "rocketmq"), False),
        ({}, resource_attributes("get", "secrets", "rocketmq"), False),
        ({"canonicalArn": ["arn:aws:iam::1:role/preview"]}, None, False),
    ],
)
def test_review_uses_the_access_policies_of_the_token_principal(
    extra: dict[str, list[str]], attributes: dict[str, str] | None, allowed: bool
) -> None:
    answer = Authorizer("prod", Eks()).review({"spec": {"extra": extra, "resourceAttributes": attributes}})
    assert answer["kind"] == "SubjectAccessReview"
    assert answer["status"] == {"allowed": allowed}
