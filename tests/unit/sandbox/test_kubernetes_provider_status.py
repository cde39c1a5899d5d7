"""Status messages and warnings of the kubernetes stand-in, as in the released provider."""

import threading
from typing import Any

import pytest
from typing_extensions import override

from sandbox.engine.kubernetes.stand_in import KubernetesStandIn
from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.failures import InitFailed
from sandbox.engine.provider.servicer import State, Target
from sandbox.engine.provider.values import JsonObject
from tests.unit.kubernetes_api import Api
from tests.unit.kubernetes_engine import CONFIG_MAP, INPUTS

STATEFUL_SET = "urn:pulumi:prod::project::kubernetes:apps/v1:StatefulSet::broker"
SERVICE = "urn:pulumi:prod::project::kubernetes:core/v1:Service::broker"
PATHS = {
    STATEFUL_SET: "/apis/apps/v1/namespaces/ns/statefulsets/broker",
    SERVICE: "/api/v1/namespaces/ns/services/broker",
}


class Log(EngineLog):
    """Log that records messages. An empty message clears the status of the resource."""

    def __init__(self) -> None:
        super().__init__("")
        self.lines: list[str] = []

    @override
    def status(self, urn: str, message: str) -> None:
        self.lines.append(message)

    @override
    def warning_status(self, urn: str, message: str) -> None:
        self.lines.append(f"warning: {message}")

    @override
    def warning(self, urn: str, message: str) -> None:
        self.lines.append(f"stays: {message}")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def stand_in(api: Api, log: Log, cancelled: threading.Event) -> KubernetesStandIn:
    provider = KubernetesStandIn(log, cancelled)
    provider.configure({"kubeconfig": api.kubeconfig})
    return provider


def inputs(kind: str, **annotations: str) -> JsonObject:
    meta = {"name": "broker", "namespace": "ns", **({"annotations": annotations} if annotations else {})}
    return {
        "apiVersion": "apps/v1" if kind == "StatefulSet" else "v1",
        "kind": kind,
        "metadata": meta,
        "spec": {"replicas": 1} if kind == "StatefulSet" else {"selector": {"app": "broker"}},
    }


def test_skipped_wait_clears_its_status_message(stand_in: KubernetesStandIn, log: Log) -> None:
    skipped = inputs("StatefulSet", **{"pulumi.com/skipAwait": "true"})
    state = stand_in.create(Target.of(STATEFUL_SET), skipped, 0, preview=False)
    assert log.lines == ["Skipping await logic", ""]
    log.lines.clear()
    stand_in.delete(Target.of(STATEFUL_SET), state, 0)
    assert log.lines == ["Skipping await logic", ""]


@pytest.mark.parametrize(
    ("urn", "kind", "status", "lines"),
    [
        (
            STATEFUL_SET,
            "StatefulSet",
            {
                "observedGeneration": 1,
                "currentRevision": "a",
                "updateRevision": "a",
                **dict.fromkeys(("replicas", "readyReplicas", "currentReplicas"), 1),
            },
            ["StatefulSet initialization complete", ""],
        ),
        (
            STATEFUL_SET,
            "StatefulSet",
            {"observedGeneration": 1, "currentRevision": "a", "updateRevision": "a", "replicas": 1},
            ["[1/2] Waiting for StatefulSet to create Pods (0/1 Pods ready)"],
        ),
        (SERVICE, "Service", {}, ["Service initialization complete", ""]),
    ],
)
def test_refresh_reports_the_readiness_of_the_object(
    stand_in: KubernetesStandIn, api: Api, log: Log, urn: str, kind: str, status: Any, lines: list[str]
) -> None:
    unawaited, awaited = inputs(kind, **{"pulumi.com/skipAwait": "true"}), inputs(kind)
    state = stand_in.create(Target.of(urn), unawaited, 0, preview=False)
    api.objects[PATHS[urn]]["status"] = status
    log.lines.clear()
    before = State("ns/broker", state.outputs, awaited)
    if lines[-1]:
        with pytest.raises(InitFailed) as failure:
            stand_in.read(Target.of(urn), before)
        assert failure.value.reasons == [
            "Resource 'broker' was created but failed to initialize",
            "0 out of 1 replicas succeeded readiness checks",
        ]
    else:
        assert stand_in.read(Target.of(urn), before).resource_id == "ns/broker"
    assert log.lines == lines


@pytest.mark.parametrize("stopped", [True, False])
def test_unfinished_delete_reports_the_finalizers(
    stand_in: KubernetesStandIn, api: Api, log: Log, cancelled: threading.Event, stopped: bool
) -> None:
    """Finalizers can come from the CSI driver or from a controller that the program does not manage."""
    finalized = {**INPUTS, "metadata": {**INPUTS["metadata"], "finalizers": ["example.com/a", "example.com/b"]}}
    state = stand_in.create(Target.of(CONFIG_MAP), finalized, 0, preview=False)
    api.stays_after_delete = True
    if stopped:
        cancelled.set()
    with pytest.raises(InitFailed) as failure:
        stand_in.delete(Target.of(CONFIG_MAP), state, 0 if stopped else 0.05)
    assert failure.value.reasons == ["context canceled" if stopped else "timed out waiting for the condition"]
    assert log.lines[-1] == "stays: finalizers might be preventing deletion (example.com/a, example.com/b)"
