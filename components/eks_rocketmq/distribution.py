"""The installed distribution: its version, and the extras that parts of it need."""

import tomllib
from importlib import metadata
from pathlib import Path

NAME = "eks-rocketmq"

_EXTRAS = {
    "boto3": "eks",
    "botocore": "eks",
    "pulumi_aws": "eks",
    "pulumi_eks": "eks",
    "rich": "cli",
    "typer": "cli",
}
"""Extra of `pyproject.toml` by the top-level module that it installs."""


def get_version() -> str:
    """Return the version of this library.

    A Pulumi plugin runs the library from its folder without installing it; then `pyproject.toml` is beside it.
    """
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        project = Path(__file__).parents[1] / "pyproject.toml"
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]


def explain_missing_extra(error: ModuleNotFoundError, what: str) -> ModuleNotFoundError:
    """Return the error that names the extra to install, or `error` itself for a module that no extra installs.

    Args:
        error: raised by an import of the library.
        what: what was asked for, such as `eks_rocketmq.EksCluster`.
    """
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return error
    msg = f"{what} needs the extra {extra!r}, whose package {error.name} is missing: pip install '{NAME}[{extra}]'"
    return ModuleNotFoundError(msg, name=error.name)
