"""One command at a time works on a sandbox; a second one says who is at it instead of fighting."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager

from sandbox.place import Place


class BusyError(Exception):
    """Another command holds the sandbox."""


@contextmanager
def held(place: Place, command: str) -> Generator[None]:
    """Hold the sandbox while `command` works. The kernel frees the lock when its process ends, however it ends.

    Raises BusyError at once when another command holds it.
    """
    path = place.root.parent / f"{place.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another command"
            raise BusyError(
                f"{holder} is working on the sandbox {place.name!r}. Wait until it has ended, or stop it with Ctrl-C: "
                "what it has built stays, and the next command takes over."
            ) from None
        file.truncate(0)
        file.write(f"`make {command}` (pid {os.getpid()})")
        file.flush()
        yield
