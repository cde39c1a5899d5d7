"""Unpacked images in one containerd folder. Each node starts with hard links to it.

Importing a gigabyte of images into three containerds takes most of a minute on two cores; links take about a second.
Linked files are never written: blobs are immutable, and unpacked layers are read-only layers of overlay mounts.
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
from sandbox.command import run
from sandbox.layout import CACHE, SandboxInstance
from sandbox.processes import Process, in_netns

FOLDER = CACHE / "containerd"
PROCESS = "containerd-images"
# Databases are copied, because containerd writes to them.
DATABASES = "*.db"
# The previous folder stays, as another sandbox may be starting from it.
KEPT = 2


def ensure(instance: SandboxInstance, toolchain: Toolchain) -> Path:
    """Return the prepared containerd root. Import the toolchain's images unless that was done before."""
    prepared = FOLDER / key(toolchain.images)
    if prepared.exists():
        return prepared
    FOLDER.mkdir(parents=True, exist_ok=True)
    draft = instance.root / "containerd-images"
    processes.stop(instance, PROCESS)
    shutil.rmtree(draft, ignore_errors=True)
    folders = containerd.ContainerdFolders(draft, draft / "root")
    folders.write(containerd.importer_config(folders))
    ready = lambda: containerd.answers(folders)  # noqa: E731
    # In the control namespace, where `stop` finds a process that an interruption left.
    netns = instance.control_netns
    processes.start(instance, Process(PROCESS, containerd.command(folders), netns=netns, ready=ready))
    try:
        for image in toolchain.images:
            run(in_netns(netns, containerd.client(folders, "images", "import", str(image))))
    finally:
        processes.stop(instance, PROCESS)
    _publish(folders.root, prepared)
    shutil.rmtree(draft)
    return prepared


def _publish(root: Path, prepared: Path) -> None:
    """Rename a complete copy into place, so that an interrupted import is never used."""
    beside = FOLDER / f".{prepared.name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    _tree(root, beside)
    try:
        beside.rename(prepared)
    except OSError:
        # Another sandbox has created it meanwhile.
        shutil.rmtree(beside)
        if not prepared.exists():
            raise
    for old in sorted(FOLDER.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def key(images: Iterable[Path]) -> str:
    """Return a digest of paths, sizes and modification times of the image files."""
    described = [(str(image), image.stat().st_size, image.stat().st_mtime_ns) for image in sorted(images)]
    return hashlib.sha256(repr(described).encode()).hexdigest()[:16]


def link_images(prepared: Path, root: Path) -> None:
    """Create `root` from the prepared folder unless it exists."""
    if root.exists():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = root.with_name(f"{root.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    _tree(prepared, draft)
    draft.rename(root)


def _tree(source: Path, target: Path) -> None:
    """Copy a containerd root with owners and modes, as hard links where the file system allows them."""
    linked = _links(source, target.parent)
    run(["cp", "--archive", *(["--link"] if linked else []), str(source), str(target)])
    for database in target.rglob(DATABASES) if linked else ():
        own = database.with_name(f"{database.name}.own")
        shutil.copy2(database, own)
        own.rename(database)


def _links(source: Path, folder: Path) -> bool:
    """Try a hard link: two mounts of one file system refuse it too, and nothing else tells."""
    probe = folder / f".link.{os.getpid()}.{threading.get_ident()}"
    try:
        os.link(next(source.rglob(DATABASES)), probe)
    except OSError:
        return False
    probe.unlink()
    return True
