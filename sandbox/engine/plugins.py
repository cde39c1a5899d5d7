"""Which parts of Pulumi are the released ones on this machine, and which are the sandbox's stand-ins.

Real parts come first: a `pulumi` of the pinned version on PATH (with the language host that comes with it), and the
provider plugins of the versions that the installed SDKs ask for, on PATH or in Pulumi's plugin folder.
"""

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.pins import PULUMI
from sandbox.place import (
    AWS_PROVIDER_PORT,
    CACHE,
    EKS_PROVIDER_PORT,
    KUBERNETES_PROVIDER_PORT,
    RANDOM_PROVIDER_PORT,
    Place,
)

# Package to the port at which its stand-in listens.
STAND_IN_PORTS: Mapping[str, int] = {
    "aws": AWS_PROVIDER_PORT,
    "eks": EKS_PROVIDER_PORT,
    "kubernetes": KUBERNETES_PROVIDER_PORT,
    "random": RANDOM_PROVIDER_PORT,
}
_VERSION_SECONDS = 10


@dataclass(frozen=True)
class Part:
    """One part of Pulumi. `executable` is the released program, None where the sandbox's own part is used."""

    name: str
    version: str
    executable: Path | None
    own: str

    @property
    def released(self) -> bool:
        return self.executable is not None

    def __str__(self) -> str:
        return f"{self.name} {self.version}: {self.executable or self.own}"


@dataclass(frozen=True)
class Parts:
    """Everything that a `pulumi` command of the sandbox is made of."""

    cli: Part
    language_host: Part
    providers: Sequence[Part]

    def __iter__(self) -> Iterator[Part]:
        return iter((self.cli, self.language_host, *self.providers))

    @property
    def stand_ins(self) -> Sequence[str]:
        """The packages that a stand-in serves."""
        return [part.name for part in self.providers if not part.released]

    @property
    def debug_providers(self) -> str:
        """What PULUMI_DEBUG_PROVIDERS must hold; empty when every provider is a released plugin."""
        return ",".join(f"{package}:{STAND_IN_PORTS[package]}" for package in self.stand_ins)

    @property
    def path(self) -> Sequence[Path]:
        """Folders of released executables, for the front of PATH."""
        found = [part.executable.parent for part in (self.cli, self.language_host) if part.executable]
        return list(dict.fromkeys(found))


def detect(search_path: str | None = None, pulumi_home: Path | None = None) -> Parts:
    """Look at `search_path` (default PATH) and `pulumi_home` (default PULUMI_HOME or ~/.pulumi)."""
    search_path = _without_own(os.environ.get("PATH", os.defpath) if search_path is None else search_path)
    pulumi_home = pulumi_home or Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    cli = _of_version("pulumi", PULUMI, search_path, "version")
    # The host has no version of its own: it comes with a CLI, in one folder.
    beside = cli.with_name("pulumi-language-python") if cli else None
    host = beside if beside and beside.exists() else None
    return Parts(
        cli=Part("pulumi", PULUMI, cli, "the same source, built here"),
        language_host=Part("pulumi-language-python", PULUMI, host, "the sandbox's stand-in"),
        providers=[
            Part(package, version, _plugin(package, version, search_path, pulumi_home), "the sandbox's stand-in")
            for package in STAND_IN_PORTS
            for version in [importlib.metadata.version(f"pulumi-{package}")]
        ],
    )


def link_released(parts: Parts, place: Place) -> None:
    """Put the released plugins into the sandbox's own Pulumi home, and take out those that are there no more.

    The engine skips links to folders, so each plugin gets a folder with a link to its executable.
    """
    plugins = place.pulumi_home / "plugins"
    for package in STAND_IN_PORTS:
        for stale in plugins.glob(f"resource-{package}-v*"):
            shutil.rmtree(stale)
    for part in parts.providers:
        if part.executable is not None:
            folder = plugins / f"resource-{part.name}-v{part.version}"
            folder.mkdir(parents=True)
            (folder / part.executable.name).symlink_to(part.executable)


def _without_own(search_path: str) -> str:
    """Without the sandbox's own folders, which its shell has on PATH."""
    own = (Place().root.parent, CACHE)
    kept = [each for each in search_path.split(os.pathsep) if not any(Path(each).is_relative_to(root) for root in own)]
    return os.pathsep.join(kept)


def _plugin(package: str, version: str, search_path: str, pulumi_home: Path) -> Path | None:
    name = f"pulumi-resource-{package}"
    installed = pulumi_home / "plugins" / f"resource-{package}-v{version}" / name
    if installed.is_file() and os.access(installed, os.X_OK):
        return installed
    return _of_version(name, version, search_path, "--version")


def _of_version(name: str, version: str, search_path: str, question: str) -> Path | None:
    found = shutil.which(name, path=search_path)
    if found is None:
        return None
    try:
        answer = subprocess.run([found, question], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if answer.stdout.strip().removeprefix("v") == version else None
