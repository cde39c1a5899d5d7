"""The library outside of its repository: installed by pip, and as a plugin for programs in other languages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sandbox import layout
from sandbox.cache import nodejs, toolchain
from sandbox.layout import REPOSITORY
from sandbox.progress import Report
from tests import generated, installed
from tests.contract.engine import STACK, Engine, engine
from tests.contract.server import Server

PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from eks_rocketmq import RocketMq

config = {
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
provider = kubernetes.Provider("kubernetes", kubeconfig=config)
rocketmq = RocketMq(
    "orders",
    {
        "namespace": "orders",
        "storage_class": "standard",
        "broker_groups": [{"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}],
        "name_servers": {"replicas": 2, "memory": "512Mi", "cpu": "100m"},
        "controllers": {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
        "proxies": {"replicas": 2, "memory": "1Gi", "cpu": "250m"},
    },
    pulumi.ResourceOptions(provider=provider),
)
pulumi.export("proxy", rocketmq.proxy_endpoint)
"""


@pytest.fixture(scope="module")
def node() -> nodejs.Nodejs:
    """Node.js, its packages and the language host, from the cache of the sandbox."""
    return nodejs.ensure(Report())


@pytest.fixture(scope="module")
def pulumi(running: Server, node: nodejs.Nodejs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Engine with both language hosts."""
    programs = toolchain.ensure(Report(), parts=("pulumi",)).bin
    with engine(tmp_path_factory.mktemp("engine"), running, programs, node) as started:
        yield started


@pytest.fixture(scope="module", params=["path", "git"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """New virtual environment with the library installed."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "path":
        return installed.environment(folder / "venv", f"{installed.copied(folder)}[eks,cli]")
    wanted = (REPOSITORY / "examples/adopt-a-cluster/requirements.txt").read_text().splitlines()[-1]
    assert installed.PUBLISHED in wanted
    source = wanted.replace(installed.PUBLISHED, installed.published(folder / "repository"))
    return installed.environment(folder / "venv", source)


def test_all_package_files_and_the_command_are_installed(environment: Path) -> None:
    library = REPOSITORY / "components" / "eks_rocketmq"
    (found,) = environment.glob("lib/python*/site-packages/eks_rocketmq")
    content = {
        path.relative_to(library) for path in library.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path.relative_to(found) for path in found.rglob("*") if path.is_file() and path.suffix != ".pyc"} == content
    assert Path("py.typed") in content
    assert (environment / "bin" / "eks-rocketmq").exists()


def test_program_outside_of_the_repository_previews_rocketmq(environment: Path, pulumi: Engine, tmp_path: Path) -> None:
    runtime = {"name": "python", "options": {"virtualenv": str(environment)}}
    project = {"name": f"outside-{environment.parent.name}", "runtime": runtime}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    pulumi.pulumi(tmp_path, "stack", "init", STACK)

    plan = json.loads(pulumi.pulumi(tmp_path, "preview", "--json"))

    made = [step["urn"].rsplit("$", 1)[-1] for step in plan["steps"]]
    assert "kubernetes:apps/v1:StatefulSet::orders-broker-a-set" in made
    assert len([urn for urn in made if urn.startswith("kubernetes:")]) == 28


def test_plugin_schema_equals_the_committed_schema(pulumi: Engine, tmp_path: Path) -> None:
    printed = json.loads(pulumi.pulumi(tmp_path, "package", "get-schema", str(generated.COMPONENTS)))
    committed = json.loads((generated.COMPONENTS / "schema.json").read_text())
    # The engine adds an empty `config` and omits the empty list of other packages.
    assert {key: printed.get(key) for key in ("name", "version", "resources", "types")} == {
        key: committed[key] for key in ("name", "version", "resources", "types")
    }


@pytest.fixture(scope="module")
def consumer(pulumi: Engine, node: nodejs.Nodejs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TypeScript program of this folder with its generated SDK and a stack."""
    folder = tmp_path_factory.mktemp("typescript") / "program"
    generated.typescript(Path(__file__).with_name("typescript"), folder, node, pulumi.pulumi)
    pulumi.pulumi(folder, "stack", "init", STACK)
    pulumi.pulumi(folder, "config", "set", "--secret", "issuer", layout.ISSUER)
    return folder


@pytest.fixture
def case(consumer: Path, pulumi: Engine) -> Callable[[str], Path]:
    """Function that selects the case of the TypeScript program and returns its folder."""

    def choose(name: str) -> Path:
        pulumi.pulumi(consumer, "config", "set", "case", name)
        return consumer

    return choose


def test_options_secrets_and_dependencies_are_passed_from_typescript(
    case: Callable[[str], Path], pulumi: Engine, aws: Server
) -> None:
    program = case("role")
    pulumi.pulumi(program, "up", "--yes", "--skip-preview")
    try:
        made = {each["type"]: each for each in pulumi.state(program)}
        component, role = made["eks-rocketmq:index:IrsaRole"], made["aws:iam/role:Role"]
        trust = aws.client("iam").get_role(RoleName="invoices")["Role"]["AssumeRolePolicyDocument"]
        (statement,) = trust["Statement"]
        assert statement["Condition"]["StringEquals"] == {
            f"{layout.ISSUER.removeprefix('https://')}:aud": "sts.amazonaws.com",
            f"{layout.ISSUER.removeprefix('https://')}:sub": "system:serviceaccount:invoices:invoices",
        }
        assert component["outputs"] == {"arn": f"arn:aws:iam::{layout.ACCOUNT}:role/invoices", "name": "invoices"}
        assert role["parent"] == component["urn"]
        assert role["protect"] is component["protect"] is True
        assert "::named::" in role["provider"]
        assert made["eks-rocketmq:index:ClusterOidcProvider"]["urn"] in component["dependencies"]
        # The policy contains the secret issuer, so the state encrypts it.
        assert "ciphertext" in role["inputs"]["assumeRolePolicy"]
        pulumi.pulumi(program, "preview", "--expect-no-changes")
    finally:
        pulumi.pulumi(program, "state", "unprotect", "--all", "--yes")
        pulumi.pulumi(program, "destroy", "--yes", "--skip-preview")


def test_typescript_numbers_are_passed_as_integers(case: Callable[[str], Path], pulumi: Engine) -> None:
    plan = json.loads(pulumi.pulumi(case("rocketmq"), "preview", "--json"))
    made = {step["urn"].rsplit("::", 1)[-1]: step["newState"] for step in plan["steps"]}
    assert made["invoices-nameserver-set"]["inputs"]["spec"]["replicas"] == 2
    annotations = made["invoices-broker-a-set"]["inputs"]["metadata"]["annotations"]
    assert "fileReservedTime=48\n" in annotations["rocketmq.apache.org/config"]
    assert made["invoices-broker-a-set"]["provider"].split("::")[-2] == "named"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            "unknown",
            "has a problem: serviceAccounts[0].nam: unknown field. Accepted: namespace, name. Did you mean name?\n",
        ),
        ("late", "has a problem: roleName: the value is an output, and the resources of the component depend on it."),
        ("refused", "has a problem: profile: 'strickt' is not accepted. Accepted: 'strict', 'balanced', 'dev'."),
    ],
    ids=["unknown field", "output as name", "invalid value"],
)
def test_invalid_argument_is_reported_at_preview(
    mistake: str, message: str, case: Callable[[str], Path], pulumi: Engine
) -> None:
    output = pulumi.pulumi(case(mistake), "preview", ok=False)
    assert message in output
    assert "Traceback" not in output
    assert "component.py" not in output
