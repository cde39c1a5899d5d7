"""Operations of the kubernetes stand-in over gRPC: API requests, results and errors."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.engine.kubernetes import writer
from sandbox.engine.provider.values import UNKNOWN, JsonObject, decode, encode, plain
from tests.unit.kubernetes_api import Api
from tests.unit.kubernetes_engine import CONFIG_MAP, INPUTS, Connect, Engine, refused, stand_in

STATEFUL_SET = "urn:pulumi:prod::project::my:component$kubernetes:apps/v1:StatefulSet::broker"
CLASS_PATCH = "urn:pulumi:prod::project::kubernetes:storage.k8s.io/v1:StorageClassPatch::gp2"
PROVIDER = "urn:pulumi:prod::project::pulumi:providers:kubernetes::cluster"
POD_MONITOR = "urn:pulumi:prod::project::kubernetes:monitoring.coreos.com/v1:PodMonitor::monitor"
MONITOR: JsonObject = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PodMonitor",
    "metadata": {"name": "monitor", "namespace": "ns"},
    "spec": {"selector": {}},
}
PATH = "/api/v1/namespaces/ns/configmaps/settings"


@pytest.fixture
def connect() -> Iterator[Connect]:
    with stand_in() as connections:
        yield connections


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that a create would wait before each retry, recorded instead of slept."""
    waited: list[float] = []
    monkeypatch.setattr(writer, "_wait", lambda cancelled, seconds: waited.append(seconds) or cancelled.is_set())
    return waited


@pytest.fixture
def engine(connect: Connect, api: Api) -> Engine:
    return connect(kubeconfig=api.kubeconfig)


def init_failure(error: pytest.ExceptionInfo[grpc.RpcError]) -> provider_pb2.ErrorResourceInitFailed:
    """Return what the engine stores in the state after a failed wait."""
    metadata = dict(error.value.trailing_metadata())  # ty: ignore[missing-attribute]
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail


def test_create_posts_with_the_initial_field_manager_and_stores_the_inputs(engine: Engine, api: Api) -> None:
    resource_id, outputs = engine.create(CONFIG_MAP, INPUTS)
    assert resource_id == "ns/settings"
    (write,) = api.writes()
    assert (write.method, write.query) == ("POST", {"fieldManager": "pulumi-kubernetes"})
    assert outputs["__inputs"] == INPUTS
    assert outputs["__initialApiVersion"] == "v1"
    assert outputs["__fieldManager"].startswith("pulumi-kubernetes-")
    assert outputs["metadata"]["uid"]


def test_existing_object_passes_the_preview_and_fails_the_create(engine: Engine, api: Api) -> None:
    api.objects[PATH] = {"metadata": {"name": "settings"}}
    assert engine.create(CONFIG_MAP, INPUTS, preview=True) == ("", INPUTS)
    with pytest.raises(grpc.RpcError) as error:
        engine.create(CONFIG_MAP, INPUTS)
    text = refused(error)
    assert text.startswith(
        f'resource "{CONFIG_MAP}" was not successfully created by the Kubernetes API server: configmaps "settings" '
        "already exists\n\nThe resource already exists in the cluster. This can happen when:"
    )
    assert "upsertExistingObjects" in text


def test_custom_resource_without_its_crd_passes_the_preview_and_fails_the_create(
    engine: Engine, api: Api, delays: list[float]
) -> None:
    assert engine.create(POD_MONITOR, MONITOR, preview=True) == ("", MONITOR)
    assert (api.writes(), delays) == ([], []), "a preview does not write or wait for the CRD"
    with pytest.raises(grpc.RpcError) as error:
        engine.create(POD_MONITOR, MONITOR)
    assert refused(error) == (
        f'creation of resource "{POD_MONITOR}" with kind monitoring.coreos.com/v1/PodMonitor failed because the '
        "Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required "
        'CRDs have been created: no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"'
    )
    assert delays == [1, 2, 4, 8, 16, 32]
    api.custom_kinds["monitoring.coreos.com/v1"] = ["ServiceMonitor"]
    assert engine.create(POD_MONITOR, MONITOR, preview=True) == ("", MONITOR)


def test_custom_resource_with_its_crd_is_created(engine: Engine, api: Api) -> None:
    api.custom_kinds["monitoring.coreos.com/v1"] = ["PodMonitor"]
    resource_id, outputs = engine.create(POD_MONITOR, MONITOR)
    assert (resource_id, outputs["spec"]) == ("ns/monitor", {"selector": {}})
    assert list(api.objects) == ["/apis/monitoring.coreos.com/v1/namespaces/ns/podmonitors/monitor"]


def test_deleted_crd_fails_the_update_and_allows_the_delete(engine: Engine, api: Api) -> None:
    api.custom_kinds["monitoring.coreos.com/v1"] = ["PodMonitor"]
    resource_id, state = engine.create(POD_MONITOR, MONITOR)
    api.custom_kinds.clear()
    api.objects.clear()
    changed = {**MONITOR, "spec": {"selector": {"matchLabels": {"a": "b"}}}}
    assert engine.update(POD_MONITOR, state, changed, preview=True) == changed
    with pytest.raises(grpc.RpcError) as error:
        engine.update(POD_MONITOR, state, changed)
    assert refused(error) == (
        f'update of resource "{POD_MONITOR}" failed because the Kubernetes API server reported that the apiVersion for '
        "this resource does not exist. Verify that any required CRDs have been created: no matches for kind "
        '"PodMonitor" in version "monitoring.coreos.com/v1"'
    )
    assert engine.read(POD_MONITOR, resource_id, state, MONITOR).id == ""
    engine.delete(POD_MONITOR, resource_id, state)


def test_create_retries_for_a_minute_while_its_namespace_is_missing(
    engine: Engine, api: Api, delays: list[float]
) -> None:
    path = "/api/v1/namespaces/ns/configmaps"
    api.refuse("POST", path, 404, "NotFound", 'namespaces "ns" not found', kind="namespaces")
    with pytest.raises(grpc.RpcError, match='namespaces "ns" not found'):
        engine.create(CONFIG_MAP, INPUTS)
    assert delays == [1, 2, 4, 8, 16, 32]


def test_create_with_upsert_is_a_server_side_apply(connect: Connect, api: Api) -> None:
    api.objects[PATH] = {"metadata": {"name": "settings", "uid": "u", "managedFields": []}}
    connect(kubeconfig=api.kubeconfig, upsertExistingObjects="true").create(CONFIG_MAP, INPUTS)
    (write,) = api.writes()
    assert write.method == "PATCH"
    assert write.query["force"] == "false"
    assert write.query["fieldManager"].startswith("pulumi-kubernetes-")


def test_preview_is_a_dry_run_without_status(engine: Engine, api: Api) -> None:
    resource_id, outputs = engine.create(CONFIG_MAP, {**INPUTS, "status": {"x": 1}}, preview=True)
    assert api.writes()[0].query["dryRun"] == "All"
    assert not api.objects
    assert resource_id == ""
    assert "status" not in outputs
    assert outputs["metadata"]["uid"]


@pytest.mark.parametrize(
    ("code", "reason", "details"),
    [
        (404, "NotFound", {"kind": "namespaces"}),
        (403, "Forbidden", {}),
        (409, "AlreadyExists", {}),
    ],
)
def test_preview_ignores_missing_namespaces_missing_permissions_and_existing_objects(
    engine: Engine, api: Api, code: int, reason: str, details: dict[str, str]
) -> None:
    api.refuse("POST", "/api/v1/namespaces/ns/configmaps", code, reason, "no", **details)
    assert engine.create(CONFIG_MAP, INPUTS, preview=True) == ("", INPUTS)


def test_preview_reports_validation_errors_of_the_server(engine: Engine, api: Api) -> None:
    api.refuse("POST", "/api/v1/namespaces/ns/configmaps", 422, "Invalid", 'ConfigMap "settings" is invalid: no')
    with pytest.raises(grpc.RpcError) as error:
        engine.create(CONFIG_MAP, INPUTS, preview=True)
    assert refused(error).endswith(
        'was not successfully created by the Kubernetes API server: ConfigMap "settings" is invalid: no'
    )


@pytest.mark.parametrize("urn", [CONFIG_MAP, CLASS_PATCH])
def test_unknown_inputs_and_patch_resources_skip_the_dry_run(engine: Engine, api: Api, urn: str) -> None:
    data = {"a": UNKNOWN if urn == CONFIG_MAP else "b"}
    inputs = {**INPUTS, "data": data}
    assert engine.create(urn, inputs, preview=True) == ("", inputs)
    assert not api.writes()


def test_update_takes_ownership_of_fields_of_create_and_kubectl(engine: Engine, api: Api) -> None:
    _, state = engine.create(CONFIG_MAP, INPUTS)
    kubectl = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:b": {}}}}
    other = {"manager": "operator", "operation": "Update", "fieldsV1": {}}
    api.objects[PATH]["metadata"]["managedFields"] += [kubectl, other]
    outputs = engine.update(CONFIG_MAP, state, {**INPUTS, "data": {"a": "2"}})
    _, patch, apply = api.writes()
    managers = patch.body[0]["value"]
    assert [(entry["manager"], entry["operation"]) for entry in managers] == [
        ("operator", "Update"),
        (state["__fieldManager"], "Apply"),
    ]
    assert managers[1]["fieldsV1"] == {"f:data": {"f:b": {}}}
    assert apply.query == {"fieldManager": state["__fieldManager"], "force": "false"}
    assert outputs["data"] == {"a": "2"}
    assert outputs["__fieldManager"] == state["__fieldManager"]


def test_update_preview_forces_conflicts_while_create_owns_the_fields(engine: Engine, api: Api) -> None:
    _, state = engine.create(CONFIG_MAP, INPUTS)
    engine.update(CONFIG_MAP, state, {**INPUTS, "data": {"a": "2"}}, preview=True)
    assert [request.query["force"] for request in api.writes()[1:]] == ["true"]


def test_preview_rejects_a_change_of_an_immutable_field(engine: Engine, api: Api) -> None:
    """The provider plans no replacement for such fields. Another example is `reclaimPolicy` of a StorageClass."""
    urn = CONFIG_MAP.replace("core/v1:ConfigMap", "scheduling.k8s.io/v1:PriorityClass")
    created = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1}
    _, state = engine.create(urn, created)
    path, message = (
        "/apis/scheduling.k8s.io/v1/priorityclasses/high",
        "value: Forbidden: may not be changed in an update.",
    )
    api.refuse("PATCH", path, 422, "Invalid", f'PriorityClass.scheduling.k8s.io "high" is invalid: {message}')
    with pytest.raises(grpc.RpcError) as error:
        engine.update(urn, state, {**created, "value": 2}, preview=True)
    assert list(init_failure(error).reasons) == [
        'the Kubernetes API server reported that "high" failed to fully initialize or become live: '
        f'PriorityClass.scheduling.k8s.io "high" is invalid: {message}'
    ]


def test_apply_conflict_keeps_the_object_in_the_state_with_the_reason(engine: Engine, api: Api) -> None:
    _, state = engine.create(CONFIG_MAP, INPUTS)
    api.objects[PATH]["metadata"]["managedFields"] = [{"manager": "ops", "operation": "Apply"}]
    api.refuse("PATCH", PATH, 409, "Conflict", 'Apply failed with 1 conflict: conflict with "ops": .data.a')
    with pytest.raises(grpc.RpcError) as error:
        engine.update(CONFIG_MAP, state, {**INPUTS, "data": {"a": "2"}})
    failure = init_failure(error)
    assert failure.id == "ns/settings"
    (reason,) = failure.reasons
    assert reason.startswith(
        'the Kubernetes API server reported that "ns/settings" failed to fully initialize or become live: server-side '
        "apply field conflict detected, see https://"
    )
    assert reason.endswith(
        f'\nThe resource managed by field manager "{state["__fieldManager"]}" had an apply conflict: Apply failed with '
        '1 conflict: conflict with "ops": .data.a'
    )


def test_update_of_a_deleted_object_reports_both_errors(engine: Engine, api: Api) -> None:
    _, state = engine.create(CONFIG_MAP, INPUTS)
    api.objects.clear()
    with pytest.raises(grpc.RpcError) as error:
        engine.update(CONFIG_MAP, state, {**INPUTS, "data": {"a": "2"}})
    assert refused(error) == (
        f'update of resource "{CONFIG_MAP}" failed: configmaps "settings" not found\n'
        'unable to get cluster state: configmaps "settings" not found'
    )


def test_stateful_set_that_times_out_is_stored_in_the_state(engine: Engine) -> None:
    inputs = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "broker", "namespace": "ns"},
        "spec": {"replicas": 1},
    }
    with pytest.raises(grpc.RpcError) as error:
        engine.create(STATEFUL_SET, inputs, timeout=0.05)
    failure = init_failure(error)
    assert failure.id == "ns/broker"
    assert decode(failure.properties)["__inputs"] == inputs
    assert list(failure.reasons) == [
        f'resource "{STATEFUL_SET}" was successfully created, but the Kubernetes API server reported that it failed to '
        "fully initialize or become live: 'broker' timed out waiting to be Ready",
        "0 out of 0 replicas succeeded readiness checks",
        'StatefulSet controller failed to advance from revision "" to revision ""',
    ]


def test_skip_await_annotation_disables_waiting(engine: Engine) -> None:
    meta = {"name": "broker", "namespace": "ns", "annotations": {"pulumi.com/skipAwait": "true"}}
    inputs = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 1}}
    assert engine.create(STATEFUL_SET, inputs)[0] == "ns/broker"


def test_cancel_ends_the_wait(engine: Engine) -> None:
    inputs = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "broker", "namespace": "ns"},
        "spec": {"replicas": 1},
    }
    request = provider_pb2.CreateRequest(urn=STATEFUL_SET, properties=encode(inputs))
    call = engine.stub.Create.future(request)
    engine.stub.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError) as error:
        call.result(timeout=10)
    assert 'Resource operation was cancelled for "broker"' in init_failure(error).reasons[0]


def test_delete_is_foreground_and_waits_for_the_removal(engine: Engine, api: Api) -> None:
    resource_id, state = engine.create(CONFIG_MAP, INPUTS)
    engine.delete(CONFIG_MAP, resource_id, state)
    assert api.writes()[-1].body["propagationPolicy"] == "Foreground"
    assert not api.objects
    engine.delete(CONFIG_MAP, resource_id, state)


def test_delete_that_times_out_fails(engine: Engine, api: Api) -> None:
    resource_id, state = engine.create(CONFIG_MAP, INPUTS)
    api.stays_after_delete = True
    with pytest.raises(grpc.RpcError) as error:
        engine.delete(CONFIG_MAP, resource_id, state, timeout=0.05)
    assert list(init_failure(error).reasons) == ["timed out waiting for the condition"]


def test_deleting_a_patch_releases_its_fields_and_keeps_the_object(engine: Engine, api: Api) -> None:
    path = "/apis/storage.k8s.io/v1/storageclasses/gp2"
    api.objects[path] = {"metadata": {"name": "gp2", "uid": "u", "managedFields": []}}
    meta = {"name": "gp2", "annotations": {"a": "b"}}
    inputs = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta}
    resource_id, state = engine.create(CLASS_PATCH, inputs)
    engine.delete(CLASS_PATCH, resource_id, state)
    assert path in api.objects
    last = api.writes()[-1]
    assert last.query["fieldManager"] == state["__fieldManager"]
    assert last.body == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
    }


def test_read_reports_drift_only_in_managed_fields(engine: Engine, api: Api) -> None:
    resource_id, state = engine.create(CONFIG_MAP, INPUTS)
    api.objects[PATH]["data"] = {"a": "drift", "b": "unmanaged"}
    response = engine.read(CONFIG_MAP, resource_id, state, INPUTS)
    assert decode(response.inputs)["data"] == {"a": "drift"}
    assert decode(response.properties)["data"] == {"a": "drift", "b": "unmanaged"}


def test_read_of_a_deleted_object_returns_an_empty_id(engine: Engine) -> None:
    assert engine.read(CONFIG_MAP, "ns/settings", {"metadata": {"name": "settings"}}, INPUTS).id == ""


def test_import_reads_all_input_properties(engine: Engine) -> None:
    engine.create(CONFIG_MAP, {**INPUTS, "immutable": True})
    response = engine.read(CONFIG_MAP, "ns/settings")
    assert response.id == "ns/settings"
    assert decode(response.inputs) == {**INPUTS, "immutable": True}


def test_import_of_a_custom_resource_reads_only_its_identity(engine: Engine, api: Api) -> None:
    """The package's schema has no such kind, so the released provider cannot distinguish inputs from other fields."""
    api.custom_kinds["monitoring.coreos.com/v1"] = ["PodMonitor"]
    engine.create(POD_MONITOR, {**MONITOR, "metadata": {**MONITOR["metadata"], "labels": {"a": "b"}}})
    response = engine.read(POD_MONITOR, "ns/monitor")
    assert decode(response.inputs) == {key: MONITOR[key] for key in ("apiVersion", "kind", "metadata")}
    assert decode(response.properties)["spec"] == MONITOR["spec"]


def test_check_generates_a_missing_name_and_keeps_it(engine: Engine) -> None:
    first = engine.check(CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap"})
    name = first["metadata"]["name"]
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert first["metadata"] == {
        "name": name,
        "namespace": "default",
        "annotations": {"pulumi.com/autonamed": "true"},
    }
    assert engine.check(CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap"}, first, b"other") == first
    generated = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    assert engine.check(CONFIG_MAP, generated, first)["metadata"]["name"] == name, "the existing name takes precedence"


@pytest.mark.parametrize(
    ("urn", "inputs", "text"),
    [
        (CONFIG_MAP, {"metadata": {"generateName": "x-"}}, "the `.metadata.generateName` field is not supported"),
        (CLASS_PATCH, {}, "patch resources require the .metadata.name field to be set"),
        (CONFIG_MAP.replace("ConfigMap", "Pod"), {}, "unsupported resource type kubernetes:core/v1:Pod"),
    ],
)
def test_check_rejects_invalid_inputs(engine: Engine, urn: str, inputs: JsonObject, text: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        engine.check(urn, inputs)
    assert text in refused(error)


def test_unsupported_function_is_rejected_by_name(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError) as error:
        engine.stub.Invoke(provider_pb2.InvokeRequest(tok="kubernetes:yaml:decode"))
    assert "unsupported function kubernetes:yaml:decode" in refused(error)


def test_secret_data_stays_secret_in_the_state(engine: Engine) -> None:
    urn = CONFIG_MAP.replace("ConfigMap", "Secret")
    inputs = engine.check(
        urn,
        {"apiVersion": "v1", "kind": "Secret", **{k: INPUTS[k] for k in ("metadata",)}, "stringData": {"p": "hunter2"}},
    )
    assert plain(inputs["data"]) == {"p": "aHVudGVyMg=="}
    assert inputs["data"] != plain(inputs["data"])
    _, outputs = engine.create(urn, inputs)
    assert outputs["data"] == inputs["data"]
    assert outputs["__inputs"]["data"] == inputs["data"]
