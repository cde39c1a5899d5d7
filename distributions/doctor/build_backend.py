"""Build backend of `eks-rocketmq-doctor`: setuptools, with the modules of the library that both commands import.

It copies the modules to a temporary folder and builds there. The source distribution is a plain project of setuptools.
"""

import ast
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from setuptools import build_meta

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parents[1] / "components"
PACKAGE = "eks_rocketmq"
NOT_DATA = (".py", ".pyc")

Settings = Mapping[str, Any] | None


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build the wheel and return its name."""
    target = str(Path(wheel_directory).resolve())
    with _enter_project():
        return build_meta.build_wheel(target, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Build the source distribution and return its name."""
    target = str(Path(sdist_directory).resolve())
    with _enter_project():
        return build_meta.build_sdist(target, config_settings)


@contextmanager
def _enter_project() -> Generator[None]:
    """Change to a temporary folder with the project, because setuptools builds the current folder."""
    previous = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(previous)


def write_project(folder: Path) -> None:
    """Write the project: the modules, the data files of their packages, `pyproject.toml`, README and licence."""
    for source in list_files(_read(HERE)["tool"]["eks-rocketmq-doctor"]["modules"]):
        target = folder / source.relative_to(LIBRARY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(HERE / "README.md", folder / "README.md")
    shutil.copyfile(LIBRARY / "LICENSE", folder / "LICENSE")
    (folder / "pyproject.toml").write_text(build_project(), encoding="utf-8")


def list_files(modules: Iterable[str]) -> list[Path]:
    """Return the files of modules, of all modules that they import, and the data files beside them.

    Imports within functions count. A module that is imported by `import_module` is left out.
    """
    found: dict[str, Path] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        path = _find_module(name)
        if path is None or name in found:
            continue
        found[name] = path
        pending += [name.rpartition(".")[0], *(each for each in list_imports(path) if _is_own(each))]
    data = {
        file
        for folder in {path.parent for path in found.values()}
        for file in folder.iterdir()
        if file.is_file() and file.suffix not in NOT_DATA
    }
    return sorted({*found.values(), *data})


def _find_module(name: str) -> Path | None:
    """Return the file of a module of the library; None for a name in a module, and for the empty name."""
    path = LIBRARY.joinpath(*name.split("."))
    return next((each for each in (path / "__init__.py", path.with_suffix(".py")) if name and each.is_file()), None)


def _is_own(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE


def list_imports(path: Path) -> set[str]:
    """Return the names that a file imports: modules, and the names that it imports from them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def build_project() -> str:
    """Return the `pyproject.toml` of the project."""
    own, library = _read(HERE), _read(LIBRARY)["project"]
    extras = library["optional-dependencies"].values()
    bounds = {
        re.split(r"[><=]", each)[0]: each
        for each in [*library["dependencies"], *(each for extra in extras for each in extra)]
    }
    project = {name: value for name, value in own["project"].items() if name != "dynamic"}
    project |= {name: library[name] for name in own["project"]["dynamic"] if name != "dependencies"}
    project["dependencies"] = [bounds[name] for name in own["tool"]["eks-rocketmq-doctor"]["dependencies"]]
    sections = {
        "build-system": {"requires": own["build-system"]["requires"], "build-backend": "setuptools.build_meta"},
        "project": project,
        "tool.setuptools.packages.find": {"include": [f"{PACKAGE}*"]},
        "tool.setuptools.package-data": {"*": ["*"]},
    }
    return "\n".join(line for name, table in sections.items() for line in _write_table(name, table)) + "\n"


def _write_table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a TOML table. Text and lists are written as in JSON, which TOML reads."""
    yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _write_table(f"{name}.{key}", value)


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
