"""The committed package schema, which other languages use, and its content for each component."""

import inspect
import json
import re
import tomllib
from collections.abc import Collection
from typing import Annotated, Any, Literal

import pulumi
import pytest

import eks_rocketmq
from eks_rocketmq.args.arg_schema import to_camel_case
from eks_rocketmq.args.field_metadata import Enumeration, get_accepted_values, get_enumeration_name
from eks_rocketmq.eks.addons import addon_plan
from eks_rocketmq.eks.ebs import driver_plan, storage_class_plan
from eks_rocketmq.eks.nodes import node_plan
from eks_rocketmq.plugin import component_provider
from eks_rocketmq.plugin.schema_enums import add_enumeration
from eks_rocketmq.rocketmq.config import durability
from eks_rocketmq.rocketmq.declarations import topics
from tests.unit.harness import reference

PACKAGE = "eks-rocketmq"
COMPONENTS = {
    name
    for name in eks_rocketmq.__all__
    if inspect.isclass(public := getattr(eks_rocketmq, name)) and issubclass(public, pulumi.ComponentResource)
}
ARGUMENTS = {name for name in eks_rocketmq.__all__ if name.endswith("Args")}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the schema that `pulumi package get-schema` prints."""
    return component_provider.get_provider().package


def test_the_committed_schema_is_up_to_date(schema: dict[str, Any]) -> None:
    committed = json.loads(reference.SCHEMA.read_text())
    assert committed == schema, "the schema is outdated: run `make reference`, then review the diff"
    assert reference.SCHEMA.read_text() == reference.dumped(schema), "run `make reference`"


def test_the_namespace_is_the_organisation_of_the_repository(schema: dict[str, Any]) -> None:
    # The engine derives the default namespace from the URL of a git plugin. A local folder has no URL.
    project = tomllib.loads((reference.SCHEMA.parent / "pyproject.toml").read_text())["project"]
    organisation = project["urls"]["Homepage"].split("/")[3]
    assert schema["namespace"] == organisation.lower()


def test_every_public_name_is_a_component_or_its_arguments(schema: dict[str, Any]) -> None:
    assert set(eks_rocketmq.__all__) == COMPONENTS | ARGUMENTS
    assert {f"{name}Args" for name in COMPONENTS} <= ARGUMENTS
    assert set(schema["resources"]) == {f"{PACKAGE}:index:{name}" for name in COMPONENTS}
    nested = {token.rsplit(":", 1)[-1] for token in schema["types"]}
    enums = {get_enumeration_name(hint) for _, _, hint in reference.enumerated()}
    assert nested == ARGUMENTS - {f"{name}Args" for name in COMPONENTS} | enums


@pytest.mark.parametrize(("owner", "field", "hint"), [*reference.enumerated()])
def test_an_enumeration_has_the_values_of_its_description(
    schema: dict[str, Any], owner: str, field: str, hint: Any
) -> None:
    name, values = get_enumeration_name(hint), get_accepted_values(hint)
    shape = schema["resources"].get(f"{PACKAGE}:index:{owner.removesuffix('Args')}", {}).get("inputProperties")
    described = (shape or schema["types"][f"{PACKAGE}:index:{owner}"]["properties"])[to_camel_case(field)]
    assert described.get("items", described)["$ref"] == f"#/types/{PACKAGE}:index:{name}"
    assert [value for value in values if f"`{value}`" not in described["description"]] == []
    members = schema["types"][f"{PACKAGE}:index:{name}"]["enum"]
    assert [member["value"] for member in members] == sorted(values)
    assert all(re.fullmatch("[A-Z][A-Za-z0-9]*", member["name"]) for member in members)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("AmiType", node_plan.AMI_TYPES),
        ("AddonStage", addon_plan.DEFAULT_ADDONS),
        ("DurabilityProfile", durability.PROFILES),
        ("EbsCsiPermissions", driver_plan.PERMISSIONS),
        ("MessageType", {*topics.MESSAGE_TYPES, *topics.NEWER_MESSAGE_TYPES, "MIXED"}),
        ("TaintEffect", node_plan.EFFECTS),
        ("TopicPermission", topics.TOPIC_PERMISSIONS),
        ("VolumeType", storage_class_plan.VOLUME_TYPES),
        ("VpcCniIdentity", addon_plan.IDENTITY_FIELDS),
    ],
)
def test_a_table_by_value_has_a_row_for_each_accepted_value(name: str, known: Collection[str]) -> None:
    (values,) = {
        get_accepted_values(hint) for _, _, hint in reference.enumerated() if get_enumeration_name(hint) == name
    }
    assert sorted(values) == sorted(known)


def test_enumerations_with_the_same_name_must_have_the_same_values() -> None:
    def field() -> dict[str, Any]:
        return {"type": "string"}

    enumerations: dict[str, Any] = {}
    add_enumeration(enumerations, "first", field(), Annotated[Literal["a", "b"], Enumeration("Choice")])
    add_enumeration(enumerations, "second", field(), Annotated[Literal["b", "a"], Enumeration("Choice")])
    with pytest.raises(TypeError, match="eks-rocketmq:index:Choice of third is another enumeration already"):
        add_enumeration(enumerations, "third", field(), Annotated[Literal["a"], Enumeration("Choice")])
    with pytest.raises(TypeError, match=r"has no Enumeration\(…\)"):
        add_enumeration(enumerations, "fourth", field(), Literal["a"])


def test_every_type_and_property_of_the_schema_has_a_description(schema: dict[str, Any]) -> None:
    undescribed = []
    for token, shape in [*schema["resources"].items(), *schema["types"].items()]:
        for kind in ("inputProperties", "properties"):
            undescribed += [
                f"{token}.{name}" for name, field in shape.get(kind, {}).items() if not field.get("description")
            ]
        undescribed += [] if shape.get("description") else [token]
    assert undescribed == []


def test_the_schema_depends_on_no_other_package(schema: dict[str, Any]) -> None:
    references = {
        reference for reference in _references(schema) if not reference.startswith((f"#/types/{PACKAGE}:", "pulumi."))
    }
    assert references == set()
    assert schema["dependencies"] == []


def test_python_only_outputs_are_listed_and_not_in_the_schema(schema: dict[str, Any]) -> None:
    only_python = component_provider.get_provider().python_only
    assert only_python["ExistingEksCluster"].keys() == {"provider"}
    assert "attachments" in only_python["IrsaRole"]
    cluster = schema["resources"][f"{PACKAGE}:index:ExistingEksCluster"]
    assert "provider" not in cluster["properties"].keys() | set(cluster["required"])
    # Other languages create their Kubernetes provider from the kubeconfig.
    assert cluster["properties"]["kubeconfig"]["type"] == "string"


def test_inputs_that_force_replacement_are_flagged_in_the_schema(schema: dict[str, Any]) -> None:
    role = schema["resources"][f"{PACKAGE}:index:IrsaRole"]["inputProperties"]
    assert role["roleName"]["willReplaceOnChanges"] is True
    assert "willReplaceOnChanges" not in role["tags"]


def test_descriptions_and_replacement_flags_of_inputs_agree(schema: dict[str, Any]) -> None:
    documented, flagged = set(), set()
    for token, shape in [*schema["resources"].items(), *schema["types"].items()]:
        for name, field in shape.get("inputProperties", shape.get("properties", {})).items():
            documented |= {f"{token}.{name}"} if re.search(r"\breplaces\b", field["description"]) else set()
            flagged |= {f"{token}.{name}"} if field.get("willReplaceOnChanges") else set()
    assert documented == flagged, "the docstring and `Replacing[…]` of a field differ"


def test_integer_inputs_are_plain(schema: dict[str, Any]) -> None:
    # An output would arrive as 3.0, and preview could not validate it.
    computed = [
        f"{token}.{name}"
        for token, shape in [*schema["resources"].items(), *schema["types"].items()]
        for name, field in shape.get("inputProperties", shape.get("properties", {})).items()
        if field.get("type") == "integer" and not field.get("plain")
    ]
    assert computed == []


def test_the_schema_requires_the_inputs_that_the_prod_stack_sets(schema: dict[str, Any]) -> None:
    rocketmq = schema["resources"][f"{PACKAGE}:index:RocketMq"]
    assert rocketmq["requiredInputs"] == ["brokerGroups", "namespace", "storageClass"]
    assert {"nameServerAddresses", "namespace", "proxyEndpoint"} <= set(rocketmq["required"])
    group = schema["types"][f"{PACKAGE}:index:BrokerGroupArgs"]
    assert group["required"] == ["name"]
    assert group["properties"]["replicas"]["type"] == "integer"
    assert group["properties"]["config"]["additionalProperties"]["$ref"] == "pulumi.json#/Any"


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return found.union(*map(_references, value.values()))
