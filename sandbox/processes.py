"""Long-running processes of a sandbox. They outlive the command that starts them; a record on disk identifies them.

A record contains pid and start time. A reused pid is therefore never mistaken for the process, and never signalled.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.layout import SandboxInstance
from sandbox.polling import wait_until

_GRACE_SECONDS = 5.0


class ProcessError(Exception):
    """A process did not become ready. The message ends with the tail of its log."""


@dataclass(frozen=True)
class Process:
    """A process to run. `ready` is polled; a process that exits before it is ready is an error."""

    name: str
    argv: Sequence[str]
    netns: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    ready_seconds: float = 60.0


def in_netns(netns: str, argv: Sequence[str]) -> list[str]:
    """Return the command line that runs `argv` in a network namespace. `ip netns exec` would hide the cgroups."""
    return ["nsenter", f"--net=/run/netns/{netns}", "--", *argv]


def start(instance: SandboxInstance, process: Process) -> None:
    """Start the process unless it runs, and wait until it is ready.

    Raises ProcessError when it exits or is not ready in time.
    """
    if not is_alive(instance, process.name):
        instance.run.mkdir(parents=True, exist_ok=True)
        instance.logs.mkdir(parents=True, exist_ok=True)
        argv = in_netns(process.netns, process.argv) if process.netns else list(process.argv)
        with log_file(instance, process.name).open("ab") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **process.environment},
                cwd=instance.root,
                start_new_session=True,
            )
        _record(instance, process.name).write_text(json.dumps({"pid": child.pid, "started": _start_time(child.pid)}))
    wait_until(lambda: process.ready() or not is_alive(instance, process.name), process.ready_seconds, every=0.1)
    if process.ready():
        return
    if not is_alive(instance, process.name):
        raise ProcessError(f"{process.name} ended before it was ready\n{log_tail(instance, process.name)}")
    raise ProcessError(
        f"{process.name} was not ready within {process.ready_seconds:.0f} s\n{log_tail(instance, process.name)}"
    )


def is_alive(instance: SandboxInstance, name: str) -> bool:
    return _pid(instance, name) is not None


def stop(instance: SandboxInstance, name: str) -> None:
    """End the process group with SIGTERM, then SIGKILL. Do nothing when the process does not run."""
    pid = _pid(instance, name)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(instance, name), _GRACE_SECONDS, every=0.02)
        _signal(pid, signal.SIGKILL)
    _record(instance, name).unlink(missing_ok=True)


def names(instance: SandboxInstance) -> list[str]:
    """Return the names of all processes that have a record, running or not."""
    return sorted(path.stem for path in instance.run.glob("*.process")) if instance.run.exists() else []


def is_any_alive(instance: SandboxInstance) -> bool:
    return any(is_alive(instance, name) for name in names(instance))


def log_file(instance: SandboxInstance, name: str) -> Path:
    return instance.logs / f"{name}.log"


def log_tail(instance: SandboxInstance, name: str, lines: int = 20) -> str:
    path = log_file(instance, name)
    text = path.read_text(errors="replace") if path.exists() else ""
    return f"the end of {path}:\n" + "\n".join(text.splitlines()[-lines:])


def _record(instance: SandboxInstance, name: str) -> Path:
    return instance.run / f"{name}.process"


def _pid(instance: SandboxInstance, name: str) -> int | None:
    try:
        record = json.loads(_record(instance, name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    # A process that ended before it was recorded has no start time; None must not match None.
    started = _start_time(record["pid"])
    return record["pid"] if started is not None and started == record["started"] else None


def _start_time(pid: int) -> str | None:
    """Return field 22 of /proc/PID/stat. None for a process that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
