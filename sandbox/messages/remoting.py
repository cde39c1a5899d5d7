"""RocketMQ's remoting protocol, as far as the sandbox needs it for topics and broker status.

A frame is `u32 length of the rest | u8 serializer (0 = JSON) + u24 header length | JSON header | body`, both ways.
There is no maintained Python client of it; the official client supports the proxy only.
"""

import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import BinaryIO

CREATE_TOPIC = 17
CREATE_GROUP = 200
ALL_TOPICS = 21
ALL_GROUPS = 201
CLUSTER_INFO = 106

SINGLE_REQUEST_SECONDS = 20.0
"""Time limit of a request that its caller does not repeat. A broker on a busy machine can need more than 5 s."""


class RemotingError(Exception):
    """The server refused the request. `code` is RocketMQ's."""

    def __init__(self, code: int, remark: str) -> None:
        super().__init__(f"RocketMQ answered code {code}: {remark}")
        self.code = code


@dataclass(frozen=True)
class Answer:
    """A successful response. `fields` are the extFields of its header."""

    fields: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """Parse the body. RocketMQ writes integer keys without quotes, which is not valid JSON."""
        return json.loads(re.sub(rb"([{,])(\d+):", rb'\1"\2":', self.body)) if self.body else {}


def invoke(
    address: str, code: int, fields: dict[str, str] | None = None, *, body: bytes = b"", seconds: float = 5.0
) -> Answer:
    """Send one request to `host:port` on its own connection.

    Raises RemotingError on a refusal, OSError without an answer within `seconds`.
    """
    header = {"code": code, "language": "PYTHON", "version": 317, "opaque": 1, "flag": 0, "extFields": fields or {}}
    encoded = json.dumps(header).encode()
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(struct.pack(">II", 4 + len(encoded) + len(body), len(encoded)) + encoded + body)
        with connection.makefile("rb") as stream:
            length, header_length = struct.unpack(">II", _exactly(stream, 8))
            header_length &= 0xFFFFFF
            answer = json.loads(_exactly(stream, header_length))
            answer_body = _exactly(stream, length - 4 - header_length)
    if answer["code"] != 0:
        raise RemotingError(answer["code"], answer.get("remark") or "")
    return Answer(answer.get("extFields") or {}, answer_body)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise ConnectionError(f"the connection ended after {len(data)} of {count} bytes")
    return data
