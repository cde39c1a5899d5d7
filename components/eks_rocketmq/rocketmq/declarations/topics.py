"""Topics and consumer groups: arguments, and validated lines that `scripts/declare.sh` compares with brokers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict, TypeVar

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.validation import reject_duplicates, suggest_name, validate_choice, validate_range
from eks_rocketmq.rocketmq.naming import resource_names

MESSAGE_TYPES = ("NORMAL", "FIFO", "DELAY", "TRANSACTION")
NEWER_MESSAGE_TYPES = {"PRIORITY": "5.4.0"}
TOPIC_PERMISSIONS = {"RW": 6, "R": 4, "W": 2}
_MAX_QUEUES = 1024
_DEFAULT_QUEUES = 8  # RocketMQ's default
_DEFAULT_RETRIES = 16
_MAX_RETRIES = 2**31 - 1  # a Java int


MessageType = Annotated[
    Literal["NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY", "MIXED"], Enumeration("MessageType")
]
TopicPermission = Annotated[Literal["RW", "R", "W"], Enumeration("TopicPermission")]


class TopicArgs(TypedDict):
    """Topic that the stack keeps on every member of its broker groups. Removing the declaration does not delete it."""

    name: str
    """Name of the topic: 1 to 127 letters, digits, `_`, `-`, `%` and `|`. Changing this creates another topic; the old
    topic and its messages remain."""
    type: NotRequired[MessageType]
    """Message type: `NORMAL`, `FIFO`, `DELAY`, `TRANSACTION`, from 5.4.0 `PRIORITY`, and `MIXED` if every broker group
    sets `enableMixedMessageType`. The proxies reject messages of another type. Default: `NORMAL`."""
    queues: NotRequired[int]
    """Number of read queues on each broker group. It limits the consumers of a group that share the work. Default:
    8."""
    write_queues: NotRequired[int]
    """Number of write queues. To reduce `queues`, first set fewer write queues, and reduce `queues` when the last
    queues are drained. Default: the value of `queues`."""
    permission: NotRequired[TopicPermission]
    """`RW`, `R` to drain the topic, or `W`. Default: `RW`."""
    broker_groups: NotRequired[list[str]]
    """Names of the broker groups with the topic. Removing a group from the list does not delete the topic there.
    Default: all."""


class ConsumerGroupArgs(TypedDict):
    """Consumer group that the stack keeps on every member of all broker groups. Removing the declaration does not
    delete it."""

    name: str
    """Name of the group: 1 to 120 letters, digits, `_`, `-`, `%` and `|`. Changing this creates another group without
    consumer offsets."""
    ordered: NotRequired[bool]
    """Whether a message of a queue is delivered only after the previous one is acknowledged, as FIFO topics require.
    Default: false."""
    max_retries: NotRequired[int]
    """Number of redeliveries before a message goes to the group's dead-letter queue. Default: 16."""
    broadcast: NotRequired[bool]
    """Whether consumers may use broadcast mode, in which each consumer receives every message. Default: true."""
    consume: NotRequired[bool]
    """Whether the group may consume; false pauses it and keeps its offsets. Default: true."""


@dataclass(frozen=True)
class Topic:
    """Validated topic. `line` is NAME TYPE READ_QUEUES WRITE_QUEUES PERMISSION."""

    name: str
    line: str
    groups: frozenset[str]


@dataclass(frozen=True)
class ConsumerGroup:
    """Validated consumer group. `line` is NAME CONSUME BROADCAST ORDERLY RETRIES."""

    name: str
    line: str


_Named = TypeVar("_Named", Topic, ConsumerGroup)


def plan_topics(
    given: Sequence[TopicArgs], broker_groups: Sequence[str], version: str, cluster: str, *, mixed: bool
) -> list[Topic]:
    """Return the validated topics, sorted by name.

    Args:
        given: arguments of the topics.
        broker_groups: names of all broker groups. RocketMQ creates a system topic with each of these names.
        version: RocketMQ version, which determines the message types.
        cluster: name of the RocketMQ cluster. RocketMQ derives names of system topics from it.
        mixed: whether every broker accepts `MIXED`.

    Raises:
        ValueError: for the first topic that is not accepted.
    """
    reserved = frozenset({cluster, f"{cluster}_REPLY_TOPIC", *broker_groups})
    return _sort_unique([_plan_topic(each, broker_groups, version, reserved, mixed=mixed) for each in given], "topics")


def _plan_topic(
    given: TopicArgs, broker_groups: Sequence[str], version: str, reserved: frozenset[str], *, mixed: bool
) -> Topic:
    name = resource_names.validate_topic_name(given["name"], reserved)
    path = f"topics[{name!r}]"
    kind = _validate_type(given.get("type", "NORMAL"), version, path, mixed=mixed)
    read = validate_range(given.get("queues", _DEFAULT_QUEUES), 1, _MAX_QUEUES, f"{path}.queues")
    write = validate_range(given.get("write_queues", read), 1, _MAX_QUEUES, f"{path}.write_queues")
    if write > read:
        msg = f"{path}.write_queues is {write}, queues is {read}; nobody reads the others: accepted is {read} or fewer"
        raise ValueError(msg)
    permission = validate_choice(given.get("permission", "RW"), TOPIC_PERMISSIONS, f"{path}.permission")
    groups = given.get("broker_groups", list(broker_groups))
    for group in groups:
        if group not in broker_groups:
            msg = (
                f"{path}.broker_groups names {group!r}; accepted are {', '.join(map(repr, broker_groups))}"
                f"{suggest_name(group, broker_groups)}"
            )
            raise ValueError(msg)
    if not groups:
        msg = f"{path}.broker_groups is empty; accepted is one broker group or more, or leave it out for all"
        raise ValueError(msg)
    return Topic(name, f"{name} {kind} {read} {write} {TOPIC_PERMISSIONS[permission]}", frozenset(groups))


def _validate_type(kind: str, version: str, path: str, *, mixed: bool) -> str:
    release = tuple(map(int, version.split(".")))
    known = [
        *MESSAGE_TYPES,
        *(new for new, since in NEWER_MESSAGE_TYPES.items() if release >= tuple(map(int, since.split(".")))),
    ]
    if kind == "MIXED":
        if mixed:
            return kind
        msg = (
            f"{path}.type is 'MIXED', which brokers refuse; accepted are {', '.join(map(repr, known))}, or set "
            "enableMixedMessageType in the config of every broker group"
        )
        raise ValueError(msg)
    if kind not in known:
        msg = (
            f"{path}.type is {kind!r}; accepted with RocketMQ {version} are {', '.join(map(repr, known))}"
            f"{suggest_name(kind, known)}"
        )
        raise ValueError(msg)
    return kind


def plan_consumer_groups(given: Sequence[ConsumerGroupArgs]) -> list[ConsumerGroup]:
    """Return the validated consumer groups, sorted by name.

    Raises:
        ValueError: for the first group that is not accepted.
    """
    return _sort_unique([_plan_consumer_group(each) for each in given], "consumer_groups")


def _plan_consumer_group(given: ConsumerGroupArgs) -> ConsumerGroup:
    name = resource_names.validate_group_name(given["name"])
    retries = validate_range(
        given.get("max_retries", _DEFAULT_RETRIES), 0, _MAX_RETRIES, f"consumer_groups[{name!r}].max_retries"
    )
    flags = (given.get("consume", True), given.get("broadcast", True), given.get("ordered", False))
    return ConsumerGroup(name, f"{name} {' '.join(str(flag).lower() for flag in flags)} {retries}")


def _sort_unique(found: list[_Named], path: str) -> list[_Named]:
    reject_duplicates([each.name for each in found], path)
    return sorted(found, key=lambda each: each.name)


def render_declarations(
    members: Mapping[str, Sequence[str]],
    topics: Sequence[Topic],
    groups: Sequence[ConsumerGroup],
    *,
    access_control: bool,
) -> dict[str, str]:
    """Render the files that `scripts/declare.sh` reads, text by file name. The result is empty without declarations.

    Args:
        members: `host:port` of the members, by broker group.
        topics: validated topics.
        groups: validated consumer groups.
        access_control: whether there are users, at least the internal ones.
    """
    if not (topics or groups or access_control):
        return {}
    result = {
        "members": _join_lines([f"{group} {address}" for group, addresses in members.items() for address in addresses]),
        "groups": _join_lines([group.line for group in groups]),
    }
    for name in members:
        result[f"topics.{name}"] = _join_lines([topic.line for topic in topics if name in topic.groups])
    return result


def _join_lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
