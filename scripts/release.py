"""Build both distributions and the SBOM of the library into `dist/`, for the tag of their version.

Runs as `python3 -m scripts.release v1.2.3` and installs its pinned tools.
"""

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "components"
DOCTOR = ROOT / "distributions" / "doctor"
TOOLS = ROOT / "scripts" / "release-requirements.txt"


class ReleaseError(Exception):
    """The tag cannot be released. The message says what to do."""


def require_version(tag: str) -> str:
    """Return the version of the distribution, which the tag must name.

    Raises:
        ReleaseError: when the tag names another version.
    """
    project = LIBRARY / "pyproject.toml"
    version = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        msg = f"tag {tag!r}: {project.name} has version {version}; tag v{version}, or change the version first"
        raise ReleaseError(msg)
    return version


def build_release(tag: str, dist: Path, environment: Path) -> None:
    """Build wheels, source distributions and the SBOM of the locked dependencies.

    The dependencies of the doctor are some of those of the library.

    Args:
        tag: such as `v1.2.3`.
        dist: folder to write.
        environment: folder for the virtual environment of the tools.
    """
    version = require_version(tag)
    run = environment / "bin"
    _run(sys.executable, "-m", "venv", str(environment))
    _run(str(run / "pip"), "install", "--quiet", "--require-hashes", "-r", str(TOOLS))
    for project in (LIBRARY, DOCTOR):
        _run(str(run / "python"), "-m", "build", "--no-isolation", "--outdir", str(dist), str(project))
    _run(
        *(str(run / "cyclonedx-py"), "requirements", str(LIBRARY / "requirements.txt")),
        *("--pyproject", str(LIBRARY / "pyproject.toml"), "--output-reproducible"),
        *("--output-file", str(dist / f"eks-rocketmq-{version}.cdx.json")),
    )


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


def main(arguments: Sequence[str]) -> int:
    """Build for the tag in `arguments` and return the exit code."""
    try:
        build_release(arguments[0], ROOT / "dist", ROOT / ".release")
    except ReleaseError as error:
        print(f"::error::{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
