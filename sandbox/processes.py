"""Long-running processes of a sandbox: they outlive the command that starts them and are ended by their own record.

A record holds pid and start time, so a reused pid is never taken for ours and nothing else is ever signalled.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.place import Place
from sandbox.polling import until


class ProcessError(Exception):
    """A process did not come up; the message ends with the tail of its log."""


@dataclass(frozen=True)
class Process:
    """What to run. `ready` is asked until it says yes; a process that exits before that is an error."""

    name: str
    argv: Sequence[str]
    netns: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    ready_seconds: float = 60.0
    directory: Path | None = None


def in_netns(netns: str, argv: Sequence[str]) -> list[str]:
    """`ip netns exec` would remount /sys and hide the cgroups, so enter the network namespace alone."""
    return ["nsenter", f"--net=/run/netns/{netns}", "--", *argv]


def start(place: Place, process: Process) -> None:
    """Start it unless it runs, and wait until it is ready.

    Raises ProcessError when it exits or is not ready in time.
    """
    if not alive(place, process.name):
        place.run.mkdir(parents=True, exist_ok=True)
        place.logs.mkdir(parents=True, exist_ok=True)
        argv = in_netns(process.netns, process.argv) if process.netns else list(process.argv)
        with log_file(place, process.name).open("ab") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **process.environment},
                cwd=process.directory or place.root,
                start_new_session=True,
            )
        _record(place, process.name).write_text(json.dumps({"pid": child.pid, "started": _start_time(child.pid)}))
    until(lambda: process.ready() or not alive(place, process.name), process.ready_seconds, every=0.1)
    if process.ready():
        return
    if not alive(place, process.name):
        raise ProcessError(f"{process.name} ended before it was ready\n{log_tail(place, process.name)}")
    raise ProcessError(
        f"{process.name} was not ready within {process.ready_seconds:.0f} s\n{log_tail(place, process.name)}"
    )


def alive(place: Place, name: str) -> bool:
    return _pid(place, name) is not None


def stop(place: Place, name: str, grace_seconds: float = 5.0) -> None:
    """End it with its whole session group: SIGTERM, then SIGKILL. Does nothing when it does not run."""
    pid = _pid(place, name)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        until(lambda: not alive(place, name), grace_seconds, every=0.02)
        _signal(pid, signal.SIGKILL)
    _record(place, name).unlink(missing_ok=True)


def names(place: Place) -> list[str]:
    """Every process that has a record, alive or not."""
    return sorted(path.stem for path in place.run.glob("*.process")) if place.run.exists() else []


def log_file(place: Place, name: str) -> Path:
    return place.logs / f"{name}.log"


def log_tail(place: Place, name: str, lines: int = 20) -> str:
    path = log_file(place, name)
    text = path.read_text(errors="replace") if path.exists() else ""
    return f"the end of {path}:\n" + "\n".join(text.splitlines()[-lines:])


def _record(place: Place, name: str) -> Path:
    return place.run / f"{name}.process"


def _pid(place: Place, name: str) -> int | None:
    try:
        record = json.loads(_record(place, name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    # A process that had ended before it was recorded has no start time, and two of nothing are not the same.
    started = _start_time(record["pid"])
    return record["pid"] if started is not None and started == record["started"] else None


def _start_time(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat; None for a process that is gone or only waits to be reaped."""
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
