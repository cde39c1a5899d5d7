"""Names of topics, consumer groups and users: what RocketMQ refuses, or takes and makes no sense of. Pure."""

import re

_LETTERS = re.compile(r"[%|a-zA-Z0-9_-]+")
_TOPIC_LENGTH = 127
_GROUP_LENGTH = 120  # the retry topic of a group has its name and more in it
_USER = re.compile(r"[a-zA-Z0-9_.@-]{1,64}")
_OWN_PREFIXES = ("%RETRY%", "%DLQ%", "%SYS%", "rmq_sys_", "RMQ_SYS_", "CID_RMQ_SYS_", "wheel_timer_sys_")
_OWN_TOPICS = frozenset(
    {
        "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC", "DefaultHeartBeatSyncerTopic",
    }
)  # fmt: skip
_OWN_GROUPS = frozenset(
    {
        "DEFAULT_CONSUMER", "DEFAULT_PRODUCER", "TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP",
        "SELF_TEST_P_GROUP", "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_ONSAPI_PULL",
    }
)  # fmt: skip


def topic(name: str, taken: frozenset[str]) -> str:
    """Returns the name of a topic. `taken` are names that RocketMQ gives to topics of its own in this deployment.

    Raises:
        ValueError: naming the topic and what is accepted.
    """
    return _checked(name, "topics", _TOPIC_LENGTH, _OWN_TOPICS | taken)


def group(name: str) -> str:
    """Returns the name of a consumer group.

    Raises:
        ValueError: naming the group and what is accepted.
    """
    return _checked(name, "consumer_groups", _GROUP_LENGTH, _OWN_GROUPS)


def user(name: str, internal_prefix: str) -> str:
    """Returns the name of a user, which is an access key as well. RocketMQ takes any; signatures and lists do not.

    Raises:
        ValueError: naming the user and what is accepted.
    """
    what = f"access.users[{name!r}].name"
    if not _USER.fullmatch(name):
        msg = f"{what} is {name!r}; accepted are 1 to 64 letters, digits, '_', '.', '@' and '-'"
        raise ValueError(msg)
    if name.startswith(internal_prefix):
        msg = f"{what} is {name!r}; names that begin with {internal_prefix!r} are RocketMQ's own, take another one"
        raise ValueError(msg)
    return name


def _checked(name: str, argument: str, length: int, own: frozenset[str]) -> str:
    what = f"{argument}[{name!r}].name"
    if name in own or name.startswith(_OWN_PREFIXES):
        msg = f"{what} is {name!r}, which RocketMQ has for itself; accepted is any other name"
        raise ValueError(msg)
    if len(name) > length or not _LETTERS.fullmatch(name):
        msg = f"{what} is {name!r}; accepted are 1 to {length} letters, digits, '_', '-', '%' and '|'"
        raise ValueError(msg)
    return name
