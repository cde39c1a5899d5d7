"""Checks at preview that AWS does not have a planned resource yet, and that an existing one has another owner."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.lookups.aws_resources import ROLE, find_cluster, find_resource
from eks_rocketmq.lookups.aws_session import AccountUnknownError, Session, create_session
from eks_rocketmq.lookups.create_checks import OWNER_TAG, create_existence_hook, describe_conflict, get_ownership_tags
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.pulumi_sdk.component import spell_argument
from eks_rocketmq.pulumi_sdk.sdk_internals import get_config_values, has_callback_server

_AWS = "aws:"
_ACCOUNT = "account"
_READABLE_INPUTS: Mapping[str, str] = {
    "profile": "profile",
    "accessKey": "access_key",
    "secretKey": "secret_key",
    "token": "token",
    "endpoints": "endpoints",
}
"""Inputs of a provider that Pulumi can read, and the attribute of each."""


def reject_existing_resource(name: str, existing: str, component: ComponentResource) -> ResourceHookBinding:
    """Return a hook that rejects the create of a resource that exists outside the stack.

    The resource has a fixed name. The hook runs at preview too.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        existing: how to use the resource without managing it, as an instruction for the error.
        component: parent of the resource. Its AWS provider determines the account.
    """
    stack = pulumi.get_stack()
    settings = _get_provider_settings(component)

    async def find_existing(args: ResourceHookArgs) -> ExistingResource | None:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(
            find_resource, lambda: _create_session(provider), args.type, args.new_inputs or {}
        )

    return create_existence_hook(
        name, find_existing, lambda args, found: describe_conflict(args.type, found, stack, existing)
    )


def reject_existing_cluster(name: str, cluster: str, component: ComponentResource) -> ResourceHookBinding:
    """Return a hook that rejects the create of an EKS cluster that exists outside the stack.

    The error does not propose an import: the resources of an imported cluster would be created again.

    The hook of the resource `name` is `<name>-preflight`. `component` is as for `reject_existing_resource`.
    """
    stack = pulumi.get_stack()
    settings = _get_provider_settings(component)

    async def find_existing(_: ResourceHookArgs) -> ExistingResource | None:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(lambda: find_cluster(_create_session(provider), cluster))

    return create_existence_hook(
        name,
        find_existing,
        lambda _, found: (
            f"EKS cluster {found.id!r} exists already and {_describe_owner(found, stack)}. Choose one:\n"
            f"  existing   use it as it is: ExistingEksCluster, without {spell_argument(ARGS / 'version')}\n"
            f"  create     change {spell_argument(ARGS / 'cluster_name')}, and run again"
        ),
    )


HANDOVER = (
    "To give it to another owner, follow docs/concepts/existing-resources-and-ownership.md, section 'Give a resource "
    "to another owner'"
)
"""How another owner takes a resource over, as a sentence for `reject_managed_resource`."""


def reject_managed_resource(
    resource: str,
    tags: Mapping[str, str] | None,
    contents: str,
    release: str,
    argument: ArgumentPath = ARGS / "existing",
) -> None:
    """Reject an argument that stops the management of a resource that the stack manages. The update would delete it.

    Raise ValueError if the resource has the tag of this stack.

    Args:
        resource: description of the resource.
        contents: the resources that the update would delete.
        release: how to give the resource up without its deletion, as a sentence for the error.
    """
    if get_ownership_tags().items() <= dict(tags or {}).items():
        raise ArgumentError(
            argument,
            "managed-by-this-stack",
            "this stack manages {resource}, so `pulumi up` would delete {contents}",
            remedy="Leave {argument} out. {release}",
            resource=resource,
            contents=contents,
            argument=argument,
            release=release,
        )


def _describe_owner(found: ExistingResource, stack: str) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"belongs to stack {owner!r}, not to stack {stack!r}" if owner else f"is not part of stack {stack!r}"


def create_session_factory(component: ComponentResource) -> Callable[[], Awaitable[Session]]:
    """Return a function that creates a boto3 session in the account of a component's AWS provider.

    The function raises `AccountUnknownError` if the account is another one or is not known yet.
    """
    settings = _get_provider_settings(component)

    async def create_session() -> Session:
        provider = await _resolve_settings(settings)
        return await asyncio.to_thread(_create_session, provider)

    return create_session


async def _resolve_settings(settings: Mapping[str, Input[Any]]) -> dict[str, Any]:
    """Await each setting by itself: at preview, settings that the provider does not have are unknown."""
    return {key: await Output.from_input(value).future() for key, value in settings.items()}


def _get_provider_settings(component: ComponentResource) -> Mapping[str, Input[Any]]:
    """Return the settings of the AWS provider of a component's resources.

    Pulumi cannot read all settings of an explicit provider, for example its roles. Account and region therefore come
    from lookups through that provider.
    """
    provider = component.get_provider(ROLE)
    if not has_callback_server():
        return {}
    if provider is None:
        return {key.removeprefix(_AWS): text for key, text in get_config_values().items() if key.startswith(_AWS)}
    from eks_rocketmq.eks.account import aws_account  # noqa: PLC0415 - it loads the AWS SDK, which a default provider does not need

    readable = {key: getattr(provider, attribute, None) for key, attribute in _READABLE_INPUTS.items()}
    return {**readable, "region": aws_account.get_region(component), _ACCOUNT: aws_account.get_account_id(component)}


def _create_session(provider: Mapping[str, Any]) -> Session:
    """Create a boto3 session in the provider's account.

    Raise AccountUnknownError if the session is for another account, or the provider's account is not known yet.
    """
    if _ACCOUNT not in provider:
        return create_session(provider)
    if provider[_ACCOUNT] is None:
        msg = "the account of an AWS provider is known only after an update"
        raise AccountUnknownError(msg)
    session = create_session(provider)
    account = session.client("sts").get_caller_identity()["Account"]
    if account != provider[_ACCOUNT]:
        msg = f"an AWS provider works in account {provider[_ACCOUNT]}, and only {account} can be asked from here"
        raise AccountUnknownError(msg)
    return session
