"""What checks workflows and alert rules, built once from pinned modules.

`python -m sandbox.cache.linters` prints the path of actionlint.
"""

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

PROMTOOL = Program(
    name="promtool",
    title=f"promtool {pins.PROMETHEUS}",
    package="github.com/prometheus/prometheus/cmd/promtool",
    tags=("remove_all_sd", "netgo"),  # without the discovery of a dozen clouds, which no check needs
    proof=("--version",),
    expected="promtool",  # built as a module it knows no version of its own
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
