"""State of a broker group, asked from its controllers, name servers and brokers."""

import json
import re
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eks_rocketmq.rocketmq.naming import labels
from sandbox.messages import remoting

QUERY_OFFSET = 14
SET_OFFSET = 15
BROKER_STATUS = 28
ALL_OFFSETS = 43
TOPIC_STATS = 202
ELECT_MASTER = 1002
CONTROLLER_METADATA = 1005
REPLICAS = 1006
QUEUES = 4


@dataclass(frozen=True)
class GroupState:
    """What the controllers know of a group. Members are `host:port`."""

    master: str
    epoch: int
    in_sync: frozenset[str]
    """Members of the in-sync set that are alive."""
    members_in_set: frozenset[str]
    """All members of the in-sync set."""
    ids: Mapping[str, int]
    """Broker IDs by address."""


def find_controller_leader(controllers: Iterable[str]) -> str | None:
    """Return the address of the controller that says that it leads, `host:port`."""
    for address in controllers:
        try:
            fields = remoting.invoke(address, CONTROLLER_METADATA).fields
        except (OSError, remoting.RemotingError):
            continue
        if fields.get("isLeader") == "true":
            return address
    return None


def read_group(controllers: Sequence[str], group: str) -> GroupState | None:
    """Return the group's state, or None while no leader answers."""
    leader = find_controller_leader(controllers)
    if leader is None:
        return None
    try:
        answer = remoting.invoke(leader, REPLICAS, body=json.dumps([group]).encode()).json()
    except (OSError, remoting.RemotingError):
        return None
    state = answer.get("replicasInfoTable", {}).get(group)
    if state is None:
        return None
    # A member with a new volume has a new ID. The one with its former ID has the same address and is not in sync.
    replicas = [*state["notInSyncReplicas"], *state["inSyncReplicas"]]
    return GroupState(
        master=state.get("masterAddress") or "",
        epoch=int(state["masterEpoch"]),
        in_sync=frozenset(one["brokerAddress"] for one in state["inSyncReplicas"] if one["alive"]),
        members_in_set=frozenset(one["brokerAddress"] for one in state["inSyncReplicas"]),
        ids={one["brokerAddress"]: int(one["brokerId"]) for one in replicas},
    )


def elect(controllers: Sequence[str], group: str, member_id: int) -> None:
    """Let the controllers elect a member of a group, while the master works.

    Raises RemotingError when they refuse it, LookupError without a leader.
    """
    leader = find_controller_leader(controllers)
    if leader is None:
        raise LookupError(f"no leader of the controllers {controllers} answers")
    fields = {
        "clusterName": labels.CLUSTER,
        "brokerName": group,
        "brokerId": str(member_id),
        "designateElect": "true",
        "invokeTime": str(time.time_ns() // 1_000_000),
    }
    remoting.invoke(leader, ELECT_MASTER, fields, seconds=remoting.SINGLE_REQUEST_SECONDS)


def set_offset(master: str, group: str, topic: str, queue: int, offset: int) -> None:
    """Commit the offset of a consumer group."""
    fields = {"consumerGroup": group, "topic": topic, "queueId": str(queue), "commitOffset": str(offset)}
    remoting.invoke(master, SET_OFFSET, fields, seconds=remoting.SINGLE_REQUEST_SECONDS)


def get_offset(broker: str, group: str, topic: str, queue: int) -> int:
    """Return the offset at which a consumer group goes on.

    Raises RemotingError when the broker knows none, and the consumer decides.
    """
    fields = {"consumerGroup": group, "topic": topic, "queueId": str(queue), "setZeroIfNotFound": "false"}
    answer = remoting.invoke(broker, QUERY_OFFSET, fields, seconds=remoting.SINGLE_REQUEST_SECONDS)
    return int(answer.fields["offset"])


def list_missing_metadata(
    master: str, slaves: Iterable[str], topics: Iterable[str], moving: Container[str] = ()
) -> list[str]:
    """Return the topics and the offsets of the master that a member does not have, except of the groups `moving`.

    A slave may have more offsets: of groups that used it as master, and no later one since.
    """
    wanted = set(topics)
    expected: dict[str, object] = {}
    missing = []
    for address in (master, *slaves):
        try:
            known = remoting.invoke(address, remoting.ALL_TOPICS).json().get("topicConfigTable", {})
            offsets = remoting.invoke(address, ALL_OFFSETS).json().get("offsetTable", {})
        except (OSError, remoting.RemotingError) as error:
            return [f"{address}: {error}"]
        if address == master:
            expected = {key: value for key, value in offsets.items() if key.split("@")[1] not in moving}
        missing += [f"{address}: no topic {topic}" for topic in sorted(wanted - set(known))]
        missing += [
            f"{address}: {key} {offsets.get(key)}, master {value}"
            for key, value in expected.items()
            if offsets.get(key) != value
        ]
    return missing


def answers(broker: str) -> bool:
    """Return whether a broker answers requests. It may not have a role yet."""
    try:
        remoting.invoke(broker, BROKER_STATUS)
    except (OSError, remoting.RemotingError):
        return False
    return True


def is_dispatched(broker: str) -> bool:
    """Return whether the queues of a broker have every message of its log."""
    try:
        table = remoting.invoke(broker, BROKER_STATUS).json()["table"]
    except (OSError, remoting.RemotingError):
        return False
    return int(table["dispatchBehindBytes"]) == 0


def count_messages(broker: str, topic: str) -> int:
    """Return the number of messages that a broker has stored of a topic; 0 while it does not know the topic."""
    try:
        answer = remoting.invoke(broker, TOPIC_STATS, {"topic": topic})
    except (OSError, remoting.RemotingError):
        return 0
    # The keys of the table are objects, so this is no JSON.
    return sum(map(int, re.findall(rb'"maxOffset":(\d+)', answer.body)))


def count_all_messages(broker: str) -> int:
    """Return the number of messages in all queues of a broker."""
    topics = remoting.invoke(broker, remoting.ALL_TOPICS).json()["topicConfigTable"]
    return sum(count_messages(broker, topic) for topic in topics)


def get_commit_log_bytes(broker: str) -> int:
    """Return the end of a broker's commit log."""
    answer = remoting.invoke(broker, BROKER_STATUS, seconds=remoting.SINGLE_REQUEST_SECONDS)
    return int(answer.json()["table"]["commitLogMaxOffset"])
