"""Checks of a namespace at preview: Pod Security level, collisions with existing objects, changes that stop a rollout.

Hooks before a create or an update query the cluster, so a stack without changes sends no queries. A cluster that does
not answer does not block the deployment.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from pulumi import ComponentResource, Output, ProviderResource, ResourceHookArgs, ResourceHookBinding

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.lookups.check_hooks import RefusedError, create_check_hooks, warn_once
from eks_rocketmq.pulumi_sdk.component import spell_argument
from eks_rocketmq.pulumi_sdk.sdk_internals import has_callback_server
from eks_rocketmq.rocketmq.config.tls import MODE_FLAG
from eks_rocketmq.rocketmq.namespace import collisions
from eks_rocketmq.rocketmq.namespace.collisions import Workload
from eks_rocketmq.rocketmq.naming import labels

POD_TYPE = "kubernetes:core/v1:Pod"
ENFORCE = "pod-security.kubernetes.io/enforce"

NamespaceObjects = Mapping[str, Sequence[collisions.Object]]
_reads: WeakKeyDictionary[ProviderResource, dict[str, asyncio.Future[NamespaceObjects]]] = WeakKeyDictionary()
"""Objects by provider and namespace. All workloads of a run share one read of the namespace."""


def build_collision_hooks(name: str, component: ComponentResource, workload: Workload) -> ResourceHookBinding:
    """Return a hook before the create of a StatefulSet or Deployment that rejects collisions or warns about them.

    Args:
        name: name of the resource; the hook is `<name>-collisions`.
        component: parent of the resource; its Kubernetes provider determines the cluster.
        workload: workload to be created.
    """
    if not has_callback_server():
        return ResourceHookBinding()
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

    Args:
        name: name of the resource; the hook is `<name>-pod-security`.
        component: parent of the resource; its Kubernetes provider determines the cluster.
    """
    if not has_callback_server():
        return ResourceHookBinding()
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


def build_member_hooks(name: str, component: ComponentResource, workload: Workload) -> list[Any]:
    """Return a hook before the update of the StatefulSet of a Raft quorum that rejects another number of members.

    It compares with the StatefulSet in the cluster, or with the state of the stack if the cluster does not answer.

    Args:
        name: name of the resource; the hook is `<name>-members`.
        component: parent of the resource; its Kubernetes provider determines the cluster.
        workload: the StatefulSet.
    """
    if not has_callback_server():
        return []
    provider = component.get_provider(POD_TYPE)

    async def check(args: ResourceHookArgs) -> None:
        planned = get_replicas(args.new_inputs)
        settings = await resolve_provider(provider)
        found = await asyncio.to_thread(_read_set, settings, workload) if settings is not None else {}
        validate_member_count(get_replicas(found or args.old_inputs), planned)

    question = f"whether {name} changes the number of its members"
    return create_check_hooks(f"{name}-members", question, check)


def validate_member_count(running: int | None, planned: int | None) -> None:
    """Reject another number of controllers than runs.

    Args:
        running: number of the running controllers, None if unknown. The guide stops all before it changes the number.
        planned: number after the update, None if unknown.

    Raises:
        ArgumentError: the numbers differ.
    """
    if planned is None or not running or planned == running:
        return
    raise ArgumentError(
        ARGS / "controllers" / "replicas",
        "controller-count-change",
        "{running} controllers run, and an update cannot make that {given}. RocketMQ does not change the members of "
        "the Raft quorum: new ones would elect a leader with an empty log, and brokers would lose their IDs",
        accepted="{running}",
        remedy="Restore the number, or follow docs/how-to/change-the-number-of-controllers.md",
        given=planned,
        running=running,
    )


def build_mode_hooks(name: str, component: ComponentResource, workload: Workload) -> list[Any]:
    """Return a hook before the update of a StatefulSet that rejects changes of TLS and access control that stop it.

    An update that failed has changed some StatefulSets and some pods only, so each StatefulSet is checked.

    Args:
        name: name of the resource; the hook is `<name>-modes`.
        component: parent of the resource; its Kubernetes provider determines the cluster.
        workload: the StatefulSet.
    """
    if not has_callback_server():
        return []
    provider = component.get_provider(POD_TYPE)

    async def check(args: ResourceHookArgs) -> None:
        old, new = args.old_inputs, args.new_inputs
        mode, generation = labels.ACCESS_MODE_ANNOTATION, labels.INTERNAL_GENERATION_ANNOTATION
        tls_modes = _get_tls_mode(old), _get_tls_mode(new)
        generations = get_annotation(old, generation), get_annotation(new, generation)
        validate_tls_change(*tls_modes)
        validate_access_change(get_annotation(old, mode), get_annotation(new, mode))
        validate_generation(*generations)
        step = _find_step(tls_modes, generations)
        settings = None if step is None else await resolve_provider(provider)
        if step is not None and settings is not None:
            validate_rollout(*step, await asyncio.to_thread(_read_set, settings, workload))

    question = f"whether pods of {name} understand each other during the update"
    return create_check_hooks(f"{name}-modes", question, check)


def validate_tls_change(before: str | None, after: str | None) -> None:
    """Reject a change between no TLS and enforced TLS. None is no TLS.

    Raises:
        ArgumentError: one of them does not have TLS, and the other one enforces it.
    """
    if {before, after} == {None, "enforcing"}:
        raise _refuse_change("tls", before, after, "docs/how-to/turn-on-tls.md")


def validate_access_change(before: str | None, after: str | None) -> None:
    """Reject the end of enforced access control. None is no access control.

    The other direction works: members that already have access control authenticate to those that do not.

    Raises:
        ArgumentError: access control was enforced, and is removed.
    """
    if (before, after) == ("enforcing", None):
        raise _refuse_change("access", before, after, "docs/how-to/turn-on-access-control.md")


def _refuse_change(argument: str, before: str | None, after: str | None, guide: str) -> ArgumentError:
    return ArgumentError(
        ARGS / argument,
        "mode-change",
        "one update cannot change it from {before} to {after}. Pods that have restarted and pods that have not would "
        "refuse each other, and the update would stop at the first member",
        accepted="mode 'permissive' in between",
        remedy="Set {mode} to 'permissive' and update, then make this change. See {guide}",
        before=before or "none",
        after=after or "none",
        mode=ARGS / argument / "mode",
        guide=guide,
    )


def validate_generation(before: str | None, after: str | None) -> None:
    """Reject a generation of the internal user that the members do not know. None is no access control.

    Raises:
        ArgumentError: the generation is neither that of before nor the next one.
    """
    if before is None or after is None or int(after) - int(before) in {0, 1}:
        return
    raise ArgumentError(
        ARGS / "access" / "internal_generation",
        "generation-change",
        "one update cannot change it from {before} to {given}. Members know the present user and the next one only, "
        "and would refuse each other",
        accepted="{before} or {following}",
        remedy="Raise it by one, update, and repeat",
        given=int(after),
        before=int(before),
        following=int(before) + 1,
    )


def _find_step(
    tls: tuple[str | None, str | None], generation: tuple[str | None, str | None]
) -> tuple[ArgumentPath, str | None, str | None] | None:
    """Return the argument with both values if all pods must have the former one before it changes, else None."""
    if tls[0] != tls[1] == "enforcing":
        return ARGS / "tls" / "mode", *tls
    if None not in generation and generation[0] != generation[1]:
        return ARGS / "access" / "internal_generation", *generation
    return None


def validate_rollout(path: ArgumentPath, before: str | None, after: str | None, found: collisions.Object) -> None:
    """Reject a change while the pods of a StatefulSet do not all have the former value.

    Args:
        path: path of the argument.
        before: value of the last update.
        after: value of this update.
        found: the StatefulSet in the cluster, which may be empty.

    Raises:
        ArgumentError: the pods have two revisions.
    """
    status = found.get("status") or {}
    if status.get("currentRevision") != status.get("updateRevision"):
        raise ArgumentError(
            path,
            "rollout-unfinished",
            "an update cannot change it from {before} to {given} yet. The update to {before} did not finish, and pods "
            "from before it would refuse those of this one",
            accepted="{before} until that update is finished",
            remedy="Restore the value, and run `pulumi up` until it succeeds. Then make this change",
            given=after,
            before=before,
        )


def get_annotation(inputs: Mapping[str, Any] | None, name: str) -> str | None:
    """Return an annotation of a manifest, or None if it has none."""
    return (((inputs or {}).get("metadata") or {}).get("annotations") or {}).get(name)


def _get_tls_mode(inputs: Mapping[str, Any] | None) -> str | None:
    containers = ((((inputs or {}).get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or []
    words = [word for each in containers for word in each.get("command") or [] if isinstance(word, str)]
    return next((word.removeprefix(MODE_FLAG) for word in words if word.startswith(MODE_FLAG)), None)


def get_replicas(inputs: Mapping[str, Any] | None) -> int | None:
    """Return the number of pods in a manifest, or None if it has none."""
    replicas = ((inputs or {}).get("spec") or {}).get("replicas")
    return None if replicas is None else int(replicas)


def _read_set(settings: Mapping[str, str], workload: Workload) -> collisions.Object:
    """Return a StatefulSet in the cluster. It is empty if the cluster does not return it."""
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - as in `_read_namespace`

    try:
        return get_json(settings, f"/apis/apps/v1/namespaces/{workload.namespace}/statefulsets/{workload.name}")
    except Exception:  # noqa: BLE001 - the callers know enough from the state of the stack
        return {}


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


async def resolve_provider(provider: ProviderResource | None) -> Mapping[str, str] | None:
    """Return kubeconfig and context of a provider, or None if unknown, so that no other cluster is queried.

    A provider with a context and without a kubeconfig uses that of kubectl. A preview cannot distinguish it from one
    whose kubeconfig is not known yet.
    """
    outputs = {key: Output.from_input(getattr(provider, key, None)) for key in ("kubeconfig", "context", "cluster")}
    settings = {key: value for key, output in outputs.items() if (value := await output.future())}
    if "kubeconfig" in settings:
        return settings
    has_context = "context" in settings and "cluster" not in settings
    return settings if has_context and await outputs["kubeconfig"].is_known() else None


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
