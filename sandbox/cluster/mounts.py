"""Mounts and loop devices below a folder."""

import json
from pathlib import Path

from sandbox.command import run

TABLE = Path("/proc/self/mountinfo")


def below(folder: Path, table: str) -> list[Path]:
    """Return mount points at or below `folder`, newest first, from the text of /proc/self/mountinfo."""
    points = [Path(_unescape(line.split()[4])) for line in table.splitlines()]
    return [point for point in reversed(points) if point == folder or folder in point.parents]


def share(folder: Path) -> None:
    """Make `folder` a shared mount: mounts below it appear in every mount namespace that contains it."""
    if folder in below(folder, TABLE.read_text()):
        return
    run(["mount", "--bind", str(folder), str(folder)])
    # Private first: leaves the machine's peer group before it creates its own.
    run(["mount", "--make-private", str(folder)])
    run(["mount", "--make-shared", str(folder)])


def remove(folder: Path) -> None:
    """Unmount everything at or below `folder`. No process may use it."""
    while points := below(folder, TABLE.read_text()):
        run(["umount", str(points[0])])


def loop_devices(listing: str, folder: Path) -> list[str]:
    """Return the devices with a backing file below `folder`, from the output of `losetup --json --list`.

    Includes devices whose backing file was deleted.
    """
    devices = json.loads(listing)["loopdevices"] if listing.strip() else []
    return [device["name"] for device in devices if folder in Path(device["back-file"] or "/").parents]


def mounted_from(mountinfo: str, device: str) -> list[Path]:
    """Return the mount points of a device, newest first, from the text of /proc/self/mountinfo."""
    lines = mountinfo.splitlines()
    # After ` - ` come file system type and source.
    own = [line for line in lines if line.partition(" - ")[2].split()[1] == device]
    return below(Path("/"), "\n".join(own))


def detach_loops(folder: Path) -> None:
    """Detach the loop devices with a backing file below `folder`, and unmount what is mounted from them."""
    listing = run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"])
    for device in loop_devices(listing, folder):
        for point in mounted_from(TABLE.read_text(), device):
            run(["umount", "--lazy", str(point)])
        run(["losetup", "--detach", device])


def _unescape(text: str) -> str:
    """Replace the kernel's octal escapes of white space and backslashes in paths."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
