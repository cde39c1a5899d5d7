"""Programs in `examples/`: each is complete and short, and runs with its own stack file in both modes."""

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.harness import REPOSITORY, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, Fakes
from tests.unit.harness.trust import Token, admits

EXAMPLES = REPOSITORY / "examples"
PROGRAMS = sorted(path.parent.name for path in EXAMPLES.glob("*/__main__.py"))
TESTED_ELSEWHERE = ("ci-role",)
"""Examples that need special fakes. The inventory of `ci-role` is in test_ci_role.py."""
BROKERS = {
    "kubernetes:apps/v1:Deployment": 1,
    "kubernetes:apps/v1:StatefulSet": 3,
    "kubernetes:core/v1:ConfigMap": 5,
    "kubernetes:core/v1:Namespace": 1,
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": 4,
    "kubernetes:policy/v1:PodDisruptionBudget": 4,
    "eks-rocketmq:index:BrokerMembers": 1,
    "eks-rocketmq:index:Controllers": 1,
    "eks-rocketmq:index:NameServers": 1,
    "eks-rocketmq:index:Proxies": 1,
    "eks-rocketmq:index:RocketMq": 1,
    "pulumi:providers:kubernetes": 1,
}
INVENTORIES = {
    "adopt-a-cluster": BROKERS
    | {
        "kubernetes:core/v1:Service": 10,
        "aws:eks/addon:Addon": 1,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        "eks-rocketmq:index:ClusterOidcProvider": 1,
        "eks-rocketmq:index:EbsCsiAddon": 1,
        "eks-rocketmq:index:EbsStorageClass": 1,
        "eks-rocketmq:index:ExistingEksCluster": 1,
        "eks-rocketmq:index:IrsaRole": 1,
        "kubernetes:storage.k8s.io/v1:StorageClassPatch": 1,
    },
    "irsa-for-your-application": {
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        "eks-rocketmq:index:ClusterOidcProvider": 1,
        "eks-rocketmq:index:ExistingEksCluster": 1,
        "eks-rocketmq:index:IrsaRole": 1,
        "kubernetes:core/v1:ServiceAccount": 1,
        "pulumi:providers:kubernetes": 1,
    },
    # One controller and one name server.
    "rocketmq-on-any-kubernetes": BROKERS | {"kubernetes:core/v1:Service": 7},
}


def config(program: str) -> dict[str, str]:
    """Return the settings in the only stack file of a program."""
    (file,) = (EXAMPLES / program).glob("Pulumi.*.yaml")
    given: dict[str, Any] = yaml.safe_load(file.read_text())["config"]
    return {key: value if isinstance(value, str) else str(value).replace("'", '"') for key, value in given.items()}


def _oidc_provider(arguments: Mapping[str, Any]) -> dict[str, Any]:
    host = arguments["url"].removeprefix("https://")
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    return {**arguments, "arn": arn, "clientIdLists": ["sts.amazonaws.com"]}


def run_program(program: str, *, preview: bool = False) -> Recording:
    """Run a program with its stack file."""
    return run(
        lambda: runpy.run_path(str(EXAMPLES / program / "__main__.py"), run_name="__main__"),
        preview=preview,
        config={key.replace(f"{program}:", "eks-rocketmq:"): value for key, value in config(program).items()},
        fakes=Fakes().answering("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", _oidc_provider),
    )


def test_every_example_has_an_inventory() -> None:
    assert sorted([*INVENTORIES, *TESTED_ELSEWHERE]) == PROGRAMS


def test_the_list_of_examples_shows_the_tests_of_each_example() -> None:
    text = (EXAMPLES / "README.md").read_text()
    rows = re.findall(r"^\| \[[\w-]+\]\(([\w-]+)/README\.md\) \|.*\| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    sandbox_tests = (REPOSITORY / "tests" / "e2e" / "test_7_uses.py").read_text()
    folders = sorted(path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml"))
    assert sorted(rows) == [
        (name, "yes" if name in PROGRAMS else "no", "yes" if f'"{name}"' in sandbox_tests else "no") for name in folders
    ]


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
@pytest.mark.parametrize("program", sorted(INVENTORIES))
def test_an_example_registers_exactly_its_inventory(program: str, *, preview: bool) -> None:
    assert run_program(program, preview=preview).inventory() == INVENTORIES[program]


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_is_short_and_complete(program: str) -> None:
    folder = EXAMPLES / program
    assert len((folder / "__main__.py").read_text().splitlines()) < 50
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert project["name"] == program
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    assert "YOUR-ORGANISATION/eks-rocketmq@v0.1.0#subdirectory=components" in (folder / "requirements.txt").read_text()
    # The README explains the placeholders before the commands that need them.
    before, _, _ = (folder / "README.md").read_text().partition("```")
    text = "In [requirements.txt](requirements.txt), replace `YOUR-ORGANISATION` with the owner of this repository."
    assert text in " ".join(before.split())
    assert (folder / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("program", PROGRAMS)
def test_configuration_keys_that_are_read_are_declared_and_set(program: str) -> None:
    folder = EXAMPLES / program
    read = set(re.findall(r"config\.(?:get|require)\w*\(\"(\w+)\"", (folder / "__main__.py").read_text()))
    declared = yaml.safe_load((folder / "Pulumi.yaml").read_text())["config"]
    given = {key.removeprefix(f"{program}:") for key in config(program) if key.startswith(f"{program}:")}
    assert set(declared) == read
    assert given == {key for key, each in declared.items() if "default" not in each}


def test_only_the_service_account_of_the_application_can_assume_its_role() -> None:
    recording = run_program("irsa-for-your-application")
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:default:orders"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:default:other"))
    annotations = recording.one("ServiceAccount").inputs["metadata"]["annotations"]
    assert annotations == {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{ACCOUNT}:role/orders-application"}
    assert recording.reaches(recording.one("ServiceAccount"), recording.one("RolePolicyAttachment"))


def test_brokers_on_the_existing_cluster_depend_on_the_driver() -> None:
    recording = run_program("adopt-a-cluster")
    (brokers,) = [each for each in recording.by_type("StatefulSet") if each.name == "orders-broker-a-set"]
    for type_ in ("Addon", "StorageClassPatch", "OpenIdConnectProvider"):
        assert recording.reaches(brokers, recording.one(type_)), type_


def test_commands_of_a_readme_name_the_stack_of_the_example() -> None:
    for program in PROGRAMS:
        (file,) = (EXAMPLES / program).glob("Pulumi.*.yaml")
        stack = file.name.split(".")[1]
        text = Path(EXAMPLES / program / "README.md").read_text()
        assert set(re.findall(r"-s (\w+)|stack init (\w+)", text)) == {(stack, ""), ("", stack)}
