"""Checks of an EKS addon at preview, before the engine creates or updates it."""

import pulumi
from pulumi import (
    ComponentResource,
    ResourceHookArgs,
    ResourceHookBinding,
)

from eks_rocketmq.eks.account.aws_create_checks import reject_existing_resource
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks


def create_addon_hooks(
    name: str, component: ComponentResource, *, existing: str, keep: str, meanwhile: str
) -> ResourceHookBinding:
    """Return the hooks of an addon.

    Args:
        existing: how to use an addon without managing it, as an instruction for the error.
        keep: how to keep an IRSA role, as an instruction for the error.
        meanwhile: what works, and what does not, while the addon is replaced.
    """
    return ResourceHookBinding.merge(
        reject_existing_resource(name, existing, component), _reject_role_removal(name, keep, meanwhile)
    )


def _reject_role_removal(name: str, keep: str, meanwhile: str) -> ResourceHookBinding:
    """Return a hook that rejects an update that removes the IRSA role of an addon.

    The AWS provider sends an empty ARN, which EKS rejects during the update
    (https://github.com/hashicorp/terraform-provider-aws/issues/30645). A replacement does not send such a request.

    Args:
        name: name of the addon's resource; the hook is `<name>-role-removal`.
        keep: how to keep the role, as an instruction for the error.
        meanwhile: what works, and what does not, while the addon is replaced.
    """
    stack, tags = pulumi.get_stack(), get_ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        old, new = args.old_outputs or {}, args.new_inputs or {}
        role = old.get("serviceAccountRoleArn")
        # The stack would reject the create of an addon without its tag.
        is_owned = tags.items() <= dict(old.get("tagsAll") or {}).items()
        first = (
            ""
            if is_owned
            else f"pulumi up -s {stack}, with the role kept, as the addon was only imported; then\n" + " " * 12
        )
        if not role or new.get("serviceAccountRoleArn"):
            return
        msg = (
            f"Addon {args.id!r} has the IAM role {role!r}, and this update removes it. EKS rejects the request that "
            "the AWS provider sends for that (hashicorp/terraform-provider-aws issue 30645). Choose one:\n"
            f"  replace   delete the addon and create it with the new identity; {meanwhile}:\n"
            f"            {first}pulumi up -s {stack} --replace '{args.urn}'\n"
            f"  keep      {keep}"
        )
        raise RuntimeError(msg)

    return ResourceHookBinding(before_update=create_resource_hooks(f"{name}-role-removal", check))
