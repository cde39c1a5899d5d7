"""`eks-rocketmq destroy`: output, order of the engine calls, and protection of data."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOTokenLoadError
from kubernetes.client.exceptions import ApiException
from typer.testing import CliRunner, Result
from urllib3.exceptions import MaxRetryError

from eks_rocketmq.commands import cli, pulumi_cli
from eks_rocketmq.commands.destroy import NAMESPACE
from eks_rocketmq.lookups.aws_resources import CLUSTER, ROLE
from eks_rocketmq.lookups.aws_session import AccountUnknownError
from eks_rocketmq.lookups.volumes import Volume
from tests.unit.aws_script import refusal
from tests.unit.destroy_case import (
    BROKERS,
    DRIVER,
    KUBERNETES,
    OWN_NAMESPACE,
    ROOT,
    STACK_RESOURCE,
    STATE,
    export,
    resource,
    volume,
)


class Cli:
    """The command with a fake engine and a fake cluster.

    The driver has deleted its volumes after `slowness` lookups.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.unreachable: list[str] = []
        self.state = export(*STATE)
        self.volumes = [volume("one", "rocketmq/one"), volume("two", "rocketmq/two")]
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.imported: list[dict[str, Any]] = []
        self.slowness = 0
        self.failing = ""
        self.now = 0.0
        monkeypatch.setattr(pulumi_cli.shutil, "which", lambda _: "/opt/pulumi")
        monkeypatch.setattr(pulumi_cli.subprocess, "run", self._run)
        monkeypatch.setattr(cli, "list_volumes", self._list_volumes)
        monkeypatch.setattr(cli, "list_objects", self._list_objects)
        monkeypatch.setattr(
            cli, "get_last_warning", lambda _, name: "VolumeFailedDelete: denied" if "one" in name else ""
        )
        monkeypatch.setattr(cli.time, "sleep", self._sleep)
        monkeypatch.setattr(cli.time, "monotonic", lambda: self.now)

    def _run(self, argv: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        operation = " ".join(argv[1 : argv.index("--stack")])
        if operation.startswith("stack import"):
            self.imported.append(json.loads(Path(argv[argv.index("--file") + 1]).read_text()))
            operation = "stack import"
        self.log.append(operation)
        self.unreachable.append(options["env"].get("PULUMI_K8S_DELETE_UNREACHABLE", ""))
        out = json.dumps(self.state) if operation == "stack export" else f"the engine's words on {operation}"
        return subprocess.CompletedProcess(argv, int(operation == self.failing), out, "")

    def _list_volumes(self, provider: dict[str, Any]) -> list[Volume]:
        assert provider == {"kubeconfig": "the kubeconfig"}
        if FIRST in self.log:
            self.slowness -= 1
            self.log.append("look")
            if self.slowness < 0:
                return self.volumes[len(self.volumes) :]
            return [replace(each, has_claim=False, phase="Released") for each in self.volumes]
        return self.volumes

    def _list_objects(self, provider: dict[str, Any], namespaces: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
        assert provider == {"kubeconfig": "the kubeconfig"}
        assert namespaces == {"rocketmq"}
        return self.objects

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli.app, ["destroy", "-s", "prod", "-C", str(self.folder), *arguments])


PREVIEW = "destroy --preview-only"
FIRST = f"destroy --yes --skip-preview --target {ROOT['urn']} --target-dependents"
REST = "destroy --yes --skip-preview"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    return Cli(monkeypatch, tmp_path)


def test_deleted_volumes_are_listed_and_the_driver_is_destroyed_last(command: Cli) -> None:
    command.slowness = 2
    result = command("--yes")
    assert result.exit_code == 0, result.output
    assert command.log == ["stack export", "stack export", PREVIEW, FIRST, "look", "look", "look", REST]
    assert "the engine's words on destroy --preview-only" in result.output
    assert (
        "These volumes are deleted with stack prod, and what is on them is gone:\n  rocketmq/one  100Gi"
        in result.output
    )
    assert result.output.count("Waiting for the driver to delete its volumes, 2 to go") == 1


def test_retained_volumes_are_listed_with_the_reason(command: Cli) -> None:
    command.volumes = [volume("kept", "rocketmq/kept", reclaim_policy="Retain"), volume("others", "apps/data")]
    output = command("--yes").output
    assert "These volumes stay, because their reclaim policy is Retain:\n  rocketmq/kept" in output
    assert "These volumes of other workloads stay, but the driver that serves them goes:\n  apps/data" in output
    assert "are deleted" not in output


def in_namespace(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "rocketmq", "name": name, "uid": f"uid-{name}", **metadata}}


BROKER_LABELS = {
    "app": "rocketmq-broker",
    "app.kubernetes.io/name": "rocketmq",
    "app.kubernetes.io/component": "broker",
}
FOREIGN = {
    "PersistentVolumeClaim": [
        in_namespace("store-rocketmq-broker-0", labels={"app": "rocketmq-broker"}),
        in_namespace("data-broker-a-0", labels={"app": "rocketmq-broker"}),
        in_namespace("data-broker-a-left"),
        in_namespace("data-rocketmq-broker-gone-0", labels=BROKER_LABELS),
        in_namespace("leaving", deletionTimestamp="2026-11-28T10:00:00Z"),
    ],
    "StatefulSet": [in_namespace("broker-a"), in_namespace("rocketmq-broker")],
}


def test_a_namespace_with_foreign_brokers_is_not_destroyed(command: Cli) -> None:
    command.objects = FOREIGN
    result = command("--yes")
    assert result.exit_code == 1
    assert command.log == ["stack export", "stack export"]
    assert (
        "so nothing was deleted:\n"
        "  PersistentVolumeClaim rocketmq/store-rocketmq-broker-0\n"
        "  PersistentVolumeClaim rocketmq/data-broker-a-left\n"
        "  StatefulSet rocketmq/rocketmq-broker\n"
        "`eks-rocketmq destroy -s prod --keep-namespaces`"
    ) in result.output


def test_objects_of_an_operator_in_the_namespace_stop_the_destroy(command: Cli) -> None:
    """The owner is a custom resource, which is not listed."""
    elasticsearch = [{"kind": "Elasticsearch", "name": "logs", "uid": "uid-logs"}]
    command.objects = {
        "PersistentVolumeClaim": [in_namespace("data-logs-0", ownerReferences=elasticsearch)],
        "StatefulSet": [in_namespace("logs-es", ownerReferences=elasticsearch)],
    }
    result = command("--yes")
    assert result.exit_code == 1
    assert "  PersistentVolumeClaim rocketmq/data-logs-0\n  StatefulSet rocketmq/logs-es\n" in result.output
    assert command.log == ["stack export", "stack export"]


def test_objects_of_a_listed_owner_do_not_stop_the_destroy(command: Cli) -> None:
    backups = resource("kubernetes:batch/v1:CronJob", "backups", id="rocketmq/backups")
    command.state = export(*STATE, backups)
    owner = {"kind": "CronJob", "name": "backups", "uid": "uid-backups"}
    command.objects = {
        "Job": [in_namespace("backups-1", ownerReferences=[owner])],
        "CronJob": [in_namespace("backups")],
    }
    assert command("--yes").exit_code == 0


def test_the_namespace_and_its_contents_can_be_kept(command: Cli) -> None:
    command.objects = FOREIGN
    command.volumes = [volume("old", "rocketmq/store-rocketmq-broker-0"), volume("own", "rocketmq/data-broker-a-0")]
    result = command("--yes", "--keep-namespaces")
    assert result.exit_code == 0, result.output
    assert command.log[2:] == ["stack import", PREVIEW, FIRST, "look", REST]
    (state,) = command.imported
    kept = [each["type"] for each in state["deployment"]["resources"] if each.get("retainOnDelete")]
    assert kept == [NAMESPACE]
    assert (
        "These claims and their volumes stay, because their namespace stays, but the driver that serves them goes:\n"
        "  rocketmq/store-rocketmq-broker-0  100Gi  vol-old  pvc-old\n  rocketmq/data-broker-a-0"
    ) in result.output


def test_a_destroy_that_is_not_confirmed_leaves_the_state_as_it_was(command: Cli) -> None:
    result = command("--keep-namespaces")
    assert result.exit_code == 1
    assert command.log[2:] == ["stack import", PREVIEW, "stack import"]
    assert command.imported[-1] == command.state


def test_protected_resources_are_reported_before_anything_is_deleted(command: Cli) -> None:
    own = resource(CLUSTER, "staging", inputs={"deletionProtection": True})
    command.state = export(*STATE, BROKERS | {"protect": True}, own, own | {"protect": True})
    result = command("--yes")
    assert result.exit_code == 1
    assert command.log == ["stack export", "stack export"]
    assert (
        "  kubernetes:apps/v1:StatefulSet brokers is protected by the engine\n"
        "  aws:eks/cluster:Cluster staging is protected by EKS\n"
        "  aws:eks/cluster:Cluster staging is protected by the engine and by EKS\n"
    ) in result.output
    assert "rocketmq.protectData" in result.output
    assert "cluster.deletionProtection" in result.output


def test_a_cluster_that_is_gone_is_not_protected_by_eks(command: Cli) -> None:
    own = resource(CLUSTER, "staging", inputs={"deletionProtection": True})
    command.state = export(*STATE, own)
    assert command("--yes", "--cluster-gone").exit_code == 0
    command.state = export(*STATE, own | {"protect": True})
    result = command("--yes", "--cluster-gone")
    assert result.exit_code == 1
    assert "staging is protected by the engine\n" in result.output


@pytest.mark.parametrize("option", ["external", "retainOnDelete"])
def test_protected_resources_that_the_engine_retains_are_accepted(command: Cli, option: str) -> None:
    kept = resource(CLUSTER, "prod", inputs={"deletionProtection": True})
    command.state = export(*STATE, kept | {option: True}, kept | {"inputs": {"deletionProtection": False}})
    assert command("--yes").exit_code == 0


def test_a_failed_preview_deletes_nothing(command: Cli) -> None:
    command.failing = PREVIEW
    result = command("--yes")
    assert result.exit_code == 1
    assert "nothing was deleted:\nthe engine's words on destroy --preview-only" in result.output
    assert command.log[-1] == PREVIEW


def test_without_a_terminal_and_without_yes_nothing_is_destroyed(command: Cli) -> None:
    result = command()
    assert result.exit_code == 1
    assert "rocketmq/one  100Gi" in result.output
    assert "give --yes to destroy what is listed" in result.output
    assert command.log[-1] == PREVIEW


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_the_user_is_asked_for_confirmation(
    command: Cli, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    questions = []
    monkeypatch.setattr(cli, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(cli.typer, "confirm", lambda question: questions.append(question) or answer == "y")
    assert command().exit_code == code
    assert questions == ["Destroy stack prod and what is listed?"]
    assert (REST in command.log) is (answer == "y")


def test_a_timeout_keeps_the_driver_and_shows_its_warnings(command: Cli) -> None:
    command.slowness = 1000
    result = command("--yes", "--timeout", "3")
    assert result.exit_code == 1
    assert command.log[-1] == "look"
    assert 180 < command.now < 190
    assert "After 3 minutes these volumes are still there" in result.output
    assert "vol-one  pvc-one\n      VolumeFailedDelete: denied\n" in result.output
    assert "vol-two  pvc-two\n      Released\n" in result.output
    assert "run `eks-rocketmq destroy -s prod` again" in result.output


def test_a_failed_first_step_ends_the_command(command: Cli) -> None:
    command.failing = FIRST
    result = command("--yes")
    assert result.exit_code == 1
    assert command.log[-1] == FIRST
    assert "pulumi destroy -s prod failed" in result.output


def test_a_repeated_run_waits_for_volumes_and_destroys_the_rest(command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    command.state = export(STACK_RESOURCE, KUBERNETES, DRIVER)
    command.volumes = [volume(has_claim=False)]
    looks = iter([command.volumes, command.volumes, []])
    monkeypatch.setattr(cli, "list_volumes", lambda _: next(looks))
    result = command("--yes")
    assert result.exit_code == 0, result.output
    assert command.log == ["stack export", "stack export", PREVIEW, REST]
    assert "Waiting for the driver to delete its volumes, 1 to go" in result.output


def test_an_empty_stack_has_nothing_to_destroy(command: Cli) -> None:
    command.state = export()
    result = command("--yes")
    assert (result.exit_code, result.output) == (0, "Nothing to destroy: stack prod has no resources.\n")
    assert command.log == ["stack export", "stack export"]


@pytest.mark.parametrize("error", [ApiException(status=403, reason="Forbidden"), MaxRetryError(None, "/api")])  # ty: ignore[invalid-argument-type]
def test_an_unreachable_cluster_is_reported_with_the_remedy(
    command: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "list_volumes", fail)
    result = command("--yes")
    assert result.exit_code == 1
    assert "The cluster cannot be asked for its volumes" in result.output
    assert "takes the credentials of `aws sts get-caller-identity`" in result.output
    assert "`eks-rocketmq destroy -s prod --cluster-gone` destroys the rest without asking it" in result.output
    assert command.log[-1] == PREVIEW
    assert set(command.unreachable) == {""}


def test_a_deleted_cluster_is_not_queried_and_its_objects_leave_the_state(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Kubernetes provider forgets the objects of an unreachable cluster only if the variable is set."""

    def fail(*_: Any) -> None:
        raise MaxRetryError(None, "/api")  # ty: ignore[invalid-argument-type]

    monkeypatch.setattr(cli, "list_volumes", fail)
    monkeypatch.setattr(cli, "find_object", fail)
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": OWN_NAMESPACE}]
    result = command("--yes", "--cluster-gone")
    assert result.exit_code == 0, result.output
    page = "docs/how-to/destroy-a-stack-whose-cluster-is-gone.md"
    assert f"Its volumes stay in AWS; {page} says how to find and delete them." in result.output
    assert command.log[-2:] == [PREVIEW, REST]
    assert set(command.unreachable) == {"true"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NoCredentialsError(), "Unable to locate credentials"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY"),
        (ProfileNotFound(profile="prod"), "The config profile (prod) could not be found"),
        (SSOTokenLoadError(error_msg="Token for prod does not exist"), "Token for prod does not exist"),
        (refusal("ExpiredToken", "The security token included in the request is expired"), "is expired"),
        (AccountUnknownError("the AWS provider has keys that are secret"), "keys that are secret"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_aws_error_during_recovery_is_reported_and_keeps_the_state(
    command: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "create_session", fail)
    role = resource(ROLE, "role", inputs={"name": "eks-ebs-csi-driver"})
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": role}]
    result = command("--yes")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    problem, remedy = result.output.splitlines()
    assert problem.startswith("AWS cannot be asked what an interrupted update has made: ")
    assert text in problem
    assert remedy.startswith("Check the credentials that the stack works with (aws:profile, or the environment)")
    assert remedy.endswith("`aws sts get-caller-identity`, and run this again. Nothing was destroyed.")
    # The interrupted operations stay in the state for the next run.
    assert command.log == ["stack export"]


def test_a_cluster_error_during_recovery_is_reported_and_keeps_the_state(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ApiException(status=401, reason="Unauthorized")

    monkeypatch.setattr(cli, "find_object", fail)
    stateful_set = {**BROKERS, "inputs": {"metadata": {"name": "broker-a", "namespace": "rocketmq"}}}
    command.state["deployment"]["pending_operations"] = [{"type": "creating", "resource": stateful_set}]
    result = command("--yes")
    assert result.exit_code == 1
    assert "The cluster cannot be asked what an interrupted update has made: (401)" in result.output
    assert result.output.endswith("run this again. Nothing was destroyed.\n")
    assert command.log == ["stack export"]
