"""Changes of configuration keys that the messages of running members do not survive. Pure."""

from collections.abc import Mapping

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.rocketmq.config.broker_config import load_keys, parse_properties, render_properties
from eks_rocketmq.rocketmq.naming.labels import BROKER, CONTROLLER

# MappedFileQueue.doLoad and DLedger's MmapFileList.load reject a file of another size.
_FILE_SIZE = "a pod whose volume has files of the former size would not start"
_STORE_KEYS: Mapping[str, Mapping[str, str]] = {
    BROKER: {
        "mappedFileSizeCommitLog": _FILE_SIZE,
        "mappedFileSizeConsumeQueue": _FILE_SIZE,
        "mappedFileSizeConsumeQueueExt": _FILE_SIZE,
        "mappedFileSizeTimerLog": _FILE_SIZE,
        # TimerWheel.getSlot does not find a slot that was written with another precision.
        "timerPrecisionMs": "delayed messages on the volumes would be lost or delivered twice",
        "storeType": "it was not tested whether a broker reads a volume with the other type of store",
    },
    CONTROLLER: {"mappedFileSize": _FILE_SIZE},
}
"""Keys that determine what is on a volume, by role, with the effect of another value."""
_DELETION = "cleanFileForciblyEnable"


def reject_key_changes(role: str, version: str, before: str, after: str, path: ArgumentPath) -> None:
    """Reject a change of keys that the messages of running members do not survive.

    Raise ValueError for a change of a key that determines what is on the volumes. Also raise it if brokers would begin
    to delete messages that no consumer has read, and the keys do not say so.

    Args:
        role: `broker` or `controller`.
        version: RocketMQ version, whose defaults apply to keys that are not set.
        before: configuration file of the last update, also of one that failed.
        after: configuration file of this update.
    """
    known = load_keys(version)[role]
    checked = [key for key in (*_STORE_KEYS[role], _DELETION) if key in known]
    defaults = parse_properties(render_properties({key: known[key]["default"] for key in checked}))
    given = parse_properties(after)
    old, new = defaults | parse_properties(before), defaults | given
    errors = ErrorCollector()
    for key, effect in _STORE_KEYS[role].items():
        with errors.collect():
            _reject_change(old.get(key), new.get(key), effect, path.key(key))
    if old.get(_DELETION) == "false" and _DELETION not in given:
        with errors.collect():
            raise _refuse_deletion(path.key(_DELETION))
    errors.raise_errors()


def _reject_change(before: str | None, after: str | None, effect: str, path: ArgumentPath) -> None:
    if before != after:
        raise ArgumentError(
            path,
            "store-key-change",
            "an update cannot change it from {before} to {given}, because {effect}",
            accepted="{before}",
            remedy="Restore the value. Only new members can have another one, for example those of a new broker group",
            given=after,
            before=before,
            effect=effect,
        )


def _refuse_deletion(path: ArgumentPath) -> ArgumentError:
    return ArgumentError(
        path,
        "deletion-change",
        "it would change from false to RocketMQ's default, true. A broker would then delete the oldest messages of a "
        "volume that is 85 % full, also those that no consumer has read",
        accepted="true or false, given explicitly",
        remedy="Set it to false to keep the messages, or to true to have them deleted",
    )
