"""What decides the cache entry of a Java program."""

from pathlib import Path

import pytest

from sandbox.cache import java
from sandbox.cache.java import JavaProgram


def test_key_covers_the_source_and_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "TOOLCHAIN", tmp_path)
    program = JavaProgram("hello", "greeting", "Hello")
    source = tmp_path / "hello" / "Hello.java"
    source.parent.mkdir()
    source.write_text("class Hello {}\n")
    first = java.program(program, "5.5.0", tmp_path).key
    assert java.program(program, "5.5.0", tmp_path).key == first
    assert java.program(program, "5.4.0", tmp_path).key != first
    source.write_text("class Hello { }\n")
    assert java.program(program, "5.5.0", tmp_path).key != first
