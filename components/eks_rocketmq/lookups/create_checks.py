"""Checks at preview that a planned resource does not exist yet. Otherwise the update would fail half-way.

The engine calls a `before_create` hook only for a planned create. The check therefore needs no knowledge of the state,
and nothing is looked up once the stack manages the resource.
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
"""Environment variable that disables the checks. `eks-rocketmq adopt` sets it for its preview of all resources."""

OWNER_TAG = "eks-rocketmq/stack"


def get_ownership_tags() -> dict[str, str]:
    """Return the tag of this stack. A resource that has it may be replaced without a conflict."""
    return {OWNER_TAG: f"{pulumi.get_project()}/{pulumi.get_stack()}"}


def describe_owner(type_: str, found_id: str, owner: str) -> str:
    """Return the error text for a resource that another stack manages."""
    return f"{type_.rsplit(':', 1)[-1]} {found_id!r} belongs to stack {owner!r}"


def describe_tag_removal(owner: str) -> str:
    """Return the instruction to remove the tag of a stack that no longer exists."""
    return f"If stack {owner!r} is gone for good, remove its tag or annotation {OWNER_TAG} and run this again."


def describe_conflict(type_: str, found: ExistingResource, stack: str, existing: str) -> str:
    """Return the error for a resource that exists outside of the stack.

    A resource of another stack cannot be imported: each `up` would undo the other stack's changes. It can be used as it
    is.

    `found` does not have the tag of this stack. `existing` is an instruction: how to use the resource without managing
    it.
    """
    if owner := found.tags.get(OWNER_TAG):
        return (
            f"{describe_owner(type_, found.id, owner)}, not to stack {stack!r}. Choose one:\n"
            f"  existing      use it as it is, without managing it: {existing}\n"
            "  create        give the new one another name, and run again\n"
            f"{describe_tag_removal(owner)}"
        )
    return (
        f"{type_.rsplit(':', 1)[-1]} {found.id!r} exists already and is not part of stack {stack!r}. Choose one:\n"
        f"  import once   let the stack manage it from now on:  eks-rocketmq adopt -s {stack}\n"
        f"  existing      use it as it is, without managing it: {existing}\n"
        "  create        delete it, or give the new one another name, and run again"
    )


def reject_existing_object(
    name: str,
    resolve_settings: Callable[[], Awaitable[Mapping[str, str] | None]],
    describe_error: Callable[[str, ExistingResource], str],
) -> ResourceHookBinding:
    """Return a hook that rejects the create of a Kubernetes object that exists and belongs to another owner.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        resolve_settings: returns kubeconfig and context of the cluster. Nothing is looked up if it returns None.
        describe_error: returns the error for type and found object.
    """

    def find(settings: Mapping[str, str], inputs: Mapping[str, Any]) -> ExistingResource | None:
        from eks_rocketmq.lookups.kubernetes_objects import find_object  # noqa: PLC0415 - takes 0.25 s to load, and only a create needs it

        return find_object(settings, inputs)

    async def look_up(args: ResourceHookArgs) -> ExistingResource | None:
        settings = await resolve_settings()
        return await asyncio.to_thread(find, settings, args.new_inputs or {}) if settings else None

    return create_existence_hook(name, look_up, lambda args, found: describe_error(args.type, found))


def reject_create(type_: str, name: str, reason: Input[str]) -> ResourceTransform:
    """Return a transform that rejects, at preview already, the create of a component's resources of one type.

    The hook is `<name>-preflight`. `reason` is the error. An empty text allows the create.
    """
    known: Output[str] = Output.from_input(reason)

    async def look_up(_: ResourceHookArgs) -> ExistingResource | None:
        error = await known.future()
        return ExistingResource(error) if error else None

    hooks = create_existence_hook(name, look_up, lambda _, found: found.id)

    def bind(resource: ResourceTransformArgs) -> ResourceTransformResult | None:
        if resource.type_ != type_:
            return None
        resource.opts.hooks = ResourceHookBinding.merge(resource.opts.hooks, hooks)
        return ResourceTransformResult(resource.props, resource.opts)

    return bind


def create_existence_hook(
    name: str,
    look_up: Callable[[ResourceHookArgs], Awaitable[ExistingResource | None]],
    describe_error: Callable[[ResourceHookArgs, ExistingResource], str],
) -> ResourceHookBinding:
    """Return a hook that rejects the create if `look_up` finds a resource without this stack's tag.

    The hook of the resource `name` is `<name>-preflight`.
    """
    tags = get_ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            found = await look_up(args)
        except LookupUnavailableError as error:
            _warn_once(str(error))
            return
        except Exception as error:  # noqa: BLE001 - a failed check must not stop a valid create
            pulumi.log.warn(f"cannot tell whether {args.name} exists already ({error}); going on without that check")
            return
        if found is not None and not tags.items() <= dict(found.tags).items():
            raise RuntimeError(describe_error(args, found))

    return ResourceHookBinding(before_create=create_resource_hooks(f"{name}-preflight", check))


@functools.cache
def _warn_once(reason: str) -> None:
    pulumi.log.warn(f"cannot tell what exists already ({reason}); going on without that check")
