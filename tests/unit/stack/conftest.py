"""A copy of the project's stack file that a test can change."""

import shutil
from pathlib import Path

import pulumi
import pytest

from tests.unit.harness import REPOSITORY


@pytest.fixture
def prod_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy of the project's files, with a stack file that a test can change."""
    for file in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(REPOSITORY / file, tmp_path)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path
