"""Jars of Apache RocketMQ from Maven Central, as `toolchain/rocketmq/pom.xml` names them."""

from pathlib import Path

from sandbox.cache.build_command import BuildProgress, CacheError, run
from sandbox.cache.go import TOOLCHAIN

POM = TOOLCHAIN / "rocketmq" / "pom.xml"
PROGRAMS = ("namesrv", "controller", "broker", "proxy", "tools")


def fetch_jars(version: str, folder: Path, progress: BuildProgress) -> None:
    """Fetch all jars of name server, controller, broker, proxy and mqadmin of a version into one folder.

    Raises CacheError when Maven fails or a program's own jar is missing.
    """
    run(
        [
            *("mvn", "--batch-mode", "--no-transfer-progress", "--file", str(POM), f"-Drocketmq.version={version}"),
            *("dependency:copy-dependencies", f"-DoutputDirectory={folder}"),
        ],
        doing=f"fetching the jars of RocketMQ {version}",
        on_line=progress.tell,
    )
    lacking = [name for name in PROGRAMS if not (folder / f"rocketmq-{name}-{version}.jar").is_file()]
    if lacking:
        raise CacheError(f"Maven succeeded, but the jars of {', '.join(lacking)} {version} are missing: see {POM}")
