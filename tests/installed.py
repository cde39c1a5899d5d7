"""Installation of the library by pip, from a path or from a git tag, into a new environment."""

import shutil
import subprocess
import sys
from pathlib import Path

import uv

from sandbox.layout import REPOSITORY

VERSION = "v0.1.0"
PUBLISHED = "git+https://github.com/YOUR-ORGANISATION/eks-rocketmq@"
_LEFT_OUT = shutil.ignore_patterns("*.egg-info", "__pycache__", "build", "venv")


def copied(folder: Path) -> Path:
    """Copy the library to another folder, because a build writes files beside the source."""
    return shutil.copytree(REPOSITORY / "components", folder / "components", ignore=_LEFT_OUT)


def published(folder: Path) -> str:
    """Commit the library to a repository in `folder`, under the tag that the examples use.

    Return the git URL prefix that replaces `PUBLISHED` in the `requirements.txt` of the examples.
    """
    copied(folder)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for arguments in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "x"], ["tag", VERSION]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return f"git+{folder.as_uri()}@"


def environment(folder: Path, *requirements: str) -> Path:
    """Create an environment with the requirements and their dependencies, in the locked versions of the program.

    Check that the installed packages are compatible.
    """
    pinned = folder.with_name(f"{folder.name}-constraints.txt")
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    pinned.write_text("\n".join(line for line in lines if not line.startswith("-e ")))
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(folder), "--constraint", str(pinned), *requirements)
    _uv("pip", "check", "--python", str(folder))
    return folder


def _uv(*arguments: str) -> None:
    done = subprocess.run([uv.find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def build_doctor(folder: Path) -> Path:
    """Build the wheel of `eks-rocketmq-doctor` in a folder and return its path."""
    _uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(REPOSITORY / "distributions" / "doctor"))
    (wheel,) = folder.glob("*.whl")
    return wheel
