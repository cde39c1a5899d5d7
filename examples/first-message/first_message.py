"""Send a message through a proxy, and receive it: `python first_message.py ENDPOINT TOPIC GROUP`.

With access control, set ROCKETMQ_USER and ROCKETMQ_PASSWORD. With TLS, set ROCKETMQ_TLS.
"""

import os
import sys
import time

from rocketmq.v5.client import ClientConfiguration, Credentials
from rocketmq.v5.consumer import SimpleConsumer
from rocketmq.v5.model import FilterExpression, Message
from rocketmq.v5.producer import Producer

BATCH = 32
INVISIBLE_SECONDS = 30  # a message that is not acknowledged comes again after this time
LIMIT_SECONDS = 60
START_SECONDS = 5  # a proxy refuses the first requests of a client until it has its settings


def main(endpoint: str, topic: str, group: str) -> None:
    user, password = (os.environ.get(f"ROCKETMQ_{name}", "") for name in ("USER", "PASSWORD"))
    configuration = ClientConfiguration(endpoint, Credentials(user, password))
    tls = "ROCKETMQ_TLS" in os.environ
    # Before the producer, because a new consumer group begins at the newest message.
    consumer = SimpleConsumer(configuration, group, {topic: FilterExpression()}, await_duration=5, tls_enable=tls)
    producer = Producer(configuration, (topic,), tls_enable=tls)
    consumer.startup()
    producer.startup()
    try:
        receive(consumer)
        message = Message()
        message.topic, message.keys, message.body = topic, "first", b"hello"
        sent = producer.send(message).message_id
        print("sent    ", sent)
        wait_for(consumer, sent)
    finally:
        producer.shutdown()
        consumer.shutdown()


def wait_for(consumer: SimpleConsumer, sent: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        for message in receive(consumer):
            print("received", message.message_id, message.body.decode())
            consumer.ack(message)
            if message.message_id == sent:
                return
    sys.exit(f"{sent} was not received in {LIMIT_SECONDS} s. Does another consumer of this group run?")


def receive(consumer: SimpleConsumer) -> list[Message]:
    """Return received messages. Repeat refused requests of a new client."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return consumer.receive(BATCH, INVISIBLE_SECONDS) or []
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
