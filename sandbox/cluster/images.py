"""A containerd folder with all images unpacked, made once; each node starts from hard links to it.

Importing a gigabyte of images into three containerds takes most of a minute on two cores, linking takes about a second.
What is linked is never written: blobs are immutable and unpacked layers are the read-only floors of overlay mounts.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import containerd
from sandbox.cluster.command import run
from sandbox.place import CACHE, Place
from sandbox.processes import Process, in_netns

FOLDER = CACHE / "containerd"
PROCESS = "containerd-images"
# Databases are written; everything else is linked.
DATABASES = "*.db"
# The one before stays: another sandbox may start from it just now.
KEPT = 2


def ensure(place: Place, toolchain: Toolchain) -> Path:
    """Give the prepared containerd root, importing the toolchain's images unless that was done before."""
    prepared = FOLDER / key(toolchain.images)
    if prepared.exists():
        return prepared
    FOLDER.mkdir(parents=True, exist_ok=True)
    draft = place.root / "containerd-images"
    processes.stop(place, PROCESS)
    shutil.rmtree(draft, ignore_errors=True)
    layout = containerd.Layout(draft, draft / "root")
    layout.write(containerd.importer_config(layout))
    ready = lambda: containerd.answers(layout)  # noqa: E731
    # In the control namespace, where `stop` finds whatever an interruption left of it.
    netns = place.control_netns
    processes.start(place, Process(PROCESS, containerd.command(layout), netns=netns, ready=ready))
    try:
        for image in toolchain.images:
            run(in_netns(netns, containerd.client(layout, "images", "import", str(image))))
    finally:
        processes.stop(place, PROCESS)
    _publish(layout.root, prepared)
    shutil.rmtree(draft)
    return prepared


def _publish(root: Path, prepared: Path) -> None:
    """The name appears at once and whole, so an interrupted import is never taken for a finished one."""
    beside = FOLDER / f".{prepared.name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    _tree(root, beside)
    try:
        beside.rename(prepared)
    except OSError:
        # Another sandbox was faster.
        shutil.rmtree(beside)
        if not prepared.exists():
            raise
    for old in sorted(FOLDER.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def key(images: Iterable[Path]) -> str:
    """Changes when an image file does: path, size in bytes and time of change in nanoseconds."""
    described = [(str(image), image.stat().st_size, image.stat().st_mtime_ns) for image in sorted(images)]
    return hashlib.sha256(repr(described).encode()).hexdigest()[:16]


def furnish(prepared: Path, root: Path) -> None:
    """Make `root` a containerd folder with the prepared images unless it exists."""
    if root.exists():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = root.with_name(f"{root.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    _tree(prepared, draft)
    draft.rename(root)


def _tree(source: Path, target: Path) -> None:
    """Copy a containerd root with owners and modes: hard links where the file system allows them, else true copies."""
    linked = _links(source, target.parent)
    run(["cp", "--archive", *(["--link"] if linked else []), str(source), str(target)])
    for database in target.rglob(DATABASES) if linked else ():
        own = database.with_name(f"{database.name}.own")
        shutil.copy2(database, own)
        own.rename(database)


def _links(source: Path, folder: Path) -> bool:
    """Try it: two mounts of one file system refuse hard links as well, and no property of the two tells."""
    probe = folder / f".link.{os.getpid()}.{threading.get_ident()}"
    try:
        os.link(next(source.rglob(DATABASES)), probe)
    except OSError:
        return False
    probe.unlink()
    return True
