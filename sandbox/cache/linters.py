"""Checkers of workflows and alert rules, built from pinned modules.

`python -m sandbox.cache.linters` prints the path of actionlint.
"""

import sys

from rich.console import Console

from sandbox import pins
from sandbox.cache import entry, go
from sandbox.cache.build_command import CacheError
from sandbox.cache.go import Program
from sandbox.layout import CACHE
from sandbox.progress import Report

ACTIONLINT = Program(
    name="actionlint",
    title=f"actionlint {pins.ACTIONLINT}",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    proof=("-version",),
    expected=f"v{pins.ACTIONLINT}",
)

PROMTOOL = Program(
    name="promtool",
    title=f"promtool {pins.PROMETHEUS}",
    package="github.com/prometheus/prometheus/cmd/promtool",
    tags=("remove_all_sd", "netgo"),  # without service discovery, which no check needs
    proof=("--version",),
    expected="promtool",  # a module build contains no version
)


def main() -> int:
    report = Report(Console(highlight=False, stderr=True))  # standard output has only the path
    try:
        folder = entry.ensure(CACHE, go.entry(ACTIONLINT), report)
    except CacheError as error:
        report.text(f"✗ {error}")
        return 1
    print(folder / ACTIONLINT.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
