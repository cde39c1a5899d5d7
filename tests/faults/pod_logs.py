"""Logs of pods, also of those that end while they are kept."""

import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sandbox.layout import NODES, SandboxInstance

POLL_SECONDS = 1.0


@contextmanager
def keep_logs(instance: SandboxInstance, folder: Path) -> Generator[None]:
    """Copy the logs of the pods of RocketMQ to `folder` when the block ends.

    The kubelet deletes the log of a pod with the pod. A file that is open stays readable.
    """
    opened: dict[Path, BinaryIO] = {}
    ended = threading.Event()

    def open_new() -> None:
        while not ended.wait(POLL_SECONDS):
            for node in NODES:
                for path in (instance.node_root(node) / "pod-logs").glob("*_rocketmq-*/*/*.log"):
                    if path not in opened:
                        with suppress(OSError):
                            opened[path] = path.open("rb")

    follower = threading.Thread(target=open_new, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()
        folder.mkdir(exist_ok=True)
        for path, file in opened.items():
            pod, container = path.parent.parent.name, path.parent.name
            with file, (folder / f"{pod}-{container}-{path.name}").open("wb") as copy:
                shutil.copyfileobj(file, copy)
