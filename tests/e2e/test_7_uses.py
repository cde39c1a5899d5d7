"""The library in programs of its own: every example, from Python and from TypeScript, on a sandbox of its own.

It begins in the state of the original case, as the machine of a team that has never seen this repository.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.cache import nodejs
from sandbox.engine import pulumi
from sandbox.place import CLUSTER, REPOSITORY, Place
from sandbox.progress import Report
from tests import generated, installed
from tests.e2e.running_sandbox import Sandbox

EXAMPLES = REPOSITORY / "examples"


@dataclass(frozen=True)
class Program:
    """An example in a folder of its own, with the stack that its file is for."""

    sandbox: Sandbox
    folder: Path
    node: nodejs.Nodejs

    def run(self, *argv: str, ok: bool = True) -> str:
        """What a command in the program's folder printed; `ok` says whether it must succeed or must fail."""
        place, tools = self.sandbox.place, self.sandbox.tools
        path = f"{self.node.host.parent}:{self.node.bin}:{pulumi.environment(place, tools)['PATH']}"
        here = {"PATH": path, "PWD": str(self.folder), "PULUMI_STACK": self.stack}
        argv = ("env", f"--chdir={self.folder}", *argv)
        result = pulumi.execute(place, tools, argv, capture=True, extra=here)
        assert (result.code == 0) is ok, result.output
        return result.output

    def pulumi(self, *arguments: str, ok: bool = True) -> str:
        return self.run("pulumi", *arguments, "--non-interactive", ok=ok)

    @property
    def stack(self) -> str:
        (file,) = (EXAMPLES / self.folder.name).glob("Pulumi.*.yaml")
        return file.name.split(".")[1]

    def up(self) -> None:
        """Make the stack, deploy it, and see that nothing is left to do."""
        self.pulumi("up", "--yes", "--skip-preview")
        self.pulumi("up", "--yes", "--expect-no-changes")

    def destroy(self) -> None:
        self.pulumi("state", "unprotect", "--all", "--yes")
        self.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Another sandbox than that of the other files: the programs here make what the prod stack makes as well."""
    place, report = Place("uses"), Report()
    lifecycle.down(place, report)
    yield Sandbox(place, lifecycle.platform(place, report), report)
    lifecycle.down(place, report)


@pytest.fixture(scope="module")
def node() -> nodejs.Nodejs:
    """Node, its packages and the language host."""
    return nodejs.ensure(Report())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library installed from a tag in git, as the `requirements.txt` of every example says."""
    folder = tmp_path_factory.mktemp("git")
    wanted = (EXAMPLES / "adopt-a-cluster" / "requirements.txt").read_text().splitlines()[-1]
    return installed.environment(
        folder / "venv", wanted.replace(installed.PUBLISHED, installed.published(folder / "repository"))
    )


def python(sandbox: Sandbox, node: nodejs.Nodejs, environment: Path, name: str) -> Program:
    """A Python example with its stack."""
    folder = sandbox.place.root / "examples" / name
    shutil.copytree(EXAMPLES / name, folder)
    (folder / "venv").symlink_to(environment)
    program = Program(sandbox, folder, node)
    program.pulumi("stack", "init", program.stack)
    return program


@pytest.fixture(scope="module")
def adopted(sandbox: Sandbox, node: nodejs.Nodejs, environment: Path) -> Program:
    """The first example, adopted and deployed: the others need the OIDC provider and the working class."""
    program = python(sandbox, node, environment, "adopt-a-cluster")
    program.run("venv/bin/eks-rocketmq", "adopt", "-s", program.stack, "--yes")
    program.up()
    return program


def ready(sandbox: Sandbox, namespace: str) -> dict[str, int]:
    """Members of each set that are ready."""
    sets = sandbox.objects("statefulsets", "-n", namespace)
    return {each["metadata"]["name"]: each["status"].get("readyReplicas", 0) for each in sets}


def test_a_cluster_is_adopted_and_its_claims_bind(adopted: Program) -> None:
    sandbox = adopted.sandbox
    assert ready(sandbox, "orders") == {
        "rocketmq-broker-a": 3,
        "rocketmq-controller": 3,
        "rocketmq-nameserver": 2,
    }
    assert {claim["status"]["phase"] for claim in sandbox.objects("pvc", "-n", "orders")} == {"Bound"}
    assert adopted.pulumi("stack", "output", "proxy").strip() == "rocketmq-proxy.orders.svc:8081"


def test_an_application_gets_a_role_that_its_pods_can_find(
    adopted: Program, node: nodejs.Nodejs, environment: Path
) -> None:
    program = python(adopted.sandbox, node, environment, "irsa-for-your-application")
    program.up()
    (account,) = [
        each
        for each in adopted.sandbox.objects("serviceaccounts", "-n", "default")
        if each["metadata"]["name"] == "orders"
    ]
    with adopted.sandbox.aws("iam") as iam:
        role = iam.get_role(RoleName="orders-application")["Role"]
        attached = iam.list_attached_role_policies(RoleName="orders-application")["AttachedPolicies"]
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == role["Arn"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3ReadOnlyAccess"]
    program.destroy()


def test_rocketmq_runs_where_a_context_of_the_kubeconfig_leads(
    adopted: Program, node: nodejs.Nodejs, environment: Path
) -> None:
    program = python(adopted.sandbox, node, environment, "rocketmq-on-any-kubernetes")
    program.pulumi("config", "set", "context", CLUSTER)
    program.pulumi("config", "set", "storageClass", "gp2")
    program.up()
    assert set(ready(adopted.sandbox, "rocketmq-dev").values()) == {1}
    program.destroy()


def test_typescript_deploys_the_same_components(adopted: Program, node: nodejs.Nodejs) -> None:
    sandbox = adopted.sandbox
    folder = sandbox.place.root / "examples" / "typescript"
    program = Program(sandbox, folder, node)

    def engine(_folder: Path, *arguments: str) -> str:
        return program.pulumi(*arguments)

    generated.typescript(EXAMPLES / "typescript", folder, node, engine)
    program.pulumi("stack", "init", program.stack)
    program.up()

    assert set(ready(sandbox, "invoices").values()) == {1}
    assert program.pulumi("stack", "output", "proxy").strip() == "rocketmq-proxy.invoices.svc:8081"
    with sandbox.aws("iam") as iam:
        assert (
            program.pulumi("stack", "output", "roleArn").strip()
            == iam.get_role(RoleName="invoices-application")["Role"]["Arn"]
        )
    program.destroy()
    assert "invoices" not in [item["metadata"]["name"] for item in sandbox.objects("namespaces")]


def test_the_adopted_cluster_is_given_back(adopted: Program) -> None:
    adopted.destroy()
    assert "orders" not in [item["metadata"]["name"] for item in adopted.sandbox.objects("namespaces")]
