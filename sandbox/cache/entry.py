"""Entry of the cache: a folder that is either complete and verified, or absent.

An entry is built in a temporary folder, verified, recorded in a manifest and renamed. An interrupted run therefore
leaves no partial entry. The key covers everything that decides the content, so a changed pin gives a new entry.
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

from sandbox.cache.build_command import BuildProgress, CacheError
from sandbox.lock import file_lock
from sandbox.progress import Report

MANIFEST = "manifest.json"
BUILDING = ".building"
KEY_LENGTH = 16

_used: dict[Path, TextIO] = {}
"""Open and locked manifests of the entries in use. The kernel releases the locks when this process ends."""

Build: TypeAlias = Callable[[Path, BuildProgress], None]


def _skip_verification(_folder: Path) -> None:
    """Default of `Entry.verify`: the build verifies its own result."""


@dataclass(frozen=True)
class Entry:
    """A cache entry: how to build it and what decides its content.

    `inputs` are pins and digests by name. Increase `recipe` when a change of the build changes the result.
    `build` fills an empty folder; `verify` raises CacheError when the result does not work.
    """

    name: str
    title: str
    inputs: Mapping[str, str]
    build: Build
    verify: Callable[[Path], None] = _skip_verification
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
    """Return the entry's folder. Build it when it is missing or damaged.

    Raises CacheError when it cannot be built.
    """
    folder = entry.folder(cache)
    if _use(folder):
        return folder
    try:
        with _entry_lock(cache, entry, report):
            if _use(folder):  # another run may have built it meanwhile
                return folder
            found = damage(folder)
            if folder.exists():
                report.say(f"{entry.title} in the cache is damaged ({found}): building it again")
            with report.step(entry.title):
                _build(folder, entry, BuildProgress(report))
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
    """Return what is wrong with an entry, or None.

    A file is hashed again only when its size or modification time has changed, so a check takes milliseconds.
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
    """Return the lock file of the entry with this folder name. Builds and removals hold it."""
    return cache / "locks" / name


def _use(folder: Path) -> bool:
    """Return whether the entry is complete. If so, protect it from `prune` until this process ends."""
    try:
        file = (folder / MANIFEST).open()
    except (FileNotFoundError, NotADirectoryError):
        return False
    fcntl.flock(file, fcntl.LOCK_SH)  # `prune` takes the exclusive lock
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
    """Return one digest of the names and contents of all files below a folder that `counts` accepts."""
    whole = hashlib.sha256()
    for path in (path for path in _files(folder) if path.is_file() and counts(path)):
        whole.update(f"{path.relative_to(folder)}\0{digest(path)}\n".encode())
    return whole.hexdigest()


def _build(folder: Path, entry: Entry, progress: BuildProgress) -> None:
    building = folder.with_name(f"{folder.name}{BUILDING}")
    # This run holds the lock, so an existing folder is from a killed run.
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


def _entry_lock(cache: Path, entry: Entry, report: Report) -> AbstractContextManager[None]:
    """Lock the entry. A second run that builds it waits and reports that."""
    return file_lock(
        lock_file(cache, entry.folder(cache).name),
        str(os.getpid()),
        lambda pid: report.say(f"{entry.title} is being built by another run (pid {pid or '?'}): waiting for it"),
    )


def _files(folder: Path) -> list[Path]:
    """Return every file and link except byte code, which Python may write at any time."""
    found = (path for path in folder.rglob("*") if path.suffix != ".pyc")
    return sorted(path for path in found if path.is_symlink() or path.is_file())


def _record(path: Path) -> dict[str, str | int]:
    if path.is_symlink():
        return {"link": str(path.readlink())}
    status = path.stat()
    return {"sha256": digest(path), "size": status.st_size, "mtime": status.st_mtime_ns}


def _wrong(path: Path, expected: Mapping[str, str | int]) -> str | None:
    try:
        status = path.stat()  # of a link's target, which may be outside, such as an interpreter
    except FileNotFoundError:
        return "is missing"
    if "link" in expected:
        return None if path.is_symlink() and str(path.readlink()) == expected["link"] else "points elsewhere"
    if status.st_size != expected["size"]:
        return f"has {status.st_size} bytes instead of {expected['size']}"
    if status.st_mtime_ns != expected["mtime"] and digest(path) != expected["sha256"]:
        return "has another content"
    return None
