"""Installed distribution: its version, and the extras that parts of it need."""

import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

NAME = "eks-rocketmq"
_DOCTOR = "eks-rocketmq-doctor"
"""Distribution with the modules of `doctor` and `status` alone."""

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

    A Pulumi plugin runs from its folder without an installation, next to `pyproject.toml`.
    """
    for name in (NAME, _DOCTOR):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    project = Path(__file__).parents[1] / "pyproject.toml"
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]


def explain_missing_extra(error: ModuleNotFoundError, requested: str) -> ModuleNotFoundError:
    """Return an error that names what to install, or `error` itself if neither an extra nor the library has the module.

    `requested` is a name or a command, such as `eks_rocketmq.EksCluster`.
    """
    package = (error.name or "").partition(".")[0]
    if package == __package__:
        msg = f"{requested} needs the library, and this is {_DOCTOR}, which has other commands only: pip install {NAME}"
        return ModuleNotFoundError(msg, name=error.name)
    extra = _EXTRAS.get(package)
    if extra is None:
        return error
    msg = f"{requested} needs the extra {extra!r}, whose package {error.name} is missing: pip install '{NAME}[{extra}]'"
    return ModuleNotFoundError(msg, name=error.name)
