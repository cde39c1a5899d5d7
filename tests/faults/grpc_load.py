"""Load through the proxies, with RocketMQ's official Python client. See `load.Load`."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.ledger import Attempt, read_ledger
from tests.faults.load import STOP_SECONDS, Workload

PROGRAM = Path(__file__).with_name("grpc_producer.py")


@dataclass
class GrpcLoad:
    """Producers of one interpreter that has the client. One attempt is one call, with the retries of the client."""

    interpreter: Path
    endpoint: str
    """`host:port` of the proxies."""
    folder: Path
    workloads: Sequence[Workload]
    in_client_network: Callable[[list[str]], list[str]]
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def ledger(self) -> Path:
        return self.folder / "grpc-ledger.jsonl"

    def start(self) -> None:
        plan = self.folder / "grpc-load.json"
        workloads = [each.plan() for each in self.workloads]
        plan.write_text(json.dumps({"endpoint": self.endpoint, "ledger": str(self.ledger), "workloads": workloads}))
        self.ledger.unlink(missing_ok=True)
        with (self.folder / "grpc-load.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.in_client_network([str(self.interpreter), str(PROGRAM), str(plan)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "HOME": str(self.folder)},  # the client writes to ~/logs
            )

    def stop(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        assert line == "stopped", f"{line!r}\n{(self.folder / 'grpc-load.log').read_text(errors='replace')[-4000:]}"

    def close(self) -> None:
        if self.process is None:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def attempts(self) -> list[Attempt]:
        return read_ledger(self.ledger) if self.ledger.exists() else []
