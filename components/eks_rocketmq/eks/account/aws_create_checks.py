"""What of AWS and of a StorageClass is looked up before it is created."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.lookups.aws_resources import ROLE, find, find_cluster
from eks_rocketmq.lookups.aws_session import AccountUnknownError, Session, aws_session
from eks_rocketmq.lookups.create_checks import OWNER_TAG, refusing, three_ways
from eks_rocketmq.lookups.found import Found
from eks_rocketmq.pulumi_sdk.sdk_internals import config_values, has_callback_server

_AWS = "aws:"
_ACCOUNT = "account"
_READABLE_INPUTS: Mapping[str, str] = {
    "profile": "profile",
    "accessKey": "access_key",
    "secretKey": "secret_key",
    "token": "token",
    "endpoints": "endpoints",
}
"""Inputs that can be read from a provider, and the attribute of each."""


def reject_existing_resource(name: str, existing: str, component: ComponentResource) -> ResourceHookBinding:
    """A hook for a resource whose name is fixed: refuses the create, at preview already, when it exists outside.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        existing: how the program is told to use the resource without managing it, for the error.
        component: its parent, whose AWS provider says which account is asked.
    """
    stack = pulumi.get_stack()
    settings = _get_provider_settings(component)

    async def look(args: ResourceHookArgs) -> Found | None:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(find, lambda: _create_session(provider), args.type, args.new_inputs or {})

    return refusing(name, look, lambda args, found: three_ways(args.type, found, stack, existing))


def reject_existing_cluster(name: str, cluster: str, component: ComponentResource) -> ResourceHookBinding:
    """The same for an EKS cluster, which is not imported: everything below it would be made anew around it.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        cluster: name of the cluster.
        component: as for `refuse_existing`.
    """
    stack = pulumi.get_stack()
    settings = _get_provider_settings(component)

    async def look(_: ResourceHookArgs) -> Found | None:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(lambda: find_cluster(_create_session(provider), cluster))

    return refusing(
        name,
        look,
        lambda _, found: (
            f"EKS cluster {found.id!r} exists already and {_describe_owner(found, stack)}. Two ways on:\n"
            "  existing   put RocketMQ into it: ExistingEksCluster (the program's settings without `newCluster`)\n"
            "  create     give the new one another name (`clusterName`), and run again"
        ),
    )


def _describe_owner(found: Found, stack: str) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"belongs to stack {owner!r}, not to stack {stack!r}" if owner else f"is not part of stack {stack!r}"


def create_session_factory(component: ComponentResource) -> Callable[[], Awaitable[Session]]:
    """What makes a session in the account of a component's AWS provider; it raises as `refuse_existing`'s does."""
    settings = _get_provider_settings(component)

    async def ask() -> Session:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(_create_session, provider)

    return ask


async def _resolve_settings(settings: Mapping[str, Input[Any]]) -> dict[str, Any]:
    """One by one: at preview, what was not given to a provider is unknown."""
    return {key: await Output.from_input(value).future() for key, value in settings.items()}


def _get_provider_settings(component: ComponentResource) -> Mapping[str, Input[Any]]:
    """Settings of the AWS provider that a component's resources are made with.

    Of one that was given to the component not all can be read, its roles among them: that provider itself is asked for
    account and region.
    """
    provider = component.get_provider(ROLE)
    if not has_callback_server():
        return {}
    if provider is None:
        return {key.removeprefix(_AWS): text for key, text in config_values().items() if key.startswith(_AWS)}
    from eks_rocketmq.eks.account import aws_account  # noqa: PLC0415 - it loads the AWS SDK, which a StorageClass need not

    readable = {key: getattr(provider, attribute, None) for key, attribute in _READABLE_INPUTS.items()}
    return {**readable, "region": aws_account.get_region(component), _ACCOUNT: aws_account.get_account_id(component)}


def _create_session(provider: Mapping[str, Any]) -> Session:
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
    aws_account = session.client("sts").get_caller_identity()["Account"]
    if aws_account != provider[_ACCOUNT]:
        msg = f"an AWS provider works in account {provider[_ACCOUNT]}, and only {aws_account} can be asked from here"
        raise AccountUnknownError(msg)
    return session
