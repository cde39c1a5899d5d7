"""Says at preview when something that would be created exists already, instead of an error half-way through an update.

The engine calls a `before_create` hook only when it plans a create, so the check needs no knowledge of the state: on
the second run the resource is the stack's own and nobody asks.
"""

import asyncio
import os
from collections.abc import Callable

import pulumi
from pulumi import Input, Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions

from eks_rocketmq.eks import volume_class
from eks_rocketmq.eks.lookup import Found, Session, aws_session, find

SKIP_VARIABLE = "EKS_ROCKETMQ_SKIP_PREFLIGHT"
"""Set by `eks-rocketmq adopt` for its own preview, which wants the plan with everything that exists."""

OWNER_TAG = "eks-rocketmq/stack"


def ownership_tags() -> dict[str, str]:
    """The tag that marks what this stack made, so that a replacement of its own resource is no conflict."""
    return {OWNER_TAG: f"{pulumi.get_project()}/{pulumi.get_stack()}"}


def three_ways(type_: str, found_id: str, stack: str, existing: str) -> str:
    """The error for something that exists outside of the stack.

    Args:
        type_: Pulumi type of the resource.
        found_id: its import id.
        stack: name of the stack.
        existing: how the program is told to use the resource without managing it.
    """
    return (
        f"{type_.rsplit(':', 1)[-1]} {found_id!r} exists already and is not part of stack {stack!r}. Three ways on:\n"
        f"  import once   let the stack manage it from now on:  eks-rocketmq adopt -s {stack}\n"
        f"  existing      use it as it is, without managing it: {existing}\n"
        "  create        delete it, or give the new one another name, and run again"
    )


def refuse_existing(name: str, existing: str, session: Callable[[], Session] | None = None) -> ResourceHookBinding:
    """A hook for a resource whose name is fixed: refuses the create, at preview already, when it exists outside.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        existing: how the program is told to use the resource without managing it, for the error.
        session: makes the boto3 session; default: profile and region of the stack's `aws` settings.
    """
    stack = pulumi.get_stack()
    return _refusing(
        name,
        lambda args: find(session or _stack_session, args.type, args.new_inputs or {}),
        lambda args, found: three_ways(args.type, found.id, stack, existing),
    )


def refuse_existing_class(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """The same for a StorageClass, which the cluster may have from EKS, an addon or a person.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        kubeconfig: of the cluster; without it, and while it is unknown, nobody can be asked.
    """
    if kubeconfig is None:
        return None
    known: list[str] = []
    Output.from_input(kubeconfig).apply(known.append)

    def look(args: ResourceHookArgs) -> Found | None:
        from eks_rocketmq.clients import find_object  # noqa: PLC0415 - half a second that only a create needs

        return find_object(known[0], args.new_inputs or {}) if known else None

    return _refusing(name, look, lambda _, found: volume_class.taken(found.id, "which this stack has not made"))


def _refusing(
    name: str,
    look: Callable[[ResourceHookArgs], Found | None],
    refusal: Callable[[ResourceHookArgs, Found], str],
) -> ResourceHookBinding:
    tags = ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            found = await asyncio.to_thread(look, args)
        except Exception as error:  # noqa: BLE001 - the check is a service, it must not stop what would be allowed
            pulumi.log.warn(f"cannot tell whether {args.name} exists already ({error}); going on without that check")
            return
        if found is not None and not tags.items() <= dict(found.tags).items():
            raise RuntimeError(refusal(args, found))

    hook = ResourceHook(f"{name}-preflight", check, ResourceHookOptions(on_dry_run=True))
    return ResourceHookBinding(before_create=[hook])


def _stack_session() -> Session:
    config = pulumi.Config("aws")
    return aws_session({"profile": config.get("profile"), "region": config.get("region")})
