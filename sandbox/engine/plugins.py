"""Detection of released parts of Pulumi on this machine; stand-ins serve the others.

Released parts are preferred: a `pulumi` of the pinned version on PATH with its language host, and provider plugins. As
in the engine, a plugin on PATH is used in any version, else one in Pulumi's plugin folder with the SDK's version.
"""

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.eks.arguments import PINNED_SDKS
from sandbox.layout import CACHE, SandboxInstance
from sandbox.pins import PULUMI

# Port of the stand-in by package. Below 32768: Linux gives its ports from there to connections, and a provider cannot
# start on a port in such use.
STAND_IN_PORTS: Mapping[str, int] = {"aws": 25052, "eks": 25054, "kubernetes": 25051, "random": 25053}
_VERSION_SECONDS = 10


@dataclass(frozen=True)
class Part:
    """One part of Pulumi.

    executable: the released program; None for the sandbox's part.
    on_path: a plugin on PATH serves every version.
    missing: another version that new clusters need and that is not installed.
    """

    name: str
    version: str
    executable: Path | None
    own: str
    on_path: bool = False
    missing: str = ""

    @property
    def released(self) -> bool:
        return self.executable is not None

    def __str__(self) -> str:
        if self.on_path:
            return f"{self.name}: {self.executable}, from PATH; Pulumi does not check the version of such a plugin"
        text = f"{self.name} {self.version}: {self.executable or self.own}"
        if self.missing:
            text += (
                f"; {self.missing} is not installed, and the component of pulumi-eks needs it for a new cluster: run "
                f"`pulumi plugin install resource {self.name} {self.missing}`"
            )
        return text


@dataclass(frozen=True)
class Parts:
    """All parts of a `pulumi` command of the sandbox."""

    cli: Part
    language_host: Part
    providers: Sequence[Part]

    def __iter__(self) -> Iterator[Part]:
        return iter((self.cli, self.language_host, *self.providers))

    @property
    def stand_ins(self) -> Sequence[str]:
        """Packages with a stand-in."""
        return [part.name for part in self.providers if not part.released]

    @property
    def debug_providers(self) -> str:
        """Value of PULUMI_DEBUG_PROVIDERS; empty when every provider is a released plugin."""
        return ",".join(f"{package}:{STAND_IN_PORTS[package]}" for package in self.stand_ins)

    @property
    def path(self) -> Sequence[Path]:
        """Folders of released executables, for the front of PATH."""
        found = [part.executable.parent for part in (self.cli, self.language_host) if part.executable]
        return list(dict.fromkeys(found))


def detect(search_path: str | None = None, pulumi_home: Path | None = None) -> Parts:
    """Search `search_path` (default PATH) and `pulumi_home` (default PULUMI_HOME or ~/.pulumi)."""
    search_path = _without_own(os.environ.get("PATH", os.defpath) if search_path is None else search_path)
    pulumi_home = pulumi_home or Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    cli = _of_version("pulumi", PULUMI, search_path, "version")
    # The host is installed with a CLI, in the same folder, and reports no version.
    beside = cli.with_name("pulumi-language-python") if cli else None
    host = beside if beside and beside.exists() else None
    return Parts(
        cli=Part("pulumi", PULUMI, cli, "the same source, built here"),
        language_host=Part("pulumi-language-python", PULUMI, host, "the sandbox's stand-in"),
        providers=[_provider(package, search_path, pulumi_home) for package in STAND_IN_PORTS],
    )


def link_released(parts: Parts, instance: SandboxInstance) -> None:
    """Link the released plugins into the sandbox's Pulumi home, and remove links to others.

    The engine skips links to folders, so each plugin gets a folder of links. The engine writes files beside it, such as
    the time of the last use.
    """
    plugins = instance.pulumi_home / "plugins"
    for package in STAND_IN_PORTS:
        for stale in plugins.glob(f"resource-{package}-v*"):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    for part in parts.providers:
        if part.executable is None:
            continue
        for version in {part.version, PINNED_SDKS.get(part.name, part.version)} - {part.missing}:
            linked = plugins / _folder(part.name, version)
            linked.mkdir(parents=True)
            source = part.executable.parent.with_name(linked.name)
            for entry in [part.executable] if part.on_path else source.iterdir():
                (linked / entry.name).symlink_to(entry)


def _without_own(search_path: str) -> str:
    """Remove the sandbox's folders, which its shell has on PATH."""
    own = (SandboxInstance().root.parent, CACHE)
    kept = [each for each in search_path.split(os.pathsep) if not any(Path(each).is_relative_to(root) for root in own)]
    return os.pathsep.join(kept)


def _provider(package: str, search_path: str, pulumi_home: Path) -> Part:
    version, own = importlib.metadata.version(f"pulumi-{package}"), "the sandbox's stand-in"
    ignored = os.environ.get("PULUMI_IGNORE_AMBIENT_PLUGINS", "").lower() in {"1", "true"}
    ambient = None if ignored else shutil.which(_executable(package), path=search_path)
    if ambient is not None:
        return Part(package, version, Path(ambient), own, on_path=True)
    installed = _installed(package, version, pulumi_home)
    pinned = PINNED_SDKS.get(package, version)
    missing = installed is not None and _installed(package, pinned, pulumi_home) is None
    return Part(package, version, installed, own, missing=pinned if missing else "")


def _installed(package: str, version: str, pulumi_home: Path) -> Path | None:
    """Return the plugin's executable. A file `….partial` beside its folder means an unfinished installation."""
    folder = pulumi_home / "plugins" / _folder(package, version)
    executable = folder / _executable(package)
    usable = executable.is_file() and os.access(executable, os.X_OK)
    return executable if usable and not folder.with_name(f"{folder.name}.partial").exists() else None


def _executable(package: str) -> str:
    return f"pulumi-resource-{package}"


def _folder(package: str, version: str) -> str:
    return f"resource-{package}-v{version}"


def _of_version(name: str, version: str, search_path: str, question: str) -> Path | None:
    found = shutil.which(name, path=search_path)
    if found is None:
        return None
    try:
        answer = subprocess.run([found, question], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if answer.stdout.strip().removeprefix("v") == version else None
