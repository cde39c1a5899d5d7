"""Roles that AWS services assume, with the managed policies that they need."""

from collections.abc import Sequence

import pulumi_aws as aws
from pulumi import ComponentResource, Input

from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.iam.policy_documents import format_managed_policy_arn
from eks_rocketmq.eks.iam.service_documents import build_service_trust_policy, get_service_principals
from eks_rocketmq.lookups.create_checks import ownership_tags
from eks_rocketmq.pulumi_sdk.component import child_options


def create_service_role(  # noqa: PLR0913 - each is a part of the role
    component: ComponentResource,
    name: str,
    *,
    service: str,
    policies: Sequence[str],
    tags: dict[str, Input[str]],
    sessions: bool = False,
) -> tuple[aws.iam.Role, list[aws.iam.RolePolicyAttachment]]:
    """A role that a service of AWS takes, with policies that AWS manages. Its name is automatic: IAM knows no regions,
    and a cluster of the same name may stand in another one.

    Args:
        component: the parent.
        name: name of the role's resource.
        service: principal of the service, as in most partitions.
        policies: path and name of each managed policy.
        tags: tags of the role.
        sessions: whether the service tags its sessions.
    """
    partition = aws_account.get_partition(component)
    role = aws.iam.Role(
        f"{name}-role",
        assume_role_policy=partition.apply(
            lambda known: build_service_trust_policy(get_service_principals(service, known), sessions=sessions)
        ),
        tags={**tags, **ownership_tags()},
        opts=child_options(component),
    )
    return role, attach_policies(component, name, role, policies)


def attach_policies(
    component: ComponentResource, name: str, role: aws.iam.Role, policies: Sequence[str]
) -> list[aws.iam.RolePolicyAttachment]:
    """An attachment for each policy that exists: one of AWS by path and name, one of an account by its ARN."""
    if not policies:
        return []
    partition = aws_account.get_partition(component)
    return [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy.rsplit('/', 1)[-1]}",
            role=role.name,
            policy_arn=partition.apply(lambda known, policy=policy: format_managed_policy_arn(known, policy)),
            opts=child_options(component),
        )
        for policy in policies
    ]
