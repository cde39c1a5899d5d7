"""Files with KEY=VALUE lines: credentials and settings for processes. Standard library only."""

from collections.abc import Mapping
from pathlib import Path


def read(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line)


def write(file: Path, values: Mapping[str, str]) -> None:
    """Write the file with mode 0600 from its first byte."""
    file.touch(mode=0o600, exist_ok=True)
    file.chmod(0o600)
    file.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
