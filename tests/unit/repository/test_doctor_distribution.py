"""The distribution `eks-rocketmq-doctor`: its modules load no Pulumi, and its metadata is that of the library."""

import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.harness import REPOSITORY

FOLDER = REPOSITORY / "distributions" / "doctor"
LIBRARY = REPOSITORY / "components"
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text())
MODULES = {"boto3": {"boto3", "botocore"}, "pyyaml": {"yaml"}, "websocket-client": {"websocket"}}
"""Top-level modules of packages whose name differs."""
DOCUMENTED = "required_access.py"
"""Module that only the documentation is generated from."""


@pytest.fixture(scope="module")
def backend() -> ModuleType:
    """Return the build backend."""
    spec = importlib.util.spec_from_file_location("build_backend", FOLDER / "build_backend.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(backend: ModuleType) -> list[Path]:
    """Return the files of the distribution."""
    return backend.list_files(PROJECT["tool"]["eks-rocketmq-doctor"]["modules"])


def test_the_distribution_contains_doctor_and_status(files: list[Path]) -> None:
    names = {str(each.relative_to(LIBRARY / "eks_rocketmq")) for each in files}
    for package in ("doctor", "status"):
        everything = {
            str(each.relative_to(LIBRARY / "eks_rocketmq"))
            for each in (LIBRARY / "eks_rocketmq" / package).rglob("*")
            if each.suffix in {".py", ".json"} and each.name != DOCUMENTED
        }
        assert everything <= names
    assert {"__init__.pyi", "py.typed"} <= names
    assert not [each for each in names if each.startswith(("eks/", "stack/", "commands/cli", "commands/adopt"))]
    assert not [each for each in names if each.endswith((".jar", ".java"))]


def test_the_modules_import_the_listed_packages_only(backend: ModuleType, files: list[Path]) -> None:
    names = {each.partition(".")[0] for file in files if file.suffix == ".py" for each in backend.list_imports(file)}
    listed = PROJECT["tool"]["eks-rocketmq-doctor"]["dependencies"]
    wanted = {module for each in listed for module in MODULES.get(each, {each})}
    assert names - set(sys.stdlib_module_names) - {"eks_rocketmq"} == wanted


def test_no_module_loads_pulumi(files: list[Path]) -> None:
    """Import all of them in an interpreter, and show what they load."""
    modules = [
        ".".join(each.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
        for each in files
        if each.suffix == ".py"
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {modules!r}:\n    importlib.import_module(name)\n"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = ast.literal_eval(result.stdout)
    assert "botocore" in loaded
    assert {each for each in loaded if each.startswith("pulumi")} == set()


def test_the_metadata_is_that_of_the_library(backend: ModuleType) -> None:
    library = tomllib.loads((LIBRARY / "pyproject.toml").read_text())["project"]
    built = tomllib.loads(backend.build_project())["project"]
    shared = ("version", "requires-python", "license", "license-files", "classifiers", "urls", "scripts")
    assert {name: built[name] for name in shared} == {name: library[name] for name in shared}
    assert (built["name"], "dynamic" in built, "optional-dependencies" in built) == (
        "eks-rocketmq-doctor", False, False,
    )  # fmt: skip
    bounds = {*library["dependencies"], *library["optional-dependencies"]["cli"]}
    assert set(built["dependencies"]) < bounds
    assert len(built["dependencies"]) == len(PROJECT["tool"]["eks-rocketmq-doctor"]["dependencies"])
    assert not [each for each in built["dependencies"] if "pulumi" in each]
