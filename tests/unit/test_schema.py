"""The public components as other languages would see them: the SDK's own analyzer reads every one of them."""

import inspect
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.provider.experimental.schema import generate_schema

import eks_rocketmq

PACKAGE = "eks-rocketmq"
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    public
    for name in eks_rocketmq.__all__
    if inspect.isclass(public := getattr(eks_rocketmq, name)) and issubclass(public, pulumi.ComponentResource)
]
ARGUMENTS = {name for name in eks_rocketmq.__all__ if name.endswith("Args")}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """What `pulumi package get-schema` would print."""
    found = Analyzer(PACKAGE).analyze(COMPONENTS)
    return generate_schema(
        PACKAGE,
        "0.1.0",
        "",
        found["component_definitions"],
        found["type_definitions"],
        sorted(found["dependencies"], key=str),
    ).to_json()


def test_every_public_name_is_a_component_or_its_arguments(schema: dict[str, Any]) -> None:
    components = {component.__name__ for component in COMPONENTS}
    assert components | ARGUMENTS == set(eks_rocketmq.__all__)
    assert {f"{name}Args" for name in components} <= ARGUMENTS
    assert {token.rsplit(":", 1)[-1] for token in schema["resources"]} == components
    nested = {token.rsplit(":", 1)[-1] for token in schema["types"]}
    assert nested == ARGUMENTS - {f"{name}Args" for name in components}


def test_everything_that_another_language_sees_is_described(schema: dict[str, Any]) -> None:
    bare = []
    for token, shape in [*schema["resources"].items(), *schema["types"].items()]:
        for kind in ("inputProperties", "properties"):
            bare += [f"{token}.{name}" for name, field in shape.get(kind, {}).items() if not field.get("description")]
        bare += [] if shape.get("description") else [token]
    assert bare == []


def test_what_the_prod_stack_gives_is_what_the_schema_requires(schema: dict[str, Any]) -> None:
    rocketmq = schema["resources"][f"{PACKAGE}:index:RocketMq"]
    assert rocketmq["requiredInputs"] == ["brokerGroups", "namespace", "storageClass"]
    assert rocketmq["required"] == ["nameServerAddresses", "namespace", "passwords", "proxyEndpoint"]
    group = schema["types"][f"{PACKAGE}:index:BrokerGroupArgs"]
    assert group["required"] == ["name"]
    assert group["properties"]["replicas"]["type"] == "integer"
    assert group["properties"]["config"]["additionalProperties"]["$ref"] == "pulumi.json#/Any"
