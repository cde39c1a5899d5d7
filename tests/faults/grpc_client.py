"""Producers with RocketMQ's Python SDK that keep a ledger, and consumers: `grpc_client.py PLAN`.

They send until a line arrives on its standard input, and print `stopped` after the last attempt. The plan and the
ledger are those of the Java load generator. One consumer for each group of the plan receives and acknowledges the
messages of its topics until the program ends, and writes their ids to the file `received`. The program runs with an
interpreter of its own and imports nothing of this repository.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

from rocketmq.v5.client import ClientConfiguration, Credentials
from rocketmq.v5.consumer import SimpleConsumer
from rocketmq.v5.model import FilterExpression, Message
from rocketmq.v5.producer import Producer

Client = TypeVar("Client", Producer, SimpleConsumer)

START_SECONDS = 60.0
BATCH = 32
FAILURE_PAUSE = 0.5
FAILURES = 10
"""Failures in a row after which there is another consumer."""
INVISIBLE_SECONDS = 20
"""Time after which a message comes again that was not acknowledged."""


class Lines:
    """Append-only file, for several threads."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()


def send(producer: Producer, plan: dict[str, Any], ledger: Lines, thread: int, stopped: threading.Event) -> None:
    """Send one message after the other."""
    period = plan["threads"] / plan["rate"] if plan["rate"] else 0.0
    number = 0
    while not stopped.is_set():
        begun = time.monotonic()
        id_ = f"{plan['client']}-{thread}-{number}"
        message = Message()
        # The reader calls a body intact if it is its id, a line feed, and bytes that follow from the id: here none.
        message.topic, message.keys, message.body = plan["topic"], id_, f"{id_}\n".encode()
        first = {"event": "begin", "id": id_, "client": plan["client"], "topic": plan["topic"], "sequence": number}
        if plan["kind"] == "fifo":
            message.message_group = first["key"] = f"{plan['client']}-{thread}"
        ledger.write(json.dumps({**first, "at": time.monotonic_ns()}))
        try:
            producer.send(message)
            code = "SEND_OK"
        except Exception as error:  # noqa: BLE001 (every error is a result)
            code = type(error).__name__
            print(f"{id_}: {code}: {error}", file=sys.stderr, flush=True)
        ledger.write(json.dumps({"event": "end", "id": id_, "at": time.monotonic_ns(), "code": code}))
        number += 1
        pause = 0.0 if code == "SEND_OK" else plan["pauseMillis"] / 1000
        stopped.wait(max(pause, begun + period - time.monotonic(), 0))


def receive(endpoint: str, group: str, topics: list[str], received: Lines) -> None:
    """Receive and acknowledge messages, and write the id of each one."""
    consumer, failures = start_consumer(endpoint, group, topics), 0
    while True:
        try:
            for message in consumer.receive(BATCH, INVISIBLE_SECONDS) or []:
                received.write(message.body.decode().partition("\n")[0])
                consumer.ack(message)
            failures = 0
        except Exception as error:  # noqa: BLE001 (a failover; what was not acknowledged comes again)
            print(f"consumer: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            time.sleep(FAILURE_PAUSE)
            failures += 1
        if failures == FAILURES:
            # A proxy that has restarted refuses a consumer until it sends its settings again, every 300 s.
            consumer, failures = start_consumer(endpoint, group, topics), 0


def start(create: Callable[[], Client]) -> Client:
    """Return a client that has its routes. Retry, because the proxies learn of new topics and groups a little later."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        client = create()
        try:
            client.startup()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return client


def start_producer(endpoint: str, topic: str) -> Producer:
    """Return a producer of one topic."""
    return start(lambda: Producer(ClientConfiguration(endpoint, Credentials("", "")), (topic,)))


def start_consumer(endpoint: str, group: str, topics: list[str]) -> SimpleConsumer:
    """Return a consumer of topics."""
    configuration = ClientConfiguration(endpoint, Credentials("", ""))
    return start(
        lambda: SimpleConsumer(configuration, group, dict.fromkeys(topics, FilterExpression()), await_duration=3)
    )


def main(path: str) -> None:
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    stopped = threading.Event()
    with (
        Path(plan["ledger"]).open("a", encoding="utf-8") as file,
        Path(plan["received"]).open("a", encoding="utf-8") as received,
    ):
        ledger, ids = Lines(file), Lines(received)
        threads = [
            threading.Thread(target=send, args=(producer, each, ledger, number, stopped), daemon=True)
            for each in plan["workloads"]
            for producer in [start_producer(plan["endpoint"], each["topic"])]
            for number in range(each["threads"])
        ]
        for thread in threads:
            thread.start()
        for group, topics in plan["consumers"].items():
            threading.Thread(target=receive, args=(plan["endpoint"], group, topics, ids), daemon=True).start()
        sys.stdin.readline()
        stopped.set()
        for thread in threads:
            thread.join()
        print("stopped", flush=True)
        sys.stdin.readline()
        # The client's own threads may wait for a proxy that does not answer.
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
