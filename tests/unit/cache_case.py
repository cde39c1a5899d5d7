"""An entry of a cache that the unit tests build."""

from pathlib import Path

from sandbox.cache.build_command import BuildProgress
from sandbox.cache.entry import Entry


class Builder:
    """Builds an entry of one file and counts how often; `error` makes it fail after the file is written."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.times = 0
        self.error = error

    def __call__(self, folder: Path, _progress: BuildProgress) -> None:
        self.times += 1
        (folder / "program").write_text("content")
        (folder / "link").symlink_to("program")
        if self.error is not None:
            raise self.error


def an_entry(build: Builder, **changes: object) -> Entry:
    settings: dict = {"name": "thing", "title": "the thing", "inputs": {"version": "1"}, "build": build, **changes}
    return Entry(**settings)
