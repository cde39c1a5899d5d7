"""Checks at preview of the update of a StatefulSet with data: what its pods would lose, and when they would stop."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import ComponentResource, ResourceHookArgs

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.lookups.check_hooks import create_check_hooks, warn_once
from eks_rocketmq.lookups.kubernetes_provider import POD_TYPE, resolve_provider
from eks_rocketmq.lookups.manifests import get_annotation, get_replicas
from eks_rocketmq.pulumi_sdk.sdk_internals import is_dry_run
from eks_rocketmq.rocketmq.config.broker_config import parse_properties
from eks_rocketmq.rocketmq.config.key_changes import reject_key_changes
from eks_rocketmq.rocketmq.namespace.collisions import Object, Workload
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.naming.versions import is_older
from eks_rocketmq.rocketmq.pods.pending_pods import is_ready

READY_SECONDS = 30.0
"""How long an update waits for pods to be ready; a preview does not wait. Brokers may not be ready for some seconds
when the same update has restarted the controllers."""
_POLL_SECONDS = 2.0


def build_rollout_hooks(name: str, component: ComponentResource, workload: Workload) -> list[Any]:
    """Return a hook before the update of a StatefulSet with data.

    It rejects an older version of RocketMQ and changes of keys that the messages do not survive. It rejects fewer
    brokers while one that stays is not ready, or if too few would run for a write. It warns if brokers stop together,
    and if ready pods stop while another one is not ready.

    `name` is that of the resource; the hook is `<name>-rollout`. `component` is its parent, whose Kubernetes provider
    determines the cluster.
    """
    provider = component.get_provider(POD_TYPE)
    seconds = 0 if is_dry_run() else READY_SECONDS

    async def check(args: ResourceHookArgs) -> None:
        old, new = args.old_inputs or {}, args.new_inputs or {}
        validate_version(_get_version(old), _get_version(new))
        if config := get_annotation(old, labels.CONFIG_ANNOTATION):  # a StatefulSet of an earlier release has none
            after_config = get_annotation(new, labels.CONFIG_ANNOTATION) or ""
            reject_key_changes(workload.role, _get_version(new), config, after_config, _get_path(workload) / "config")
        before, after = get_replicas(old) or 0, get_replicas(new) or 0
        removes = workload.role == labels.BROKER and after < before
        if removes and config:
            min_in_sync = int(parse_properties(config).get("minInSyncReplicas", 1))
            validate_remaining(_get_path(workload), before, after, min_in_sync)
        if not removes and _get_template(old) == _get_template(new):
            return
        settings = await resolve_provider(provider)
        if settings is None:
            return
        names = [labels.format_pod_name(workload.name, ordinal) for ordinal in range(min(before, after))]
        unready = await _wait_until_ready(settings, workload, names, seconds)
        if removes:
            validate_removal(_get_path(workload), before, unready)
            warn_once(build_removal_warning(workload, before, after))
        if skipped := list_skipped(names, unready):
            warn_once(build_warning(workload, skipped))

    question = f"whether the update of {name} keeps its data available"
    return create_check_hooks(f"{name}-rollout", question, check)


def build_member_hooks(name: str, component: ComponentResource, workload: Workload) -> list[Any]:
    """Return a hook before the update of the StatefulSet of a Raft quorum that rejects another number of members.

    It compares with the StatefulSet in the cluster, or with the state of the stack if the cluster does not answer.

    `name` is that of the resource; the hook is `<name>-members`. `component` is its parent, whose Kubernetes provider
    determines the cluster.
    """
    provider = component.get_provider(POD_TYPE)

    async def check(args: ResourceHookArgs) -> None:
        planned = get_replicas(args.new_inputs)
        settings = await resolve_provider(provider)
        found = await asyncio.to_thread(read_set, settings, workload) if settings is not None else {}
        validate_member_count(get_replicas(found or args.old_inputs), planned)

    question = f"whether {name} changes the number of its members"
    return create_check_hooks(f"{name}-members", question, check)


def validate_version(before: str, after: str) -> None:
    """Reject an older version than that of the last update, which may have written the volumes.

    An update that failed counts too. An empty text is an unknown version.
    """
    if not is_older(after, before):
        return
    raise ArgumentError(
        ARGS / "version",
        "version-downgrade",
        "{given} is older than {before}, the version of the last update. It was not tested whether an older version "
        "can read a volume that a newer one has written",
        accepted="{before} or a later version",
        remedy="Restore the version. To go back after an upgrade, follow docs/how-to/upgrade-rocketmq.md",
        given=after,
        before=before,
    )


def validate_removal(path: ArgumentPath, before: int, unready: Sequence[str]) -> None:
    """Reject fewer members of a broker group while a member that stays is not ready.

    A ready member is in sync. All others may lack messages that only the removed members have.

    `before` is the present number of members. `unready` are the pods that stay and are not ready. Raise ArgumentError
    if there are such pods.
    """
    if unready:
        raise ArgumentError(
            path / "replicas",
            "member-removal",
            "members that stay are not ready ({unready}), so they may lack messages of those that this update removes",
            accepted="{before} until they are ready",
            remedy="Restore the number, and lower it when `eks-rocketmq status` shows that all of them are ready",
            before=before,
            unready=", ".join(unready),
        )


def validate_remaining(path: ArgumentPath, before: int, after: int, min_in_sync: int) -> None:
    """Reject fewer members of a broker group if writes would stop while one of those that stay restarts.

    With the pod management `Parallel`, Kubernetes stops the removed pods and the last one that stays at the same time.
    Members that have not restarted have the former keys. `min_in_sync` is their number of members that a write needs.
    """
    running = max(1, after - 1)  # writes to a single member stop whenever it restarts
    if running < min_in_sync:
        raise ArgumentError(
            path / "replicas",
            "removal-stops-writes",
            "this update would remove members and restart another one at the same time. {running} would run, and a "
            "write needs {needed} until all have restarted",
            accepted="{before} in this update",
            remedy="Restore the number and run `pulumi up`, so that a write needs fewer. Then lower the number",
            before=before,
            running=running,
            needed=min_in_sync,
        )


def validate_member_count(running: int | None, planned: int | None) -> None:
    """Reject another number of controllers than runs.

    None is an unknown number. If no controller runs, any number is accepted: the guide stops all before it changes the
    number.
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


def list_unready(names: Sequence[str], pods: Sequence[Object]) -> list[str]:
    """Return the names of pods that do not exist or are not ready."""
    ready = {pod["metadata"]["name"] for pod in pods if is_ready(pod)}
    return [name for name in names if name not in ready]


def list_skipped(names: Sequence[str], unready: Sequence[str]) -> list[str]:
    """Return the unready pods before which a rolling update stops a ready one.

    It begins with the last pod, and does not wait for pods that it has not updated yet: with the pod management
    `Parallel`, https://github.com/kubernetes/kubernetes/issues/96218.

    `names` are the names of all pods by ordinal.
    """
    return [name for index, name in enumerate(names) if name in unready and {*names[index:]} - {*unready}]


def build_warning(workload: Workload, skipped: Sequence[str]) -> str:
    """Return the warning about a rolling update while pods are not ready."""
    effect = (
        "Writes stop while too few members" if workload.role == labels.BROKER else "No master is elected while too few"
    )
    return (
        f"StatefulSet {workload.namespace}/{workload.name}: pods are not ready ({', '.join(skipped)}), and this update "
        f"may stop ready ones first. {effect} are left. If this change does not make them ready, update when all pods "
        f"are ready (`eks-rocketmq status --namespace {workload.namespace}`)"
    )


def build_removal_warning(workload: Workload, before: int, after: int) -> str:
    """Return the warning about members that stop at the same time when an update removes some."""
    last, *removed = (labels.format_pod_name(workload.name, ordinal) for ordinal in range(after - 1, before))
    return (
        f"StatefulSet {workload.namespace}/{workload.name}: this update stops {', '.join(removed)} and at the same "
        f"time {last}, which restarts. Meanwhile {after - 1} of {before} members run"
    )


async def _wait_until_ready(
    settings: Mapping[str, str], workload: Workload, names: Sequence[str], seconds: float
) -> list[str]:
    """Return the pods that are not ready in time."""
    end = time.monotonic() + seconds
    while unready := list_unready(names, await asyncio.to_thread(_list_pods, settings, workload)):
        if time.monotonic() >= end:
            break
        await asyncio.sleep(_POLL_SECONDS)
    return unready


def _list_pods(settings: Mapping[str, str], workload: Workload) -> list[Object]:
    from eks_rocketmq.lookups.kubernetes_api import list_pods  # noqa: PLC0415 - the import takes 250 ms; few updates need it

    return list_pods(settings, workload.namespace, workload.selector)


def read_set(settings: Mapping[str, str], workload: Workload) -> Object:
    """Return a StatefulSet in the cluster. It is empty if the cluster does not return it."""
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - as in `_list_pods`

    try:
        return get_json(settings, f"/apis/apps/v1/namespaces/{workload.namespace}/statefulsets/{workload.name}")
    except Exception:  # noqa: BLE001 - the callers know enough from the state of the stack
        return {}


def _get_version(inputs: Mapping[str, Any]) -> str:
    return ((inputs.get("metadata") or {}).get("labels") or {}).get(labels.VERSION_LABEL, "")


def _get_path(workload: Workload) -> ArgumentPath:
    """Return the path of the arguments of a broker group or of the controllers."""
    if workload.role == labels.BROKER:
        return (ARGS / "broker_groups").key(workload.selector[labels.GROUP_LABEL])
    return ARGS / "controllers"


def _get_template(inputs: Mapping[str, Any]) -> object:
    return (inputs.get("spec") or {}).get("template")
