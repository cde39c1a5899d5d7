"""Topics and consumer groups: what a caller says of them, checked, as the lines in which brokers are compared. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict, TypeVar

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.args.validation import between, did_you_mean, each_once, one_of
from eks_rocketmq.rocketmq.naming import resource_names

MESSAGE_TYPES = ("NORMAL", "FIFO", "DELAY", "TRANSACTION")
NEWER_MESSAGE_TYPES = {"PRIORITY": "5.4.0"}
TOPIC_PERMISSIONS = {"RW": 6, "R": 4, "W": 2}
_MOST_QUEUES = 1024
_QUEUES = 8  # RocketMQ's own default
_RETRIES = 16
_MOST_RETRIES = 2**31 - 1  # a Java int


MessageType = Annotated[
    Literal["NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY", "MIXED"], Enumeration("MessageType")
]
TopicPermission = Annotated[Literal["RW", "R", "W"], Enumeration("TopicPermission")]


class TopicArgs(TypedDict):
    """A topic, which the stack keeps on every member of its broker groups. It is never deleted with its declaration."""

    name: str
    """1 to 127 letters, digits, `_`, `-`, `%` and `|`. Another name is another topic; the old one and its messages
    stay."""
    type: NotRequired[MessageType]
    """What its messages are: `NORMAL`, `FIFO`, `DELAY`, `TRANSACTION`, from 5.4.0 `PRIORITY`, and `MIXED` where
    every broker group has `enableMixedMessageType`. The proxies refuse messages of another kind. Default: `NORMAL`."""
    queues: NotRequired[int]
    """Queues on each broker group that are read: how many consumers of a group can share the work. Default: 8."""
    write_queues: NotRequired[int]
    """Queues that are written. Fewer than `queues` for as long as the last ones drain, before `queues` shrinks.
    Default: as `queues`."""
    permission: NotRequired[TopicPermission]
    """`RW`, `R` to let it drain, or `W`. Default: `RW`."""
    broker_groups: NotRequired[list[str]]
    """Names of the broker groups that carry it. Taking one out deletes nothing there. Default: all."""


class ConsumerGroupArgs(TypedDict):
    """A consumer group, which the stack keeps on every member of all broker groups. It is never deleted with its
    declaration."""

    name: str
    """1 to 120 letters, digits, `_`, `-`, `%` and `|`. Another name is another group, which begins to read anew."""
    ordered: NotRequired[bool]
    """Whether a queue's next message waits until the one before is acknowledged, as FIFO topics need. Default:
    false."""
    max_retries: NotRequired[int]
    """How often a message is delivered again before it goes to the group's dead letters. Default: 16."""
    broadcast: NotRequired[bool]
    """Whether consumers may ask for every message each, instead of sharing them. Default: true."""
    consume: NotRequired[bool]
    """Whether it may consume; false stops it without losing its place. Default: true."""


@dataclass(frozen=True)
class Topic:
    """A checked topic: `line` is NAME TYPE READ_QUEUES WRITE_QUEUES PERMISSION."""

    name: str
    line: str
    groups: frozenset[str]


@dataclass(frozen=True)
class ConsumerGroup:
    """A checked consumer group: `line` is NAME CONSUME BROADCAST ORDERLY RETRIES."""

    name: str
    line: str


_Named = TypeVar("_Named", Topic, ConsumerGroup)


def topics(
    given: Sequence[TopicArgs], broker_groups: Sequence[str], version: str, cluster: str, *, mixed: bool
) -> list[Topic]:
    """The topics, by name.

    Args:
        given: what the caller says.
        broker_groups: names of all broker groups. RocketMQ has a topic of its own under each of them.
        version: RocketMQ version, which decides the types.
        cluster: the cluster's name, under which RocketMQ has topics of its own.
        mixed: whether every broker takes `MIXED`.

    Raises:
        ValueError: for the first that cannot be.
    """
    taken = frozenset({cluster, f"{cluster}_REPLY_TOPIC", *broker_groups})
    return _unique([_topic(each, broker_groups, version, taken, mixed=mixed) for each in given], "topics")


def _topic(
    given: TopicArgs, broker_groups: Sequence[str], version: str, taken: frozenset[str], *, mixed: bool
) -> Topic:
    name = resource_names.topic(given["name"], taken)
    what = f"topics[{name!r}]"
    kind = _type(given.get("type", "NORMAL"), version, what, mixed=mixed)
    read = between(given.get("queues", _QUEUES), 1, _MOST_QUEUES, f"{what}.queues")
    write = between(given.get("write_queues", read), 1, _MOST_QUEUES, f"{what}.write_queues")
    if write > read:
        msg = f"{what}.write_queues is {write}, queues is {read}; nobody reads the others: accepted is {read} or fewer"
        raise ValueError(msg)
    permission = one_of(given.get("permission", "RW"), TOPIC_PERMISSIONS, f"{what}.permission")
    groups = given.get("broker_groups", list(broker_groups))
    for group in groups:
        if group not in broker_groups:
            msg = (
                f"{what}.broker_groups names {group!r}; accepted are {', '.join(map(repr, broker_groups))}"
                f"{did_you_mean(group, broker_groups)}"
            )
            raise ValueError(msg)
    if not groups:
        msg = f"{what}.broker_groups is empty; accepted is one broker group or more, or leave it out for all"
        raise ValueError(msg)
    return Topic(name, f"{name} {kind} {read} {write} {TOPIC_PERMISSIONS[permission]}", frozenset(groups))


def _type(kind: str, version: str, what: str, *, mixed: bool) -> str:
    release = tuple(map(int, version.split(".")))
    known = [
        *MESSAGE_TYPES,
        *(new for new, since in NEWER_MESSAGE_TYPES.items() if release >= tuple(map(int, since.split(".")))),
    ]
    if kind == "MIXED":
        if mixed:
            return kind
        msg = (
            f"{what}.type is 'MIXED', which brokers refuse; accepted are {', '.join(map(repr, known))}, or set "
            "enableMixedMessageType in the config of every broker group"
        )
        raise ValueError(msg)
    if kind not in known:
        msg = (
            f"{what}.type is {kind!r}; accepted with RocketMQ {version} are {', '.join(map(repr, known))}"
            f"{did_you_mean(kind, known)}"
        )
        raise ValueError(msg)
    return kind


def consumer_groups(given: Sequence[ConsumerGroupArgs]) -> list[ConsumerGroup]:
    """The consumer groups, by name.

    Raises:
        ValueError: for the first that cannot be.
    """
    return _unique([_consumer_group(each) for each in given], "consumer_groups")


def _consumer_group(given: ConsumerGroupArgs) -> ConsumerGroup:
    name = resource_names.group(given["name"])
    retries = between(given.get("max_retries", _RETRIES), 0, _MOST_RETRIES, f"consumer_groups[{name!r}].max_retries")
    flags = (given.get("consume", True), given.get("broadcast", True), given.get("ordered", False))
    return ConsumerGroup(name, f"{name} {' '.join(str(flag).lower() for flag in flags)} {retries}")


def _unique(found: list[_Named], what: str) -> list[_Named]:
    each_once([each.name for each in found], what)
    return sorted(found, key=lambda each: each.name)


def files(
    members: Mapping[str, Sequence[str]],
    topics: Sequence[Topic],
    groups: Sequence[ConsumerGroup],
    *,
    guarded: bool,
) -> dict[str, str]:
    """What `scripts/declare.sh` reads, file name to text; nothing when there is nothing to declare.

    Args:
        members: broker group to `host:port` of its members.
        topics: the topics.
        groups: the consumer groups.
        guarded: whether there are users, RocketMQ's own at least.
    """
    if not (topics or groups or guarded):
        return {}
    result = {
        "members": _text([f"{group} {address}" for group, addresses in members.items() for address in addresses]),
        "groups": _text([group.line for group in groups]),
    }
    for name in members:
        result[f"topics.{name}"] = _text([topic.line for topic in topics if name in topic.groups])
    return result


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
