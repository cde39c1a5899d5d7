"""Sends or receives messages with the official Python client; run with the client's own interpreter.

`exchange.py send ENDPOINT TOPIC COUNT PREFIX` prints a JSON list of the bodies that were acknowledged;
`exchange.py receive ENDPOINT TOPIC GROUP PREFIX COUNT SECONDS` prints a JSON list of those with PREFIX that arrived.
In the environment, for a RocketMQ with access control and TLS: ROCKETMQ_USER, ROCKETMQ_PASSWORD, ROCKETMQ_TLS.
It imports nothing of the sandbox, so that it is what an application would write.
"""

import json
import os
import sys
import time
from contextlib import suppress

from rocketmq.v5.client import ClientConfiguration, Credentials
from rocketmq.v5.consumer import SimpleConsumer
from rocketmq.v5.model import FilterExpression, Message
from rocketmq.v5.producer import Producer

INVISIBLE_SECONDS = 30
SEND_SECONDS = float(os.environ.get("ROCKETMQ_SEND_SECONDS", "60"))
TLS = "ROCKETMQ_TLS" in os.environ


def _configuration(endpoint: str) -> ClientConfiguration:
    user, password = (os.environ.get(f"ROCKETMQ_{name}", "") for name in ("USER", "PASSWORD"))
    return ClientConfiguration(endpoint, Credentials(user, password))


def send(endpoint: str, topic: str, count: int, prefix: str) -> list[str]:
    """Send `count` messages `PREFIX-0` … and try each again until it is acknowledged or 60 s have gone."""
    producer = Producer(_configuration(endpoint), (topic,), tls_enable=TLS)
    producer.startup()
    acknowledged = []
    try:
        for number in range(count):
            body = f"{prefix}-{number}"
            _send_one(producer, topic, body)
            acknowledged.append(body)
    finally:
        producer.shutdown()
    return acknowledged


def _send_one(producer: Producer, topic: str, body: str) -> None:
    message = Message()
    message.topic = topic
    message.keys = body
    message.body = body.encode()
    deadline = time.monotonic() + SEND_SECONDS
    while True:
        try:
            producer.send(message)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def receive(endpoint: str, topic: str, group: str, prefix: str, count: int, seconds: float) -> list[str]:  # noqa: PLR0913, PLR0917 - one for each word of the command
    """Receive until `count` different bodies that begin with `prefix` have come or `seconds` have gone.

    Others are acknowledged and passed over: RocketMQ delivers at least once, so older messages may come again.
    """
    consumer = SimpleConsumer(
        _configuration(endpoint), group, {topic: FilterExpression()}, await_duration=3, tls_enable=TLS
    )
    consumer.startup()
    bodies: set[str] = set()
    deadline = time.monotonic() + seconds
    try:
        while len(bodies) < count and time.monotonic() < deadline:
            for message in _receive_some(consumer, deadline):
                body = message.body.decode()
                if body.startswith(prefix):
                    bodies.add(body)
                # A refused acknowledgement, as while a broker restarts, only brings the message once more.
                with suppress(Exception):
                    consumer.ack(message)
    finally:
        consumer.shutdown()
    return sorted(bodies)


def _receive_some(consumer: SimpleConsumer, deadline: float) -> list[Message]:
    """What has come. A proxy refuses the first call of a client whose settings have not reached it yet."""
    try:
        return consumer.receive(32, INVISIBLE_SECONDS) or []
    except Exception:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.2)
        return []


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
