"""Java programs of the cache: a compiler error."""

from pathlib import Path

import pytest

from sandbox.cache import java, recipes
from sandbox.cache.build_command import BuildProgress, CacheError
from sandbox.cache.java import JavaProgram
from sandbox.progress import Report

EMPTY_JAR = b"PK\5\6" + bytes(18)  # a ZIP file without entries


def test_a_compiler_error_names_the_program_and_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "TOOLCHAIN", tmp_path)
    source = tmp_path / "hello" / "Hello.java"
    source.parent.mkdir()
    source.write_text("class Hello { int number = missing; }\n")
    jars = recipes.rocketmq_jars("5.5.0").folder(tmp_path)
    jars.mkdir(parents=True)
    (jars / "some.jar").write_bytes(EMPTY_JAR)
    program = java.program(JavaProgram("hello", "greeting", "Hello"), "5.5.0", tmp_path)
    with pytest.raises(CacheError, match=r"(?s)compiling the greeting failed: .*cannot find symbol"):
        program.build(tmp_path, BuildProgress(Report()))
