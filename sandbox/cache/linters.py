"""`python -m sandbox.cache.linters`: the path of actionlint, built once from its pinned module."""

import sys

from rich.console import Console

from sandbox import pins
from sandbox.cache import entry, go
from sandbox.cache.commands import CacheError
from sandbox.cache.go import Program
from sandbox.place import CACHE
from sandbox.progress import Report

ACTIONLINT = Program(
    name="actionlint",
    title=f"actionlint {pins.ACTIONLINT}",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    proof=("-version",),
    expected=f"v{pins.ACTIONLINT}",
)


def main() -> int:
    report = Report(Console(highlight=False, stderr=True))  # the path alone goes to standard output
    try:
        folder = entry.ensure(CACHE, go.entry(ACTIONLINT), report)
    except CacheError as error:
        report.console.print(f"✗ {error}", markup=False, soft_wrap=True)
        return 1
    print(folder / ACTIONLINT.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
