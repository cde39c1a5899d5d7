"""Generated `components/README.md`: it is current, and the example of each component runs."""

import json

import pytest

from eks_rocketmq.plugin import component_provider
from tests.unit.harness import reference
from tests.unit.plugin.test_schema import COMPONENTS, PACKAGE


def test_the_reference_is_current() -> None:
    assert reference.README.read_text() == reference.document(
        component_provider.get_provider().package, component_provider.get_provider().python_only
    ), "run `make reference` to regenerate components/README.md"


def test_there_is_one_example_for_each_component() -> None:
    files = {path.name for path in reference.EXAMPLES.glob("*.py")}
    assert files == {reference.example(name).name for name in COMPONENTS}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
@pytest.mark.parametrize("component", sorted(COMPONENTS))
def test_the_example_of_a_component_registers_it(component: str, *, preview: bool) -> None:
    assert reference.run_example(component, preview=preview).by_type(f"{PACKAGE}:index:{component}")


def test_only_resources_below_a_component_are_counted() -> None:
    counts = reference.created(reference.run_example("EbsCsiAddon"), "EbsCsiAddon")
    # The OIDC provider and the cluster of the example are not counted.
    assert counts == {
        "aws:eks/addon:Addon": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        f"{PACKAGE}:index:IrsaRole": 1,
    }


def test_schema_names_convert_to_python_names() -> None:
    names = [
        name
        for shape in component_provider.get_provider()._component_defs.values()
        for name in shape.inputs_mapping.items()
    ]
    assert {reference.snake(schema_name) for schema_name, _ in names} == {python for _, python in names}


def test_the_install_commands_have_the_current_version() -> None:
    version = json.loads(reference.SCHEMA.read_text())["version"]
    text = reference.README.read_text()
    assert f"eks-rocketmq@v{version}#subdirectory=components" in text
    assert f"eks-rocketmq/components@v{version}" in text
