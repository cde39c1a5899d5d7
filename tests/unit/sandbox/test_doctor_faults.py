"""Faults of the doctor's catalogue: the table is complete, and what was made is taken back in order."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes_validate
import pytest

from eks_rocketmq.args.kubernetes_names import POD_IDENTITY_AGENT
from eks_rocketmq.doctor.catalogue.causes import CAUSES
from eks_rocketmq.doctor.collectors.kubernetes_parsers import parse_workload
from eks_rocketmq.doctor.facts.cluster_facts import ENVIRONMENT
from sandbox.doctor_faults import fault_table, made_faults, pod_identity_agent, probe_claim, snapshot_objects
from sandbox.doctor_faults.fault_context import FaultError
from sandbox.doctor_faults.fault_table import FAULTS, NOT_MADE, Fault

CAUSE = "role-missing"


def test_each_cause_of_the_catalogue_is_made_or_has_a_reason() -> None:
    made = {each.cause for each in FAULTS.values()}
    assert made | NOT_MADE.keys() == CAUSES.keys()
    assert not made & NOT_MADE.keys()


MANIFESTS = (
    pod_identity_agent.build_daemon_set(),
    *snapshot_objects.build_definitions(),
    probe_claim.claim(dataSource=snapshot_objects.DATA_SOURCE),
)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: each["metadata"]["name"])
def test_manifests_of_faults_are_valid_kubernetes_objects(manifest: Any) -> None:
    kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_snapshot_and_its_content_name_each_other_and_the_snapshot_of_ec2() -> None:
    content, snapshot = snapshot_objects.bind_snapshot("snap-1")
    reference = content["spec"]["volumeSnapshotRef"]
    assert content["status"]["snapshotHandle"] == content["spec"]["source"]["snapshotHandle"] == "snap-1"
    assert reference == {name: snapshot["metadata"][name] for name in ("name", "namespace")}
    assert snapshot["status"]["boundVolumeSnapshotContentName"] == content["metadata"]["name"]
    assert snapshot_objects.DATA_SOURCE["name"] == snapshot["metadata"]["name"]


def test_doctor_reads_the_silent_agent_and_the_variables_of_its_pods() -> None:
    manifest = pod_identity_agent.build_daemon_set()
    agent = parse_workload("DaemonSet", {**manifest, "status": {"desiredNumberScheduled": 3, "numberReady": 3}})
    assert agent is not None
    assert (agent.name, agent.ready) == (POD_IDENTITY_AGENT, 3)
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in {*ENVIRONMENT} & {*pod_identity_agent.VARIABLES}


def test_each_fault_has_its_own_name() -> None:
    assert len(FAULTS) == len(fault_table._FAULTS)


@dataclass(frozen=True)
class Store:
    """Resource of a fake sandbox: one value."""

    name: str

    def save(self, context: Any) -> Any:
        return context.values.get(self.name)

    def restore(self, context: Any, saved: Any) -> None:
        context.restored.append(self.name)
        context.values[self.name] = saved


def write(name: str, value: str) -> Any:
    return lambda context: context.values.update({name: value})


def fail(context: Any) -> None:
    context.values["a"] = "half"
    raise FaultError("the API does not answer")


TABLE = {
    "first": Fault("first", CAUSE, (Store("a"), Store("b")), write("a", "1")),
    "second": Fault("second", CAUSE, (Store("a"),), write("a", "2")),
    "other": Fault("other", CAUSE, (Store("c"),), write("c", "3")),
    "failing": Fault("failing", CAUSE, (Store("a"),), fail),
}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(made_faults, "FAULTS", TABLE)
    monkeypatch.setattr(made_faults, "inside", lambda _: nullcontext())
    instance = SimpleNamespace(root=tmp_path, control_netns="none")
    return SimpleNamespace(instance=instance, values={"a": "0"}, restored=[])


def test_mend_takes_all_faults_back_the_latest_first(context: Any) -> None:
    for name in ("first", "second", "other"):
        made_faults.make(context, name)
    assert context.values == {"a": "2", "c": "3"}

    assert made_faults.mend(context) == ["other", "second", "first"]

    assert context.values == {"a": "0", "b": None, "c": None}
    assert context.restored == ["c", "a", "b", "a"]
    assert made_faults.list_made(context.instance) == []


def test_one_fault_is_mended_alone(context: Any) -> None:
    made_faults.make(context, "first")
    made_faults.make(context, "other")
    assert made_faults.mend(context, "first") == ["first"]
    assert made_faults.list_made(context.instance) == ["other"]
    assert context.values["a"] == "0"


def test_fault_below_a_later_one_is_not_mended(context: Any) -> None:
    made_faults.make(context, "first")
    made_faults.make(context, "second")
    with pytest.raises(FaultError, match="second was made after first and changes the same resource"):
        made_faults.mend(context, "first")
    assert context.values["a"] == "2"


def test_fault_that_failed_halfway_is_mended(context: Any) -> None:
    with pytest.raises(FaultError, match="does not answer"):
        made_faults.make(context, "failing")
    assert made_faults.mend(context) == ["failing"]
    assert context.values["a"] == "0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("first", "first is made already; `sandbox mend first` takes it back"),
        ("unknown", "there is no fault 'unknown'"),
        ("oidc-thumbprint", "the sandbox cannot make oidc-thumbprint: the STS of the sandbox knows the signing key"),
    ],
)
def test_other_name_is_rejected(context: Any, name: str, message: str) -> None:
    made_faults.make(context, "first")
    with pytest.raises(FaultError, match=message):
        made_faults.make(context, name)


def test_mend_of_a_fault_that_was_not_made_is_rejected(context: Any) -> None:
    made_faults.make(context, "other")
    with pytest.raises(FaultError, match="first is not made; made are: other"):
        made_faults.mend(context, "first")
