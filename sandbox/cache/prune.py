"""What older pins left in the cache: entries that nothing here names any more, listed or removed.

Only when a person asks for it: checkouts with other pins share the cache, and what is left over here is needed there.
What is removed by mistake is built again by whoever asks for it.
"""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox import pins
from sandbox.cache import go, linters, nodejs, recipes, toolchain
from sandbox.cache.entry import BUILDING, MANIFEST, lock_file
from sandbox.lock import locked
from sandbox.place import CACHE
from sandbox.progress import Report

_MIB = 1024**2


class _InUseError(Exception):
    """Another run builds the entry or works with it."""


def named(cache: Path) -> frozenset[str]:
    """Folders of all entries that the present pins name, those included that are built only when somebody asks."""
    entries = [
        *toolchain.entries(cache),
        *nodejs.entries(cache),
        *(go.entry(program) for program in (linters.ACTIONLINT, linters.PROMTOOL)),
        *(recipes.rocketmq_jars(version) for version in (pins.ROCKETMQ, *pins.OTHER_ROCKETMQS)),
    ]
    return frozenset(entry.folder(cache).name for entry in entries)


def leftovers(cache: Path = CACHE) -> list[Path]:
    """Folders of entries that no present pin names, and what builds of such left half done; sorted."""
    kept, folder = named(cache), cache / "entries"
    return sorted(path for path in folder.glob("*") if path.name.removesuffix(BUILDING) not in kept)


def prune(report: Report, cache: Path = CACHE, *, only_list: bool = False) -> None:
    """Say what is left over, with sizes, and remove it unless it is only to be listed or another run uses it."""
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
    """Remove one entry, unless another run builds it or works with it; returns whether it is gone."""
    # The lock's own file stays: who waits for it would hold another one than who comes later.
    path = lock_file(cache, folder.name.removesuffix(BUILDING))
    try:
        with locked(path, str(os.getpid()), _refuse), _unused(folder):
            # First, so that nobody takes for whole what is half removed.
            (folder / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder)
    except _InUseError:
        return False
    return True


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())


@contextmanager
def _unused(folder: Path) -> Generator[None]:
    """Keep others from beginning to use the entry. Raises _InUseError when somebody does already."""
    try:
        manifest = (folder / MANIFEST).open()
    except FileNotFoundError:  # nobody uses what was never finished
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
    """Folders for PATH with a program that is gone."""
    for folder in (cache / "bin").glob("*"):
        if any(not link.exists() for link in folder.iterdir()):
            shutil.rmtree(folder)


def _mib(bytes_: int) -> str:
    return f"{bytes_ / _MIB:,.1f} MiB"
