"""Roles that AWS services assume, with managed policies."""

from collections.abc import Callable, Sequence

import pulumi_aws as aws
from pulumi import ComponentResource, Input, ResourceHookBinding

from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.iam.policy_documents import format_managed_policy_arn
from eks_rocketmq.eks.iam.service_documents import build_service_trust_policy, get_service_principals
from eks_rocketmq.lookups.create_checks import get_ownership_tags
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
    """Create a role that an AWS service assumes, with managed policies.

    Pulumi generates the role's name. IAM is global, and another region may have a cluster of the same name.

    Args:
        name: prefix of the resource names.
        service: principal of the service in the partition `aws`.
        policies: path and name of each managed policy.
        sessions: whether the service tags its sessions.
    """
    partition = aws_account.get_partition(component)
    role = aws.iam.Role(
        f"{name}-role",
        assume_role_policy=partition.apply(
            lambda known: build_service_trust_policy(get_service_principals(service, known), sessions=sessions)
        ),
        tags={**tags, **get_ownership_tags()},
        opts=child_options(component),
    )
    return role, attach_policies(component, name, role, policies)


def attach_policies(
    component: ComponentResource,
    name: str,
    role: aws.iam.Role,
    policies: Sequence[str],
    create_hooks: Callable[[str, str], ResourceHookBinding | None] = lambda *_: None,
) -> list[aws.iam.RolePolicyAttachment]:
    """Attach existing policies to a role: AWS managed ones by path and name, customer managed ones by ARN.

    `name` is the prefix of the attachments' names. `create_hooks` takes the name of a policy and that of its
    attachment, and returns the hooks of the attachment.
    """
    if not policies:
        return []
    partition = aws_account.get_partition(component)
    keys = {policy.rsplit("/", 1)[-1]: policy for policy in policies}
    return [
        aws.iam.RolePolicyAttachment(
            f"{name}-{key}",
            role=role.name,
            policy_arn=partition.apply(lambda known, policy=policy: format_managed_policy_arn(known, policy)),
            opts=child_options(component, hooks=create_hooks(key, f"{name}-{key}")),
        )
        for key, policy in keys.items()
    ]
