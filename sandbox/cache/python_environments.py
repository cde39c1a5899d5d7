"""Python environments with pinned packages. They are separate because their pins conflict."""

import sys
from pathlib import Path

import uv

from sandbox.cache.build_command import BuildProgress, CacheError, run
from sandbox.cache.entry import Entry, digest

REQUIREMENTS = Path(__file__).resolve().parent / "requirements"


def entry(name: str, title: str, proof: tuple[str, ...]) -> Entry:
    """Return the environment of `requirements/<name>.txt`. `proof` is a program in its `bin` and its arguments."""
    pins = REQUIREMENTS / f"{name}.txt"
    return Entry(
        name=f"python-{name}",
        title=title,
        inputs={"requirements": digest(pins), "python": f"{sys.version_info[:3]} {sys.base_prefix}"},
        build=lambda folder, progress: _build(pins, folder, progress),
        verify=lambda folder: _verify(folder, proof),
    )


def _build(pins: Path, folder: Path, progress: BuildProgress) -> None:
    try:
        program = uv.find_uv_bin()
    except FileNotFoundError:
        raise CacheError("`uv` is not in this Python environment: `make` installs it, or `pip install uv`.") from None
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    # Relocatable, because the finished folder is renamed.
    run(
        [program, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", str(base), str(folder)],
        doing="making a Python environment",
        on_line=progress.tell,
    )
    # Copies, because uv could not repair a file that is linked to its cache.
    run(
        [
            *(program, "pip", "install", "--no-deps", "--link-mode=copy", "--compile-bytecode"),
            *("--python", str(folder / "bin" / "python"), "--requirements", str(pins)),
        ],
        doing=f"installing the packages of {pins.name}",
        on_line=progress.tell,
    )


def _verify(folder: Path, proof: tuple[str, ...]) -> None:
    program, *arguments = proof
    run([str(folder / "bin" / program), *arguments], doing=f"starting `{' '.join(proof)}` in the new environment")
