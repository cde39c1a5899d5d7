"""Pinned version of Pulumi, the same in every file, and the command that changes it."""

import re
import subprocess
from pathlib import Path

import pytest

from sandbox import pins
from scripts.pins import GO, NODE, WRITTEN, PinsError, move_pins
from tests.unit.harness import REPOSITORY

VERSION = r"(\d+\.\d+\.\d+)"
PATTERN = re.compile(
    "|".join(
        [
            rf"\bpulumi=={VERSION}",
            rf'"@pulumi/pulumi": "{VERSION}"',
            rf"pulumi/pulumi/(?:pkg|sdk)/v3 v{VERSION}",
            rf"pulumi-version: {VERSION}",
            rf"Pulumi CLI (?:and engine |\(){VERSION}",
            rf"CLI counts at version {VERSION}",
            rf'^PULUMI = "{VERSION}"',
        ]
    ),
    re.MULTILINE,
)
COMPILED = {
    *(f"{folder}/{name}" for folder in GO for name in ("go.mod", "go.sum")),
    *("requirements.txt", "requirements-dev.txt", "components/requirements.txt", f"{NODE}/package-lock.json"),
}


def find_versions() -> dict[str, set[str]]:
    """Return the versions of Pulumi in each file of the repository that has one."""
    files = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found: dict[str, set[str]] = {}
    for name in files.stdout.split():
        path = REPOSITORY / name
        if name.startswith("tests/unit/") or path.suffix in {".svg", ".jar"} or not path.is_file():
            continue
        versions = {
            next(filter(None, each)) for each in PATTERN.findall(path.read_text(encoding="utf-8", errors="replace"))
        }
        if versions:
            found[name] = versions
    return found


def test_every_file_has_the_same_version_of_pulumi() -> None:
    found = find_versions()
    assert {name: versions for name, versions in found.items() if versions != {pins.PULUMI}} == {}
    assert found.keys() == {*WRITTEN, *COMPILED}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((REPOSITORY / name).read_text())
    return tmp_path


def test_one_command_changes_the_version_in_every_file(repository: Path) -> None:
    move_pins(repository, pins.PULUMI, "3.999.1")
    for name in WRITTEN:
        text = (repository / name).read_text()
        assert "3.999.1" in text, name
        assert pins.PULUMI not in text, name


@pytest.mark.parametrize("version", ["", "3.26", "v3.260.1", "latest"])
def test_an_invalid_version_is_rejected_without_changes(repository: Path, version: str) -> None:
    with pytest.raises(PinsError, match=f"PULUMI: '{version}' is no version"):
        move_pins(repository, pins.PULUMI, version)
    assert pins.PULUMI in (repository / "requirements.in").read_text()


def test_a_file_with_another_version_is_rejected_without_changes(repository: Path) -> None:
    (repository / "sandbox/README.md").write_text("Pulumi CLI and engine 3.1.0")
    with pytest.raises(PinsError, match=r"sandbox/README.md: it does not name "):
        move_pins(repository, pins.PULUMI, "3.999.1")
    assert pins.PULUMI in (repository / "requirements.in").read_text()
