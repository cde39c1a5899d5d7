"""Mounts and loop devices below a folder: sharing them with the nodes, and taking them away again."""

import json
from pathlib import Path

from sandbox.cluster.command import run

TABLE = Path("/proc/self/mountinfo")


def below(folder: Path, table: str) -> list[Path]:
    """Mount points at or below `folder`, the newest first, from the text of /proc/self/mountinfo."""
    points = [Path(_unescape(line.split()[4])) for line in table.splitlines()]
    return [point for point in reversed(points) if point == folder or folder in point.parents]


def share(folder: Path) -> None:
    """Make `folder` a mount of its own that shares with every namespace that has it what is mounted below it."""
    if folder in below(folder, TABLE.read_text()):
        return
    run(["mount", "--bind", str(folder), str(folder)])
    # Out of the machine's own group of mounts first, then a group for this folder alone.
    run(["mount", "--make-private", str(folder)])
    run(["mount", "--make-shared", str(folder)])


def remove(folder: Path) -> None:
    """Unmount everything at or below `folder`. Nothing may use it any more."""
    while points := below(folder, TABLE.read_text()):
        run(["umount", str(points[0])])


def detach_loops(folder: Path) -> None:
    """Free the loop devices whose file lies below `folder`, even if the file was deleted meanwhile."""
    listed = run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"])
    for device in json.loads(listed)["loopdevices"] if listed.strip() else []:
        if folder in Path(device["back-file"].removesuffix(" (deleted)")).parents:
            run(["losetup", "--detach", device["name"]])


def _unescape(text: str) -> str:
    """The kernel writes blanks in paths as octal escapes."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
