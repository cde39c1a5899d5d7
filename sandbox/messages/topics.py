"""Topics and consumer groups. Waits until every member of every broker group has them.

Slaves receive them up to 12 s after the master. A failover before that would lose them.
"""

import json

from sandbox.messages import remoting
from sandbox.polling import wait_until

MASTER = "0"


def list_brokers(name_server: str) -> dict[str, dict[str, str]]:
    """Return broker groups and the addresses of their members by broker id. The master has id `0`."""
    table = remoting.invoke(name_server, remoting.CLUSTER_INFO).json()["brokerAddrTable"]
    return {group: dict(entry["brokerAddrs"]) for group, entry in table.items()}


def ensure(name_server: str, topic: str, group: str, *, members: int, seconds: float = 60.0) -> None:
    """Create `topic` and consumer group `group` on every master that lacks one.

    `members` is the number of brokers that must have them. Raises TimeoutError with the brokers that do not.
    """
    missing: list[str] = []

    def on_all_brokers() -> bool:
        groups = list_brokers(name_server)
        addresses = [address for by_id in groups.values() for address in by_id.values()]
        missing[:] = [address for address in addresses if not _has_topic_and_group(address, topic, group)]
        for group_members in groups.values():
            if group_members.get(MASTER) in missing:
                create(group_members[MASTER], topic, group)
        return len(addresses) >= members and not missing

    if not wait_until(on_all_brokers, seconds, every=0.5):
        raise TimeoutError(
            f"topic {topic} and group {group} are not on all of {members} brokers after {seconds:.0f} s: "
            f"{missing or 'fewer are registered'}"
        )


def _has_topic_and_group(address: str, topic: str, group: str) -> bool:
    topics = remoting.invoke(address, remoting.ALL_TOPICS).json().get("topicConfigTable", {})
    groups = remoting.invoke(address, remoting.ALL_GROUPS).json().get("subscriptionGroupTable", {})
    return topic in topics and group in groups


def create(master: str, topic: str, group: str) -> None:
    """Create a topic of four queues and a consumer group on one broker, `host:port`."""
    create_topic(master, topic)
    create_group(master, group)


def create_topic(master: str, topic: str, kind: str = "") -> None:
    """Create a topic of four queues on one broker, `host:port`. `kind` is NORMAL, FIFO, DELAY or TRANSACTION.

    Without a kind the topic is NORMAL and has no attribute: slaves of 5.3.3 never replicate a topic with one.
    """
    fields = {
        "topic": topic,
        "defaultTopic": "TBW102",
        "readQueueNums": "4",
        "writeQueueNums": "4",
        "perm": "6",
        "topicFilterType": "SINGLE_TAG",
        "topicSysFlag": "0",
        "order": "false",
        **({"attributes": f"+message.type={kind}"} if kind else {}),
    }
    remoting.invoke(master, remoting.CREATE_TOPIC, fields, seconds=remoting.SINGLE_REQUEST_SECONDS)


def create_group(master: str, group: str, *, orderly: bool = False) -> None:
    """Create a consumer group on one broker, `host:port`. An orderly one gets messages in the order of their queue."""
    settings = {
        "groupName": group,
        "consumeEnable": True,
        "consumeFromMinEnable": True,
        "consumeMessageOrderly": orderly,
        "retryQueueNums": 1,
    }
    body = json.dumps(settings).encode()
    remoting.invoke(master, remoting.CREATE_GROUP, body=body, seconds=remoting.SINGLE_REQUEST_SECONDS)
