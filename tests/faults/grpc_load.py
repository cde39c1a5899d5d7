"""Load through the proxies, with RocketMQ's official Python client. See `load.Load`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.load import ClientProcess

PROGRAM = Path(__file__).with_name("grpc_producer.py")


@dataclass(kw_only=True)
class GrpcLoad(ClientProcess):
    """Producers of one interpreter that has the client. One attempt is one call, with the retries of the client."""

    interpreter: Path
    endpoint: str
    """`host:port` of the proxies."""
    prefix: ClassVar[str] = "grpc-"

    def build_command(self, plan: Path) -> list[str]:
        return [str(self.interpreter), str(PROGRAM), str(plan)]

    def list_settings(self) -> Mapping[str, Any]:
        return {"endpoint": self.endpoint}
