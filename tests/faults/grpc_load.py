"""Load through the proxies, with RocketMQ's official Python client. See `load.Load`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.checker import find_received_out_of_order
from tests.faults.cluster import FIFO_READERS, READERS
from tests.faults.load import ClientProcess

PROGRAM = Path(__file__).with_name("grpc_client.py")


@dataclass(kw_only=True)
class GrpcLoad(ClientProcess):
    """Producers and consumers of one interpreter. One attempt is one call, with the retries of the client."""

    interpreter: Path
    endpoint: str
    """`host:port` of the proxies."""
    prefix: ClassVar[str] = "grpc-"

    def build_command(self, plan: Path) -> list[str]:
        return [str(self.interpreter), str(PROGRAM), str(plan)]

    def list_settings(self) -> Mapping[str, Any]:
        self._received.unlink(missing_ok=True)
        consumers: dict[str, list[str]] = {}
        for each in self.workloads:
            consumers.setdefault(FIFO_READERS if each.kind == "fifo" else READERS, []).append(each.topic)
        return {"endpoint": self.endpoint, "consumers": consumers, "received": str(self._received)}

    def list_unreceived(self) -> list[str]:
        received = set(self._received.read_text().split())
        return [one.id for one in self.attempts() if one.acknowledged and one.id not in received]

    def list_received_out_of_order(self) -> list[str]:
        return find_received_out_of_order(self.attempts(), self._received.read_text().split())

    @property
    def _received(self) -> Path:
        return self.folder / "received.txt"
