"""Checks of a namespace at preview: Pod Security level, collisions with existing objects.

Hooks before a create or an update query the cluster, so a stack without changes sends no queries. A cluster that does
not answer does not block the deployment.
"""

import asyncio
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from pulumi import ComponentResource, ProviderResource, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.lookups.check_hooks import RefusedError, create_check_hooks, warn_once
from eks_rocketmq.lookups.kubernetes_provider import POD_TYPE, resolve_provider
from eks_rocketmq.pulumi_sdk.component import spell_argument
from eks_rocketmq.rocketmq.namespace import collisions
from eks_rocketmq.rocketmq.namespace.collisions import Workload

ENFORCE = "pod-security.kubernetes.io/enforce"

NamespaceObjects = Mapping[str, Sequence[collisions.Object]]
_reads: WeakKeyDictionary[ProviderResource, dict[str, asyncio.Future[NamespaceObjects]]] = WeakKeyDictionary()
"""Objects by provider and namespace. All workloads of a run share one read of the namespace."""


def build_collision_hooks(name: str, component: ComponentResource, workload: Workload) -> ResourceHookBinding:
    """Return a hook before the create of a StatefulSet or Deployment that rejects collisions or warns about them.

    `name` is that of the resource; the hook is `<name>-collisions`. `component` is its parent, whose Kubernetes
    provider determines the cluster.
    """
    provider = component.get_provider(POD_TYPE)

    async def check(_: ResourceHookArgs) -> None:
        settings = await resolve_provider(provider)
        if settings is None or provider is None:
            return
        result = collisions.find_collisions(workload, await _read_once(provider, settings, workload.namespace))
        for warning in result.warnings:
            warn_once(warning)
        if result.errors:
            msg = "\n  ".join([f"{workload.kind} {workload.namespace}/{workload.name} cannot be made:", *result.errors])
            raise RefusedError(msg)

    question = f"what in namespace {workload.namespace} collides with {name}"
    return ResourceHookBinding(before_create=create_check_hooks(f"{name}-collisions", question, check))


def build_pod_security_hooks(name: str, component: ComponentResource) -> ResourceHookBinding:
    """Return a hook before the update of a namespace that rejects a Pod Security level if pods in it violate it.

    `name` is that of the resource; the hook is `<name>-pod-security`. `component` is its parent, whose Kubernetes
    provider determines the cluster.
    """
    provider = component.get_provider(POD_TYPE)

    async def check(args: ResourceHookArgs) -> None:
        metadata = (args.new_inputs or {}).get("metadata") or {}
        level = (metadata.get("labels") or {}).get(ENFORCE)
        settings = await resolve_provider(provider)
        if settings is None or not level:
            return
        violations = await asyncio.to_thread(_list_violations, settings, metadata["name"], level)
        if violations:
            raise RefusedError(_format_violations(metadata["name"], level, violations))

    question = f"whether pods of {name} meet its Pod Security level"
    return ResourceHookBinding(before_update=create_check_hooks(f"{name}-pod-security", question, check))


def _format_violations(namespace: str, level: str, violations: Sequence[str]) -> str:
    listed = "".join(f"\n    {line}" for line in violations)
    return (
        f"Namespace {namespace!r} would enforce Pod Security {level!r}, which pods in it do not meet. They keep "
        f"running, but once they end, Kubernetes refuses to make them again:{listed}\n"
        "Choose one:\n"
        "  level      enforce less while those pods are there: set "
        f"{spell_argument(ARGS / 'pod_security')} to 'baseline'\n"
        "  pods       give them a securityContext that meets the level\n"
        f"  existing   leave the namespace as it is: set {spell_argument(ARGS / 'create_namespace')} to false\n"
        f"  namespace  put this RocketMQ into another namespace: change {spell_argument(ARGS / 'namespace')}"
    )


def _read_once(
    provider: ProviderResource, settings: Mapping[str, str], namespace: str
) -> "asyncio.Future[NamespaceObjects]":
    reads = _reads.setdefault(provider, {})
    if namespace not in reads:
        reads[namespace] = asyncio.ensure_future(asyncio.to_thread(_read_namespace, settings, namespace))
    return reads[namespace]


def _read_namespace(settings: Mapping[str, str], namespace: str) -> NamespaceObjects:
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - the import takes 250 ms; only creates need it

    return {kind: get_json(settings, path.format(namespace))["items"] for kind, path in collisions.KINDS.items()}


def _list_violations(settings: Mapping[str, str], namespace: str, level: str) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import dry_run_patch  # noqa: PLC0415 - as above

    body = {"metadata": {"labels": {ENFORCE: level}}}
    return [
        line for line in dry_run_patch(settings, f"/api/v1/namespaces/{namespace}", body) if "existing pods" not in line
    ]
