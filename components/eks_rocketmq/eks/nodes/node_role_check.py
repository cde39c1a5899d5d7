"""Check of the role that the caller gives to a node group."""

import asyncio
from collections.abc import Sequence

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import is_arn
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.account.aws_create_checks import create_session_factory
from eks_rocketmq.eks.iam.role_preflight import list_role_policies
from eks_rocketmq.eks.nodes.node_plan import find_missing_policies
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks, warn


def build_policy_warning(role: str, missing: Sequence[str]) -> ArgumentMessage:
    """Return the warning about policies that a node role does not have but needs."""
    return ArgumentMessage(
        ARGS / "role_arn",
        "node-role-policies",
        "without {policies}, nodes with {given!r} cannot join the cluster or pull images",
        remedy="Attach what is missing, or leave the argument out",
        values={"given": role, "policies": " and ".join(missing)},
    )


def warn_about_node_role(name: str, role_arn: Input[str], component: ComponentResource) -> ResourceHookBinding:
    """Return a hook of a launch template that warns if nodes cannot join the cluster with the given role.

    The hook runs at preview too.

    The hook of the resource `name` is `<name>-role`. `component` is the parent of the resource. Its AWS provider
    determines the account.
    """
    create_session = create_session_factory(component)

    async def check_role(args: ResourceHookArgs) -> None:
        role = await Output.from_input(role_arn).future()
        if not isinstance(role, str) or not is_arn(role):
            return
        try:
            session = await create_session()
            attached, inline = await asyncio.to_thread(list_role_policies, session, role.rsplit("/", 1)[-1])
            missing = find_missing_policies(attached, inline)
        except Exception as error:  # noqa: BLE001 - the same update may create the role, or reading it may be forbidden
            pulumi.log.debug(f"{args.name}: the policies of {role} cannot be read ({error})")
            return
        if missing:
            warn(build_policy_warning(role, missing), component)

    return ResourceHookBinding(before_create=create_resource_hooks(f"{name}-role", check_role))
