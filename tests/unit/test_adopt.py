"""Adoption: what the engine would create, what of it exists, and the file that imports exactly that."""

import json
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from kubernetes.dynamic.exceptions import ForbiddenError
from typer.testing import CliRunner, Result
from urllib3.exceptions import MaxRetryError

from eks_rocketmq import adopt, cli, clients, engine, kubernetes_api
from eks_rocketmq.adopt import PLACEHOLDER, Plan, adoption, kubernetes_id, look_up, read_plan, urn_of
from eks_rocketmq.eks import interrupted
from eks_rocketmq.eks.lookup import ADDON, OIDC_PROVIDER, ROLE, UNKNOWN, Found
from eks_rocketmq.eks.session import AccountUnknownError
from eks_rocketmq.preflight import SKIP_VARIABLE
from tests.unit.kubernetes_api import Api

STACK = "urn:pulumi:prod::eks-rocketmq"
COMPONENT = "eks-rocketmq:index:EbsCsiAddon"
ROLE_COMPONENT = "eks-rocketmq:index:IrsaRole"
ROLE_URN = f"{STACK}::{COMPONENT}${ROLE_COMPONENT}${ROLE}::ebs-csi-driver-role"
ADDON_URN = f"{STACK}::{COMPONENT}${ADDON}::ebs-csi-addon"
OIDC_URN = f"{STACK}::eks-rocketmq:index:ClusterOidcProvider${OIDC_PROVIDER}::oidc-provider"
AWS_URN = f"{STACK}::pulumi:providers:aws::default_7_51_1"
KUBERNETES_URN = f"{STACK}::eks-rocketmq:index:ExistingEksCluster$pulumi:providers:kubernetes::cluster-kubernetes"
NAMESPACE_URN = f"{STACK}::eks-rocketmq:index:RocketMq$kubernetes:core/v1:Namespace::rocketmq-namespace"
PATCH_URN = f"{STACK}::kubernetes:storage.k8s.io/v1:StorageClassPatch::storage-expansion"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}


def step(urn: str, inputs: dict[str, Any], provider: str = "") -> dict[str, Any]:
    return {"op": "create", "urn": urn, "newState": {"urn": urn, "inputs": inputs, "provider": f"{provider}::id"}}


DIGEST = {
    "steps": [
        step(AWS_URN, {"region": "ap-southeast-1", "profile": "prod"}),
        step(KUBERNETES_URN, {"kubeconfig": "the kubeconfig"}),
        step(ROLE_URN, {"name": "eks-ebs-csi-driver", "assumeRolePolicy": UNKNOWN}, AWS_URN),
        step(ADDON_URN, {"clusterName": "prod", "addonName": "aws-ebs-csi-driver"}, AWS_URN),
        step(OIDC_URN, {"url": "https://issuer/id/A"}, AWS_URN),
        step(NAMESPACE_URN, NAMESPACE, KUBERNETES_URN),
        step(PATCH_URN, {"kind": "StorageClass", "metadata": {"name": "gp2"}}, KUBERNETES_URN),
    ]
}
IMPORT_FILE = {
    "resources": [
        {"type": "eks-rocketmq:index:ExistingEksCluster", "name": "cluster", "component": True},
        {
            "type": "pulumi:providers:kubernetes",
            "name": "cluster-kubernetes",
            "parent": "cluster",
            "inputs": {"kubeconfig": "c"},
        },
        {"type": COMPONENT, "name": "ebs-csi", "component": True},
        {"type": ROLE_COMPONENT, "name": "ebs-csi-driver", "component": True, "parent": "ebs-csi"},
        {"type": ROLE, "name": "ebs-csi-driver-role", "id": PLACEHOLDER, "parent": "ebs-csi-driver"},
        {"type": ADDON, "name": "ebs-csi-addon", "id": PLACEHOLDER, "parent": "ebs-csi"},
        {"type": "eks-rocketmq:index:ClusterOidcProvider", "name": "oidc", "component": True},
        {"type": OIDC_PROVIDER, "name": "oidc-provider", "id": PLACEHOLDER, "parent": "oidc"},
        {"type": "eks-rocketmq:index:RocketMq", "name": "rocketmq", "component": True},
        {
            "type": "kubernetes:core/v1:Namespace",
            "name": "rocketmqNamespace",
            "logicalName": "rocketmq-namespace",
            "id": PLACEHOLDER,
            "parent": "rocketmq",
            "provider": "cluster-kubernetes",
        },
        {
            "type": "kubernetes:storage.k8s.io/v1:StorageClassPatch",
            "name": "storage-expansion",
            "id": PLACEHOLDER,
            "provider": "cluster-kubernetes",
        },
    ]
}
PLAN = read_plan(DIGEST, IMPORT_FILE, "prod", "eks-rocketmq")


class Account:
    """Answers look-ups for what it holds and notes with which settings it was asked."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        aws: dict[str, str],
        objects: tuple[str, ...] = (),
        owner: str = "",
        objection: str = "",
    ) -> None:
        self.asked: list[Any] = []
        self._objects = objects
        self._tags = {"eks-rocketmq/stack": owner} if owner else {}

        def find(session: Any, type_: str, inputs: Any) -> Found | None:
            del inputs
            self.asked.append(session())
            return Found(aws[type_], self._tags, objection) if type_ in aws else None

        monkeypatch.setattr(adopt, "find", find)
        monkeypatch.setattr(interrupted, "find", find)

    def session(self, provider: Any) -> Any:
        return dict(provider)

    def kubernetes(self, kubeconfig: str, inputs: Any) -> Found | None:
        self.asked.append(kubeconfig)
        id_ = kubernetes_id(inputs)
        return Found(id_, self._tags) if id_ in self._objects else None


def adopted(account: Account, plan: Plan = PLAN) -> adopt.Adoption:
    return adoption(plan, account.session, account.kubernetes)


def test_what_exists_is_imported_below_its_components_and_the_rest_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver", ADDON: "prod:aws-ebs-csi-driver"})
    result = adopted(account)
    assert result.found == [
        (ROLE, "ebs-csi-driver-role", "eks-ebs-csi-driver"),
        (ADDON, "ebs-csi-addon", "prod:aws-ebs-csi-driver"),
    ]
    (document,) = result.documents
    assert document["resources"] == [
        {"type": COMPONENT, "name": "ebs-csi", "component": True},
        {"type": ROLE_COMPONENT, "name": "ebs-csi-driver", "component": True, "parent": "ebs-csi"},
        {"type": ROLE, "name": "ebs-csi-driver-role", "id": "eks-ebs-csi-driver", "parent": "ebs-csi-driver"},
        {"type": ADDON, "name": "ebs-csi-addon", "id": "prod:aws-ebs-csi-driver", "parent": "ebs-csi"},
    ]


def test_an_existing_object_brings_the_provider_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={}, objects=("rocketmq", "gp2")))
    components, below = result.documents
    assert [spec["name"] for spec in components["resources"]] == ["cluster", "rocketmq"]
    assert [spec["name"] for spec in below["resources"]] == ["cluster-kubernetes", "rocketmqNamespace"]
    assert result.found == [("kubernetes:core/v1:Namespace", "rocketmqNamespace", "rocketmq")]


def test_account_and_cluster_are_asked_with_the_settings_of_the_stacks_own_providers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = Account(monkeypatch, aws={})
    assert adopted(account).found == []
    aws = {"region": "ap-southeast-1", "profile": "prod"}
    assert account.asked == [aws, aws, aws, "the kubeconfig"]


def test_nothing_exists_nothing_is_imported_not_even_components(monkeypatch: pytest.MonkeyPatch) -> None:
    assert adopted(Account(monkeypatch, aws={})).documents == []


def test_what_another_stack_manages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(monkeypatch, aws={ROLE: "driver"}, objects=("rocketmq",), owner="eks-rocketmq/staging")
    role, namespace = adopted(account).refused
    assert role.startswith("Role 'driver' belongs to stack 'eks-rocketmq/staging'. If stack")
    assert namespace.startswith("Namespace 'rocketmq' belongs to stack 'eks-rocketmq/staging'.")


@pytest.mark.parametrize(
    ("owner", "refused"),
    [("eks-rocketmq/staging", ["Service 'rocketmq/proxy' belongs to stack 'eks-rocketmq/staging'"]), ("", [])],
)
def test_what_is_in_the_namespace_of_another_stack_is_refused(owner: str, refused: list[str]) -> None:
    """The stack uses a namespace that it does not make, so the namespace itself is not in its plan."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "proxy", "namespace": "rocketmq"}}
    urn = f"{STACK}::kubernetes:core/v1:Service::proxy"
    spec = {"type": "kubernetes:core/v1:Service", "name": "proxy", "id": PLACEHOLDER, "provider": "cluster-kubernetes"}
    steps = {"steps": [step(KUBERNETES_URN, {"kubeconfig": "the kubeconfig"}), step(urn, service, KUBERNETES_URN)]}
    plan = read_plan(steps, {"resources": [spec]}, "prod", "eks-rocketmq")

    def cluster(kubeconfig: str, wanted: Any) -> Found:
        assert kubeconfig == "the kubeconfig"
        if wanted["kind"] == "Namespace":
            return Found("rocketmq", {"eks-rocketmq/stack": owner} if owner else {})
        return Found("rocketmq/proxy")

    result = adoption(plan, lambda _: pytest.fail("AWS was asked"), cluster)
    assert [reason.split(".", maxsplit=1)[0] for reason in result.refused] == refused
    assert [name for _, name, _ in result.found] == ["proxy"]


def test_what_a_lost_state_of_this_stack_had_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    result = adopted(Account(monkeypatch, aws={ROLE: "driver"}, owner="eks-rocketmq/prod"))
    assert (result.refused, result.found) == ([], [(ROLE, "ebs-csi-driver-role", "driver")])


def test_a_provider_below_a_component_is_imported_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # The engine makes the providers of an import file before its components, and a state in which a resource stands
    # before its parent is refused from then on.
    components, below = adopted(Account(monkeypatch, aws={}, objects=("rocketmq",))).documents
    assert "cluster-kubernetes" not in [spec["name"] for spec in components["resources"]]
    assert below["nameTable"] == {
        "cluster": f"{STACK}::eks-rocketmq:index:ExistingEksCluster::cluster",
        "rocketmq": f"{STACK}::eks-rocketmq:index:RocketMq::rocketmq",
    }


def test_a_plan_without_creates_has_nothing_to_adopt(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan({"steps": []}, {"nameTable": {}}, "prod", "eks-rocketmq")
    assert adopted(Account(monkeypatch, aws={ROLE: "x"}), plan).found == []


def test_a_parent_that_the_stack_has_already_gives_its_part_of_the_urn() -> None:
    spec = {"type": ROLE, "name": "ebs-csi-driver-role", "parent": "ebs-csi-driver"}
    parent = f"{STACK}::{COMPONENT}${ROLE_COMPONENT}::ebs-csi-driver"
    plan = Plan({}, {}, [spec], {"ebs-csi-driver": parent}, "prod", "eks-rocketmq")
    assert urn_of(spec, plan) == ROLE_URN


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"name": "gp2"}, "gp2"),
        ({"name": "broker", "namespace": "rocketmq"}, "rocketmq/broker"),
        ({}, None),
        (UNKNOWN, None),
        ({"name": UNKNOWN}, None),
        ({"name": "broker", "namespace": UNKNOWN}, None),
    ],
)
def test_the_id_of_an_object_is_its_place(metadata: Any, expected: str | None) -> None:
    assert kubernetes_id({"metadata": metadata}) == expected


DIFF = """\
Previewing update (prod):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:prod::eks-rocketmq::pulumi:pulumi:Stack::eks-rocketmq-prod]
    + eks-rocketmq:index:ClusterOidcProvider: (create)
        [urn=urn:pulumi:prod::eks-rocketmq::eks-rocketmq:index:ClusterOidcProvider::oidc]
            ~ aws:iam/role:Role: (update) 🔓
                [id=eks-ebs-csi-driver]
              ~ assumeRolePolicy: (json) {
                  + host:aud: "sts.amazonaws.com"
                }
    > kubernetes:storage.k8s.io/v1:StorageClass: (read)
        [id=gp2]
    +-kubernetes:apps/v1:StatefulSet: (replace)
        [id=rocketmq/brokers]
    --outputs:--
    clusterName: "prod"
Resources:
    + 29 to create
"""


def test_the_closing_diff_shows_what_changes_and_counts_the_rest() -> None:
    assert adopt.corrections(DIFF).splitlines() == [
        "Previewing update (prod):",
        "            ~ aws:iam/role:Role: (update) 🔓",
        "                [id=eks-ebs-csi-driver]",
        "              ~ assumeRolePolicy: (json) {",
        '                  + host:aud: "sts.amazonaws.com"',
        "                }",
        "    +-kubernetes:apps/v1:StatefulSet: (replace)",
        "        [id=rocketmq/brokers]",
        "Resources:",
        "    + 29 to create",
    ]


SERVED = {
    "/api/v1": [
        {"name": "namespaces/finalize", "kind": "Namespace", "namespaced": False},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False},
        {"name": "services", "kind": "Service", "namespaced": True},
    ],
    "/apis/storage.k8s.io/v1": [{"name": "storageclasses", "kind": "StorageClass", "namespaced": False}],
}


def manifest(version: str, kind: str, **metadata: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("inputs", "path", "id_"),
    [
        (NAMESPACE, "/api/v1/namespaces/rocketmq", "rocketmq"),
        (
            manifest("v1", "Service", name="proxy", namespace="rocketmq"),
            "/api/v1/namespaces/rocketmq/services/proxy",
            "rocketmq/proxy",
        ),
        (manifest("v1", "Service", name="proxy"), "/api/v1/namespaces/default/services/proxy", "proxy"),
        (
            manifest("storage.k8s.io/v1", "StorageClass", name="gp2"),
            "/apis/storage.k8s.io/v1/storageclasses/gp2",
            "gp2",
        ),
    ],
    ids=["cluster-wide", "in a namespace", "in the default namespace", "of a group"],
)
def test_the_cluster_says_whether_an_object_exists(api: Api, inputs: dict[str, Any], path: str, id_: str) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    assert clients.find_object(api.kubeconfig, inputs) is None
    api.objects[path] = {"metadata": {"name": "x", "annotations": {"team": "messaging"}}}
    assert clients.find_object(api.kubeconfig, inputs) == Found(id_, {"team": "messaging"})
    del api.objects[path]["metadata"]["annotations"]
    assert clients.find_object(api.kubeconfig, inputs) == Found(id_, {})


@pytest.mark.parametrize("version", ["v1", "monitoring.coreos.com/v1"], ids=["no such kind", "no such group"])
def test_of_a_kind_that_the_cluster_does_not_know_nothing_exists(api: Api, version: str) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    assert clients.find_object(api.kubeconfig, manifest(version, "PodMonitor", name="brokers")) is None


def test_a_cluster_that_refuses_to_say_what_exists_is_no_empty_one(api: Api) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    api.refuse("GET", "/api/v1/namespaces/rocketmq", 403, "Forbidden", "namespaces is forbidden")
    with pytest.raises(ForbiddenError, match="namespaces is forbidden"):
        clients.find_object(api.kubeconfig, NAMESPACE)


def test_a_cluster_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_api, "_SECONDS", (1, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = Api(f"http://127.0.0.1:{silent.getsockname()[1]}").kubeconfig
        with pytest.raises(MaxRetryError, match="Read timed out"):
            clients.find_object(kubeconfig, NAMESPACE)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


class Cli:
    """The command with an engine that is played: what it printed, and what it asked of the engine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.engine_calls: list[list[str]] = []
        self.skipped_preflight: list[bool] = []
        self.imported: dict[str, Any] = {}
        self.preview_result = (0, json.dumps(DIGEST), "")
        self.import_code = 0
        self.state: dict[str, Any] = {"version": 3, "deployment": {"resources": []}}
        self.restored: dict[str, Any] = {}
        (folder / "Pulumi.yaml").write_text("name: eks-rocketmq\n")
        monkeypatch.setattr(engine.shutil, "which", lambda _: "/opt/pulumi")
        monkeypatch.setattr(engine.subprocess, "run", self._run)
        monkeypatch.setattr(cli, "find_object", lambda *_: None)
        monkeypatch.setattr(cli, "aws_session", dict)

    def _run(self, argv: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.engine_calls.append(argv[1:])
        self.skipped_preflight.append(SKIP_VARIABLE in options["env"])
        assert argv[-3:] == ["--stack", "prod", "--non-interactive"]
        assert options["cwd"] == self.folder
        code, out, err = 0, "", ""
        if "--import-file" in argv:
            Path(argv[argv.index("--import-file") + 1]).write_text(json.dumps(IMPORT_FILE))
            code, out, err = self.preview_result
        elif argv[1:3] == ["stack", "export"]:
            out = json.dumps(self.state)
        elif argv[1:3] == ["stack", "import"]:
            self.restored = json.loads(Path(argv[argv.index("--file") + 1]).read_text())
        elif argv[1] == "import":
            self.imported = json.loads(Path(argv[argv.index("--file") + 1]).read_text())
            code = self.import_code
        return subprocess.CompletedProcess(argv, code, out, err)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli.app, ["adopt", "-s", "prod", "-C", str(self.folder), *arguments])


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, tmp_path)


def test_the_command_lists_imports_and_shows_what_the_next_update_corrects(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    result = command("--yes")
    assert result.exit_code == 0, result.output
    assert "eks-ebs-csi-driver" in result.output
    assert "The next `pulumi up -s prod` will correct this" in result.output
    _, preview, imported, diff = command.engine_calls
    assert preview[:3] == ["preview", "--json", "--show-sames"]
    assert imported[0] == "import"
    assert imported[3:7] == ["--yes", "--skip-preview", "--generate-code=false", "--protect=true"]
    assert diff[:2] == ["preview", "--diff"]
    assert [spec["name"] for spec in command.imported["resources"]] == [
        "ebs-csi",
        "ebs-csi-driver",
        "ebs-csi-driver-role",
    ]


def test_only_adoptions_own_plan_leaves_the_preflight_out(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    command("--yes")
    assert command.skipped_preflight == [False, True, False, False]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ({"owner": "eks-rocketmq/staging"}, "Role 'driver' belongs to stack 'eks-rocketmq/staging'"),
        ({"objection": "It would lose something."}, "It would lose something."),
    ],
)
def test_nothing_is_imported_when_a_part_of_it_must_not_be(
    command: Cli, monkeypatch: pytest.MonkeyPatch, account: dict[str, str], words: str
) -> None:
    Account(monkeypatch, aws={ROLE: "driver"}, **account)  # ty: ignore[invalid-argument-type]
    result = command("--yes")
    assert result.exit_code == 1
    assert "Nothing was imported, because this must not be imported as it is planned:" in result.output
    assert words in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_a_second_run_has_nothing_to_adopt(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={})
    result = command("--yes")
    assert result.exit_code == 0
    assert "Nothing to adopt" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_without_a_terminal_and_without_yes_nothing_is_imported(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    result = command()
    assert result.exit_code == 1
    assert "give --yes" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview"]


def test_the_engines_own_words_are_shown_when_the_plan_fails(command: Cli) -> None:
    diagnostics = [{"severity": "warning", "message": "w"}, {"severity": "error", "message": "no stack named 'prod'\n"}]
    command.preview_result = (255, json.dumps({"diagnostics": diagnostics}), "")
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi preview -s prod failed:\nno stack named 'prod'\n" in result.output


def test_the_engines_standard_error_is_shown_when_it_never_got_to_a_plan(command: Cli) -> None:
    command.preview_result = (255, "", "error: no Pulumi.yaml project file found\n")
    assert "no Pulumi.yaml project file found" in command("--yes").output


def test_a_failed_import_is_said_and_no_diff_follows(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    command.import_code = 1
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi import -s prod failed" in result.output
    assert [call[0] for call in command.engine_calls] == ["stack", "preview", "import"]


def test_what_a_killed_engine_was_at_is_taken_over_before_anything_is_planned(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={ROLE: "eks-ebs-csi-driver"})
    role = {"urn": "urn:pulumi:prod::p::aws:iam/role:Role::role", "type": ROLE, "inputs": {"name": "r"}, "provider": ""}
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": role}]

    result = command("--yes")

    assert "interrupted in the middle of 1 operations" in result.output
    assert "  taken over  role  aws:iam/role:Role\n      eks-ebs-csi-driver\n" in result.output
    assert [call[:2] for call in command.engine_calls[:3]] == [
        ["stack", "export"],
        ["stack", "import"],
        ["refresh", "--yes"],
    ]
    assert [resource["id"] for resource in command.restored["deployment"]["resources"]] == ["eks-ebs-csi-driver"]


def test_a_create_of_which_nobody_can_tell_is_named_and_the_state_stays_as_it_is(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    Account(monkeypatch, aws={})
    bucket = {"urn": "urn:pulumi:prod::p::a:b:C$aws:s3/bucket:Bucket::files", "type": "aws:s3/bucket:Bucket"}
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": bucket}]
    result = command("--yes")
    assert result.exit_code == 1
    assert "It cannot be told whether these were made:\n  files  aws:s3/bucket:Bucket\n" in result.output
    assert result.output.endswith("would make them a second time. Nothing was imported.\n")
    assert [call[:2] for call in command.engine_calls] == [["stack", "export"]]

    result = command("--yes", "--absent", "files")
    assert "  not made    files  aws:s3/bucket:Bucket\n" in result.output
    assert command.restored["deployment"]["resources"] == []


def created(type_: str, inputs: Any, *, account: Any = None, found: Found | None = None) -> list[Found] | None:
    return adopt.look_for_created(type_, inputs, {"kubeconfig": "c"}, (), account, lambda *_: found)


def test_what_is_nowhere_but_in_the_state_is_not_looked_for() -> None:
    assert created("random:index/randomPassword:RandomPassword", {}) == []
    assert created("pulumi:providers:aws", {}) == []
    assert created("kubernetes:storage.k8s.io/v1:StorageClassPatch", {}, found=Found("gp2")) == []


def test_an_object_that_was_made_is_found_unless_it_is_somebody_else_s() -> None:
    type_, mark = "kubernetes:core/v1:Namespace", {"eks-rocketmq/stack": "eks-rocketmq/prod"}
    assert created(type_, NAMESPACE, found=Found("rocketmq")) == [Found("rocketmq")]
    assert created(type_, {"metadata": {}}) is None
    marked = {"metadata": {"name": "rocketmq", "annotations": mark}}
    assert created(type_, marked, found=Found("rocketmq", mark)) == [Found("rocketmq", mark)]
    assert created(type_, marked, found=Found("rocketmq")) == []
    assert created(type_, marked) == []


def test_a_missing_pulumi_is_said_with_where_to_get_it(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.shutil, "which", lambda _: None)
    result = command("--yes")
    assert result.exit_code == 1
    assert "pulumi is not on PATH; install the Pulumi CLI" in result.output


@pytest.mark.parametrize(
    ("error", "words"),
    [(NoCredentialsError(), "Unable to locate credentials"), (AccountUnknownError("keys are secret"), "keys are s")],
)
def test_an_account_that_cannot_be_asked_is_said(
    command: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(adopt, "find", refuse)
    result = command("--yes")
    assert result.exit_code == 1
    assert f"AWS cannot be asked what exists: {words}" in result.output


def test_a_cluster_that_is_not_made_yet_is_not_asked() -> None:
    def ask(kubeconfig: str, inputs: Mapping[str, Any]) -> Found | None:
        pytest.fail(f"asked {kubeconfig} for {inputs}")

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}
    provider = {"kubeconfig": UNKNOWN}
    assert (
        look_up("kubernetes:core/v1:Namespace", namespace, provider, lambda _: pytest.fail("AWS was asked"), ask)
        is None
    )
