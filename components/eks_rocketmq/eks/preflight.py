"""What of AWS and of a StorageClass is looked up before it is created."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi
from pulumi import ComponentResource, Input, Output, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.component import resource_hooks, warn
from eks_rocketmq.eks import volume_class
from eks_rocketmq.eks.identifiers import is_arn
from eks_rocketmq.eks.lookup import ROLE, Found, find, find_cluster
from eks_rocketmq.eks.node_plan import lacking_policies
from eks_rocketmq.eks.session import AccountUnknownError, Session, aws_session
from eks_rocketmq.preflight import OWNER_TAG, refuse_existing_object, refusing, three_ways
from eks_rocketmq.sdk_internals import config_values, has_callback_server

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
        provider = await _known(settings)
        return await asyncio.to_thread(find, lambda: _session(provider), args.type, args.new_inputs or {})

    return refusing(name, look, lambda args, found: three_ways(args.type, found, stack, existing))


def refuse_existing_cluster(name: str, cluster: str, component: ComponentResource) -> ResourceHookBinding:
    """The same for an EKS cluster, which is not imported: everything below it would be made anew around it.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        cluster: name of the cluster.
        component: as for `refuse_existing`.
    """
    stack = pulumi.get_stack()
    settings = _settings(component)

    async def look(_: ResourceHookArgs) -> Found | None:
        provider = await _known(settings)
        return await asyncio.to_thread(lambda: find_cluster(_session(provider), cluster))

    return refusing(
        name,
        look,
        lambda _, found: (
            f"EKS cluster {found.id!r} exists already and {_place(found, stack)}. Two ways on:\n"
            "  existing   put RocketMQ into it: ExistingEksCluster (the program's settings without `newCluster`)\n"
            "  create     give the new one another name (`clusterName`), and run again"
        ),
    )


def warn_of_node_role(name: str, role_arn: Input[str], component: ComponentResource) -> ResourceHookBinding:
    """A hook for a launch template: warns, at preview already, when no node could join with the role that is given.

    Args:
        name: name of the resource; the hook is `<name>-role`.
        role_arn: the role.
        component: as for `refuse_existing`.
    """
    settings = _settings(component)

    async def look(args: ResourceHookArgs) -> None:
        role = await Output.from_input(role_arn).future()
        if not isinstance(role, str) or not is_arn(role):
            return
        try:
            provider = await _known(settings)
            lacking = await asyncio.to_thread(lambda: _lacking(_session(provider), role.rsplit("/", 1)[-1]))
        except Exception as error:  # noqa: BLE001 - the role may be made in the same update, or may not be read
            pulumi.log.debug(f"{args.name}: the policies of {role} cannot be read ({error})")
            return
        if lacking:
            warn(
                f"{args.name}: role_arn is {role!r}, a role without {' and '.join(lacking)}. Accepted is one with "
                "which nodes join the cluster and pull images. Attach the policies, or leave role_arn out",
                component,
            )

    return ResourceHookBinding(before_create=resource_hooks(f"{name}-role", look))


def _lacking(session: Session, role: str) -> list[str]:
    iam = session.client("iam")
    attached = [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
    return lacking_policies(attached, iam.list_role_policies(RoleName=role)["PolicyNames"])


def _place(found: Found, stack: str) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"belongs to stack {owner!r}, not to stack {stack!r}" if owner else f"is not part of stack {stack!r}"


def refuse_existing_class(name: str, kubeconfig: Input[str] | None) -> ResourceHookBinding | None:
    """The same for a StorageClass, which the cluster may have from EKS, an addon or a person.

    Args:
        name: name of the resource; the hook is `<name>-preflight`.
        kubeconfig: of the cluster; without it, and while it is unknown, nobody can be asked.
    """
    return refuse_existing_object(name, kubeconfig, lambda _, found: volume_class.taken(found.id, _maker(found)))


def _maker(found: Found) -> str:
    owner = found.tags.get(OWNER_TAG)
    return f"which belongs to stack {owner!r}" if owner else "which this stack has not made"


def provider_session(component: ComponentResource) -> Callable[[], Awaitable[Session]]:
    """What makes a session in the account of a component's AWS provider; it raises as `refuse_existing`'s does."""
    settings = _settings(component)

    async def ask() -> Session:
        provider = await _known(settings)
        return await asyncio.to_thread(_session, provider)

    return ask


async def _known(settings: Mapping[str, Input[Any]]) -> dict[str, Any]:
    """One by one: at preview, what was not given to a provider is unknown."""
    return {key: await Output.from_input(value).future() for key, value in settings.items()}


def _settings(component: ComponentResource) -> Mapping[str, Input[Any]]:
    """Settings of the AWS provider that a component's resources are made with.

    Of one that was given to the component not all can be read, its roles among them: that provider itself is asked for
    account and region.
    """
    provider = component.get_provider(ROLE)
    if not has_callback_server():
        return {}
    if provider is None:
        return {key.removeprefix(_AWS): text for key, text in config_values().items() if key.startswith(_AWS)}
    from eks_rocketmq.eks import account  # noqa: PLC0415 - it loads the AWS SDK, which a StorageClass need not

    readable = {key: getattr(provider, attribute, None) for key, attribute in _READABLE.items()}
    return {**readable, "region": account.region(component), _ACCOUNT: account.account_id(component)}


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
