"""Topics and consumer groups: arguments, and validated lines that `scripts/declare.sh` compares with brokers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict, TypeVar

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector
from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.validation import reject_duplicates, validate_choice, validate_range
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
    """Number of read queues on each broker group. It limits how many consumers of a group share the work. Default:
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

    Raise ValueError for the first topic that is not accepted.

    Args:
        broker_groups: names of all broker groups. RocketMQ creates a system topic with each of these names.
        version: RocketMQ version, which determines the message types.
        cluster: name of the RocketMQ cluster. RocketMQ derives names of system topics from it.
        mixed: whether every broker accepts `MIXED`.
    """
    reserved = frozenset({cluster, f"{cluster}_REPLY_TOPIC", *broker_groups})
    path = ARGS / "topics"
    found = []
    for index, each in enumerate(given):
        place = path.index(index, each)
        kind = _validate_type(each.get("type", "NORMAL"), version, place / "type", mixed=mixed)
        found.append(_plan_topic(each, kind, broker_groups, reserved, place))
    return _sort_unique(found, path)


def _plan_topic(
    given: TopicArgs, kind: str, broker_groups: Sequence[str], reserved: frozenset[str], path: ArgumentPath
) -> Topic:
    name = resource_names.validate_topic_name(given["name"], reserved, path / "name")
    read = validate_range(given.get("queues", _DEFAULT_QUEUES), 1, _MAX_QUEUES, path / "queues")
    write = validate_range(given.get("write_queues", read), 1, _MAX_QUEUES, path / "write_queues")
    if write > read:
        raise ArgumentError(
            path / "write_queues",
            "topic-write-queues",
            "{given} is more than {queues}, which is {read}, and consumers do not read the other queues",
            accepted="1 to {read}",
            given=write,
            queues=path / "queues",
            read=read,
        )
    permission = validate_choice(given.get("permission", "RW"), TOPIC_PERMISSIONS, path / "permission")
    groups = given.get("broker_groups", list(broker_groups))
    for index, group in enumerate(groups):
        validate_choice(group, broker_groups, (path / "broker_groups").index(index))
    if not groups:
        raise ArgumentError(
            path / "broker_groups",
            "topic-broker-groups",
            "the list is empty, so no broker group would have the topic",
            accepted="one broker group or more",
            remedy="Leave the argument out for all broker groups",
        )
    return Topic(name, f"{name} {kind} {read} {write} {TOPIC_PERMISSIONS[permission]}", frozenset(groups))


def _validate_type(kind: str, version: str, path: ArgumentPath, *, mixed: bool) -> str:
    release = tuple(map(int, version.split(".")))
    known = [
        *MESSAGE_TYPES,
        *(new for new, since in NEWER_MESSAGE_TYPES.items() if release >= tuple(map(int, since.split(".")))),
    ]
    if kind == "MIXED":
        if mixed:
            return kind
        raise ArgumentError(
            path,
            "topic-mixed-type",
            "brokers reject {given!r} unless 'enableMixedMessageType' is true",
            accepted="{choices}",
            remedy="Choose one of these types, or set 'enableMixedMessageType' in {config} of every broker group",
            given=kind,
            choices=", ".join(map(repr, known)),
            config=Names(("config",)),
        )
    if kind in NEWER_MESSAGE_TYPES and kind not in known:
        raise ArgumentError(
            path,
            "topic-type-version",
            "{given!r} needs RocketMQ {since} or later, and {version} is {deployed!r}",
            accepted="{choices}",
            given=kind,
            since=NEWER_MESSAGE_TYPES[kind],
            version=ARGS / "version",
            deployed=version,
            choices=", ".join(map(repr, known)),
        )
    return validate_choice(kind, known, path)


def plan_consumer_groups(given: Sequence[ConsumerGroupArgs]) -> list[ConsumerGroup]:
    """Return the validated consumer groups, sorted by name.

    Raise ValueError for the first group that is not accepted.
    """
    path = ARGS / "consumer_groups"
    return _sort_unique([_plan_consumer_group(each, path.index(index, each)) for index, each in enumerate(given)], path)


def _plan_consumer_group(given: ConsumerGroupArgs, path: ArgumentPath) -> ConsumerGroup:
    name = resource_names.validate_group_name(given["name"], path / "name")
    retries = validate_range(given.get("max_retries", _DEFAULT_RETRIES), 0, _MAX_RETRIES, path / "max_retries")
    flags = (given.get("consume", True), given.get("broadcast", True), given.get("ordered", False))
    return ConsumerGroup(name, f"{name} {' '.join(str(flag).lower() for flag in flags)} {retries}")


def _sort_unique(found: list[_Named], path: ArgumentPath) -> list[_Named]:
    reject_duplicates([each.name for each in found], path)
    return sorted(found, key=lambda each: each.name)


def render_declarations(
    members: Mapping[str, Sequence[str]], topics: Sequence[Topic], groups: Sequence[ConsumerGroup]
) -> dict[str, str]:
    """Render the files that `scripts/declare.sh` reads, text by file name.

    `members` are `host:port` of the members, by broker group.
    """
    result = {
        "members": _join_lines([f"{group} {address}" for group, addresses in members.items() for address in addresses]),
        "groups": _join_lines([group.line for group in groups]),
    }
    for name in members:
        result[f"topics.{name}"] = _join_lines([topic.line for topic in topics if name in topic.groups])
    return result


def render_queues(files: Mapping[str, str]) -> str:
    """Return the lines NAME READ_QUEUES WRITE_QUEUES of the topics in the files of `render_declarations`."""
    lines = [line.split() for name, text in files.items() if name.startswith("topics.") for line in text.splitlines()]
    return _join_lines(sorted({f"{name} {read} {write}" for name, _, read, write, _ in lines}))


def validate_queues(before: str, after: str) -> None:
    """Reject fewer read queues than a topic had write queues. Their messages may be unread.

    `before` and `after` are lines of `render_queues`, of the last update and of this one. Raise ValueError if consumers
    would no longer read queues with messages.
    """
    former = {name: int(write) for name, _, write in map(str.split, before.splitlines())}
    errors = ErrorCollector()
    for name, read, _ in map(str.split, after.splitlines()):
        if int(read) < former.get(name, 0):
            with errors.collect():
                raise _refuse_queues(int(read), former[name], (ARGS / "topics").key(name))
    errors.raise_errors()


def _refuse_queues(read: int, written: int, path: ArgumentPath) -> ArgumentError:
    return ArgumentError(
        path / "queues",
        "topic-unread-queues",
        "{given} is less than {written}, the number of write queues before. Consumers would no longer read the other "
        "queues, and these may have unread messages",
        accepted="{written} or more",
        remedy="Set {write_queues} to {given}, keep {queues}, and update. Lower {queues} when the last queues are "
        "drained",
        given=read,
        written=written,
        queues=path / "queues",
        write_queues=path / "write_queues",
    )


def _join_lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
