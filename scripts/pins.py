"""Set the version of Pulumi's CLI and SDKs in every file that names it: `python -m scripts.pins VERSION`.

The CLI and the language host for Node.js are built from Go modules. The command downloads these from the Go module
proxy first, and changes no file when that fails.
"""

import re
import subprocess
import sys
from pathlib import Path

from sandbox import pins
from sandbox.layout import REPOSITORY

MODULES = ("github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi/sdk/v3")
WRITTEN = (
    ".github/actions/pulumi/action.yml",
    "README.md",
    "examples/typescript/package.json",
    "requirements.in",
    "sandbox/README.md",
    "sandbox/cache/requirements/nodejs/package.json",
    "sandbox/pins.py",
    "tests/contract/typescript/package.json",
)
"""Files in which the version is written by hand."""
GO = ("sandbox/toolchain/pulumi", "sandbox/toolchain/pulumi-language-nodejs")
NODE = "sandbox/cache/requirements/nodejs"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class PinsError(Exception):
    """The version cannot be used. The message says why and what to do."""


def move_pins(repository: Path, old: str, new: str) -> None:
    """Write another version into every file of `WRITTEN`.

    Args:
        repository: root of the repository.
        old: the version in the files.
        new: the version to write.

    Raises:
        PinsError: for an invalid version, and for a file without the old one. No file is changed.
    """
    if not _VERSION.fullmatch(new):
        msg = f"PULUMI: {new!r} is no version. Accepted is a release such as {old}. Run make pins PULUMI={old}."
        raise PinsError(msg)
    pinned = re.compile(rf"(?<![\d.]){re.escape(old)}(?![\d.]*\d)")
    texts = {name: (repository / name).read_text(encoding="utf-8") for name in WRITTEN}
    for name, text in texts.items():
        if not pinned.search(text):
            msg = f"{name}: it does not name {old}, as sandbox/pins.py does. Write {old} into it and run again."
            raise PinsError(msg)
    for name, text in texts.items():
        (repository / name).write_text(pinned.sub(new, text), encoding="utf-8")


def main(new: str) -> None:
    """Set the version, then let Go and npm update their own files."""
    if _VERSION.fullmatch(new):
        for module in MODULES:
            _run(REPOSITORY / GO[1], "go", "mod", "download", f"{module}@v{new}")
    move_pins(REPOSITORY, pins.PULUMI, new)
    for folder in GO:
        _run(REPOSITORY / folder, "go", "get", *[f"{module}@v{new}" for module in MODULES])
        _run(REPOSITORY / folder, "go", "mod", "tidy")
    _run(REPOSITORY / NODE, "npm", "install", "--package-lock-only", "--ignore-scripts")
    _run(REPOSITORY, "make", "lock")


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = f"{' '.join(command)}: it failed in {folder}.\n{done.stderr.strip()}\n"
        raise PinsError(msg + "Take a version that the registries of Go, Python and npm all serve.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or [""])
    except PinsError as error:
        sys.exit(str(error))
