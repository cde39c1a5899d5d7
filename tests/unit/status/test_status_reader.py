"""Reader: a fake API server and recorded answers give the facts of the healthy deployment."""

from dataclasses import replace

import pytest
from kubernetes.client.exceptions import ApiException

from eks_rocketmq.doctor.facts.cluster_facts import Unreadable
from eks_rocketmq.lookups.kubernetes_quantities import parse_quantity
from eks_rocketmq.status.status_facts import PodAnswers, StatusFacts
from eks_rocketmq.status.status_findings import judge_status
from eks_rocketmq.status.status_parsers import parse_claim, parse_pod, parse_workload
from eks_rocketmq.status.status_reader import StatusReader
from tests.unit.kubernetes_api import Api
from tests.unit.status.status_case import GIB, IDENTITY, FakePods, build_facts, fill_cluster


@pytest.fixture
def api(api: Api) -> Api:
    fill_cluster(api)
    return api


def read(api: Api, pods: FakePods) -> StatusFacts:
    reader = StatusReader({"kubeconfig": api.kubeconfig}, "rocketmq", "prod", pods)
    return reader.read(lambda: IDENTITY)


def test_the_facts_are_those_of_the_deployment(api: Api) -> None:
    pods = FakePods()
    found = read(api, pods)
    assert api.writes() == []
    assert {each.query.get("labelSelector") for each in api.requests if "pods" in each.path} == {
        "app.kubernetes.io/part-of=rocketmq"
    }
    expected = build_facts(read_at=found.read_at)
    assert found.workloads == expected.workloads
    assert found.pods == expected.pods
    assert found.claims == expected.claims
    assert found.zones is None
    end = 1894694400.0
    for name, answers in expected.answers.items():
        assert isinstance(answers, PodAnswers)
        has_end = answers.certificate_end is not None
        assert found.answers[name] == replace(answers, certificate_end=end if has_end else None), name
    assert judge_status(found) == []
    assert len(pods.asked) == 11


def test_a_pod_that_does_not_run_is_not_asked(api: Api) -> None:
    pods = FakePods()
    status = api.objects["/api/v1/namespaces/rocketmq/pods/rocketmq-broker-a-2"]["status"]
    status["containerStatuses"][0] |= {"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    found = read(api, pods)
    assert "rocketmq-broker-a-2" not in pods.asked
    assert isinstance(found.pods, tuple)
    assert [each.reason for each in found.pods if not each.ready] == ["CrashLoopBackOff"]


def test_a_refused_exec_names_the_missing_permission(api: Api) -> None:
    found = read(api, FakePods(refusal=ApiException(403, "cannot get resource pods/exec")))
    fact = found.answers["rocketmq-broker-a-0"]
    assert fact == Unreadable(
        "exec in pod rocketmq-broker-a-0", "get and create pods/exec", "403 cannot get resource pods/exec"
    )


def test_a_failed_exec_is_unreadable_for_its_pod_alone(api: Api) -> None:
    found = read(api, FakePods(silent={"rocketmq-broker-a-1"}))
    unreadable = {name: each for name, each in found.answers.items() if isinstance(each, Unreadable)}
    assert unreadable == {
        "rocketmq-broker-a-1": Unreadable("exec in pod rocketmq-broker-a-1", "", "container not found")
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/apis/apps/v1/namespaces/rocketmq/statefulsets", "workloads"),
        ("/apis/apps/v1/namespaces/rocketmq/deployments", "workloads"),
        ("/api/v1/namespaces/rocketmq/pods", "pods"),
        ("/api/v1/namespaces/rocketmq/persistentvolumeclaims", "claims"),
        ("/api/v1/nodes", "zones"),
    ],
)
def test_a_refused_list_names_the_missing_permission(api: Api, path: str, field: str) -> None:
    api.refuse("GET", path, 403, "Forbidden", "no")
    found = getattr(read(api, FakePods()), field)
    assert isinstance(found, Unreadable)
    assert found.permission.startswith("list ")


@pytest.mark.parametrize(
    ("text", "size"),
    [("100Gi", 100 * GIB), ("1.5Ti", 1536 * GIB), ("10G", 10**10), ("128974848", 128974848), ("", 0), ("x", 0)],
)
def test_a_quantity_is_a_number_of_bytes(text: str, size: int) -> None:
    assert parse_quantity(text) == size


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"containerStatuses": [{"name": "broker", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
         "ImagePullBackOff"),
        ({"containerStatuses": [{"name": "broker", "state": {"terminated": {"reason": "OOMKilled"}}}]}, "OOMKilled"),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}, "Unschedulable"),
        ({"containerStatuses": [{"name": "broker", "started": False, "state": {"running": {}}}]}, "starting"),
        ({"containerStatuses": [{"name": "broker", "started": True, "state": {"running": {}}}]}, "not ready"),
        ({"phase": "Pending"}, "Pending"),
        ({}, "Unknown"),
    ],
)  # fmt: skip
def test_a_pod_says_why_it_is_not_ready(status: dict, reason: str) -> None:
    manifest = {
        "metadata": {"name": "p", "labels": {"app.kubernetes.io/component": "broker"}},
        "spec": {"containers": [{"name": "broker"}]},
        "status": status,
    }
    found = parse_pod(manifest, {})
    assert (found.ready, found.reason) == (False, reason)


def test_a_pod_that_leaves_is_not_ready(api: Api) -> None:
    pod = api.objects["/api/v1/namespaces/rocketmq/pods/rocketmq-broker-a-0"]
    assert parse_pod(pod, {}).ready
    pod["metadata"]["deletionTimestamp"] = "2026-11-29T08:00:00Z"
    found = parse_pod(pod, {})
    assert (found.ready, found.running, found.reason) == (False, True, "Terminating")


@pytest.mark.parametrize(
    ("requested", "status", "step", "error"),
    [
        ("200Gi", {}, "the volume has not begun to grow", ""),
        ("200Gi", {"conditions": [{"type": "Resizing", "status": "True"}]}, "the volume grows", ""),
        ("200Gi", {"conditions": [{"type": "FileSystemResizePending", "status": "True"}]},
         "the file system grows next", ""),
        ("200Gi", {"conditions": [{"type": "ControllerResizeError", "status": "True", "message": "rate exceeded"}]},
         "the volume has not begun to grow", "rate exceeded"),
        ("200Gi", {"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}},
         "the volume has not begun to grow", "ControllerResizeInfeasible"),
        ("100Gi", {"conditions": [{"type": "Resizing", "status": "False"}]}, "", ""),
    ],
)  # fmt: skip
def test_a_claim_says_how_far_its_growth_is(requested: str, status: dict, step: str, error: str) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"resources": {"requests": {"storage": requested}}},
        "status": {"phase": "Bound", "capacity": {"storage": "100Gi"}, **status},
    }
    found = parse_claim(claim)
    assert (found.resizing, found.resize_error) == (step, error)


def test_pods_of_an_older_revision_are_counted(api: Api) -> None:
    sets = api.objects["/apis/apps/v1/namespaces/rocketmq/statefulsets/rocketmq-broker-a"]
    pods = [each for path, each in api.objects.items() if "/pods/rocketmq-broker-a" in path]
    assert parse_workload("StatefulSet", sets, pods).updated == 3
    pods[0]["metadata"]["labels"]["controller-revision-hash"] = "r1"
    assert parse_workload("StatefulSet", sets, pods).updated == 2
    sets["metadata"]["generation"] = 3
    assert parse_workload("StatefulSet", sets, pods).updated == 0
