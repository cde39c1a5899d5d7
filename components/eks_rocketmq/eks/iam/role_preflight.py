"""A warning about policies that an adopted role keeps beside those of the stack."""

import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.eks.account.aws_create_checks import create_session_factory
from eks_rocketmq.lookups.aws_session import Session
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE, ownership_tags
from eks_rocketmq.pulumi_sdk.component import resource_hooks

_POLICY_SEPARATOR = ":policy/"


def warn_about_unmanaged_policies(
    name: str,
    component: ComponentResource,
    *,
    policies: Collection[str],
    arns: Collection[Input[str]],
    inline: Collection[str],
) -> ResourceHookBinding:
    """Return a hook of a role: at the first update after its import, it names the policies that others left on it.

    A role without this stack's tag was imported. Later updates ask nothing.

    Args:
        name: name of the role's resource; the hook is `<name>-policies`.
        component: its parent, whose AWS provider says which account is asked.
        policies: attached by the stack: ARN, or path and name.
        arns: attached by the stack, from other resources.
        inline: policies within the role, by name.
    """
    ask = create_session_factory(component)
    tags = ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        old = (args.old_outputs or {}).get("tagsAll") or {}
        if os.environ.get(SKIP_VARIABLE) or tags.items() <= dict(old).items():
            return
        role = (args.old_outputs or {}).get("name") or args.id
        try:
            session = await ask()
            found = await asyncio.to_thread(list_role_policies, session, role)
        except Exception as error:  # noqa: BLE001 - the check is a service, it must not stop what would be allowed
            pulumi.log.warn(f"cannot tell which policies IAM role {role!r} has ({error}); going on without that check")
            return
        known = [await pulumi.Output.from_input(arn).future() for arn in arns]
        wanted = {_strip_account(policy) for policy in [*policies, *known] if policy}
        others = [arn for arn in found[0] if _strip_account(arn) not in wanted]
        others += [f"{each} (inline)" for each in found[1] if each not in inline]
        if others:
            pulumi.log.warn(_format_warning(role, others))

    return ResourceHookBinding(before_update=resource_hooks(f"{name}-policies", check))


def list_role_policies(session: Session, role: str) -> tuple[list[str], list[str]]:
    """ARNs of the policies attached to a role, and names of those within it."""
    iam = session.client("iam")

    def listed(operation: str, key: str) -> list[Any]:
        return [each for page in iam.get_paginator(operation).paginate(RoleName=role) for each in page[key]]

    attached: list[Mapping[str, str]] = listed("list_attached_role_policies", "AttachedPolicies")
    return [each["PolicyArn"] for each in attached], listed("list_role_policies", "PolicyNames")


def _strip_account(policy: str) -> str:
    """Path and name of a policy, whatever its partition and account."""
    return policy.rpartition(_POLICY_SEPARATOR)[2]


def _format_warning(role: str, others: list[str]) -> str:
    return (
        f"IAM role {role!r} was imported with policies that this stack does not give it: {', '.join(others)}. They "
        "stay in force, and what they allow goes on beside the stack's own policies. Detach them (`aws iam "
        "detach-role-policy`, `aws iam delete-role-policy`), or let the stack do it: exclusive_policies True (for the "
        "EBS CSI driver the program's setting `ebsCsi.exclusivePolicies: true`)"
    )
