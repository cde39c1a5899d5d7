"""Checks at preview of the update of a StatefulSet with data: what its pods would lose, and when they would stop."""

from collections.abc import Mapping
from typing import Any

from pulumi import ResourceHookArgs

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.lookups.check_hooks import create_check_hooks
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.naming.versions import is_older


def build_rollout_hooks(name: str) -> list[Any]:
    """Return a hook before the update of a StatefulSet with data. It rejects an older version of RocketMQ.

    Args:
        name: name of the resource; the hook is `<name>-rollout`.
    """

    async def check(args: ResourceHookArgs) -> None:
        validate_version(_get_version(args.old_inputs), _get_version(args.new_inputs))

    return create_check_hooks(f"{name}-rollout", f"whether the update of {name} keeps its data available", check)


def validate_version(before: str, after: str) -> None:
    """Reject an older version than the one that has written the volumes. An empty text is an unknown version.

    Raises:
        ArgumentError: the version is older.
    """
    if not is_older(after, before):
        return
    raise ArgumentError(
        ARGS / "version",
        "version-downgrade",
        "{given} is older than {before}, which has written the volumes. It was not tested whether an older version can "
        "read them",
        accepted="{before} or a later version",
        remedy="Restore the version. To go back after an upgrade, follow docs/how-to/upgrade-rocketmq.md",
        given=after,
        before=before,
    )


def _get_version(inputs: Mapping[str, Any] | None) -> str:
    return (((inputs or {}).get("metadata") or {}).get("labels") or {}).get(labels.VERSION_LABEL, "")
