"""Validation of the names of topics, consumer groups and users. Pure."""

import re

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


def validate_topic_name(name: str, reserved_topics: frozenset[str]) -> str:
    """Validate the name of a topic and return it.

    Args:
        name: name of the topic.
        reserved_topics: names of RocketMQ's system topics in this deployment.

    Raises:
        ValueError: with the topic and what is accepted.
    """
    return _validate_name(name, "topics", _TOPIC_LENGTH, _RESERVED_TOPICS | reserved_topics)


def validate_group_name(name: str) -> str:
    """Validate the name of a consumer group and return it.

    Raises:
        ValueError: with the group and what is accepted.
    """
    return _validate_name(name, "consumer_groups", _GROUP_LENGTH, _RESERVED_GROUPS)


def validate_user_name(name: str, internal_prefix: str) -> str:
    """Validate the name of a user, which is also the access key, and return it.

    RocketMQ accepts any name, but signatures and user lists do not.

    Raises:
        ValueError: with the user and what is accepted.
    """
    path = f"access.users[{name!r}].name"
    if not _USER_PATTERN.fullmatch(name):
        msg = f"{path} is {name!r}; accepted are 1 to 64 letters, digits, '_', '.', '@' and '-'"
        raise ValueError(msg)
    if name.startswith(internal_prefix):
        msg = f"{path} is {name!r}; names that begin with {internal_prefix!r} are RocketMQ's own, take another one"
        raise ValueError(msg)
    return name


def _validate_name(name: str, argument: str, length: int, reserved: frozenset[str]) -> str:
    path = f"{argument}[{name!r}].name"
    if name in reserved or name.startswith(_RESERVED_PREFIXES):
        msg = f"{path} is {name!r}, which RocketMQ has for itself; accepted is any other name"
        raise ValueError(msg)
    if len(name) > length or not _NAME_PATTERN.fullmatch(name):
        msg = f"{path} is {name!r}; accepted are 1 to {length} letters, digits, '_', '-', '%' and '|'"
        raise ValueError(msg)
    return name
