"""Validation of the names of topics, consumer groups and users. Pure."""

import re

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import validate_pattern

_NAME_PATTERN = re.compile(r"[%|a-zA-Z0-9_-]+")
_TOPIC_LENGTH = 127
_GROUP_LENGTH = 120  # the name of the retry topic contains the group's name and a prefix
_USER_PATTERN = re.compile(r"[a-zA-Z0-9_.@-]{1,64}")
_RESERVED_PREFIXES = ("%RETRY%", "%DLQ%", "%SYS%", "rmq_sys_", "RMQ_SYS_", "CID_RMQ_SYS_", "wheel_timer_sys_")
_RESERVED_TOPICS = frozenset(
    {
        "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC", "DefaultHeartBeatSyncerTopic",
    }
)  # fmt: skip
_RESERVED_GROUPS = frozenset(
    {
        "DEFAULT_CONSUMER", "DEFAULT_PRODUCER", "TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP",
        "SELF_TEST_P_GROUP", "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_ONSAPI_PULL",
    }
)  # fmt: skip


def validate_topic_name(name: str, reserved_topics: frozenset[str], path: ArgumentPath) -> str:
    """Validate the name of a topic and return it.

    `reserved_topics` are the names of RocketMQ's system topics in this deployment.
    """
    return _validate_name(name, path, _TOPIC_LENGTH, _RESERVED_TOPICS | reserved_topics)


def validate_group_name(name: str, path: ArgumentPath) -> str:
    """Validate the name of a consumer group and return it."""
    return _validate_name(name, path, _GROUP_LENGTH, _RESERVED_GROUPS)


def validate_user_name(name: str, internal_prefix: str, path: ArgumentPath) -> str:
    """Validate the name of a user, which is also the access key, and return it.

    RocketMQ accepts any name, but signatures and user lists do not.
    """
    validate_pattern(_USER_PATTERN, name, path, "user-name", "1 to 64 letters, digits, '_', '.', '@' and '-'")
    if name.startswith(internal_prefix):
        raise ArgumentError(
            path,
            "internal-user-name",
            "names that begin with {prefix!r} are reserved for RocketMQ's own pods, so {given!r} is not accepted",
            remedy="Choose another name",
            given=name,
            prefix=internal_prefix,
        )
    return name


def _validate_name(name: str, path: ArgumentPath, length: int, reserved: frozenset[str]) -> str:
    if name in reserved or name.startswith(_RESERVED_PREFIXES):
        raise ArgumentError(
            path,
            "reserved-resource-name",
            "RocketMQ reserves the name {given!r} for itself",
            remedy="Choose another name",
            given=name,
        )
    if len(name) > length or not _NAME_PATTERN.fullmatch(name):
        raise ArgumentError(
            path,
            "resource-name",
            "RocketMQ does not accept the name {given!r}",
            accepted="1 to {most} letters, digits, '_', '-', '%' and '|'",
            given=name,
            most=length,
        )
    return name
