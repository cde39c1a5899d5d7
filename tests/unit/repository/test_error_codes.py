"""Codes of errors and warnings: raised in one place, wording asserted once, no argument names in templates."""

import ast
import functools
import importlib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, TypeGuard, get_args, get_origin, is_typeddict

import pytest

import eks_rocketmq
from eks_rocketmq.args.arg_schema import collect_field_names
from eks_rocketmq.args.argument_path import to_camel_case
from tests.unit.harness import REPOSITORY
from tests.unit.repository.test_architecture import LIBRARY, module_name, modules, tree

TEMPLATES = ("problem", "accepted", "remedy")
"""Parameters whose values are templates for `str.format`."""
TEMPLATE_FUNCTIONS = frozenset({
    "suggest_name", "describe_type", "_suggest_profiles", "_suggest_key", "_suggest_namespace",
})  # fmt: skip
"""Functions that return a template. It contains names of the library, or values with doubled braces."""
ERROR_CLASSES: Mapping[str, tuple[str, ...]] = {
    "ArgumentError": ("path", "code", "problem"),
    "ArgumentMessage": ("path", "code", "problem", "accepted", "remedy", "values"),
}
"""Parameters of the constructors, as they are called without `self`."""
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
WORD = re.compile(r"(?<![\w.:/-])[A-Za-z][A-Za-z0-9_]*(?![\w:/-])")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Findings:
    """Codes of the library with the places that raise them, texts of templates, and problems."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def list_parameters(function: Function) -> tuple[str, ...]:
    """Return the positional parameters without `self` and `cls`."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return tuple(names[1:] if names[:1] in (["self"], ["cls"]) else names)


def list_names(function: Function) -> set[str]:
    return {*list_parameters(function), *(each.arg for each in function.args.kwonlyargs)}


@dataclass
class CodeFunctions:
    """Functions with a parameter `code` in a module, with their parameters. `ERROR_CLASSES` has the constructors."""

    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Functions by name, nested ones included."""
    exports: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Functions that other modules can import."""
    methods: dict[str, tuple[str, ...]] = field(default_factory=dict)


def list_code_functions(body: ast.Module) -> CodeFunctions:
    code_functions = CodeFunctions()
    members = {each for node in ast.walk(body) if isinstance(node, ast.ClassDef) for each in node.body}
    for each in ast.walk(body):
        if isinstance(each, Function) and each.name != "__init__" and "code" in list_names(each):
            (code_functions.methods if each in members else code_functions.functions)[each.name] = list_parameters(each)
    code_functions.exports = {
        each.name: code_functions.functions[each.name] for each in body.body if is_code_function(each, code_functions)
    }
    return code_functions


def is_code_function(node: ast.stmt, code_functions: CodeFunctions) -> TypeGuard[Function]:
    return isinstance(node, Function) and node.name in code_functions.functions


def scan(sources: Mapping[str, ast.Module]) -> Findings:
    """Find the codes and the templates in the modules of the library, by name."""
    findings = Findings()
    code_functions = {module: list_code_functions(body) for module, body in sources.items()}
    methods = {name: names for each in code_functions.values() for name, names in each.methods.items()}
    for module, body in sources.items():
        functions, qualified = {**ERROR_CLASSES, **code_functions[module].functions}, {}
        for each in (node for node in ast.walk(body) if isinstance(node, ast.ImportFrom)):
            for name in each.names:
                own = name.asname or name.name
                exports = code_functions[each.module].exports if each.module in code_functions else {}
                if found := {**ERROR_CLASSES, **exports}.get(name.name):
                    functions[own] = found
                elif imported := code_functions.get(f"{each.module}.{name.name}"):
                    qualified |= {f"{own}.{function}": names for function, names in imported.exports.items()}
        ModuleScan(module, body, {**functions, **qualified}, methods, findings).visit(body)
    return findings


class ModuleScan(ast.NodeVisitor):
    """Visitor of the calls in one module that pass a code."""

    def __init__(
        self,
        module: str,
        body: ast.Module,
        functions: Mapping[str, tuple[str, ...]],
        methods: Mapping[str, tuple[str, ...]],
        findings: Findings,
    ) -> None:
        self.module, self.body, self.code_functions, self.methods = module, body, functions, methods
        self.findings = findings
        self.functions: list[Function] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.functions.append(node)
        self.generic_visit(node)
        self.functions.pop()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.functions.append(node)
        self.generic_visit(node)
        self.functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = ast.unparse(function)
        if name in self.code_functions:
            self.check_call(node, self.code_functions[name])
        elif isinstance(function, ast.Attribute) and (
            parameters := ERROR_CLASSES.get(function.attr) or self.methods.get(function.attr)
        ):
            self.check_call(node, parameters)
        self.generic_visit(node)

    def check_call(self, node: ast.Call, parameters: tuple[str, ...]) -> None:
        place = f"{self.module}:{node.lineno}"
        if any(isinstance(each, ast.Starred) for each in node.args):
            self.findings.problems.append(f"{place}: arguments with * hide the code")
            return
        # The parameters of an error are positional, so one of its values may have the name of a parameter.
        given = {**{each.arg: each.value for each in node.keywords}, **dict(zip(parameters, node.args, strict=False))}
        match given.get("code"):
            case ast.Constant(value=str(code)):
                self.findings.codes.setdefault(code, []).append(place)
                if not CODE.fullmatch(code):
                    self.findings.problems.append(f"{place}: code {code!r} is not in kebab-case")
            case ast.Name(id="code") if self.is_parameter("code"):
                pass
            case other:
                shown = "is missing" if other is None else f"{ast.unparse(other)} is no literal"
                self.findings.problems.append(f"{place}: code {shown}")
        for name in TEMPLATES:
            if name in given:
                self.check_template(given[name], place)

    def is_parameter(self, name: str) -> bool:
        """Return whether a name is a parameter of an enclosing function that has a parameter `code`."""
        return any({"code", name} <= list_names(each) for each in self.functions)

    def check_template(self, node: ast.expr, place: str, seen: frozenset[str] = frozenset()) -> None:
        """Collect the text of a template. It must come from literals and from constants of the module."""
        match node:
            case ast.Constant(value=str(text)):
                self.findings.texts.append((place, text))
            case ast.JoinedStr(values=parts):
                for part in parts:
                    self.check_template(part, place, seen)
            case ast.FormattedValue(value=value):
                if not (isinstance(value, ast.Name) and CONSTANT.fullmatch(value.id)):
                    self.findings.problems.append(f"{place}: an f-string has the value {ast.unparse(value)}")
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
                self.check_template(first, place, seen)
                self.check_template(second, place, seen)
            case ast.BinOp(left=ast.Constant() as text, op=ast.Mult()):
                self.check_template(text, place, seen)
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name)) if constant := self.find_constant(name):
                self.collect_constant(constant, place)
            case ast.Call(func=ast.Name(id=name)) if name in TEMPLATE_FUNCTIONS:
                pass
            case ast.Name(id=name) if self.is_parameter(name) or name in seen or self.list_assigned(name):
                for each in self.list_assigned(name) if name not in seen else ():
                    self.check_template(each, place, seen | {name})
            case _:
                self.findings.problems.append(f"{place}: {ast.unparse(node)} is no template of literals")

    def find_constant(self, name: str) -> str:
        """Return the constant with a name, or the constant whose items are the values of a loop variable."""
        if CONSTANT.fullmatch(name):
            return name
        for node in ast.walk(self.functions[-1]) if self.functions else ():
            match node:
                case ast.For(target=ast.Name(id=target), iter=ast.Name(id=constant)) if target == name:
                    return constant if CONSTANT.fullmatch(constant) else ""
        return ""

    def collect_constant(self, name: str, place: str) -> None:
        """Collect the texts of a constant of the module."""
        for node in self.body.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(each, ast.Name) and each.id == name for each in targets):
                texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                self.findings.texts.extend((place, text) for text in texts if isinstance(text, str))

    def list_assigned(self, name: str) -> list[ast.expr]:
        """Return the expressions that the innermost function assigns to a variable. Loop variables have none."""
        found: list[ast.expr] = []
        for node in ast.walk(self.functions[-1]) if self.functions else ():
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                    assigned = list(zip(targets, values, strict=False))
                case ast.Assign(targets=targets, value=value):
                    assigned = [(target, value) for target in targets]
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.AugAssign(target=target, value=value)
                    | ast.NamedExpr(target=target, value=value)
                ):
                    assigned = [(target, value)]
                case _:
                    assigned = []
            found.extend(value for target, value in assigned if isinstance(target, ast.Name) and target.id == name)
        return found


def find_argument_names(text: str, names: Collection[str], values: Collection[str] = ()) -> list[str]:
    """Return the names of arguments in the text of a template: no placeholders, no accepted values in quotes."""
    plain = PLACEHOLDER.sub(" ", text)
    for value in values:
        plain = plain.replace(repr(value), " ")
    return [each for each in WORD.findall(plain) if each in names]


def list_public_args() -> list[Any]:
    return [getattr(eks_rocketmq, name) for name in eks_rocketmq.__all__ if name.endswith("Args")]


def list_argument_names() -> frozenset[str]:
    """Return the names with an underscore of all public arguments, and their spelling in camelCase."""
    names = {name for each in list_public_args() for name in collect_field_names(each) if "_" in name}
    return frozenset(names | set(map(to_camel_case, names)))


def list_accepted_values(type_: Any) -> set[str]:
    """Return the accepted values of all fields of a type."""
    inner = type_.__annotations__.values() if is_typeddict(type_) else get_args(type_)
    own = {each for each in inner if isinstance(each, str)} if get_origin(type_) is Literal else set()
    return own.union(*(list_accepted_values(each) for each in inner if not isinstance(each, str)))


@functools.cache
def scan_library() -> Findings:
    """Return the findings in the library. Four tests share them and only read them."""
    return scan({module_name(path): tree(path) for path in modules(LIBRARY)})


def load_wording_tests() -> list[ModuleType]:
    paths = sorted((REPOSITORY / "tests" / "unit").rglob("test_error_wording.py"))
    return [importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts)) for path in paths]


def list_asserted_codes(tests: list[ModuleType]) -> list[str]:
    return [
        code
        for each in tests
        for code in (*(wording.code for wording in getattr(each, "WORDING", [])), *getattr(each, "WARNINGS", []))
    ]


def test_codes_and_templates_are_literals() -> None:
    assert scan_library().problems == []


def test_each_code_is_raised_in_one_place() -> None:
    assert {code: places for code, places in scan_library().codes.items() if len(places) > 1} == {}


def test_the_wording_of_each_code_is_asserted_once() -> None:
    asserted, raised = Counter(list_asserted_codes(load_wording_tests())), scan_library().codes
    assert sorted(raised.keys() - asserted.keys()) == [], "codes without wording"
    assert sorted(asserted.keys() - raised.keys()) == [], "codes that nothing raises"
    assert [code for code, count in asserted.items() if count > 1] == [], "codes with several wordings"


def test_templates_contain_no_argument_names() -> None:
    names, values = list_argument_names(), set().union(*map(list_accepted_values, list_public_args()))
    found = {
        place: names_ for place, text in scan_library().texts if (names_ := find_argument_names(text, names, values))
    }
    assert found == {}


def scan_text(*sources: str) -> Findings:
    return scan({f"eks_rocketmq.module_{number}": ast.parse(source) for number, source in enumerate(sources)})


ERRORS = """
class ArgumentError(ValueError):
    def __init__(self, path, code, problem, *, accepted="", remedy="", **values): ...

    @classmethod
    def of(cls, message):
        return cls(message.path, message.code, message.problem)
"""
IMPORT = "from eks_rocketmq.module_0 import validate_pattern"
VALIDATION = """
def validate_pattern(pattern, value, path, code, accepted):
    raise ArgumentError(path, code, "{given!r} is wrong", accepted=accepted, given=value)
"""


@pytest.mark.parametrize(
    ("sources", "codes"),
    [
        (["raise ArgumentError(path, 'a', 'wrong')"], {"a"}),
        (["raise errors.ArgumentError(path, 'a', 'wrong', given=1, **more)"], {"a"}),
        (["from eks_rocketmq.args.errors import ArgumentError as E\nE(path, 'a', 'wrong')"], {"a"}),
        (["warn(ArgumentMessage(path, 'a', 'x', 'y', 'z', {}), self)\nArgumentMessage(path, 'b', 'x')"], {"a", "b"}),
        ([ERRORS, VALIDATION], set()),
        ([VALIDATION, f"{IMPORT}\nvalidate_pattern(p, v, path, 'a', 'x')"], {"a"}),
        ([VALIDATION, f"{IMPORT} as v\nv(p, 1, path, 'a', 'x')"], {"a"}),
        (
            [VALIDATION, "from eks_rocketmq import module_0 as m\nm.validate_pattern(p, v, q, accepted='x', code='a')"],
            {"a"},
        ),
        (["def f():\n def add(key, code): ...\n add(1, 'a')", "errors.add(error)\nadd(error)"], {"a"}),
        (["raise ArgumentError(path, 'a', 'x', code=1, problem=given)"], {"a"}),
        (["def _own(path, *, code): ArgumentError(path, code, 'x')\n_own(path, code='a')", "_own(1, 2, 3)"], {"a"}),
        (["class C:\n def fail(self, path, code): ...\n def f(self): self.fail(path, 'a')"], {"a"}),
        (["async def f(): await g(ArgumentError(path, 'a', 'x'))\nx = [ArgumentError(path, 'b', 'x')]"], {"a", "b"}),
        (["def f(code): return (lambda: ArgumentError(path, code, 'x'))\nf('a')"], {"a"}),
        (["exit_with(code, 'a')\nprint(code='a')"], set()),
    ],
)  # fmt: skip
def test_codes_are_found_in_every_form_of_a_call(sources: list[str], codes: set[str]) -> None:
    findings = scan_text(*sources)
    assert (set(findings.codes), findings.problems) == (codes, [])


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("ArgumentError(path, code, 'x')", "code code is no literal"),
        ("def f(code): ArgumentError(path, code + 'x', 'x')", "code code + 'x' is no literal"),
        ("def f(path): ArgumentError(path, code, 'x')", "code code is no literal"),
        ("ArgumentError(path)", "code is missing"),
        ("ArgumentError(*them)", "arguments with * hide the code"),
        ("ArgumentError(path, 'aB', 'x')", "code 'aB' is not in kebab-case"),
        ("ArgumentError(path, 'a_b', 'x')", "code 'a_b' is not in kebab-case"),
        ("ArgumentError(path, 'a', f'{value} is wrong')", "an f-string has the value value"),
        ("ArgumentError(path, 'a', f'{value!r} is wrong')", "an f-string has the value value"),
        ("ArgumentError(path, 'a', 'x', accepted=f'{len(X)}')", "an f-string has the value len(X)"),
        ("ArgumentError(path, 'a', 'x', remedy='take ' + value)", "value is no template of literals"),
        ("ArgumentError(path, 'a', 'x', remedy=describe(value))", "describe(value) is no template of literals"),
        ("ArgumentError(path, 'a', 'x %s' % value)", "'x %s' % value is no template of literals"),
        ("def f(accepted): ArgumentError(path, 'a', 'x', accepted=accepted)", "accepted is no template of literals"),
        ("def f():\n a = f'{v}'\n ArgumentError(path, 'a', a)", "an f-string has the value v"),
        ("def f():\n for a in b: ArgumentError(path, 'a', a)", "a is no template of literals"),
        ("def f():\n for a in b: ArgumentError(path, 'a', a.text)", "a.text is no template of literals"),
        ("ArgumentError(path, 'a', given.text)", "given.text is no template of literals"),
        ("def f():\n a, b = 'x', c\n ArgumentError(path, 'a', a, remedy=b)", "c is no template of literals"),
        ("def f():\n a = 'x'\n a += c\n ArgumentError(path, 'a', a)", "c is no template of literals"),
    ],
)
def test_a_code_or_template_that_is_no_literal_is_reported(source: str, problem: str) -> None:
    (found,) = scan_text(source).problems
    assert re.fullmatch(rf"eks_rocketmq\.module_0:\d+: {re.escape(problem)}", found)


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("ArgumentError(path, 'a', 'x' 'y', accepted=f'{MOST} or {_LEAST!r}', remedy=MORE)", {"xy", " or "}),
        ("ArgumentError(path, 'a', 'x' if c else 'y', remedy='z' + (Z + suggest_name(n, m)))", {"x", "y", "z"}),
        ("def f():\n a = 'x'\n if c: a = 'y'\n elif d: a += 'z'\n ArgumentError(path, 'a', a)", {"x", "y", "z"}),
        ("def f():\n a, b = 'x', ''\n ArgumentError(path, 'a', a, remedy=b)", {"x", ""}),
        ("def f():\n a: str = 'x'\n ArgumentError(path, 'a', a)", {"x"}),
        ("def f():\n if a := 'x' if c else 'y': ArgumentError(path, 'a', a)", {"x", "y"}),
        ("ArgumentError(path, 'a', 'x' + ' y' * (n > 1))", {"x", " y"}),
        (
            "MORE: str = 'x'\nT = [R('y', 'z')]\ndef f():\n for r in T: ArgumentError(path, 'a', MORE + r.e)",
            {"x", "y", "z"},
        ),
        ("def f(code, remedy): ArgumentError(path, code, 'x', remedy=remedy)\nf('a', 'y')", {"x", "y"}),
    ],
)
def test_templates_of_literals_are_collected(source: str, texts: set[str]) -> None:
    findings = scan_text(source)
    assert ({text for _, text in findings.texts}, findings.problems) == (texts, [])


def test_each_place_that_raises_a_code_is_counted() -> None:
    source = "ArgumentError(path, 'a', 'x')\nArgumentError(path, 'a', 'x')\nArgumentError(path, 'b', 'x')"
    assert scan_text(source).codes == {
        "a": ["eks_rocketmq.module_0:1", "eks_rocketmq.module_0:2"],
        "b": ["eks_rocketmq.module_0:3"],
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("set storage_class", ["storage_class"]),
        ("`storage_class` and storageClass.", ["storage_class", "storageClass"]),
        ("'storage_class'", ["storage_class"]),
        ("'per_zone'", []),
        ("per_zone", ["per_zone"]),
        ("{storage_class!r} is wrong", []),
        ("{{storage_class}}", ["storage_class"]),
        ("a storage class", []),
        ("my_storage_class, --storage-class, x.storage_class", []),
    ],
)
def test_names_of_arguments_are_found_in_templates(text: str, found: list[str]) -> None:
    names = {"storage_class", "storageClass", "per_zone"}
    assert find_argument_names(text, names, {"per_zone"}) == found


def test_argument_names_include_both_spellings() -> None:
    names = list_argument_names()
    assert names >= {"broker_groups", "brokerGroups", "storage_class", "cluster_name", "min_in_sync_replicas"}
    assert not names & {"namespace", "profile"}


def test_accepted_values_are_collected_from_the_types() -> None:
    values = set().union(*map(list_accepted_values, list_public_args()))
    assert values >= {"strict", "balanced", "per_zone", "ON_DEMAND"}
