"""Files generated from the keys of the stack file, and values that the JSON schema accepts."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, is_typeddict

import jsonschema
import pytest
import yaml

from eks_rocketmq.args.arg_schema import collect_field_names
from eks_rocketmq.args.argument_path import to_camel_case
from eks_rocketmq.eks.addons.cluster_addons_args import VpcCniArgs
from eks_rocketmq.eks.cluster.existing_cluster_args import ExistingEksClusterArgs
from eks_rocketmq.stack.settings import parse
from eks_rocketmq.stack.stack_keys import CNI_SET_BY_STACK, KEYS, StackKey
from scripts import stack_reference
from tests.unit.harness import PROJECT, REPOSITORY
from tests.unit.harness.runner import stack_config

STACK_FILES = ("prod", "staging")
SECRET = {"secure": "v1:AAABAKcQ:encrypted"}
SCHEMA = stack_reference.build_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def read_stack_file(stack: str) -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())


def change(stack: str, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return a committed stack file with one value added or replaced. The path begins with the key."""
    file = read_stack_file(stack)
    (first, *rest) = path
    *parents, last = [f"{PROJECT}:{first}", *rest]
    target: Any = file["config"]
    for step in parents:
        target = target[step] if isinstance(target, list) else target.setdefault(step, {})
    target[last] = value
    return file


def list_error_paths(file: Any) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(file)]


@pytest.mark.parametrize(
    ("file", "render"),
    [
        (stack_reference.PROJECT_FILE, stack_reference.render_project_file),
        (stack_reference.SETTINGS_PAGE, stack_reference.render_settings_page),
        (stack_reference.SCHEMA_FILE, lambda _: stack_reference.render_schema()),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_generated_file_is_current(file: Path, render: Any) -> None:
    text = file.read_text(encoding="utf-8")
    assert render(text) == text, "run `make reference`"


def test_all_generated_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJECT_FILE", "SETTINGS_PAGE", "SCHEMA_FILE"):
        original: Path = getattr(stack_reference, name)
        copy = tmp_path / original.name
        copy.write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
        monkeypatch.setattr(stack_reference, name, copy)
    (tmp_path / "stack-file.schema.json").write_text("{}")
    stack_reference.write_files()
    for file in ("Pulumi.yaml", "stack-file.schema.json", "docs/reference/settings.md"):
        assert (tmp_path / Path(file).name).read_text() == (REPOSITORY / file).read_text()


def test_descriptions_spell_arguments_and_booleans_as_the_stack_file_does() -> None:
    text = stack_reference.build_settings_tables()
    fields = set[str]().union(*(collect_field_names(declaration.type_) for declaration in KEYS.values()))
    # The names of these two are also values of other arguments.
    python = {name for name in fields if "_" in name} - {"pod_identity", "per_zone"}
    assert [name for name in sorted(python) if f"`{name}`" in text] == []
    assert re.findall(r"\b(?:True|False)\b", text) == []


def test_the_project_file_declares_each_key_with_type_and_description() -> None:
    declared = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["config"]
    assert list(declared) == [key for key, declaration in KEYS.items() if not declaration.optional]
    for key, each in declared.items():
        assert each["type"] == "object", key
        assert each["description"] == KEYS[key].description
        # Without a default, the engine would reject a stack with former keys before the program names the new ones.
        assert each["default"] == {}, key


def test_each_description_ends_with_a_period() -> None:
    assert all(declaration.description.endswith(".") for declaration in KEYS.values())


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("stack", STACK_FILES)
def test_the_schema_accepts_a_committed_stack_file(stack: str) -> None:
    file = REPOSITORY / f"Pulumi.{stack}.yaml"
    assert file.read_text().startswith(f"# yaml-language-server: $schema={stack_reference.SCHEMA_FILE.name}\n")
    assert list_error_paths(read_stack_file(stack)) == []


WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "an unknown key": (("brokerGroups",), [], "$.config"),
    "an unknown field": (("storage", "classNam"), "gp2", "$.config['eks-rocketmq:storage']"),
    "an unknown nested field": (
        ("rocketmq", "brokerGroups", 0, "replica"),
        3,
        "$.config['eks-rocketmq:rocketmq'].brokerGroups[0]",
    ),
    "a field in Python's spelling": (("cluster", "cluster_name"), "prod", "$.config['eks-rocketmq:cluster']"),
    "a string for a boolean": (
        ("storage", "allowVolumeExpansion"),
        "yes",
        "$.config['eks-rocketmq:storage'].allowVolumeExpansion",
    ),
    "a string for a number": (
        ("rocketmq", "brokerGroups", 0, "replicas"),
        "3",
        "$.config['eks-rocketmq:rocketmq'].brokerGroups[0].replicas",
    ),
    "a number for a string": (
        ("rocketmq", "brokerGroups", 0, "memory"),
        4,
        "$.config['eks-rocketmq:rocketmq'].brokerGroups[0].memory",
    ),
    "a string for an object": (("ebsCsi",), "existing", "$.config['eks-rocketmq:ebsCsi']"),
    "an object for a list": (
        ("rocketmq", "brokerGroups"),
        {"broker-a": {}},
        "$.config['eks-rocketmq:rocketmq'].brokerGroups",
    ),
    "a wrong choice": (("rocketmq", "profile"), "stritc", "$.config['eks-rocketmq:rocketmq'].profile"),
    "a wrong choice of a node group": (
        ("nodeGroups", "general"),
        {"instanceTypes": ["m7i.large"], "capacityType": "spot"},
        "$.config['eks-rocketmq:nodeGroups'].general.capacityType",
    ),
    "an argument that the stack sets": (("cluster", "vpcId"), "vpc-1", "$.config['eks-rocketmq:cluster']"),
    "a nested argument that the stack sets": (
        ("addons", "vpcCni"),
        {"issuer": "https://issuer"},
        "$.config['eks-rocketmq:addons'].vpcCni",
    ),
    "access control below rocketmq": (("rocketmq", "access"), {}, "$.config['eks-rocketmq:rocketmq']"),
    "a secret where the program accepts none": (
        ("rocketmq", "namespace"),
        SECRET,
        "$.config['eks-rocketmq:rocketmq'].namespace",
    ),
}


@pytest.mark.parametrize("stack", STACK_FILES)
@pytest.mark.parametrize(("path", "value", "error"), WRONG.values(), ids=WRONG)
def test_the_schema_rejects_an_invalid_value(stack: str, path: tuple[str | int, ...], value: Any, error: str) -> None:
    assert list_error_paths(change(stack, path, value)) == [error]


@pytest.mark.parametrize("key", ["cluster", "storage", "rocketmq"])
def test_the_schema_rejects_a_file_without_a_required_key(key: str) -> None:
    file = read_stack_file("prod")
    del file["config"][f"{PROJECT}:{key}"]
    assert list_error_paths(file) == ["$.config"]


@pytest.mark.parametrize(
    ("key", "field"),
    [("cluster", "clusterName"), ("storage", "className"), ("rocketmq", "namespace"), ("rocketmq", "brokerGroups")],
)
def test_the_schema_rejects_an_object_without_a_required_field(key: str, field: str) -> None:
    file = read_stack_file("staging")
    del file["config"][f"{PROJECT}:{key}"][field]
    assert list_error_paths(file) == [f"$.config['{PROJECT}:{key}']"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:regoin", "eu-west-1"), ("aws:allowedAccountId", []), (f"{PROJECT}:clusterName", "prod")],
)
def test_the_schema_rejects_unknown_keys_of_the_project_and_the_provider(key: str, value: Any) -> None:
    file = read_stack_file("prod")
    file["config"][key] = value
    assert list_error_paths(file) == ["$.config"]


@pytest.mark.parametrize("key", ["aws:profile", "kubernetes:namespace", "pulumi:tags", "aws-native:region"])
def test_the_schema_accepts_settings_of_providers(key: str) -> None:
    file = read_stack_file("prod")
    file["config"][key] = "anything"
    assert list_error_paths(file) == []


def test_the_schema_rejects_a_key_outside_config() -> None:
    assert list_error_paths({**read_stack_file("prod"), f"{PROJECT}:access": {}}) == ["$"]
    written_by_cli = {"secretsprovider": "passphrase", "encryptionsalt": "v1:x", "environment": ["team"]}
    assert list_error_paths({**read_stack_file("prod"), **written_by_cli}) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("access",), SECRET),
        (("access",), {"users": [{"name": "orders", "password": SECRET}]}),
        (("access",), {"users": [{"name": "orders", "password": "correct-horse"}, {"name": "billing"}]}),
        (("cluster",), {"clusterName": "prod", "version": "1.35"}),
        (("cluster",), {"clusterName": "prod", "roleArn": "none"}),
        (("ebsCsi",), {"selfManaged": {}}),
        (("networkLoadBalancer",), {"tlsPorts": [443]}),
        (("rocketmq", "proxies", "config"), {"grpcThreadPoolNums": 8}),
    ],
)
def test_the_schema_accepts_a_valid_value(path: tuple[str | int, ...], value: Any) -> None:
    assert list_error_paths(change("prod", path, value)) == []


def test_the_schema_rejects_an_encrypted_object_with_more_fields() -> None:
    assert list_error_paths(change("prod", ("access",), {**SECRET, "user": []})) == ["$.config['eks-rocketmq:access']"]


def list_objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and properties of each object of a schema that has named fields."""
    if isinstance(schema, dict):
        if "properties" in schema and "secure" not in schema["properties"]:
            yield path, schema["properties"]
        for name, inner in schema.items():
            yield from list_objects(inner, path if name in ("properties", "items", "anyOf") else f"{path}/{name}")
    for inner in schema if isinstance(schema, list) else []:
        yield from list_objects(inner, path)


def list_types(hint: Any, path: str = "", omitted: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """Yield path and class of each TypedDict in a type."""
    if is_typeddict(hint):
        yield path, hint
        for name, inner in hint.__annotations__.items():
            if name not in omitted:
                yield from list_types(inner, f"{path}/{to_camel_case(name)}")
    for inner in get_args(hint):
        below = f"{path}/additionalProperties" if get_origin(hint) is dict else path
        yield from list_types(inner, below, omitted)


@pytest.mark.parametrize(("key", "declaration"), KEYS.items(), ids=KEYS)
def test_the_schema_has_every_field_that_the_stack_does_not_set(key: str, declaration: StackKey) -> None:
    found = dict(list_objects(SCHEMA["properties"]["config"]["properties"][f"{PROJECT}:{key}"]))
    types = dict(list_types(declaration.type_, omitted=declaration.set_by_stack))
    assert found.keys() == types.keys()
    outermost = min(types, key=len)
    for path, type_ in types.items():
        omitted = declaration.set_by_stack if path == outermost else CNI_SET_BY_STACK if type_ is VpcCniArgs else ()
        assert set(omitted) <= type_.__annotations__.keys(), path
        assert found[path].keys() == {to_camel_case(name) for name in type_.__annotations__ if name not in omitted}


def test_the_schema_has_the_arguments_of_an_existing_cluster() -> None:
    fields = SCHEMA["properties"]["config"]["properties"][f"{PROJECT}:cluster"]["properties"]
    assert {to_camel_case(name) for name in ExistingEksClusterArgs.__annotations__} <= fields.keys()


def test_each_field_has_a_description_in_the_spelling_of_the_stack_file() -> None:
    names = set[str]().union(*(collect_field_names(declaration.type_) for declaration in KEYS.values()))
    for path, properties in list_objects(SCHEMA["properties"]["config"]["properties"]):
        for name, schema in properties.items():
            if ":" in name:
                continue
            assert schema["description"], f"{path}/{name}"
            shown = set(re.findall("`([a-z0-9]+_[a-z0-9_]+)`", schema["description"])) & names
            assert shown <= set(schema.get("enum", [])), f"{path}/{name}"


@pytest.mark.parametrize("stack", STACK_FILES)
def test_the_program_accepts_a_committed_stack_file(stack: str) -> None:
    prefix = f"{PROJECT}:"
    given = {key.removeprefix(prefix): text for key, text in stack_config(stack).items() if key.startswith(prefix)}
    assert parse(given).rocketmq["namespace"] == "rocketmq"


def test_the_settings_page_has_a_table_for_each_key() -> None:
    text = (REPOSITORY / "docs/reference/settings.md").read_text()
    for key, declaration in KEYS.items():
        _, _, section = text.partition(f"\n### `{key}`\n")
        rows = re.findall(r"^\| `(\w+)` \| (yes)? ?\|", section.partition("\n#")[0], re.MULTILINE)
        type_ = declaration.type_ if is_typeddict(declaration.type_) else get_args(declaration.type_)[1]
        required = type_.__required_keys__ - {*declaration.defaulted}
        assert rows == [
            (to_camel_case(name), "yes" if name in required else "")
            for name in type_.__annotations__
            if name not in declaration.set_by_stack
        ]
