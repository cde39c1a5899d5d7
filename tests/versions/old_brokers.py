"""Messages for the original team's brokers, which have neither proxies nor name servers."""

import time
from collections.abc import Sequence
from functools import partial

from sandbox.messages import remoting
from sandbox.messages.topics import create
from sandbox.polling import wait_until
from tests.faults.group_status import set_offset

SEND = 10
SYSTEM_BUSY = 2
QUEUES = 4
BUSY_SECONDS = 30.0


def answers(address: str) -> bool:
    """Return whether the broker at `host:port` answers."""
    try:
        remoting.invoke(address, remoting.ALL_TOPICS)
    except OSError:
        return False
    return True


def fill(address: str, topic: str, group: str, bodies: Sequence[str]) -> None:
    """Create topic and consumer group on the broker at `host:port` and send one message with each body.

    The group has an offset in each queue, as after its first read. A group without one starts at the newest message,
    except while the first message of the queue is in the page cache.
    Raises RemotingError when the broker refuses one, TimeoutError when it stays too busy for one.
    """
    create(address, topic, group)
    for queue in range(QUEUES):
        set_offset(address, group, topic, queue, 0)
    for number, body in enumerate(bodies):
        fields = {
            "producerGroup": "filling",
            "topic": topic,
            "defaultTopic": "TBW102",
            "defaultTopicQueueNums": str(QUEUES),
            "queueId": str(number % QUEUES),
            "sysFlag": "0",
            "bornTimestamp": str(int(time.time() * 1000)),
            "flag": "0",
            "properties": "",
            "reconsumeTimes": "0",
            "unitMode": "false",
            "batch": "false",
        }
        if not wait_until(partial(_stores, address, fields, body.encode()), BUSY_SECONDS, every=0.5):
            raise TimeoutError(f"{address} was too busy for a message for {BUSY_SECONDS:.0f} s")


def _stores(address: str, fields: dict[str, str], body: bytes) -> bool:
    """Return whether the broker acknowledges a message. One that is busy has not stored it."""
    try:
        remoting.invoke(address, SEND, fields, body=body)
    except remoting.RemotingError as error:
        if error.code == SYSTEM_BUSY:
            return False
        raise
    return True
