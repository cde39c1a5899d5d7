"""Producer with RocketMQ's Python SDK that keeps a ledger: `grpc_producer.py PLAN`.

It sends until a line arrives on its standard input, and prints `stopped` after the last attempt. The plan and the
ledger are those of the Java load generator. It runs with an interpreter of its own and imports nothing of this
repository.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from rocketmq.v5.client import ClientConfiguration, Credentials
from rocketmq.v5.model import Message
from rocketmq.v5.producer import Producer

START_SECONDS = 60.0


class Ledger:
    """Append-only record of every attempt."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def send(producer: Producer, plan: dict[str, Any], ledger: Ledger, thread: int, stopped: threading.Event) -> None:
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
        ledger.write({**first, "at": time.monotonic_ns()})
        try:
            producer.send(message)
            code = "SEND_OK"
        except Exception as error:  # noqa: BLE001 (every error is a result)
            code = type(error).__name__
            print(f"{id_}: {code}: {error}", file=sys.stderr, flush=True)
        ledger.write({"event": "end", "id": id_, "at": time.monotonic_ns(), "code": code})
        number += 1
        pause = 0.0 if code == "SEND_OK" else plan["pauseMillis"] / 1000
        stopped.wait(max(pause, begun + period - time.monotonic(), 0))


def start(endpoint: str, topic: str) -> Producer:
    """Return a producer that has its route. Retry, because the proxies learn of a new topic a little later."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        producer = Producer(ClientConfiguration(endpoint, Credentials("", "")), (topic,))
        try:
            producer.startup()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return producer


def main(path: str) -> None:
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    stopped = threading.Event()
    with Path(plan["ledger"]).open("a", encoding="utf-8") as file:
        ledger = Ledger(file)
        threads = [
            threading.Thread(target=send, args=(producer, each, ledger, number, stopped), daemon=True)
            for each in plan["workloads"]
            for producer in [start(plan["endpoint"], each["topic"])]
            for number in range(each["threads"])
        ]
        for thread in threads:
            thread.start()
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
