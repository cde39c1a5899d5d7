"""Network namespaces, entered by the calling thread alone.

A socket stays in the namespace in which it was created, so a connected client also works outside.
"""

import ctypes
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/netns")
PROCESSES = Path("/proc")
CLONE_NEWNET = 0x40000000
PROBE_SECONDS = 1.0
_libc = ctypes.CDLL(None, use_errno=True)


def exists(netns: str) -> bool:
    return (FOLDER / netns).exists()


@contextmanager
def inside(netns: str) -> Generator[None]:
    """Put the calling thread into `netns` for the block. Processes that the block starts stay in it.

    Raises FileNotFoundError when the namespace does not exist, PermissionError without root.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(FOLDER / netns, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def is_listening(netns: str, address: str, port: int) -> bool:
    """Return whether `address:port` accepts TCP connections inside `netns`."""
    try:
        with inside(netns), socket.create_connection((address, port), timeout=PROBE_SECONDS):
            return True
    except OSError:
        return False


def processes(netns: str) -> set[int]:
    """Return every process in `netns` except the calling one and its ancestors."""
    home = _identity(FOLDER / netns)
    found = {
        int(path.name) for path in PROCESSES.iterdir() if path.name.isdigit() and _identity(path / "ns/net") == home
    }
    return found - _lineage() if home else set()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lineage() -> set[int]:
    """Return the calling process and its ancestors, such as a user's shell in the namespace."""
    lineage: set[int] = set()
    pid = os.getpid()
    while pid > 0:
        lineage.add(pid)
        pid = int((PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return lineage


# os.setns is new in Python 3.12.
def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"entering a network namespace: {os.strerror(number)}")
