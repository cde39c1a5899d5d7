"""Checks at preview of changes of TLS and access control, which can make pods of one StatefulSet refuse each other."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pulumi import ComponentResource, ResourceHookArgs

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.lookups.check_hooks import create_check_hooks
from eks_rocketmq.lookups.kubernetes_provider import POD_TYPE, resolve_provider
from eks_rocketmq.lookups.manifests import get_annotation
from eks_rocketmq.rocketmq.config.tls import MODE_FLAG, VERIFY_FLAG, VOLUME
from eks_rocketmq.rocketmq.namespace.collisions import Object, Workload
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.pods.rollout_preflight import read_set

_Step = tuple[ArgumentPath, str | None, str | None]
"""Argument, value before and value after."""


def build_mode_hooks(name: str, component: ComponentResource, workload: Workload) -> list[Any]:
    """Return a hook before the update of a StatefulSet that rejects changes of TLS and access control that stop it.

    An update that failed has changed some StatefulSets and some pods only, so each StatefulSet is checked.

    `name` is that of the resource; the hook is `<name>-modes`. `component` is its parent, whose Kubernetes provider
    determines the cluster.
    """
    provider = component.get_provider(POD_TYPE)

    async def check(args: ResourceHookArgs) -> None:
        old, new = args.old_inputs, args.new_inputs
        mode, generation = labels.ACCESS_MODE_ANNOTATION, labels.INTERNAL_GENERATION_ANNOTATION
        tls_modes = _get_tls_mode(old), _get_tls_mode(new)
        access_modes = get_annotation(old, mode), get_annotation(new, mode)
        secrets = _get_tls_secret(old), _get_tls_secret(new)
        generations = get_annotation(old, generation), get_annotation(new, generation)
        validate_tls_change(*tls_modes)
        validate_secret_change(*secrets, verified=VERIFY_FLAG in {*_list_words(old), *_list_words(new)})
        validate_access_change(*access_modes)
        validate_generation(*generations)
        step = _find_step(tls_modes, generations)
        permissive = _list_permissive_changes(tls_modes, secrets, access_modes)
        settings = await resolve_provider(provider) if step or permissive else None
        if settings is None:
            return
        found = await asyncio.to_thread(read_set, settings, workload)
        if step:
            validate_rollout(*step, found)
        if permissive:
            current = await asyncio.to_thread(_read_current_revision, settings, workload, found)
            enforced = {"tls": _get_tls_mode(current.get("data")), "access": get_annotation(current, mode)}
            for argument, change in permissive:
                if enforced[argument] == "enforcing":
                    validate_rollout(*change, found)

    question = f"whether pods of {name} understand each other during the update"
    return create_check_hooks(f"{name}-modes", question, check)


def validate_tls_change(before: str | None, after: str | None) -> None:
    """Reject a change between no TLS and enforced TLS. None is no TLS."""
    if {before, after} == {None, "enforcing"}:
        raise _refuse_change("tls", before, after, "docs/how-to/turn-on-tls.md")


def validate_secret_change(before: str | None, after: str | None, *, verified: bool) -> None:
    """Reject another Secret, whose certificate may be from another authority, while pods verify certificates.

    `before` and `after` are the names of the Secrets. None is no TLS or an unknown name. `verified` tells whether pods
    verify certificates before or after the update.
    """
    if verified and None not in {before, after} and before != after:
        raise ArgumentError(
            ARGS / "tls" / "secret_name",
            "certificate-change",
            "one update cannot change it from {before!r} to {given!r} while pods verify certificates. Pods that have "
            "restarted and pods that have not would refuse the certificates of each other if their authorities differ",
            accepted="a change while {mode} is 'permissive'",
            remedy="Set {mode} to 'permissive' and update. Make this change and update. Then set {mode} to "
            "'enforcing'. See {guide}",
            before=before,
            given=after,
            mode=ARGS / "tls" / "mode",
            guide="docs/how-to/turn-on-tls.md",
        )


def validate_access_change(before: str | None, after: str | None) -> None:
    """Reject the end of enforced access control. None is no access control.

    The other direction works: members that already have access control authenticate to those that do not.
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

    Raise ArgumentError for a generation that is neither `before` nor the next one.
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


def _find_step(tls: tuple[str | None, str | None], generation: tuple[str | None, str | None]) -> _Step | None:
    """Return the argument with both values if all pods must have the former one before it changes, else None."""
    if tls[0] != tls[1] == "enforcing":
        return ARGS / "tls" / "mode", *tls
    if None not in generation and generation[0] != generation[1]:
        return ARGS / "access" / "internal_generation", *generation
    return None


def _list_permissive_changes(
    tls: tuple[str | None, str | None], secrets: tuple[str | None, str | None], access: tuple[str | None, str | None]
) -> list[tuple[str, _Step]]:
    """Return the changes that need pods in permissive mode, each with its argument.

    Pods from before the update to `permissive` may remain. They would refuse those of such a change.
    """
    end = "permissive", None
    changes: list[tuple[str, _Step]] = []
    if tls == end:
        changes.append(("tls", (ARGS / "tls", *tls)))
    if None not in secrets and secrets[0] != secrets[1]:
        changes.append(("tls", (ARGS / "tls" / "secret_name", *secrets)))
    if access == end:
        changes.append(("access", (ARGS / "access", *access)))
    return changes


def _read_current_revision(settings: Mapping[str, str], workload: Workload, found: Object) -> Object:
    """Return the ControllerRevision of the last finished rollout. It is empty for a StatefulSet without one.

    The StatefulSet controller copies the annotations and the pod template of the set into it.
    """
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - as in `rollout_preflight`

    name = (found.get("status") or {}).get("currentRevision")
    path = f"/apis/apps/v1/namespaces/{workload.namespace}/controllerrevisions/{name}"
    return get_json(settings, path) if name else {}


def validate_rollout(path: ArgumentPath, before: str | None, after: str | None, found: Object) -> None:
    """Reject a change while the pods of a StatefulSet do not all have the former value.

    `found` is the StatefulSet in the cluster, which may be empty. Raise ArgumentError if the pods have two revisions.
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
            given=after or "none",
            before=before,
        )


def _get_tls_mode(inputs: Mapping[str, Any] | None) -> str | None:
    words = _list_words(inputs)
    return next((word.removeprefix(MODE_FLAG) for word in words if word.startswith(MODE_FLAG)), None)


def _get_tls_secret(inputs: Mapping[str, Any] | None) -> str | None:
    volumes = [each for each in _get_pod(inputs).get("volumes") or [] if each["name"] == VOLUME]
    name = volumes[0]["secret"]["secretName"] if volumes else None
    return name if isinstance(name, str) else None


def _list_words(inputs: Mapping[str, Any] | None) -> list[str]:
    """Return the words of the commands of all containers."""
    containers = _get_pod(inputs).get("containers") or []
    return [word for each in containers for word in each.get("command") or [] if isinstance(word, str)]


def _get_pod(inputs: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (((inputs or {}).get("spec") or {}).get("template") or {}).get("spec") or {}
