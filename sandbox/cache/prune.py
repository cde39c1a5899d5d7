"""Removal of cache entries that the current pins do not name.

It runs on request only, because checkouts with other pins share the cache. They rebuild an entry that they miss.
"""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox import pins
from sandbox.cache import go, java, linters, nodejs, recipes, toolchain
from sandbox.cache.entry import BUILDING, MANIFEST, lock_file
from sandbox.layout import CACHE
from sandbox.lock import file_lock
from sandbox.progress import Report

_MIB = 1024**2


class _InUseError(Exception):
    """Another run builds or uses the entry."""


def named(cache: Path) -> frozenset[str]:
    """Return the folders of all entries that the current pins name, also of those that are built on request only."""
    entries = [
        *toolchain.entries(cache),
        *nodejs.entries(cache),
        *(go.entry(program) for program in (linters.ACTIONLINT, linters.PROMTOOL)),
        *(recipes.rocketmq_jars(version) for version in (pins.ROCKETMQ, *pins.OTHER_ROCKETMQS)),
        *(java.program(program, cache=cache) for program in java.PROGRAMS),
    ]
    return frozenset(entry.folder(cache).name for entry in entries)


def leftovers(cache: Path = CACHE) -> list[Path]:
    """Return the folders of all other entries, also unfinished ones, sorted."""
    kept, folder = named(cache), cache / "entries"
    return sorted(path for path in folder.glob("*") if path.name.removesuffix(BUILDING) not in kept)


def prune(report: Report, cache: Path = CACHE, *, only_list: bool = False) -> None:
    """List these entries with sizes. Remove those that no other run uses, unless `only_list`."""
    found = {folder: size(folder) for folder in leftovers(cache)}
    if not found:
        report.say(f"{cache} holds nothing that no present pin names")
        return
    report.say(f"No present pin names these entries of {cache}:")
    freed = 0
    for folder, bytes_ in found.items():
        fate = "" if only_list else "removed" if remove(cache, folder) else "in use by another run, stays"
        freed += 0 if fate.startswith("in use") else bytes_
        report.say(f"  {_mib(bytes_):>10}  {folder.name}  {fate}".rstrip())
    report.say(f"  {_mib(freed):>10}  {'would be freed' if only_list else 'freed'}")
    if not only_list:
        _drop_dangling_links(cache)


def remove(cache: Path, folder: Path) -> bool:
    """Remove an entry unless another run builds or uses it. Return whether it was removed."""
    # Keep the lock file: a waiting run and a later one must lock the same file.
    path = lock_file(cache, folder.name.removesuffix(BUILDING))
    try:
        with file_lock(path, str(os.getpid()), _refuse), _unused(folder):
            # First, so that no run uses a partially removed entry.
            (folder / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder)
    except _InUseError:
        return False
    return True


def size(folder: Path) -> int:
    """Return the size of all files below a folder in bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())


@contextmanager
def _unused(folder: Path) -> Generator[None]:
    """Prevent other runs from using the entry. Raises _InUseError when one does."""
    try:
        manifest = (folder / MANIFEST).open()
    except FileNotFoundError:  # an unfinished entry is never in use
        yield
        return
    with manifest:
        try:
            fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _InUseError from None
        yield


def _refuse(_holder: str) -> None:
    raise _InUseError


def _drop_dangling_links(cache: Path) -> None:
    """Remove PATH folders with a removed program."""
    for folder in (cache / "bin").glob("*"):
        if any(not link.exists() for link in folder.iterdir()):
            shutil.rmtree(folder)


def _mib(bytes_: int) -> str:
    return f"{bytes_ / _MIB:,.1f} MiB"
