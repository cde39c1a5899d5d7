"""Checks of an EKS addon at preview, before the engine creates or updates it."""

import asyncio
from collections.abc import Mapping
from functools import reduce
from typing import Any

import pulumi
from pulumi import (
    ComponentResource,
    Input,
    Output,
    ResourceHookArgs,
    ResourceHookBinding,
)

from eks_rocketmq.component import resource_hooks
from eks_rocketmq.eks.lookup import Found
from eks_rocketmq.eks.preflight import refuse_existing
from eks_rocketmq.preflight import ownership_tags, refusing

_BOTH = (
    "the cluster has the driver of EKS Auto Mode as well, so two drivers run in it: claims of a class with the "
    "provisioner ebs.csi.eks.amazonaws.com are served by Auto Mode, on its nodes only; those of ebs.csi.aws.com and "
    "kubernetes.io/aws-ebs by the addon, on all other nodes"
)


def check_addon(
    name: str, component: ComponentResource, *, existing: str, keep: str, kubeconfig: Input[str] | None = None
) -> ResourceHookBinding:
    """Return the hooks of an addon.

    Args:
        name: name of the addon's resource.
        component: its parent.
        existing: how the program uses an addon without managing it, for the error.
        keep: the arguments that keep an IRSA role, for the error.
        kubeconfig: of the cluster, for the addon of the EBS CSI driver.
    """
    hooks = [
        refuse_existing(name, existing, component),
        _refuse_other_driver(name, kubeconfig),
        _refuse_role_removal(name, keep),
    ]
    return reduce(ResourceHookBinding.merge, hooks, ResourceHookBinding())


def _refuse_role_removal(name: str, keep: str) -> ResourceHookBinding:
    """Return a hook that rejects an update which takes the IRSA role off an addon.

    The AWS provider sends an empty ARN then, and EKS rejects it half-way through the update
    (https://github.com/hashicorp/terraform-provider-aws/issues/30645). A replacement has no such request.

    Args:
        name: name of the addon's resource; the hook is `<name>-role-removal`.
        keep: the arguments that keep the role, for the error.
    """
    stack, tags = pulumi.get_stack(), ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        old, new = args.old_outputs or {}, args.new_inputs or {}
        role = old.get("serviceAccountRoleArn")
        # Of an addon without this stack's tag the create would be refused.
        marked = tags.items() <= dict(old.get("tagsAll") or {}).items()
        first = (
            ""
            if marked
            else f"pulumi up -s {stack}, with the role kept, as the addon was only imported; then\n" + " " * 12
        )
        if not role or new.get("serviceAccountRoleArn"):
            return
        msg = (
            f"Addon {args.id!r} has the IAM role {role!r}, and this update removes it. EKS rejects the request that "
            "the AWS provider sends for that (hashicorp/terraform-provider-aws issue 30645). Two ways on:\n"
            "  replace   delete the addon and create it with the new identity; until it is ACTIVE again, volumes that\n"
            "            are mounted keep working, and no volume is created or attached:\n"
            f"            {first}pulumi up -s {stack} --replace '{args.urn}'\n"
            f"  keep      {keep}"
        )
        raise RuntimeError(msg)

    return ResourceHookBinding(before_update=resource_hooks(f"{name}-role-removal", check))


def _refuse_other_driver(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """Return a hook that rejects the create of the addon where a driver runs that EKS does not manage.

    EKS would install the addon over its objects, whose selectors cannot change.

    Args:
        name: name of the addon's resource; the hook is `<name>-driver-preflight`.
        kubeconfig: of the cluster; without it, and while it is unknown, the check is left out.
    """
    if kubeconfig is None:
        return None
    config: Output[str] = Output.from_input(kubeconfig)

    def find(known: str) -> Found | None:
        from eks_rocketmq.eks.driver_lookup import find_controller, has_auto_mode  # noqa: PLC0415 - loads the client

        provider = {"kubeconfig": known}
        if has_auto_mode(provider):
            pulumi.log.warn(_BOTH)
        return find_controller(provider)

    async def look(_: ResourceHookArgs) -> Found | None:
        known = await config.future()
        return await asyncio.to_thread(find, known) if known else None

    return refusing(f"{name}-driver", look, lambda args, found: _other_driver(args.new_inputs or {}, found.id))


def _other_driver(inputs: Mapping[str, Any], found: str) -> str:
    return (
        f"An EBS CSI driver runs in cluster {inputs.get('clusterName')!r} as Deployment {found!r}, and EKS does not "
        "manage it. The addon would be installed over its objects. Three ways on:\n"
        "  self-managed   keep it and give it this stack's role: EbsCsiAddon with self_managed (the program's setting\n"
        "                 `ebsCsiDriver: self-managed`)\n"
        "  create         uninstall it with the tool that installed it, and run again: volumes stay, and none is\n"
        "                 created or attached until the addon is ACTIVE\n"
        "  existing       install the addon yourself, then EbsCsiAddon with existing=True (`ebsCsiDriver: existing`)"
    )
