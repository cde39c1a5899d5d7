"""Build the agent of the library from its Java source: `python -m scripts.agent_jar`.

The same sources and the same compiler give the same file, so a test compares the committed jar with its sources.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

from sandbox import pins
from sandbox.cache import entry, recipes
from sandbox.cache.build_command import CacheError, run
from sandbox.layout import CACHE, REPOSITORY
from sandbox.progress import Report

AGENT = REPOSITORY / "components" / "eks_rocketmq" / "rocketmq" / "agent"
JAR = AGENT / "agent.jar"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can have


def build_jar(version: str) -> bytes:
    """Return the jar, compiled against a version of RocketMQ for Java 8, as in the official image.

    Raises CacheError when the jars of the version cannot be fetched, or when the compiler fails.
    """
    jars = entry.ensure(CACHE, recipes.rocketmq_jars(version), Report())
    with tempfile.TemporaryDirectory() as folder:
        run(
            [
                *("javac", "--release", "8", "-g:none", "-Xlint:all,-options,-path", "-Werror"),
                *("-cp", f"{jars}/*", "-d", folder),
                *(str(path) for path in sorted((AGENT / "java").rglob("*.java"))),
            ],
            doing=f"compiling the agent for RocketMQ {version}",
        )
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as jar:
            for path in sorted(Path(folder).rglob("*.class")):
                jar.writestr(
                    zipfile.ZipInfo(str(path.relative_to(folder)), _TIME), path.read_bytes(), zipfile.ZIP_DEFLATED
                )
        return content.getvalue()


def main() -> int:
    """Write the jar."""
    try:
        JAR.write_bytes(build_jar(pins.ROCKETMQ))
    except CacheError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
