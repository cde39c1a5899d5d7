"""One control group per node: everything that a node runs is in it, so everything is found and ended through it.

Both layouts of Linux are served: v1, one tree per controller, and v2, one tree for all; also v1 with v2 beside it.
"""

import shlex
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
# kubelet's pods go to `<node>/kubepods`. The node's own daemons need a leaf beside it:
# v2 allows processes in leaves only.
DAEMONS = "system"


def trees(mounts: str) -> list[Path]:
    """Roots of the cgroup trees in use, from the text of /proc/self/mounts.

    A machine with v1 often has v2's tree beside it, and runc uses that one as well.
    """
    fields = [line.split() for line in mounts.splitlines()]
    return list(dict.fromkeys(Path(field[1]) for field in fields if field[2] in ("cgroup", "cgroup2")))


def current_trees() -> list[Path]:
    return trees(MOUNTS.read_text())


def create(name: str, roots: Iterable[Path]) -> None:
    """Make the group `name` (such as `/rmq-sandbox-a`) with its leaf for the daemons in every tree."""
    for root in roots:
        group = root / name.lstrip("/")
        for folder in (group, group / DAEMONS):
            _delegate(folder.parent)
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)


def any_named(pattern: str, roots: Iterable[Path]) -> bool:
    """Whether any top-level group has a name like `pattern`."""
    return any(True for root in roots for _ in root.glob(pattern))


def joining(name: str, roots: Iterable[Path]) -> str:
    """Shell commands by which a process puts itself into the daemons' leaf of `name`."""
    files = [root / name.lstrip("/") / DAEMONS / "cgroup.procs" for root in roots]
    return "\n".join(f"echo $$ >{shlex.quote(str(file))}" for file in files)


def processes(name: str, roots: Iterable[Path]) -> set[int]:
    """Every process in the group or below it."""
    found: set[int] = set()
    for root in roots:
        for file in (root / name.lstrip("/")).rglob("cgroup.procs"):
            # The group may go away between listing and reading.
            with suppress(OSError):
                found.update(int(line) for line in file.read_text().split())
    return found


def remove(name: str, roots: Iterable[Path], seconds: float = 10.0) -> None:
    """Delete the group with all below it. Its processes must have ended; the kernel may need a moment to agree."""
    deadline = time.monotonic() + seconds
    for root in roots:
        top = root / name.lstrip("/")
        while top.exists():
            for folder in [*sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True), top]:
                with suppress(OSError):
                    folder.rmdir()
            if top.exists() and time.monotonic() > deadline:
                raise TimeoutError(
                    f"the control group {top} cannot be removed; it still holds {processes(name, [root])}"
                )
            if top.exists():
                time.sleep(0.05)


def _delegate(parent: Path) -> None:
    """v2 only: hand all controllers of `parent` down to its children."""
    available = parent / "cgroup.controllers"
    if available.exists():
        for controller in available.read_text().split():
            # Some kernels list controllers that the group they are in cannot pass on; kubelet names what it misses.
            with suppress(OSError):
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpuset(folder: Path) -> None:
    """v1 only: a new cpuset group is empty and takes no process until it has processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        own, parent = folder / name, folder.parent / name
        if own.exists() and parent.exists() and not own.read_text().strip():
            own.write_text(parent.read_text())
