"""Warning about the policies of an imported role that the stack does not manage."""

import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.account.aws_create_checks import create_session_factory
from eks_rocketmq.lookups.aws_session import Session
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE, get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks, warn

_POLICY_SEPARATOR = ":policy/"
_ARGUMENT = ARGS / "exclusive_policies"


def warn_about_unmanaged_policies(
    name: str,
    component: ComponentResource,
    *,
    policies: Collection[Input[str]],
    inline: Collection[str],
    exclusive: ArgumentPath | None,
) -> ResourceHookBinding:
    """Return a hook that warns about policies of a role that the stack does not manage.

    It warns at the first update after the import. An imported role does not have this stack's tag. Later updates make
    no request.

    Args:
        name: name of the role's resource; the hook is `<name>-policies`.
        component: parent of the role. Its AWS provider determines the account.
        policies: policies that the stack attaches, by ARN, or by path and name.
        inline: names of the stack's inline policies.
        exclusive: argument that removes other policies, if the caller has one.
    """
    create_session = create_session_factory(component)
    tags = get_ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        old = (args.old_outputs or {}).get("tagsAll") or {}
        if os.environ.get(SKIP_VARIABLE) or tags.items() <= dict(old).items():
            return
        role = (args.old_outputs or {}).get("name") or args.id
        try:
            session = await create_session()
            attached, embedded = await asyncio.to_thread(list_role_policies, session, role)
        except Exception as error:  # noqa: BLE001 - an optional check must not stop a valid update
            pulumi.log.warn(f"cannot tell which policies IAM role {role!r} has ({error}); going on without that check")
            return
        known = [await pulumi.Output.from_input(policy).future() for policy in policies]
        managed = {_strip_account(policy) for policy in known if policy}
        others = [arn for arn in attached if _strip_account(arn) not in managed]
        others += [f"{each} (inline)" for each in embedded if each not in inline]
        if others:
            warn(build_warning(role, others, exclusive), component)

    return ResourceHookBinding(before_update=create_resource_hooks(f"{name}-policies", check))


def list_role_policies(session: Session, role: str) -> tuple[list[str], list[str]]:
    """Return the ARNs of a role's attached policies, and the names of its inline policies."""
    iam = session.client("iam")

    def list_items(operation: str, key: str) -> list[Any]:
        return [each for page in iam.get_paginator(operation).paginate(RoleName=role) for each in page[key]]

    attached: list[Mapping[str, str]] = list_items("list_attached_role_policies", "AttachedPolicies")
    return [each["PolicyArn"] for each in attached], list_items("list_role_policies", "PolicyNames")


def _strip_account(policy: str) -> str:
    """Return path and name of a policy without partition and account."""
    return policy.rpartition(_POLICY_SEPARATOR)[2]


def build_warning(role: str, others: list[str], exclusive: ArgumentPath | None = _ARGUMENT) -> ArgumentMessage:
    """Return the warning about policies of a role that the stack does not manage."""
    return ArgumentMessage(
        exclusive or ARGS,
        "unmanaged-policies",
        "IAM role {role!r} was imported with policies that this stack does not manage: {policies}. They stay in effect "
        "in addition to the policies of the stack",
        remedy="Detach them with `aws iam detach-role-policy` and `aws iam delete-role-policy`"
        + (", or set this argument to true" if exclusive else ""),
        values={"role": role, "policies": ", ".join(others)},
    )
