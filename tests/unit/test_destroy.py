"""Destroying: what goes first, which volumes are lost or kept, and that the driver stays until it has deleted them."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from typer.testing import CliRunner, Result
from urllib3.exceptions import MaxRetryError

from eks_rocketmq import cli, clients, engine, kubernetes_api
from eks_rocketmq.destroy import (
    CLAIM,
    EBS_ADDON,
    EBS_DRIVER,
    KUBERNETES_PROVIDER,
    NAMESPACE,
    STATEFUL_SET,
    Cluster,
    Teardown,
    Volume,
    awaited,
    losses,
    read_volumes,
    teardown,
)
from eks_rocketmq.eks.lookup import ADDON, CLUSTER
from tests.unit.kubernetes_api import serving

URN = "urn:pulumi:prod::eks-rocketmq"
ROCKETMQ = "eks-rocketmq:index:RocketMq"
GROUP = "eks-rocketmq:index:BrokerMembers"
PROVIDER = f"{URN}::{KUBERNETES_PROVIDER}::kubernetes"


def urn(type_: str, name: str) -> str:
    return f"{URN}::{type_}::{name}"


def resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    custom = not type_.startswith("eks-rocketmq:")
    provider = f"{PROVIDER}::id" if type_.startswith("kubernetes:") else ""
    return {"urn": urn(type_, name), "type": type_, "custom": custom, "provider": provider, **more}


STACK_RESOURCE = resource("pulumi:pulumi:Stack", "eks-rocketmq-prod")
KUBERNETES = resource(KUBERNETES_PROVIDER, "kubernetes", inputs={"kubeconfig": "the kubeconfig"})
DRIVER = resource(ADDON, "driver", inputs={"addonName": EBS_ADDON})
ROOT = resource(ROCKETMQ, "rocketmq")
OWN_NAMESPACE = resource(NAMESPACE, "namespace", id="rocketmq", parent=ROOT["urn"])
MEMBERS = resource(GROUP, "broker-a", parent=ROOT["urn"])
BROKERS = resource(STATEFUL_SET, "brokers", id="rocketmq/broker-a", parent=MEMBERS["urn"])
CONFIG_MAP = resource("kubernetes:core/v1:ConfigMap", "config", id="elsewhere/config")
STATE = [STACK_RESOURCE, KUBERNETES, DRIVER, ROOT, OWN_NAMESPACE, MEMBERS, BROKERS, CONFIG_MAP]


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def volume(name: str = "data", claim: str = "rocketmq/data", **more: Any) -> Volume:
    made = Volume(
        name=f"pvc-{name}",
        uid=f"uid-{name}",
        claim=claim,
        claimed=True,
        owned=False,
        size="100Gi",
        policy="Delete",
        phase="Bound",
        driver=EBS_DRIVER,
        handle=f"vol-{name}",
    )
    return replace(made, **more)


def cluster(*, owned: tuple[str, ...] = (), shared: tuple[str, ...] = (), claims: tuple[str, ...] = ()) -> Cluster:
    return Cluster({}, frozenset(owned), frozenset(owned + shared), frozenset(claims))


def test_rocketmq_goes_first_with_all_that_is_below_it_and_the_driver_stays() -> None:
    assert teardown(export(*STATE)) == Teardown(
        first=[ROOT["urn"]],
        clusters=[
            Cluster({"kubeconfig": "the kubeconfig"}, frozenset(["rocketmq"]), frozenset(["rocketmq"]), frozenset())
        ],
        removes_driver=True,
        held=[],
        empty=False,
    )


def test_whatever_makes_claims_outside_of_rocketmq_goes_first_too() -> None:
    claim = resource(CLAIM, "claim", id="data")
    other = resource(STATEFUL_SET, "other", id="apps/other")
    plan = teardown(export(*STATE, claim, other))
    assert plan.first == [ROOT["urn"], claim["urn"], other["urn"]]
    (found,) = plan.clusters
    assert found.owned_namespaces == {"rocketmq"}
    assert found.namespaces == {"rocketmq", "apps", "default"}
    assert found.claims == {"default/data"}


@pytest.mark.parametrize("option", ["external", "retainOnDelete"])
def test_what_the_engine_leaves_alone_takes_no_volume_along(option: str) -> None:
    kept = [OWN_NAMESPACE | {option: True}, DRIVER | {option: True}]
    plan = teardown(export(STACK_RESOURCE, KUBERNETES, ROOT, *kept, MEMBERS, BROKERS))
    assert not plan.removes_driver
    assert plan.clusters[0].owned_namespaces == frozenset()
    assert plan.clusters[0].namespaces == {"rocketmq"}


def test_another_addon_is_not_the_driver() -> None:
    assert not teardown(export(KUBERNETES, resource(ADDON, "dns", inputs={"addonName": "coredns"}))).removes_driver


def test_a_run_after_an_interrupted_one_still_looks_for_volumes_while_the_driver_is_there() -> None:
    plan = teardown(export(STACK_RESOURCE, KUBERNETES, DRIVER))
    assert plan.first == []
    assert plan.clusters == [Cluster({"kubeconfig": "the kubeconfig"}, frozenset(), frozenset(), frozenset())]
    assert teardown(export(STACK_RESOURCE, KUBERNETES)).clusters == []


@pytest.mark.parametrize("document", [{}, {"deployment": None}, {"deployment": {}}])
def test_a_stack_without_resources_is_empty(document: dict[str, Any]) -> None:
    assert teardown(document) == Teardown(first=[], clusters=[], removes_driver=False, held=[], empty=True)


@pytest.mark.parametrize(
    ("found", "where", "expected"),
    [
        (volume(), cluster(owned=("rocketmq",)), "going"),
        (volume(policy="Retain"), cluster(owned=("rocketmq",)), "retained"),
        (volume(), cluster(shared=("rocketmq",)), "staying"),
        (volume(), cluster(shared=("rocketmq",), claims=("rocketmq/data",)), "going"),
        (volume(owned=True), cluster(shared=("rocketmq",)), "going"),
        (volume(claimed=False), cluster(shared=("rocketmq",)), "going"),
        (volume(claimed=False, policy="Retain"), cluster(shared=("rocketmq",)), "retained"),
        (volume(), cluster(owned=("other",)), "others"),
        (volume(claimed=False), cluster(), "going"),
        (volume(claim="", claimed=False), cluster(), "others"),
        (volume(driver="efs.csi.aws.com"), cluster(), None),
    ],
)
def test_what_becomes_of_a_volume(found: Volume, where: Cluster, expected: str | None) -> None:
    lost = losses([(where, [found])], removes_driver=True)
    assert {kind: volumes for kind, volumes in vars(lost).items() if volumes} == (
        {expected: [found]} if expected else {}
    )


def test_volumes_of_others_do_not_matter_while_their_driver_stays() -> None:
    lost = losses([(cluster(), [volume(), volume(claimed=False)])], removes_driver=False)
    assert not any(vars(lost).values())


def test_the_driver_is_kept_for_what_it_was_to_delete_and_for_what_others_left_it() -> None:
    lost, others, bound, retained = (
        volume("lost", claimed=False),
        volume("others", claim="apps/data", claimed=False),
        volume("bound"),
        volume("retained", claimed=False, policy="Retain"),
    )
    now = [lost, others, bound, retained]
    assert awaited(now, [lost], removes_driver=True) == [lost, others]
    assert awaited(now, [lost], removes_driver=False) == [lost]
    assert awaited([others, bound, retained], [lost], removes_driver=True) == [others]


def test_a_claim_that_goes_with_its_set_is_awaited_though_it_is_still_there() -> None:
    assert awaited([volume()], [volume()], removes_driver=True) == [volume()]


def test_a_volume_that_a_person_retains_meanwhile_is_not_awaited() -> None:
    assert awaited([volume(policy="Retain", claimed=False)], [volume()], removes_driver=True) == []


def persistent_volume(name: str, source: dict[str, Any], claim_uid: str | None = "claim-1") -> dict[str, Any]:
    claim = {"claimRef": {"namespace": "rocketmq", "name": "data", "uid": claim_uid}} if claim_uid else {}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {"capacity": {"storage": "100Gi"}, "persistentVolumeReclaimPolicy": "Delete", **claim, **source},
        "status": {"phase": "Bound"},
    }


CSI = {"csi": {"driver": EBS_DRIVER, "volumeHandle": "vol-1"}}
IN_TREE = {"awsElasticBlockStore": {"volumeID": "vol-1"}}


@pytest.mark.parametrize(
    ("source", "driver", "handle"),
    [(CSI, EBS_DRIVER, "vol-1"), (IN_TREE, EBS_DRIVER, "vol-1"), ({"nfs": {}}, "", "")],
    ids=["csi", "in-tree", "another"],
)
def test_driver_and_id_of_a_volume(source: dict[str, Any], driver: str, handle: str) -> None:
    (found,) = read_volumes([persistent_volume("pv", source)], [])
    assert (found.driver, found.handle) == (driver, handle)
    assert str(found) == f"rocketmq/data  100Gi  {handle}  pv"


@pytest.mark.parametrize(
    ("metadata", "claimed", "owned"),
    [
        ({"uid": "claim-1"}, True, False),
        ({"uid": "claim-1", "deletionTimestamp": "2026-11-24T10:00:00Z"}, False, False),
        ({"uid": "claim-1", "ownerReferences": [{"kind": "StatefulSet"}]}, True, True),
        ({"uid": "a new claim of the same name"}, False, False),
    ],
    ids=["there", "being deleted", "owned", "another"],
)
def test_the_claim_of_a_volume(metadata: dict[str, Any], claimed: bool, owned: bool) -> None:
    (found,) = read_volumes([persistent_volume("pv", CSI)], [{"metadata": metadata}])
    assert (found.claimed, found.owned, found.claim) == (claimed, owned, "rocketmq/data")


def test_a_volume_that_nobody_claimed() -> None:
    (found,) = read_volumes([persistent_volume("pv", CSI, claim_uid=None)], [])
    assert (found.claim, found.claimed) == ("", False)


@pytest.mark.parametrize("given_as", ["content", "path", "environment"])
def test_the_cluster_is_asked_as_the_stacks_own_provider_would(
    given_as: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = [
        {"metadata": {"resourceVersion": version}, "reason": "VolumeFailedDelete", "message": f"try {version}"}
        for version in ("9", "10")
    ]
    kubernetes_api.api.cache_clear()
    with serving() as api:
        api.objects["/api/v1/persistentvolumes"] = {"items": [persistent_volume("pv", CSI)]}
        api.objects["/api/v1/persistentvolumeclaims"] = {"items": [{"metadata": {"uid": "claim-1"}}]}
        api.objects["/api/v1/events"] = {"items": warnings}
        file = tmp_path / "kubeconfig"
        file.write_text(api.kubeconfig)
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        provider = {"content": {"kubeconfig": api.kubeconfig}, "path": {"kubeconfig": str(file)}}.get(given_as, {})

        (found,) = clients.list_volumes(provider | {"context": "x"})

        assert (found.name, found.claimed) == ("pv", True)
        assert clients.last_warning(provider | {"context": "x"}, "pv") == "VolumeFailedDelete: try 10"
        assert api.requests[-1].query["fieldSelector"] == (
            "involvedObject.kind=PersistentVolume,involvedObject.name=pv,type=Warning"
        )
        api.objects["/api/v1/events"] = {"items": []}
        assert clients.last_warning(provider | {"context": "x"}, "pv") == ""


class Cli:
    """The command with an engine and a cluster that are played; the driver has deleted its volumes after `slowness`
    looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.state = export(*STATE)
        self.volumes = [volume("one", "rocketmq/one"), volume("two", "rocketmq/two")]
        self.slowness = 0
        self.failing = ""
        self.now = 0.0
        monkeypatch.setattr(engine.shutil, "which", lambda _: "/opt/pulumi")
        monkeypatch.setattr(engine.subprocess, "run", self._run)
        monkeypatch.setattr(cli, "list_volumes", self._list_volumes)
        monkeypatch.setattr(cli, "last_warning", lambda _, name: "VolumeFailedDelete: denied" if "one" in name else "")
        monkeypatch.setattr(cli.time, "sleep", self._sleep)
        monkeypatch.setattr(cli.time, "monotonic", lambda: self.now)

    def _run(self, argv: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        deed = " ".join(argv[1 : argv.index("--stack")])
        self.log.append(deed)
        out = json.dumps(self.state) if deed == "stack export" else f"the engine's words on {deed}"
        return subprocess.CompletedProcess(argv, int(deed == self.failing), out, "")

    def _list_volumes(self, provider: dict[str, Any]) -> list[Volume]:
        assert provider == {"kubeconfig": "the kubeconfig"}
        if FIRST in self.log:
            self.slowness -= 1
            self.log.append("look")
            if self.slowness < 0:
                return self.volumes[len(self.volumes) :]
            return [replace(each, claimed=False, phase="Released") for each in self.volumes]
        return self.volumes

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


def test_the_command_shows_what_is_lost_and_destroys_the_driver_after_its_last_volume(command: Cli) -> None:
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


def test_what_stays_is_listed_with_its_reason(command: Cli) -> None:
    command.volumes = [volume("kept", "rocketmq/kept", policy="Retain"), volume("others", "apps/data")]
    output = command("--yes").output
    assert "These volumes stay, because their reclaim policy is Retain:\n  rocketmq/kept" in output
    assert "These volumes of other workloads stay, but the driver that serves them goes:\n  apps/data" in output
    assert "are deleted" not in output


def test_what_is_protected_is_named_with_its_settings_before_anything_is_deleted(command: Cli) -> None:
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
    assert "protectData" in result.output
    assert "deletionProtection" in result.output


@pytest.mark.parametrize("option", ["external", "retainOnDelete"])
def test_what_the_engine_leaves_alone_may_be_protected(command: Cli, option: str) -> None:
    kept = resource(CLUSTER, "prod", inputs={"deletionProtection": True})
    command.state = export(*STATE, kept | {option: True}, kept | {"inputs": {"deletionProtection": False}})
    assert command("--yes").exit_code == 0


def test_the_engines_refusal_comes_before_anything_is_deleted(command: Cli) -> None:
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
def test_a_person_is_asked(command: Cli, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    asked = []
    monkeypatch.setattr(cli, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(cli.typer, "confirm", lambda question: asked.append(question) or answer == "y")
    assert command().exit_code == code
    assert asked == ["Destroy stack prod and what is listed?"]
    assert (REST in command.log) is (answer == "y")


def test_the_driver_is_kept_when_a_volume_stays_and_the_driver_is_quoted(command: Cli) -> None:
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


def test_a_run_after_an_interrupted_one_waits_and_destroys_the_rest(
    command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.state = export(STACK_RESOURCE, KUBERNETES, DRIVER)
    command.volumes = [volume(claimed=False)]
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
def test_a_cluster_that_does_not_answer_is_said_with_the_way_out(
    command: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "list_volumes", refuse)
    result = command("--yes")
    assert result.exit_code == 1
    assert "The cluster cannot be asked for its volumes" in result.output
    assert "`pulumi destroy -s prod` destroys without asking it" in result.output
    assert command.log[-1] == PREVIEW
