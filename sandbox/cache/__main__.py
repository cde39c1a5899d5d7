"""`python -m sandbox.cache [PART …]`: build and download what the sandbox needs, and nothing else."""

import sys

from sandbox.cache import toolchain
from sandbox.cache.commands import CacheError
from sandbox.progress import Report

INTERRUPTED = 130


def main(parts: list[str]) -> int:
    report = Report()
    try:
        found = toolchain.ensure(report, parts or toolchain.PARTS)
    except CacheError as error:
        report.console.print(f"✗ {error}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        report.say("Interrupted. What is finished stays; the same command goes on from there.")
        return INTERRUPTED
    report.say(f"everything is there: {found.bin.parent.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
