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
    ComponentResource,
    Input,
    InvokeOutputOptions,
    Output,
    ResourceHook,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceHookOptions,
)
from pulumi.runtime import invoke_output
from pulumi.runtime.config import CONFIG

from eks_rocketmq.eks import volume_class
from eks_rocketmq.eks.lookup import ROLE, Found, find
from eks_rocketmq.eks.session import AccountUnknownError, Session, aws_session

SKIP_VARIABLE = "EKS_ROCKETMQ_SKIP_PREFLIGHT"
"""Set by `eks-rocketmq adopt` for its own preview, which wants the plan with everything that exists."""

OWNER_TAG = "eks-rocketmq/stack"

_AWS = "aws:"
_ACCOUNT = "account"
_READABLE: Mapping[str, str] = {
    "profile": "profile",
    "accessKey": "access_key",
    "secretKey": "secret_key",
    "token": "token",
    "endpoints": "endpoints",
}
"""Inputs that can be read from a provider, and the attribute of each."""


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


def refuse_existing(name: str, existing: str, component: ComponentResource) -> ResourceHookBinding:
    """A hook for a resource whose name is fixed: refuses the create, at preview already, when it exists outside.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        existing: how the program is told to use the resource without managing it, for the error.
        component: its parent, whose AWS provider says which account is asked.
    """
    stack = pulumi.get_stack()
    settings = _settings(component)

    async def look(args: ResourceHookArgs) -> Found | None:
        # One by one: at preview, what was not given to a provider is unknown.
        provider = {key: await Output.from_input(value).future() for key, value in settings.items()}
        return await asyncio.to_thread(find, lambda: _session(provider), args.type, args.new_inputs or {})

    return _refusing(name, look, lambda args, found: three_ways(args.type, found.id, stack, existing))


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

    async def look(args: ResourceHookArgs) -> Found | None:
        from eks_rocketmq.clients import find_object  # noqa: PLC0415 - half a second that only a create needs

        return await asyncio.to_thread(find_object, known[0], args.new_inputs or {}) if known else None

    return _refusing(name, look, lambda _, found: volume_class.taken(found.id, "which this stack has not made"))


def _refusing(
    name: str,
    look: Callable[[ResourceHookArgs], Awaitable[Found | None]],
    refusal: Callable[[ResourceHookArgs, Found], str],
) -> ResourceHookBinding:
    tags = ownership_tags()

    async def check(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            found = await look(args)
        except AccountUnknownError as error:
            _warn_once(str(error))
            return
        except Exception as error:  # noqa: BLE001 - the check is a service, it must not stop what would be allowed
            pulumi.log.warn(f"cannot tell whether {args.name} exists already ({error}); going on without that check")
            return
        if found is not None and not tags.items() <= dict(found.tags).items():
            raise RuntimeError(refusal(args, found))

    hook = ResourceHook(f"{name}-preflight", check, ResourceHookOptions(on_dry_run=True))
    return ResourceHookBinding(before_create=[hook])


def _settings(component: ComponentResource) -> Mapping[str, Input[Any]]:
    """Settings of the AWS provider that a component's resources are made with.

    Of one that was given to the component not all can be read, its roles among them: that provider itself is asked for
    account and region.
    """
    provider = component.get_provider(ROLE)
    if provider is None:
        return {key.removeprefix(_AWS): text for key, text in CONFIG.get().items() if key.startswith(_AWS)}
    opts = InvokeOutputOptions(parent=component)
    caller = invoke_output(f"{_AWS}index/getCallerIdentity:getCallerIdentity", {}, opts)
    region = invoke_output(f"{_AWS}index/getRegion:getRegion", {}, opts)
    readable = {key: getattr(provider, attribute, None) for key, attribute in _READABLE.items()}
    return {**readable, "region": region["region"], _ACCOUNT: caller["accountId"]}


def _session(provider: Mapping[str, Any]) -> Session:
    """A boto3 session in the provider's account.

    Raises:
        AccountUnknownError: when it would be another one, or nobody knows yet.
    """
    if _ACCOUNT not in provider:
        return aws_session(provider)
    if provider[_ACCOUNT] is None:
        msg = "the account of an AWS provider is known only after an update"
        raise AccountUnknownError(msg)
    session = aws_session(provider)
    account = session.client("sts").get_caller_identity()["Account"]
    if account != provider[_ACCOUNT]:
        msg = f"an AWS provider works in account {provider[_ACCOUNT]}, and only {account} can be asked from here"
        raise AccountUnknownError(msg)
    return session


@functools.cache
def _warn_once(reason: str) -> None:
    pulumi.log.warn(f"cannot tell what exists already ({reason}); going on without that check")
