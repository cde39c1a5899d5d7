"""Broker and name server of one topic in memory, which acknowledges every message and stores what it is told to.

It speaks as much of the remoting protocol as the load generator and the reader need.
"""

import json
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import BufferedIOBase
from typing import Any, TypeAlias

NAME = "fake"
QUEUES = 4
MAGIC = -626843481
RESPONSE = 1
FOUND, OFFSET_ILLEGAL = 0, 21
PULL, ALL_TOPICS, MAX_OFFSET, MIN_OFFSET, ROUTE, SEND = 11, 21, 30, 31, 105, 310

Store: TypeAlias = Callable[[str], int]
"""How many copies of the message with this id the broker stores."""

Response: TypeAlias = tuple[dict[str, Any], bytes]


class FakeBroker(socketserver.ThreadingTCPServer):
    """Server on a free port of the loopback interface."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.store = store
        self.queues: list[list[bytes]] = [[] for _ in range(QUEUES)]
        self.topic = ""
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def answer(self, code: int, fields: dict[str, str], body: bytes) -> Response:
        """Return header fields and body of the answer. `code` in the fields replaces 0, success."""
        answers: dict[int, Callable[[], Response]] = {
            ROUTE: lambda: self._route(fields["topic"]),
            SEND: lambda: self._send(int(fields["e"]), fields["b"], body),
            ALL_TOPICS: self._list_topics,
            MIN_OFFSET: lambda: ({"offset": "0"}, b""),
            MAX_OFFSET: lambda: ({"offset": str(len(self.queues[int(fields["queueId"])]))}, b""),
            PULL: lambda: self._pull(*(int(fields[name]) for name in ("queueId", "queueOffset", "maxMsgNums"))),
        }
        return answers.get(code, lambda: ({}, b""))()

    def _list_topics(self) -> Response:
        topic = {"topicName": self.topic, "readQueueNums": QUEUES, "writeQueueNums": QUEUES, "perm": 6}
        return {}, json.dumps({"topicConfigTable": {self.topic: topic}, "dataVersion": {}}).encode()

    def _route(self, topic: str) -> Response:
        queues = {"brokerName": NAME, "perm": 6, "readQueueNums": QUEUES, "writeQueueNums": QUEUES, "topicSysFlag": 0}
        broker = {"brokerAddrs": {"0": self.address}, "brokerName": NAME, "cluster": NAME}
        self.topic = topic
        return {}, json.dumps({"brokerDatas": [broker], "queueDatas": [queues], "filterServerTable": {}}).encode()

    def _send(self, queue: int, topic: str, body: bytes) -> Response:
        with self.lock:
            stored = self.queues[queue]
            offset = len(stored)
            for _ in range(self.store(body.partition(b"\n")[0].decode())):
                stored.append(encode_message(topic, queue, len(stored), body))
        return {"msgId": f"{queue:08X}{offset:024X}", "queueId": str(queue), "queueOffset": str(offset)}, b""

    def _pull(self, queue: int, offset: int, count: int) -> Response:
        found = self.queues[queue][offset : offset + count]
        ends = {"minOffset": "0", "maxOffset": str(len(self.queues[queue])), "suggestWhichBrokerId": "0"}
        code = FOUND if found else OFFSET_ILLEGAL
        return {"code": code, "nextBeginOffset": str(offset + len(found)), **ends}, b"".join(found)


def encode_message(topic: str, queue: int, offset: int, body: bytes) -> bytes:
    """Return a message as RocketMQ stores and sends it."""
    now = int(time.time() * 1000)
    host = bytes([127, 0, 0, 1]) + struct.pack(">i", 1)
    name = topic.encode()
    rest = b"".join(
        [
            struct.pack(">iiii", MAGIC, zlib.crc32(body) & 0x7FFFFFFF, queue, 0),
            struct.pack(">qqiq", offset, offset, 0, now),
            host,
            struct.pack(">q", now),
            host,
            struct.pack(">iqi", 0, 0, len(body)),
            body,
            struct.pack(">B", len(name)),
            name,
            struct.pack(">H", 0),
        ]
    )
    return struct.pack(">i", 4 + len(rest)) + rest


@contextmanager
def start_broker(store: Store) -> Generator[FakeBroker]:
    """Serve during the block."""
    with FakeBroker(store) as broker:
        thread = threading.Thread(target=broker.serve_forever, daemon=True)
        thread.start()
        try:
            yield broker
        finally:
            broker.shutdown()
            thread.join()


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        broker = self.server
        assert isinstance(broker, FakeBroker)
        while request := _read(self.rfile):
            header, body = request
            fields, answer = broker.answer(header["code"], header.get("extFields") or {}, body)
            code = fields.pop("code", 0)
            known = {"code": code, "opaque": header["opaque"], "flag": RESPONSE, "language": "JAVA", "version": 0}
            encoded = json.dumps({**known, "extFields": fields}).encode()
            self.wfile.write(
                struct.pack(">II", 4 + len(encoded) + len(answer), len(encoded)) + encoded + answer,
            )


def _read(stream: BufferedIOBase) -> tuple[dict[str, Any], bytes] | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    length, header_length = struct.unpack(">II", head)
    header_length &= 0xFFFFFF
    return json.loads(stream.read(header_length)), stream.read(length - 4 - header_length)
