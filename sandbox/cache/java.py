"""Java programs of this repository, compiled against the jars of a RocketMQ version."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox import pins
from sandbox.cache import entry, recipes
from sandbox.cache.build_command import BuildProgress, run
from sandbox.cache.entry import Entry
from sandbox.cache.go import TOOLCHAIN
from sandbox.layout import CACHE
from sandbox.progress import Report

RELEASE = "11"
"""Oldest Java that runs the programs. The sandbox's own image has 17."""


@dataclass(frozen=True)
class JavaProgram:
    """Program whose source is `toolchain/<name>`."""

    name: str
    title: str
    main_class: str

    @property
    def source(self) -> Path:
        return TOOLCHAIN / self.name


AUDIT = JavaProgram(
    name="rocketmq-audit",
    title="load generator and reader of the fault tests",
    main_class="dev.eksrocketmq.audit.Audit",
)
PROGRAMS = (AUDIT,)


def program(java: JavaProgram, version: str = pins.ROCKETMQ, cache: Path = CACHE) -> Entry:
    """Return the jar of a program for a version. Its build needs the jars of the version."""
    jars = recipes.rocketmq_jars(version)
    return Entry(
        name=f"{java.name}-{version}",
        title=f"{java.title}, for RocketMQ {version}",
        inputs={"jars": jars.key, "source": entry.digest_tree(java.source), "release": RELEASE},
        build=lambda folder, progress: _build(java, jars.folder(cache), folder, progress),
    )


def ensure(java: JavaProgram, report: Report) -> str:
    """Compile a program unless it is in the cache. Return its class path, RocketMQ's jars included.

    Raises CacheError.
    """
    jars = entry.ensure(CACHE, recipes.rocketmq_jars(pins.ROCKETMQ), report)
    folder = entry.ensure(CACHE, program(java), report)
    return f"{folder / java.name}.jar:{jars}/*"


def _build(java: JavaProgram, jars: Path, folder: Path, progress: BuildProgress) -> None:
    sources = sorted(str(path) for path in java.source.rglob("*.java"))
    with tempfile.TemporaryDirectory(dir=folder) as classes:
        run(
            ["javac", "-Xlint:all", "-Werror", "--release", RELEASE, "-cp", f"{jars}/*", "-d", classes, *sources],
            doing=f"compiling the {java.title}",
            on_line=progress.tell,
        )
        run(
            ["jar", "--create", "--file", f"{folder / java.name}.jar", "-C", classes, "."],
            doing=f"packing the {java.title}",
        )
