"""Rules of the architecture, checked in the source: package boundaries, import layers, and structure of components."""

import ast
import functools
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import eks_rocketmq
from tests.unit.harness import REPOSITORY

LIBRARY = REPOSITORY / "components" / "eks_rocketmq"
PROVIDERS = ("pulumi_aws", "pulumi_kubernetes", "pulumi_eks", "pulumi_random")
CONSTRUCTOR_LINES = 60
FILE_LINES = 400


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@functools.cache
def tree(path: Path) -> ast.Module:
    # A finalizer that prints a traceback also parses code. Python 3.11 raises SystemError for a parse within a parse.
    enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        if enabled:  # it is disabled while tests are collected
            gc.enable()


@functools.cache
def imports(path: Path) -> set[str]:
    """Return each module that a file imports, also within functions."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: use an absolute import, which shows the imported package"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def find_imports(path: Path, *packages: str) -> set[str]:
    return {name for name in imports(path) if name.startswith(tuple(f"{package}." for package in packages))} | (
        imports(path) & set(packages)
    )


def components(path: Path) -> Iterator[ast.ClassDef]:
    if "ComponentResource" not in path.read_text():  # parsing all files takes a second each time tests are collected
        return
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "ComponentResource" for base in node.bases):
            yield node


def constructor(component: ast.ClassDef) -> ast.FunctionDef:
    return next(node for node in component.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")


ALL_COMPONENTS = [
    pytest.param(path, component, id=component.name)
    for path in modules(LIBRARY / "eks", LIBRARY / "rocketmq")
    for component in components(path)
]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("components/eks_rocketmq/eks", ("eks_rocketmq.rocketmq", "sandbox")),
        ("components/eks_rocketmq/rocketmq", ("eks_rocketmq.eks", "sandbox", "pulumi_aws", "boto3", "pulumi_eks")),
        ("components/eks_rocketmq", ("sandbox", "tests")),
        ("sandbox", ("eks_rocketmq", "tests")),
    ],
)
def test_packages_do_not_import_forbidden_packages(folder: str, forbidden: tuple[str, ...]) -> None:
    files = modules(REPOSITORY / folder)
    assert files
    assert {name_of(path): found for path in files if (found := find_imports(path, *forbidden))} == {}


LAYERS = (
    "args",
    "pulumi_sdk",
    "lookups",
    "doctor.facts",
    "doctor.catalogue",
    "doctor.policies",
    "doctor.checks",
    "doctor.collectors",
    "doctor",
    "eks.account",
    "eks.iam",
    "eks.network",
    "eks.cluster",
    "eks.nodes",
    "eks.addons",
    "eks.ebs",
    "rocketmq.naming",
    "rocketmq.agent",
    "rocketmq.config",
    "rocketmq.network",
    "rocketmq.namespace",
    "rocketmq.pods",
    "rocketmq.access",
    "rocketmq.roles",
    "rocketmq.declarations",
    "rocketmq.external",
    "rocketmq.dashboard",
    "rocketmq.monitoring",
    "rocketmq",
    "status",
    "stack",
    "commands",
    "plugin",
    "testing",
)
"""Packages of the library, the lowest first. A module imports from its own package and from lower ones."""


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


@functools.cache
def graph() -> dict[str, set[str]]:
    """Return the imported modules of the library by importing module, also those imported within functions."""
    files = {module_name(path): path for path in modules(LIBRARY)}
    return {name: {found for found in imports(path) if found in files} - {name} for name, path in files.items()}


def reachable(name: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    pending = [*edges[name]]
    while pending:
        found = pending.pop()
        if found not in seen:
            seen.add(found)
            pending += edges[found]
    return seen


def package_of(name: str) -> str:
    """Return the package of a module below `eks_rocketmq`. It is empty for modules of the top-level folder."""
    is_package = (LIBRARY.parent / name.replace(".", "/")).is_dir()
    return (name if is_package else name.rpartition(".")[0]).removeprefix("eks_rocketmq").removeprefix(".")


def test_no_module_has_a_circular_import() -> None:
    assert len(graph()) > 100
    assert {name for name in graph() if name in reachable(name, graph())} == set()


def test_an_import_cycle_of_three_modules_is_detected() -> None:
    edges = {"first": {"second"}, "second": {"third"}, "third": {"first"}, "fourth": {"first"}}
    assert {name for name in edges if name in reachable(name, edges)} == {"first", "second", "third"}


def test_packages_import_from_lower_packages_only() -> None:
    packages = {package for name in graph() if (package := package_of(name))}
    assert packages - set(LAYERS) == {"eks"}  # a folder with packages and without modules
    violations = {
        (name, found)
        for name, others in graph().items()
        for found in others
        if (low := package_of(found)) in LAYERS
        and (high := package_of(name)) in LAYERS
        and LAYERS.index(low) > LAYERS.index(high)
    }
    assert violations == set()


def test_no_two_modules_and_no_two_public_classes_share_a_name() -> None:
    files = [path for path in modules(LIBRARY) if path.name != "__init__.py"]
    classes = [
        node.name
        for path in files
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    names = [path.stem for path in files]
    assert sorted(name for name in {*names} if names.count(name) > 1) == []
    assert sorted(name for name in {*classes} if classes.count(name) > 1) == []


def test_only_modules_with_a_component_import_a_provider() -> None:
    # These modules create or look up resources that several components share.
    shared = {"cluster_outputs.py", "service_role.py", "workload_resources.py", "addon_identity.py", "aws_account.py"}
    pure = [path for path in modules(LIBRARY) if not list(components(path)) and path.name not in shared]
    assert {name_of(path): found for path in pure if (found := find_imports(path, *PROVIDERS))} == {}


def test_the_eks_package_is_imported_only_when_a_cluster_is_created() -> None:
    assert [path.name for path in modules(LIBRARY) if find_imports(path, "pulumi_eks")] == ["eks_cluster.py"]
    tree = ast.parse((LIBRARY / "eks" / "cluster" / "eks_cluster.py").read_text())
    at_import = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [line for line in at_import if "pulumi_eks" in line] == []


@pytest.mark.parametrize(("path", "component"), ALL_COMPONENTS)
def test_a_constructor_has_the_standard_signature_structure_and_size(path: Path, component: ast.ClassDef) -> None:
    function = constructor(component)
    arguments = [argument.arg for argument in function.args.args]
    first, last = ast.unparse(function.body[0]), ast.unparse(function.body[-1])
    # Internal components take the validated plan instead of arguments.
    middle = ["args"] if component.name in eks_rocketmq.__all__ else arguments[2:-1]
    assert arguments == ["self", "name", *middle, "opts"], name_of(path)
    assert first.startswith("super().__init__(type_token("), name_of(path)
    assert last.startswith("self.register_outputs("), name_of(path)
    assert ast.unparse(function).count("register_outputs") == 1, name_of(path)
    lines = (function.end_lineno or 0) - function.lineno + 1
    assert lines < CONSTRUCTOR_LINES, f"{name_of(path)}: {lines} lines"


@pytest.mark.parametrize(("path", "component"), ALL_COMPONENTS)
def test_the_type_token_is_the_class_name(path: Path, component: ast.ClassDef) -> None:
    assert f"type_token('{component.name}')" in ast.unparse(constructor(component)), name_of(path)


def test_component_modules_are_readable_by_the_component_analyzer() -> None:
    for path in modules(LIBRARY / "eks", LIBRARY / "rocketmq"):
        if list(components(path)):
            assert "__future__.annotations" not in imports(path), name_of(path)
            assert "typing.Literal" not in imports(path), name_of(path)


def fields(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each field of an args type and each output of a component, and whether it has a docstring."""
    for node in tree(path).body:
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.ClassDef) and {"TypedDict", "ComponentResource"} & set(bases):
            for field, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign):
                    documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    yield f"{node.name}.{ast.unparse(field.target)}", documented


def test_every_argument_and_every_output_has_a_docstring() -> None:
    found = [field for path in modules(LIBRARY / "eks", LIBRARY / "rocketmq") for field in fields(path)]
    assert len(found) > 40
    assert [name for name, documented in found if not documented] == []


def test_the_program_and_the_modules_are_within_the_size_limits() -> None:
    assert len((REPOSITORY / "__main__.py").read_text().splitlines()) < CONSTRUCTOR_LINES
    files = modules(LIBRARY, REPOSITORY / "sandbox")
    long = {name_of(path): n for path in files if (n := len(path.read_text().splitlines())) > FILE_LINES}
    assert long == {}


def test_no_resource_is_created_inside_an_apply() -> None:
    for path in modules(LIBRARY):
        for call in (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "apply":
                inner = " ".join(ast.unparse(argument) for argument in call.args)
                assert "child_options(" not in inner, f"{name_of(path)}:{call.lineno}"
                assert "ResourceOptions(" not in inner, f"{name_of(path)}:{call.lineno}"
