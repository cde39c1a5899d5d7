"""Readiness rules and error messages of the kubernetes stand-in, as in the released provider."""

from typing import Any

import pytest

from sandbox.engine.kubernetes.readiness import pods
from sandbox.engine.kubernetes.readiness.claim import ClaimRule
from sandbox.engine.kubernetes.readiness.deployment import DeploymentRule
from sandbox.engine.kubernetes.readiness.job import JobRule
from sandbox.engine.kubernetes.readiness.rule import Related
from sandbox.engine.kubernetes.readiness.service import ServiceRule
from sandbox.engine.kubernetes.readiness.stateful_set import StatefulSetRule
from sandbox.engine.kubernetes.readiness.wait_for import WaitForRule
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.values import JsonObject

OWNED = {"ownerReferences": [{"uid": "u"}]}


def stateful_set(generation: int = 1, strategy: str = "RollingUpdate", **status: Any) -> JsonObject:
    return {
        "metadata": {"name": "st", "namespace": "ns", "uid": "u", "generation": generation},
        "spec": {"replicas": 2, "updateStrategy": {"type": strategy}},
        "status": {"observedGeneration": generation, "currentRevision": "a", "updateRevision": "a", **status},
    }


def pod(owner: str = "u", *, scheduled: bool = True, state: JsonObject | None = None, **container: Any) -> JsonObject:
    conditions = [{"type": "PodScheduled", "status": "True" if scheduled else "False", "message": "0/3 nodes"}]
    if scheduled:
        conditions += [
            {"type": "Initialized", "status": "True"},
            {
                "type": "Ready",
                "status": "False",
                "reason": "ContainersNotReady",
                "message": "containers with unready status: [c]",
            },
        ]
    return {
        "metadata": {"name": "p", "namespace": "ns", "ownerReferences": [{"uid": owner}]},
        "status": {
            "phase": "Pending",
            "conditions": conditions,
            "containerStatuses": [{"name": "c", "ready": False, "state": state or {}, **container}],
        },
    }


BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}}
EXITED = {"terminated": {"reason": "Error", "exitCode": 3, "finishedAt": "2026-11-24T10:00:00Z"}}
NOT_READY = "[Pod ns/p]: containers with unready status: [c]"


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2}, True),
        ({"replicas": 2, "readyReplicas": 1, "currentReplicas": 2}, False),
        ({"replicas": 3, "readyReplicas": 2, "currentReplicas": 2}, False),
        ({"replicas": 2, "readyReplicas": 2, "currentReplicas": 1}, False),
        ({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "updateRevision": "b"}, False),
        ({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "observedGeneration": 0}, False),
        ({}, False),
    ],
)
def test_stateful_set_is_ready_when_all_replicas_are_ready_and_current(status: JsonObject, done: bool) -> None:
    live = stateful_set(**status)
    assert StatefulSetRule(live).observe(live, {}, 0).done is done


def test_stateful_set_reports_its_progress() -> None:
    created = stateful_set(1)
    rule = StatefulSetRule(created)
    assert rule.first_lines == ("[1/2] Waiting for StatefulSet to create Pods (0/0 Pods ready)",)
    live = stateful_set(1, replicas=2, readyReplicas=1, updatedReplicas=2)
    assert rule.observe(live, {}, 0).lines == ["[1/2] Waiting for StatefulSet to create Pods (1/2 Pods ready)"]
    rolling = stateful_set(2, replicas=2, readyReplicas=2, updatedReplicas=1, updateRevision="b")
    rule = StatefulSetRule(rolling)
    assert rule.observe(rolling, {}, 0).lines == ["[1/3] Waiting for StatefulSet update to roll out (1/2 Pods ready)"]
    rolled = stateful_set(2, replicas=2, readyReplicas=2, currentReplicas=2, updatedReplicas=2, updateRevision="b")
    assert rule.observe(rolled, {}, 0).lines == ["[2/3] Waiting for StatefulSet to update .status.currentRevision"]


def test_status_before_an_update_is_ignored() -> None:
    ready: dict[str, Any] = {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2}
    rule = StatefulSetRule(stateful_set(3))
    assert not rule.observe(stateful_set(2, **ready), {}, 0).done
    assert rule.observe(stateful_set(3, **ready), {}, 0).done


def test_on_delete_strategy_does_not_wait_for_the_revision() -> None:
    live = stateful_set(2, "OnDelete", replicas=2, readyReplicas=2, updateRevision="b")
    assert StatefulSetRule(live).observe(live, {}, 0).done


def test_pending_claim_is_not_reported() -> None:
    """The released provider reports only this line for the original incident."""
    live = stateful_set(1, replicas=2)
    rule = StatefulSetRule(stateful_set(1))
    rule.observe(live, {}, 0)
    assert rule.errors(live, {"Pod": [pod(scheduled=False)]}) == [
        "0 out of 2 replicas succeeded readiness checks",
    ]


def test_missing_revision_is_reported() -> None:
    live = stateful_set(2, replicas=2, readyReplicas=1, updatedReplicas=1, updateRevision="b")
    rule = StatefulSetRule(live)
    rule.observe(live, {}, 0)
    assert rule.errors(live, {}) == [
        "1 out of 2 replicas succeeded readiness checks",
        'StatefulSet controller failed to advance from revision "a" to revision "b"',
    ]


def test_unobserved_stateful_set_reports_replicas_and_revision() -> None:
    live = stateful_set(1, observedGeneration=0)
    rule = StatefulSetRule(live)
    rule.observe(live, {}, 0)
    assert rule.errors(live, {}) == [
        "0 out of 0 replicas succeeded readiness checks",
        'StatefulSet controller failed to advance from revision "" to revision ""',
    ]


def test_crash_loop_is_a_warning_and_not_a_failure() -> None:
    live = stateful_set(1, replicas=2)
    crashing = {"Pod": [pod(state=BACK_OFF, lastState=EXITED), pod(owner="other", state=BACK_OFF)]}
    rule = StatefulSetRule(live)
    progress = rule.observe(live, crashing, 0)
    assert (progress.done, progress.failed) == (False, False)
    assert rule.pod_warnings(live, crashing) == [
        f"{NOT_READY}[CrashLoopBackOff] back-off 40s restarting\n"
        'container "c" terminated at 2026-11-24T10:00:00Z (Error: exit code 3)'
    ]


@pytest.mark.parametrize(
    ("live", "texts"),
    [
        (pod(scheduled=False), []),
        (pod(state={"waiting": {"reason": "ContainerCreating"}}), [NOT_READY]),
        (
            pod(
                state={
                    "waiting": {
                        "reason": "ErrImagePull",
                        "message": "rpc error: code = Unknown desc = Error response from daemon: no: manifest unknown",
                    }
                }
            ),
            [f"{NOT_READY}[ErrImagePull] no"],
        ),
        (pod(state=EXITED), [f'{NOT_READY}container "c" completed with exit code 3']),
    ],
)
def test_unready_pod_reports_the_state_of_its_container(live: JsonObject, texts: list[str]) -> None:
    assert pods.warnings(live) == texts


def deployment(
    revision: str = "1", *, available: bool = True, progressed: bool = True, generation: int = 1
) -> JsonObject:
    return {
        "metadata": {
            "name": "d",
            "namespace": "ns",
            "uid": "u",
            "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {"template": {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "claim"}}]}}},
        "status": {
            "observedGeneration": generation,
            "conditions": [
                {
                    "type": "Progressing",
                    "status": "True",
                    "reason": "NewReplicaSetAvailable" if progressed else "ReplicaSetUpdated",
                },
                {
                    "type": "Available",
                    "status": str(available),
                    "reason": "MinimumReplicasUnavailable",
                    "message": "Deployment does not have minimum availability.",
                },
            ],
        },
    }


def replica_set(revision: str = "1", ready: int = 2) -> JsonObject:
    return {
        "metadata": {"uid": "rs", "annotations": {"deployment.kubernetes.io/revision": revision}, **OWNED},
        "spec": {"replicas": 2},
        "status": {"readyReplicas": ready},
    }


def claim(phase: str, class_name: str = "gp2") -> JsonObject:
    return {
        "metadata": {"name": "claim", "namespace": "ns"},
        "spec": {"storageClassName": class_name},
        "status": {"phase": phase},
    }


def test_deployment_scaled_to_zero_reports_a_warning() -> None:
    live = deployment()
    empty = replica_set(ready=0)
    empty["spec"]["replicas"] = 0
    progress = DeploymentRule(live).observe(live, {"ReplicaSet": [empty]}, 0)
    assert progress.done
    assert list(progress.warnings) == ['Replicas scaled to 0 for Deployment "d"']


def related_objects(
    *sets: JsonObject, claims: list[JsonObject] | None = None, pods_: list[JsonObject] | None = None
) -> Related:
    return {"ReplicaSet": list(sets), "PersistentVolumeClaim": claims or [], "Pod": pods_ or []}


@pytest.mark.parametrize(
    ("live", "related", "done"),
    [
        (deployment(), related_objects(replica_set()), True),
        (deployment(available=False), related_objects(replica_set()), False),
        (deployment(), related_objects(replica_set(ready=1)), False),
        (deployment(), related_objects(replica_set(), claims=[claim("Pending")]), False),
        (deployment(), related_objects(replica_set(), claims=[claim("Bound")]), True),
        # From the second revision on, the rollout must be complete.
        (deployment("2", progressed=False), related_objects(replica_set("2")), False),
        (deployment("2"), related_objects(replica_set("1"), replica_set("2", ready=0)), False),
        (deployment("1", progressed=False), related_objects(replica_set("1")), True),
    ],
)
def test_deployment_is_ready_when_its_replica_set_and_claims_are_ready(
    live: JsonObject, related: Related, done: bool
) -> None:
    assert DeploymentRule(live).observe(live, related, 0).done is done


def test_deployment_waits_until_the_controller_observes_its_generation() -> None:
    unobserved = deployment(generation=2)
    unobserved["status"]["observedGeneration"] = 1
    assert not DeploymentRule(unobserved).observe(unobserved, related_objects(replica_set()), 0).done


def test_unavailable_deployment_reports_conditions_and_pods() -> None:
    live = deployment(available=False)
    related = related_objects(replica_set(ready=1), pods_=[pod(owner="rs", state=BACK_OFF)])
    rule = DeploymentRule(live)
    progress = rule.observe(live, related, 0)
    assert progress.lines == ["Waiting for app ReplicaSet to be available (1/2 Pods available)"]
    unavailable = "[MinimumReplicasUnavailable] Deployment does not have minimum availability."
    assert progress.warnings == [unavailable]
    assert rule.errors(live, related) == [
        unavailable,
        "Minimum number of live Pods was not attained",
        f"{NOT_READY}[CrashLoopBackOff] back-off 40s restarting",
    ]


@pytest.mark.parametrize(
    ("live", "ready", "text"),
    [
        (deployment("1"), 1, "Minimum number of Pods to consider the application live was not attained"),
        (
            deployment("2", progressed=False),
            2,
            "Minimum number of Pods to consider the application live was not attained",
        ),
        (
            deployment("2"),
            1,
            "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live",
        ),
    ],
)
def test_incomplete_rollout_of_an_available_deployment_is_reported(live: JsonObject, ready: int, text: str) -> None:
    revision = live["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    related = related_objects(replica_set(revision, ready=ready))
    rule = DeploymentRule(live)
    assert not rule.observe(live, related, 0).done
    assert rule.errors(live, related) == [text]


def service(**spec: Any) -> JsonObject:
    return {
        "metadata": {"name": "s"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": {"a": "b"}, **spec},
    }


def endpoints(version: str, **subset: Any) -> Related:
    return {
        "Endpoints": [{"metadata": {"name": "s", "resourceVersion": version}, "subsets": [subset] if subset else []}]
    }


ADDRESS = [{"ip": "10.0.0.2"}]


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"selector": None}, {"type": "ExternalName"}])
def test_service_without_cluster_ip_or_selector_does_not_wait_for_pods(spec: JsonObject) -> None:
    assert ServiceRule().observe(service(**spec), {}, 0).done


def test_service_is_ready_ten_seconds_after_the_last_endpoint_change() -> None:
    rule, live = ServiceRule(), service()
    assert not rule.observe(live, {}, 100).done
    assert not rule.observe(live, endpoints("1"), 101).done
    assert not rule.observe(live, endpoints("1"), 110.9).done
    assert not rule.observe(live, endpoints("2", addresses=ADDRESS), 111).done
    assert not rule.observe(live, endpoints("2", addresses=ADDRESS), 120.9).done
    assert rule.observe(live, endpoints("2", addresses=ADDRESS), 121).done


def test_service_without_pods_is_ready_after_settling() -> None:
    rule = ServiceRule()
    rule.observe(service(), endpoints("1"), 0)
    assert rule.observe(service(), endpoints("1"), 10).done


def test_service_with_an_unready_pod_waits_and_fails() -> None:
    rule, live = ServiceRule(), service()
    unready = endpoints("1", notReadyAddresses=ADDRESS)
    rule.observe(live, unready, 0)
    assert not rule.observe(live, unready, 1000).done
    assert not rule.passes_at_timeout()
    assert rule.errors(live, unready) == [
        "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match "
        "labels on any Pods"
    ]


def test_refresh_evaluates_endpoints_without_settling() -> None:
    assert ServiceRule(settled=True).observe(service(), endpoints("1", addresses=ADDRESS), 0).done
    assert not ServiceRule(settled=True).observe(service(), endpoints("1", notReadyAddresses=ADDRESS), 0).done


def job(**status: Any) -> JsonObject:
    return {"metadata": {"name": "j", "namespace": "ns", "uid": "u"}, "status": status}


def test_job_reports_progress_until_it_completes() -> None:
    rule = JobRule()
    assert rule.observe(job(), {}, 0).lines == ['Waiting for Job "ns/j" to start']
    running = rule.observe(job(startTime="t", active=1), {}, 0)
    assert not running.done
    assert running.lines[-1] == 'Waiting for Job "ns/j" to succeed (Active: 1 | Succeeded: 0 | Failed: 0)'
    done = job(startTime="t", succeeded=1, conditions=[{"type": "Complete", "status": "True"}])
    assert rule.observe(done, {}, 0).done


def test_failed_job_ends_the_wait_immediately() -> None:
    rule = JobRule()
    rule.observe(job(startTime="t", active=1), {"Pod": [pod(state=EXITED)]}, 0)
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
    }
    failed = job(startTime="t", failed=1, conditions=[condition])
    assert rule.observe(failed, {}, 0).failed
    assert rule.errors(failed, {}) == [
        f'{NOT_READY}container "c" completed with exit code 3',
        "[BackoffLimitExceeded] Job has reached the specified backoff limit",
    ]


@pytest.mark.parametrize(
    ("mode", "phase", "updated", "done"),
    [
        ("WaitForFirstConsumer", "Pending", False, True),
        ("Immediate", "Pending", False, False),
        ("Immediate", "Bound", False, True),
        ("WaitForFirstConsumer", "Bound", True, True),
    ],
)
def test_claim_is_ready_when_bound_or_waiting_for_its_first_consumer(
    mode: str, phase: str, updated: bool, done: bool
) -> None:
    classes = {"StorageClass": [{"metadata": {"name": "gp2"}, "volumeBindingMode": mode}]}
    assert ClaimRule(updated=updated).observe(claim(phase), classes, 0).done is done


def test_claim_timeout_is_fixed_at_five_minutes() -> None:
    assert ClaimRule(updated=False).fixed_timeout_seconds == 300
    assert ClaimRule.timeout_text.format(name="imm") == "Timeout occurred polling for 'imm'"


@pytest.mark.parametrize(
    ("annotation", "done", "lines"),
    [
        ("jsonpath={.status.readyReplicas}=1", True, ["Found {.status.readyReplicas}=1"]),
        ("jsonpath={.status.readyReplicas}=7", False, ['Waiting for {.status.readyReplicas}=7 (found "1")']),
        ("jsonpath={.status.nothing}", False, ["{.status.nothing} selected nothing"]),
        ("jsonpath={.status.conditions[?(@.type=='Ok')].status}=True", True, None),
        ("condition=Ok", True, []),
        ("condition=Ok=False", False, ["Resource has condition Ok=True (want False)"]),
        ('["condition=Ok", "jsonpath={.status.readyReplicas}=7"]', False, None),
    ],
)
def test_wait_for_annotation_evaluates_conditions_and_json_paths(
    annotation: str, done: bool, lines: list[str] | None
) -> None:
    live = {
        "metadata": {"generation": 1},
        "status": {"observedGeneration": 1, "readyReplicas": 1, "conditions": [{"type": "Ok", "status": "True"}]},
    }
    progress = WaitForRule(annotation).observe(live, {}, 0)
    assert progress.done is done
    assert lines is None or progress.lines == lines


def test_wait_for_annotation_ignores_an_outdated_status() -> None:
    live = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "readyReplicas": 1}}
    assert not WaitForRule("jsonpath={.status.readyReplicas}=1").observe(live, {}, 0).done


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("readyReplicas=1", 'expected a "jsonpath=" or "condition=" prefix'),
        ("jsonpath=.status.x=1", "should be wrapped in brackets"),
        ("jsonpath={.status.x}=", "requires a value"),
        ("[]", "at least one condition"),
    ],
)
def test_malformed_wait_for_annotation_is_rejected(annotation: str, text: str) -> None:
    with pytest.raises(ProviderError, match=text):
        WaitForRule(annotation)
