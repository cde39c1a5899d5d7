"""Build and download what the sandbox needs: `python -m sandbox.cache [PART …]`."""

import sys

from sandbox.cache import toolchain
from sandbox.cache.build_command import CacheError
from sandbox.progress import Report

INTERRUPTED = 130


def main(parts: list[str]) -> int:
    report = Report()
    try:
        found = toolchain.ensure(report, parts or toolchain.PARTS)
    except CacheError as error:
        report.text(f"✗ {error}")
        return 1
    except KeyboardInterrupt:
        report.say("Interrupted. What is finished stays; the same command goes on from there.")
        return INTERRUPTED
    report.say(f"the cache is complete: {found.bin.parent.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
