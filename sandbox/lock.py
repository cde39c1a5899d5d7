"""Locks: one command at a time works on a sandbox. A second command reports which one holds the lock."""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox.layout import SandboxInstance


class BusyError(Exception):
    """Another command works on the sandbox."""


@contextmanager
def sandbox_lock(instance: SandboxInstance, command: str) -> Generator[None]:
    """Lock the sandbox for `command`. The kernel releases the lock when the process ends, also after a crash.

    Raises BusyError at once when another command holds the lock.
    """

    def busy(holder: str) -> None:
        raise BusyError(
            f"{holder or 'another command'} is working on the sandbox {instance.name!r}. Wait until it has ended, "
            "or stop it with Ctrl-C: what it has built stays, and the next command takes over."
        )

    with file_lock(instance.root.parent / f"{instance.name}.lock", f"`make {command}` (pid {os.getpid()})", busy):
        yield


@contextmanager
def file_lock(path: Path, holder: str, busy: Callable[[str], None]) -> Generator[None]:
    """Lock the file `path` and write `holder` into it.

    When another process holds the lock, call `busy` once with its `holder`. Unless `busy` raises, wait for the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            busy(file.read().strip())
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(holder)
        file.flush()
        yield
