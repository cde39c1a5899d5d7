"""Client that sends or receives messages with RocketMQ's Python SDK. It runs with an interpreter of its own.

`send ENDPOINT TOPIC COUNT PREFIX` prints a JSON list of the acknowledged bodies.
`receive ENDPOINT TOPIC GROUP PREFIX COUNT SECONDS` prints a JSON list of the received bodies that begin with PREFIX.
ROCKETMQ_USER, ROCKETMQ_PASSWORD and ROCKETMQ_TLS enable access control and TLS. The program imports nothing of the
sandbox, as an application would not.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from rocketmq.v5.client import ClientConfiguration, Credentials
from rocketmq.v5.consumer import SimpleConsumer
from rocketmq.v5.model import FilterExpression, Message
from rocketmq.v5.producer import Producer

T = TypeVar("T")
INVISIBLE_SECONDS = 30
SEND_SECONDS = float(os.environ.get("ROCKETMQ_SEND_SECONDS", "60"))
TLS = "ROCKETMQ_TLS" in os.environ


def _configuration(endpoint: str) -> ClientConfiguration:
    user, password = (os.environ.get(f"ROCKETMQ_{name}", "") for name in ("USER", "PASSWORD"))
    return ClientConfiguration(endpoint, Credentials(user, password))


def _retry(action: Callable[[], T], deadline: float) -> T:
    """Repeat `action` until it succeeds. Raise its error after `deadline`."""
    while True:
        try:
            return action()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def send(endpoint: str, topic: str, count: int, prefix: str) -> list[str]:
    """Send `count` messages `PREFIX-0` … and retry each until it is acknowledged or 60 s are over."""
    producer = Producer(_configuration(endpoint), (topic,), tls_enable=TLS)
    producer.startup()
    acknowledged = []
    try:
        for number in range(count):
            body = f"{prefix}-{number}"
            message = Message()
            message.topic, message.keys, message.body = topic, body, body.encode()
            _retry(lambda: producer.send(message), time.monotonic() + SEND_SECONDS)  # noqa: B023 (called at once)
            acknowledged.append(body)
    finally:
        producer.shutdown()
    return acknowledged


def receive(endpoint: str, topic: str, group: str, prefix: str, count: int, seconds: float) -> list[str]:  # noqa: PLR0913, PLR0917 (the arguments of the command)
    """Receive until `count` different bodies with `prefix` have arrived or `seconds` are over.

    Acknowledge and skip other messages: RocketMQ delivers at least once, so older ones may come again.
    """
    consumer = SimpleConsumer(
        _configuration(endpoint), group, {topic: FilterExpression()}, await_duration=3, tls_enable=TLS
    )
    consumer.startup()
    bodies: set[str] = set()
    deadline = time.monotonic() + seconds
    try:
        while len(bodies) < count and time.monotonic() < deadline:
            # A proxy rejects the first call of a client until it has received the client's settings.
            for message in _retry(lambda: consumer.receive(32, INVISIBLE_SECONDS), deadline) or []:
                body = message.body.decode()
                if body.startswith(prefix):
                    bodies.add(body)
                # After a failed acknowledgement, as during a broker's restart, the message comes again.
                with suppress(Exception):
                    consumer.ack(message)
    finally:
        consumer.shutdown()
    return sorted(bodies)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["send", endpoint, topic, count, prefix]:
            print(json.dumps(send(endpoint, topic, int(count), prefix)))
        case ["receive", endpoint, topic, group, prefix, count, seconds]:
            print(json.dumps(receive(endpoint, topic, group, prefix, int(count), float(seconds))))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
