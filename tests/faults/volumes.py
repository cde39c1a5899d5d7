"""Volumes of processes: xfs on loop devices, which can lose their power, hang, fill and grow."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache import debian
from sandbox.cluster import mounts
from sandbox.command import CommandError, run
from sandbox.polling import wait_until
from sandbox.progress import Report

GIB = 1024**3
BUSY_SECONDS = 20.0
"""Time that the kernel takes to release the files of a killed process."""


@dataclass
class Volume:
    """File system in a sparse file. `create` makes it, `mount` mounts it at `point`."""

    file: Path
    point: Path
    device: str = field(default="", init=False)

    def create(self, size: int = 2 * GIB) -> None:
        debian.ensure(Report())
        with self.file.open("wb") as file:
            file.truncate(size)
        run(["mkfs.xfs", "-q", str(self.file)])
        self.point.mkdir(parents=True, exist_ok=True)

    def mount(self) -> None:
        """Attach the file to a device and mount it. The file system recovers from its log."""
        self.device = run(["losetup", "--find", "--show", str(self.file)]).strip()
        # The file system before may still be mounted in a mount namespace that another process made meanwhile.
        run(["mount", "-o", "nouuid", self.device, str(self.point)])

    def unmount(self) -> None:
        """Unmount the file system and detach its device. No running process may use it."""

        def unmounted() -> bool:
            return subprocess.run(["umount", self.point], capture_output=True, check=False).returncode == 0

        if not wait_until(unmounted, BUSY_SECONDS, every=0.2):
            raise TimeoutError(f"{self.point} is in use")
        run(["losetup", "--detach", self.device])

    def cut_power(self) -> None:
        """Drop everything that is not on the device. Nothing can be read or written until the next mount."""
        run(["xfs_io", "-x", "-c", "shutdown", str(self.point)])

    def freeze(self) -> None:
        """Let every write hang, until `thaw`."""
        run(["fsfreeze", "--freeze", str(self.point)])

    def thaw(self) -> None:
        run(["fsfreeze", "--unfreeze", str(self.point)])

    def fill(self, share: float) -> None:
        """Reserve space with another file, until `share` of the volume is used."""
        status = os.statvfs(self.point)
        wanted = int((status.f_bavail - (1 - share) * status.f_blocks) * status.f_frsize)
        with (self.point / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, wanted)

    def grow(self, size: int) -> None:
        """Grow device and file system while they are in use."""
        os.truncate(self.file, size)
        run(["losetup", "--set-capacity", self.device])
        run(["xfs_growfs", str(self.point)])


def remove(folder: Path) -> None:
    """Unmount every volume below `folder` and detach its device. No running process may use one.

    Raises TimeoutError.
    """

    def removed() -> bool:
        try:
            # The device holds its file open, which is below the shared mount.
            mounts.detach_loops(folder)
            mounts.remove(folder)
        except CommandError:
            return False
        return True

    if not wait_until(removed, BUSY_SECONDS, every=0.2):
        raise TimeoutError(f"volumes below {folder} are in use")
