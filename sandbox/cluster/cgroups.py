"""Control groups: one for each node, with all its processes, so that all of them can be found and ended.

Supports cgroup v1 (one tree for each controller), v2 (one tree) and both side by side.
"""

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sandbox.polling import wait_until

MOUNTS = Path("/proc/self/mounts")
# kubelet puts pods into `<node>/kubepods`. v2 allows processes in leaf groups only, so the daemons need their own.
DAEMONS = "system"


def trees(mounts: str) -> list[Path]:
    """Return the roots of the cgroup trees in use, from the text of /proc/self/mounts.

    A machine with v1 often has a v2 tree too, and runc uses both.
    """
    fields = [line.split() for line in mounts.splitlines()]
    return list(dict.fromkeys(Path(field[1]) for field in fields if field[2] in ("cgroup", "cgroup2")))


def current_trees() -> list[Path]:
    return trees(MOUNTS.read_text())


def create(name: str, roots: Iterable[Path]) -> None:
    """Create the group `name`, such as `/rmq-sandbox-a`, with a leaf group for the daemons, in every tree."""
    for root in roots:
        group = root / name.lstrip("/")
        for folder in (group, group / DAEMONS):
            _delegate(folder.parent)
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)


def any_named(pattern: str, roots: Iterable[Path]) -> bool:
    """Return whether a top-level group matches `pattern`."""
    return any(True for root in roots for _ in root.glob(pattern))


def join_commands(name: str, roots: Iterable[Path]) -> str:
    """Return shell commands that move the calling process into the daemons' group of `name`."""
    files = [root / name.lstrip("/") / DAEMONS / "cgroup.procs" for root in roots]
    return "\n".join(f"echo $$ >{shlex.quote(str(file))}" for file in files)


def processes(name: str, roots: Iterable[Path]) -> set[int]:
    """Return every process in the group or below it."""
    found: set[int] = set()
    for root in roots:
        for folder in _list_groups(root / name.lstrip("/")):
            with suppress(OSError):
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
    return found


def _list_groups(top: Path) -> list[Path]:
    """Return a group and those below it, the lowest first. One may disappear while they are listed."""
    # Unlike Path.rglob, os.walk skips a folder that is gone.
    return [Path(folder) for folder, _, _ in os.walk(top, topdown=False)]


def remove(name: str, roots: Iterable[Path], seconds: float = 10.0) -> None:
    """Delete the group and all groups below it. Its processes must have ended; the kernel may notice that late.

    Raises TimeoutError when a group cannot be deleted.
    """
    for root in roots:
        top = root / name.lstrip("/")
        if not wait_until(lambda: _is_removed(top), seconds, every=0.05):  # noqa: B023 (called at once)
            raise TimeoutError(f"the control group {top} cannot be removed; it still holds {processes(name, [root])}")


def _is_removed(top: Path) -> bool:
    """Delete the groups that are empty; return whether none is left."""
    for folder in _list_groups(top):
        with suppress(OSError):
            folder.rmdir()
    return not top.exists()


def _delegate(parent: Path) -> None:
    """v2 only: enable all controllers of `parent` for its children."""
    available = parent / "cgroup.controllers"
    if available.exists():
        for controller in available.read_text().split():
            # Some kernels list controllers that cannot be enabled here; kubelet reports missing ones.
            with suppress(OSError):
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpuset(folder: Path) -> None:
    """v1 only: copy processors and memory nodes, as a new cpuset group has none and takes no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own, parent = folder / name, folder.parent / name
        if own.exists() and parent.exists() and not own.read_text().strip():
            own.write_text(parent.read_text())
