"""One command at a time works on a sandbox; a second one says who is at it instead of fighting."""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox.place import Place


class BusyError(Exception):
    """Another command holds the sandbox."""


@contextmanager
def held(place: Place, command: str) -> Generator[None]:
    """Hold the sandbox while `command` works. The kernel frees the lock when its process ends, however it ends.

    Raises BusyError at once when another command holds it.
    """

    def busy(holder: str) -> None:
        raise BusyError(
            f"{holder or 'another command'} is working on the sandbox {place.name!r}. Wait until it has ended, or stop "
            "it with Ctrl-C: what it has built stays, and the next command takes over."
        )

    with locked(place.root.parent / f"{place.name}.lock", f"`make {command}` (pid {os.getpid()})", busy):
        yield


@contextmanager
def locked(path: Path, holder: str, busy: Callable[[str], None]) -> Generator[None]:
    """Hold the lock file `path`, with `holder` written in it for others to read.

    When somebody has it, `busy` is called once with what they wrote; unless it raises, wait for them.
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
