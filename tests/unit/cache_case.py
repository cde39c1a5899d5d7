"""Cache entry for unit tests."""

from pathlib import Path

from sandbox.cache.build_command import BuildProgress
from sandbox.cache.entry import Entry


class Builder:
    """Build function of an entry with one file. It counts its calls and raises `error`, if given, at the end."""

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
