"""Volumes whose power is cut: what was synced stays, what was not is lost, memory-mapped pages included."""

import mmap
import os
import signal
import subprocess
import sys

from tests.faults.volumes import GIB, Volume

SIZE = 8 * mmap.PAGESIZE
SYNCED, UNSYNCED = b"synced", b"unsynced"

# Writes through memory maps and through a file descriptor, like RocketMQ. Then it waits to be killed.
WRITER = f"""
import mmap, os, sys, time
for name, text, sync in (("kept", {SYNCED!r}, True), ("dropped", {UNSYNCED!r}, False)):
    fd = os.open(name, os.O_RDWR)
    mapped = mmap.mmap(fd, {SIZE})
    mapped[:len(text)] = text
    os.pwrite(fd, text, {SIZE // 2})
    if sync:
        mapped.flush()
        os.fsync(fd)
print("written", flush=True)
time.sleep(600)
"""


def test_a_power_cut_drops_what_was_not_synced_and_keeps_what_was(volume: Volume) -> None:
    for name in ("kept", "dropped"):
        (volume.point / name).write_bytes(bytes(SIZE))
    os.sync()
    with subprocess.Popen([sys.executable, "-c", WRITER], cwd=volume.point, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert (volume.point / "dropped").read_bytes().startswith(UNSYNCED)
        volume.cut_power()
        writer.send_signal(signal.SIGKILL)
    volume.unmount()
    volume.mount()
    expected = SYNCED.ljust(SIZE // 2, b"\0")
    assert (volume.point / "kept").read_bytes() == expected * 2
    assert (volume.point / "dropped").read_bytes() == bytes(SIZE)


def test_a_killed_process_keeps_what_was_not_synced(volume: Volume) -> None:
    """The control: SIGKILL alone is no power loss."""
    (volume.point / "kept").write_bytes(bytes(SIZE))
    (volume.point / "dropped").write_bytes(bytes(SIZE))
    with subprocess.Popen([sys.executable, "-c", WRITER], cwd=volume.point, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    volume.unmount()
    volume.mount()
    assert (volume.point / "dropped").read_bytes().startswith(UNSYNCED)


def test_a_volume_grows_while_it_is_mounted(volume: Volume) -> None:
    before = os.statvfs(volume.point).f_blocks
    volume.grow(2 * GIB)
    assert os.statvfs(volume.point).f_blocks > 1.8 * before
