"""One entry of the cache: a folder that is either whole and checked, or not there.

An entry is built in a folder beside its place, verified, recorded in a manifest and renamed into place, so a run that
is interrupted leaves nothing half. Its key covers everything that decides its content: a changed pin is another entry.
"""

import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeAlias

from sandbox.cache.commands import CacheError, Progress
from sandbox.lock import locked
from sandbox.progress import Report

MANIFEST = "manifest.json"
BUILDING = ".building"
KEY_LENGTH = 16

_used: dict[Path, TextIO] = {}
"""Manifests of the entries that this run works with, open and locked until it ends, however it ends."""

Build: TypeAlias = Callable[[Path, Progress], None]


def _nothing(_folder: Path) -> None:
    """Entries whose build already proves what it made."""


@dataclass(frozen=True)
class Entry:
    """What to build and what decides its content.

    `inputs` are pins and digests by name; `recipe` goes up by one when the way to build changes the result.
    `build` fills an empty folder; `verify` raises CacheError when the result does not work.
    """

    name: str
    title: str
    inputs: Mapping[str, str]
    build: Build
    verify: Callable[[Path], None] = _nothing
    recipe: int = 1

    @property
    def key(self) -> str:
        identity = {
            "name": self.name,
            "recipe": self.recipe,
            "machine": platform.machine(),
            "inputs": dict(sorted(self.inputs.items())),
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:KEY_LENGTH]

    def folder(self, cache: Path) -> Path:
        return cache / "entries" / f"{self.name}-{self.key}"


def ensure(cache: Path, entry: Entry, report: Report) -> Path:
    """The entry's folder, built when it is missing and built again when it is damaged.

    Raises CacheError when it cannot be built.
    """
    folder = entry.folder(cache)
    if _use(folder):
        return folder
    try:
        with _held(cache, entry, report):
            if _use(folder):  # another run may have built it while we waited
                return folder
            found = damage(folder)
            if folder.exists():
                report.say(f"{entry.title} in the cache is damaged ({found}): building it again")
            with report.step(entry.title):
                _build(folder, entry, Progress(report))
            _use(folder)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise CacheError(
                f"{entry.title}: the disk that holds {cache} is full ({error.filename or folder}). Free some space, or "
                "name another folder with EKS_ROCKETMQ_CACHE, then run the same command again: what is finished stays."
            ) from error
        raise
    return folder


def damage(folder: Path) -> str | None:
    """What is wrong with a finished entry, or None.

    A file is read again only when its size or time is not that of the day it was built, so a check takes milliseconds.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return "it was never finished"
    except (json.JSONDecodeError, UnicodeDecodeError):
        return f"{MANIFEST} is not readable"
    for name, expected in manifest.items():
        wrong = _wrong(folder / name, expected)
        if wrong is not None:
            return f"{name} {wrong}"
    return None


def lock_file(cache: Path, name: str) -> Path:
    """Held by who builds or removes the entry whose folder has that name."""
    return cache / "locks" / name


def _use(folder: Path) -> bool:
    """Whether the entry is whole; nobody prunes it then before this run has ended."""
    try:
        file = (folder / MANIFEST).open()
    except (FileNotFoundError, NotADirectoryError):
        return False
    fcntl.flock(file, fcntl.LOCK_SH)  # who prunes it has the other lock
    if damage(folder) is not None:
        file.close()
        return False
    if folder in _used:
        _used[folder].close()
    _used[folder] = file
    return True


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_tree(folder: Path, counts: Callable[[Path], bool] = lambda _path: True) -> str:
    """One digest over the names and contents of all files below a folder that count."""
    whole = hashlib.sha256()
    for path in (path for path in _files(folder) if path.is_file() and counts(path)):
        whole.update(f"{path.relative_to(folder)}\0{digest(path)}\n".encode())
    return whole.hexdigest()


def _build(folder: Path, entry: Entry, progress: Progress) -> None:
    building = folder.with_name(f"{folder.name}{BUILDING}")
    # The lock is ours, so whatever lies here was left by a run that was killed.
    shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        entry.build(building, progress)
        entry.verify(building)
        manifest = {str(path.relative_to(building)): _record(path) for path in _files(building)}
        (building / MANIFEST).write_text(json.dumps(manifest, indent=0))
        os.sync()  # a power cut after the rename must not leave a manifest over empty files
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _held(cache: Path, entry: Entry, report: Report) -> AbstractContextManager[None]:
    """Two runs never build the same entry at once; the second waits for the first and says so."""
    return locked(
        lock_file(cache, entry.folder(cache).name),
        str(os.getpid()),
        lambda pid: report.say(f"{entry.title} is being built by another run (pid {pid or '?'}): waiting for it"),
    )


def _files(folder: Path) -> list[Path]:
    """Every file and link that is content; byte code is not, Python makes it again at will."""
    found = (path for path in folder.rglob("*") if path.suffix != ".pyc")
    return sorted(path for path in found if path.is_symlink() or path.is_file())


def _record(path: Path) -> dict[str, str | int]:
    if path.is_symlink():
        return {"link": str(path.readlink())}
    status = path.stat()
    return {"sha256": digest(path), "size": status.st_size, "mtime": status.st_mtime_ns}


def _wrong(path: Path, expected: Mapping[str, str | int]) -> str | None:
    try:
        status = path.stat()  # of a link's target, which may be outside, such as the interpreter of an environment
    except FileNotFoundError:
        return "is missing"
    if "link" in expected:
        return None if path.is_symlink() and str(path.readlink()) == expected["link"] else "points elsewhere"
    if status.st_size != expected["size"]:
        return f"has {status.st_size} bytes instead of {expected['size']}"
    if status.st_mtime_ns != expected["mtime"] and digest(path) != expected["sha256"]:
        return "has another content"
    return None
