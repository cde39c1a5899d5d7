"""Programs that use the library: every example, in Python and TypeScript, on a second sandbox.

The sandbox starts in the state of the original case, like the cluster of a team that is new to this repository.
"""

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import lifecycle
from sandbox.cache import nodejs
from sandbox.engine import pulumi
from sandbox.layout import CLUSTER, PRINCIPAL_EXTRA, REGION, REPOSITORY, SandboxInstance
from sandbox.progress import Report
from tests import generated, installed
from tests.e2e.running_sandbox import Sandbox
from tests.unit.harness.trust import Token, admits

EXAMPLES = REPOSITORY / "examples"
STATE = "example-eks-rocketmq-state"
GITHUB = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Program:
    """Example in its own folder, with the stack of its stack file. `environment` extends that of the sandbox."""

    sandbox: Sandbox
    folder: Path
    node: nodejs.Nodejs
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *argv: str, ok: bool = True) -> str:
        """Run a command in the program's folder and return its output. It must fail if `ok` is false."""
        instance, tools = self.sandbox.instance, self.sandbox.tools
        path = f"{self.node.host.parent}:{self.node.bin}:{pulumi.build_environment(instance, tools)['PATH']}"
        here = {"PATH": path, "PWD": str(self.folder), "PULUMI_STACK": self.stack, **self.environment}
        argv = ("env", f"--chdir={self.folder}", *argv)
        result = pulumi.execute(instance, tools, argv, capture=True, extra=here)
        assert (result.code == 0) is ok, result.output
        return result.output

    def pulumi(self, *arguments: str, ok: bool = True) -> str:
        return self.run("pulumi", *arguments, "--non-interactive", ok=ok)

    @property
    def stack(self) -> str:
        (file,) = self.folder.glob("Pulumi.*.yaml")
        return file.name.split(".")[1]

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.pulumi("stack", "output", "--json"))

    def up(self) -> None:
        """Deploy the stack and assert that a second `up` makes no changes."""
        self.pulumi("up", "--yes", "--skip-preview")
        self.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    def destroy(self) -> None:
        self.pulumi("state", "unprotect", "--all", "--yes")
        self.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Second sandbox, because these programs create the same resources as the prod stack of the other files."""
    instance, report = SandboxInstance("uses"), Report()
    lifecycle.down(instance, report)
    yield Sandbox(instance, lifecycle.start_platform(instance, report), report)
    lifecycle.down(instance, report)


@pytest.fixture(scope="module")
def node() -> nodejs.Nodejs:
    """Node.js, its packages and the language host."""
    return nodejs.ensure(Report())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Virtual environment with the library from a Git tag, as `requirements.txt` of every example specifies."""
    folder = tmp_path_factory.mktemp("git")
    wanted = (EXAMPLES / "adopt-a-cluster" / "requirements.txt").read_text().splitlines()[-1]
    return installed.environment(
        folder / "venv", wanted.replace(installed.PUBLISHED, installed.published(folder / "repository"))
    )


def python(sandbox: Sandbox, node: nodejs.Nodejs, environment: Path, name: str) -> Program:
    """Copy a Python example and create its stack."""
    folder = sandbox.instance.root / "examples" / name
    shutil.copytree(EXAMPLES / name, folder)
    (folder / "venv").symlink_to(environment)
    program = Program(sandbox, folder, node)
    program.pulumi("stack", "init", program.stack)
    return program


@pytest.fixture(scope="module")
def adopted(sandbox: Sandbox, node: nodejs.Nodejs, environment: Path) -> Program:
    """The first example, adopted and deployed. The others need its OIDC provider and working StorageClass."""
    program = python(sandbox, node, environment, "adopt-a-cluster")
    program.run("venv/bin/eks-rocketmq", "adopt", "-s", program.stack, "--yes")
    program.up()
    return program


def ready(sandbox: Sandbox, namespace: str) -> dict[str, int]:
    """Return the number of ready members of each StatefulSet."""
    sets = sandbox.objects("statefulsets", "-n", namespace)
    return {each["metadata"]["name"]: each["status"].get("readyReplicas", 0) for each in sets}


def test_cluster_is_adopted_and_its_claims_are_bound(adopted: Program) -> None:
    sandbox = adopted.sandbox
    assert ready(sandbox, "orders") == {
        "rocketmq-broker-a": 3,
        "rocketmq-controller": 3,
        "rocketmq-nameserver": 2,
    }
    assert {claim["status"]["phase"] for claim in sandbox.objects("pvc", "-n", "orders")} == {"Bound"}
    assert adopted.pulumi("stack", "output", "proxy").strip() == "rocketmq-proxy.orders.svc:8081"


def test_application_role_is_annotated_on_its_service_account(
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


@pytest.fixture(scope="module")
def stopped(adopted: Program) -> Program:
    """The first example with its RocketMQ stopped, so that another one can run."""
    adopted.sandbox.stop("orders")
    return adopted


def test_rocketmq_is_deployed_to_the_given_kubeconfig_context(
    stopped: Program, node: nodejs.Nodejs, environment: Path
) -> None:
    program = python(stopped.sandbox, node, environment, "rocketmq-on-any-kubernetes")
    program.pulumi("config", "set", "context", CLUSTER)
    program.pulumi("config", "set", "storageClass", "gp2")
    program.up()
    assert set(ready(stopped.sandbox, "rocketmq-dev").values()) == {1}
    program.destroy()


def test_typescript_deploys_the_same_components(stopped: Program, node: nodejs.Nodejs) -> None:
    sandbox = stopped.sandbox
    folder = sandbox.instance.root / "examples" / "typescript"
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


@pytest.fixture(scope="module")
def pipelines(sandbox: Sandbox, node: nodejs.Nodejs, environment: Path) -> Program:
    """AWS resources of the pipelines."""
    program = python(sandbox, node, environment, "ci-role")
    program.up()
    return program


def test_state_bucket_is_private_versioned_and_encrypted(pipelines: Program) -> None:
    assert pipelines.outputs()["PULUMI_BACKEND_URL"] == f"s3://{STATE}?region={REGION}"
    with pipelines.sandbox.aws("kms") as kms:
        key = kms.describe_key(KeyId="alias/eks-rocketmq-ci")["KeyMetadata"]
        rotates = kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    assert (key["KeyState"], rotates) == ("Enabled", True)
    with pipelines.sandbox.aws("s3") as s3:
        assert s3.get_bucket_location(Bucket=STATE)["LocationConstraint"] == REGION
        assert s3.get_bucket_versioning(Bucket=STATE)["Status"] == "Enabled"
        assert set(s3.get_public_access_block(Bucket=STATE)["PublicAccessBlockConfiguration"].values()) == {True}
        (rule,) = s3.get_bucket_encryption(Bucket=STATE)["ServerSideEncryptionConfiguration"]["Rules"]
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    assert rule == {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}


def test_only_jobs_of_the_repository_assume_roles_with_cluster_access(pipelines: Program) -> None:
    roles = {name: pipelines.outputs()[f"AWS_{name.upper()}_ROLE"] for name in ("preview", "deploy")}
    jobs = {
        "preview": Token(GITHUB, "repo:example/eks-rocketmq:pull_request"),
        "deploy": Token(GITHUB, "repo:example/eks-rocketmq:environment:production"),
    }
    with pipelines.sandbox.aws("iam") as iam:
        (provider,) = [
            each["Arn"]
            for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
            if each["Arn"].endswith(f"/{GITHUB.removeprefix('https://')}")
        ]
        clients = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"]
        found = {name: iam.get_role(RoleName=f"eks-rocketmq-ci-{name}")["Role"] for name in roles}
    assert clients == ["sts.amazonaws.com"]
    assert {name: role["Arn"] for name, role in found.items()} == roles
    for name, role in found.items():
        trust = json.dumps(role["AssumeRolePolicyDocument"])
        assert [job for job, token in jobs.items() if admits(trust, token)] == [name]
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Federated": provider}
    assert "PermissionsBoundary" not in found["preview"]
    assert found["deploy"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("/eks-rocketmq-ci-deploy-boundary")
    with pipelines.sandbox.aws("eks") as eks:
        entered = {
            name: eks.list_associated_access_policies(clusterName=CLUSTER, principalArn=arn)["associatedAccessPolicies"]
            for name, arn in roles.items()
        }
    assert {
        name: sorted(each["policyArn"].rpartition("/")[2] for each in given) for name, given in entered.items()
    } == {
        "preview": ["AmazonEKSAdminViewPolicy", "AmazonEKSViewPolicy"],
        "deploy": ["AmazonEKSClusterAdminPolicy"],
    }


def test_preview_role_reads_the_cluster_without_secrets_of_other_namespaces(pipelines: Program) -> None:
    sandbox, group = pipelines.sandbox, "eks-rocketmq-ci-preview"
    sandbox.kubectl("apply", "-f", str(pipelines.folder / "preview-cluster-role.yaml"))
    extra = {PRINCIPAL_EXTRA: [pipelines.outputs()["AWS_PREVIEW_ROLE"]]}

    def may(verb: str, resource: str, namespace: str = "", api: str = "") -> bool:
        asked = {"verb": verb, "resource": resource, "namespace": namespace, "group": api}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": "preview", "groups": [group], "extra": extra, "resourceAttributes": asked},
        }
        answer = sandbox.kubectl("create", "-f", "-", "-o", "jsonpath={.status.allowed}", stdin=json.dumps(review))
        return answer == "true"

    assert may("get", "secrets", "rocketmq")
    assert not may("get", "secrets", "kube-system")
    assert not may("list", "secrets")
    assert may("list", "pods", "kube-system")
    assert may("get", "storageclasses", api="storage.k8s.io")
    assert not may("patch", "statefulsets", "rocketmq", "apps")


@contextmanager
def rights_of(sandbox: Sandbox, role: str) -> Generator[dict[str, str]]:
    """Yield keys of a user with the policies and boundary of a role, which needs a GitHub token to assume."""
    name = f"as-{role}"
    with sandbox.aws("iam") as iam:
        held = iam.get_role(RoleName=role)["Role"]
        document = iam.get_role_policy(RoleName=role, PolicyName="pipeline")["PolicyDocument"]
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="pipeline", PolicyDocument=json.dumps(document))
        attached = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
        for arn in attached:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        if boundary := held.get("PermissionsBoundary"):
            iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary["PermissionsBoundaryArn"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    finally:
        with sandbox.aws("iam") as iam:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            iam.delete_user_policy(UserName=name, PolicyName="pipeline")
            for arn in attached:
                iam.detach_user_policy(UserName=name, PolicyArn=arn)
            iam.delete_user(UserName=name)


KEPT = "import pulumi; pulumi.export('word', pulumi.Config().require_secret('word'))"


def test_deploy_role_writes_the_state_and_preview_role_only_reads(pipelines: Program) -> None:
    sandbox, outputs = pipelines.sandbox, pipelines.outputs()
    folder = sandbox.instance.root / "examples" / "kept"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(pulumi.render_project("kept"))
    (folder / "Pulumi.prod.yaml").touch()
    (folder / "__main__.py").write_text(KEPT)
    kept = {"PULUMI_BACKEND_URL": outputs["PULUMI_BACKEND_URL"]}
    with rights_of(sandbox, "eks-rocketmq-ci-deploy") as keys:
        deploy = Program(sandbox, folder, pipelines.node, kept | keys)
        deploy.pulumi("stack", "init", "prod", "--secrets-provider", outputs["secretsProvider"])
        deploy.pulumi("config", "set", "--secret", "word", "swordfish")
        deploy.up()
    with rights_of(sandbox, "eks-rocketmq-ci-preview") as keys:
        preview = Program(sandbox, folder, pipelines.node, kept | keys)
        preview.pulumi("preview", "--expect-no-changes")
        assert "not authorized to perform: s3:PutObject" in preview.pulumi("up", "--yes", ok=False)
    with sandbox.aws("s3") as s3:
        stored = s3.get_object(Bucket=STATE, Key=".pulumi/stacks/kept/prod.json")
        assert (stored["ServerSideEncryption"], b"swordfish" in stored["Body"].read()) == ("aws:kms", False)


def test_pipeline_roles_get_permissions_for_a_stack_with_its_own_cluster(pipelines: Program) -> None:
    for key, value in (("clusterName", "staging"), ("newClusterStack", "staging"), ("accessEntries", "false")):
        pipelines.pulumi("config", "set", key, value)
    pipelines.up()
    with pipelines.sandbox.aws("kms") as kms:
        assert kms.describe_key(KeyId=pipelines.outputs()["secretsKey"])["KeyMetadata"]["KeyState"] == "Enabled"
    own, foreign = "/aws/eks/staging/cluster", "/aws/eks/prod/cluster"
    with (
        rights_of(pipelines.sandbox, "eks-rocketmq-ci-deploy") as keys,
        pipelines.sandbox.aws("logs", keys) as logs,
    ):
        logs.create_log_group(logGroupName=own)
        logs.delete_log_group(logGroupName=own)
        with pytest.raises(ClientError, match=r"AccessDenied.* not authorized to perform: logs:CreateLogGroup"):
            logs.create_log_group(logGroupName=foreign)


def test_state_bucket_is_not_destroyed_until_it_is_empty(pipelines: Program) -> None:
    assert "protect" in pipelines.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    pipelines.pulumi("state", "unprotect", "--all", "--yes")
    assert "BucketNotEmpty" in pipelines.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    with pipelines.sandbox.aws("s3") as s3:
        found = s3.list_object_versions(Bucket=STATE)
        for each in [*found["Versions"], *found.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=STATE, Key=each["Key"], VersionId=each["VersionId"])
    pipelines.pulumi("destroy", "--yes", "--skip-preview")
    with pipelines.sandbox.aws("s3") as s3:
        assert s3.list_buckets()["Buckets"] == []
    with pipelines.sandbox.aws("iam") as iam:
        assert iam.list_policies(Scope="Local")["Policies"] == []
        assert not [each["RoleName"] for each in iam.list_roles()["Roles"] if "eks-rocketmq-ci" in each["RoleName"]]
    with pipelines.sandbox.aws("eks") as eks:
        entries = eks.list_access_entries(clusterName=CLUSTER)["accessEntries"]
    assert not [arn for arn in entries if "eks-rocketmq-ci" in arn]
    with pipelines.sandbox.aws("kms") as kms:
        assert kms.list_aliases()["Aliases"] == []
        states = {kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["KeyState"] for each in kms.list_keys()["Keys"]}
    assert states == {"PendingDeletion"}


def test_destroy_of_the_adopted_example_deletes_its_namespace(adopted: Program) -> None:
    adopted.destroy()
    assert "orders" not in [item["metadata"]["name"] for item in adopted.sandbox.objects("namespaces")]
