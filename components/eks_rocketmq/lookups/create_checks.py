"""Says at preview when something that would be created exists already, instead of an error half-way through an update.

The engine calls a `before_create` hook only when it plans a create, so the check needs no knowledge of the state: on
the second run the resource is the stack's own and nobody asks.
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi
from pulumi import (
    Input,
    Output,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceTransform,
    ResourceTransformArgs,
    ResourceTransformResult,
)

from eks_rocketmq.lookups.existing_resource import ExistingResource, LookupUnavailableError
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks

SKIP_VARIABLE = "EKS_ROCKETMQ_SKIP_PREFLIGHT"
"""Set by `eks-rocketmq adopt` for its own preview, which wants the plan with everything that exists."""

OWNER_TAG = "eks-rocketmq/stack"


def get_ownership_tags() -> dict[str, str]:
    """The tag that marks what this stack made, so that a replacement of its own resource is no conflict."""
    return {OWNER_TAG: f"{pulumi.get_project()}/{pulumi.get_stack()}"}


def describe_owner(type_: str, found_id: str, owner: str) -> str:
    """Return what to say of a resource that another stack manages."""
    return f"{type_.rsplit(':', 1)[-1]} {found_id!r} belongs to stack {owner!r}"


def describe_tag_removal(owner: str) -> str:
    """Return what to do about the mark of a stack that does not exist any more."""
    return f"If stack {owner!r} is gone for good, remove its tag or annotation {OWNER_TAG} and run this again."


def describe_conflict(type_: str, found: ExistingResource, stack: str, existing: str) -> str:
    """Return the error for something that exists outside of the stack.

    What another stack manages can be used or left alone. It cannot be imported: each `up` would undo the other's.

    Args:
        type_: Pulumi type of the resource.
        found: what exists without the mark of this stack.
        stack: name of the stack.
        existing: how the program is told to use the resource without managing it.
    """
    if owner := found.tags.get(OWNER_TAG):
        return (
            f"{describe_owner(type_, found.id, owner)}, not to stack {stack!r}. Two ways on:\n"
            f"  existing      use it as it is, without managing it: {existing}\n"
            "  create        give the new one another name, and run again\n"
            f"{describe_tag_removal(owner)}"
        )
    return (
        f"{type_.rsplit(':', 1)[-1]} {found.id!r} exists already and is not part of stack {stack!r}. Three ways on:\n"
        f"  import once   let the stack manage it from now on:  eks-rocketmq adopt -s {stack}\n"
        f"  existing      use it as it is, without managing it: {existing}\n"
        "  create        delete it, or give the new one another name, and run again"
    )


def reject_existing_object(
    name: str, kubeconfig: Input[str | None] | None, refusal: Callable[[str, ExistingResource], str]
) -> ResourceHookBinding | None:
    """A hook for an object of a cluster whose name is fixed: refuses the create when the cluster has it from others.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        kubeconfig: of the cluster; without it, and while it is unknown, nobody can be asked.
        refusal: the error, from the type and what was found.
    """
    if kubeconfig is None:
        return None
    config: Output[str | None] = Output.from_input(kubeconfig)

    def find(known: str, inputs: Mapping[str, Any]) -> ExistingResource | None:
        from eks_rocketmq.lookups.kubernetes_objects import find_object  # noqa: PLC0415 - a quarter of a second that only a create needs

        return find_object(known, inputs)

    async def look(args: ResourceHookArgs) -> ExistingResource | None:
        known = await config.future()
        return await asyncio.to_thread(find, known, args.new_inputs or {}) if known else None

    return create_existence_hook(name, look, lambda args, found: refusal(args.type, found))


def reject_create(type_: str, name: str, reason: Input[str]) -> ResourceTransform:
    """Return a transform that refuses the create of a component's resources of one type, at preview already.

    Args:
        type_: Pulumi type of the resource.
        name: of the hook, which is `<name>-preflight`.
        reason: the error; an empty text lets it be created.
    """
    known: Output[str] = Output.from_input(reason)

    async def look(_: ResourceHookArgs) -> ExistingResource | None:
        from eks_rocketmq.lookups.existing_resource import ExistingResource  # noqa: PLC0415 - this module is below that one

        told = await known.future()
        return ExistingResource(told) if told else None

    hooks = create_existence_hook(name, look, lambda _, found: found.id)

    def bind(resource: ResourceTransformArgs) -> ResourceTransformResult | None:
        if resource.type_ != type_:
            return None
        resource.opts.hooks = ResourceHookBinding.merge(resource.opts.hooks, hooks)
        return ResourceTransformResult(resource.props, resource.opts)

    return bind


def create_existence_hook(
    name: str,
    look: Callable[[ResourceHookArgs], Awaitable[ExistingResource | None]],
    refusal: Callable[[ResourceHookArgs, ExistingResource], str],
) -> ResourceHookBinding:
    """A hook that refuses what `look` finds without this stack's mark.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        look: what there is under the planned name.
        refusal: the error.
    """
    tags = get_ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            found = await look(args)
        except LookupUnavailableError as error:
            _warn_once(str(error))
            return
        except Exception as error:  # noqa: BLE001 - the check is a service, it must not stop what would be allowed
            pulumi.log.warn(f"cannot tell whether {args.name} exists already ({error}); going on without that check")
            return
        if found is not None and not tags.items() <= dict(found.tags).items():
            raise RuntimeError(refusal(args, found))

    return ResourceHookBinding(before_create=create_resource_hooks(f"{name}-preflight", check))


@functools.cache
def _warn_once(reason: str) -> None:
    pulumi.log.warn(f"cannot tell what exists already ({reason}); going on without that check")
