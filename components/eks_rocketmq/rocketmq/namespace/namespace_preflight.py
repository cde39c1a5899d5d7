"""Checks at preview whether a namespace is fit for a RocketMQ: Pod Security, and what would collide there.

Hooks before a create or an update ask the cluster, so a stack that does not change asks nothing. A cluster that does
not answer prevents nothing.
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi import (
    ComponentResource,
    Output,
    ProviderResource,
    ResourceHookArgs,
    ResourceHookBinding,
)

from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from eks_rocketmq.pulumi_sdk.component import resource_hooks
from eks_rocketmq.pulumi_sdk.sdk_internals import has_callback_server
from eks_rocketmq.rocketmq.namespace import collisions
from eks_rocketmq.rocketmq.namespace.collisions import Workload

_ANY_KIND = "kubernetes:core/v1:Pod"
ENFORCE = "pod-security.kubernetes.io/enforce"

Found = Mapping[str, Sequence[collisions.Object]]
_reads: WeakKeyDictionary[ProviderResource, dict[str, asyncio.Future[Found]]] = WeakKeyDictionary()
"""What a namespace holds, by provider and namespace: all workloads of a run ask the same."""


def refuse_collisions(name: str, component: ComponentResource, workload: Workload) -> ResourceHookBinding:
    """A hook before the create of a set or Deployment: refuses what collides, and warns of what may.

    Args:
        name: name of the resource; the hook is `<name>-collisions`.
        component: its parent; the Kubernetes provider of that leads to the cluster.
        workload: what is going to be created.
    """
    if not has_callback_server():
        return ResourceHookBinding()
    own = component.get_provider(_ANY_KIND)

    async def check(_: ResourceHookArgs) -> None:
        provider = await _settings(own)
        if provider is None or own is None:
            return
        result = collisions.collisions(workload, await _shared(own, provider, workload.namespace))
        for warning in result.warnings:
            _warn_once(warning)
        if result.errors:
            msg = "\n  ".join([f"{workload.kind} {workload.namespace}/{workload.name} cannot be made:", *result.errors])
            raise _RefusedError(msg)

    question = f"what in namespace {workload.namespace} collides with {name}"
    return ResourceHookBinding(before_create=_hooks(f"{name}-collisions", question, check))


def refuse_unfit_pods(name: str, component: ComponentResource) -> ResourceHookBinding:
    """A hook before the update of a namespace: refuses a Pod Security level that pods in it do not meet.

    Args:
        name: name of the resource; the hook is `<name>-pod-security`.
        component: its parent; the Kubernetes provider of that leads to the cluster.
    """
    if not has_callback_server():
        return ResourceHookBinding()
    own = component.get_provider(_ANY_KIND)

    async def check(args: ResourceHookArgs) -> None:
        metadata = (args.new_inputs or {}).get("metadata") or {}
        level = (metadata.get("labels") or {}).get(ENFORCE)
        provider = await _settings(own)
        if provider is None or not level:
            return
        said = await asyncio.to_thread(_dry_run, provider, metadata["name"], level)
        if said:
            raise _RefusedError(_unfit(metadata["name"], level, said))

    question = f"whether pods of {name} meet its Pod Security level"
    return ResourceHookBinding(before_update=_hooks(f"{name}-pod-security", question, check))


def _unfit(namespace: str, level: str, said: Sequence[str]) -> str:
    listed = "".join(f"\n    {line}" for line in said)
    return (
        f"Namespace {namespace!r} would enforce Pod Security {level!r}, which pods in it do not meet. They keep "
        f"running, but once they end, Kubernetes refuses to make them again:{listed}\n"
        "Four ways on:\n"
        "  level      enforce less while those pods are there: pod_security='baseline' (the program's setting "
        "`podSecurity: baseline`)\n"
        "  pods       give them a securityContext that meets the level\n"
        "  existing   leave the namespace as it is: create_namespace=False (`createNamespace: false`)\n"
        "  namespace  put this RocketMQ into another one: `namespace`"
    )


class _RefusedError(RuntimeError):
    """Stops the engine; everything else that goes wrong in a check does not."""


def _hooks(name: str, question: str, check: Callable[[ResourceHookArgs], Awaitable[None]]) -> list[Any]:
    async def ask(args: ResourceHookArgs) -> None:
        if os.environ.get(SKIP_VARIABLE):
            return
        try:
            await check(args)
        except _RefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - the check is a service, it must not stop what would be allowed
            _warn_once(f"cannot tell {question} ({error}); going on without that check")

    return resource_hooks(name, ask)


async def _settings(own: ProviderResource | None) -> Mapping[str, str] | None:
    """Kubeconfig and context of a provider; None while they are unknown: another cluster must not be asked."""
    known: dict[str, str] = {}
    for key in ("kubeconfig", "context"):
        given = getattr(own, key, None)
        value = None if given is None else await Output.from_input(given).future()
        if value:
            known[key] = value
    return known if "kubeconfig" in known else None


def _shared(own: ProviderResource, provider: Mapping[str, str], namespace: str) -> "asyncio.Future[Found]":
    reads = _reads.setdefault(own, {})
    if namespace not in reads:
        reads[namespace] = asyncio.ensure_future(asyncio.to_thread(_read, provider, namespace))
    return reads[namespace]


def _read(provider: Mapping[str, str], namespace: str) -> Found:
    from eks_rocketmq.lookups.kubernetes_api import get  # noqa: PLC0415 - a quarter of a second that only a create needs

    return {kind: get(provider, path.format(namespace))["items"] for kind, path in collisions.KINDS.items()}


def _dry_run(provider: Mapping[str, str], namespace: str, level: str) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import dry_run  # noqa: PLC0415 - as above

    body = {"metadata": {"labels": {ENFORCE: level}}}
    return [line for line in dry_run(provider, f"/api/v1/namespaces/{namespace}", body) if "existing pods" not in line]


@functools.cache
def _warn_once(text: str) -> None:
    pulumi.log.warn(text)
