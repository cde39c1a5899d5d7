"""Error messages for pods that do not become ready, with the reasons that their cluster reports."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ErrorHookArgs, ProviderResource, ResourceOptions

from eks_rocketmq.lookups import kubernetes_api
from eks_rocketmq.rocketmq.pods.pending_pods import list_pod_problems
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Recording, run
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args

NO_PROVIDER = "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://oidc.eks.example/id/1"
WORKLOADS = {
    *("rocketmq-nameserver-set", "rocketmq-controller-set", "rocketmq-broker-a-set"),
    *("rocketmq-proxy-deployment", "rocketmq-declarations-deployment", "rocketmq-dashboard-deployment"),
}


def pod(name: str = "broker-0", *, ready: bool = False, claim: str = "", **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}, *status.pop("conditions", [])]
    claim_volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    return {
        "metadata": {"name": name},
        "spec": {"volumes": [{"name": "config", "configMap": {}}, *claim_volumes]},
        "status": {"phase": "Pending", "conditions": conditions, **status},
    }


def claim(name: str, phase: str = "Pending") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}


def event(kind: str, name: str, message: str, version: int = 1, type_: str = "Warning") -> dict[str, Any]:
    involved = {"kind": kind, "name": name}
    meta = {"name": f"{name}.{version}", "resourceVersion": str(version)}
    return {"metadata": meta, "involvedObject": involved, "type": type_, "reason": "Failed", "message": message}


def container(name: str, waiting: str, *, message: str = "", ended: Mapping[str, Any] | None = None) -> dict[str, Any]:
    last = {"lastState": {"terminated": ended}} if ended else {}
    return {"name": name, "state": {"waiting": {"reason": waiting, "message": message}}, **last}


@pytest.mark.parametrize(
    ("unready", "lines"),
    [
        (pod(ready=True, claim="data-0"), []),
        (pod(claim="data-0"), [f"claim data-0 of pod broker-0 is not bound: Failed: {NO_PROVIDER}"]),
        (pod(claim="data-1"), ["claim data-1 of pod broker-0 is not bound"]),
        (pod(claim="bound"), ["pod broker-0: Failed: no room"]),
        (
            pod("other", conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes fit"}]),
            ["pod other: 0/3 nodes fit"],
        ),
        (pod("new"), ["pod new: it is Pending"]),
        (
            pod(
                "image",
                initContainerStatuses=[container("render", "ImagePullBackOff", message="not found")],
                containerStatuses=[container("broker", "PodInitializing")],
            ),
            ["pod image, container render: ImagePullBackOff: not found"],
        ),
        (
            pod(
                "crash",
                containerStatuses=[
                    container("broker", "CrashLoopBackOff", ended={"exitCode": 137, "reason": "OOMKilled"})
                ],
            ),
            ["pod crash, container broker: CrashLoopBackOff: it ended with 137 (OOMKilled)"],
        ),
    ],
)
def test_reason_of_an_unready_pod_is_reported(unready: dict[str, Any], lines: list[str]) -> None:
    events = [
        event("PersistentVolumeClaim", "data-0", "an older reason", 9),
        event("PersistentVolumeClaim", "data-0", NO_PROVIDER, 10),
        event("PersistentVolumeClaim", "data-0", "waits for the first consumer", 11, "Normal"),
        event("Pod", "broker-0", "no room"),
        event("Pod", "data-1", "about something else"),
    ]
    assert list_pod_problems([unready], [claim("data-0"), claim("data-1"), claim("bound", "Bound")], events) == lines


def test_only_the_first_five_pods_are_reported() -> None:
    assert list_pod_problems([pod(str(index)) for index in range(7)], [], []) == [
        *(f"pod {index}: it is Pending" for index in range(5)),
        "and 2 more pods",
    ]


def deploy_workloads(provider: ProviderResource | None = None, kubeconfig: str = "") -> Recording:
    given = args(topics=[{"name": "orders"}], dashboard={"login_secret": "login"})

    def program() -> None:
        cluster_provider = provider or (k8s.Provider("cluster", kubeconfig=kubeconfig) if kubeconfig else None)
        RocketMq("rocketmq", given, ResourceOptions(providers=[cluster_provider] if cluster_provider else None))

    return run(program)


def get_failure_message(recording: Recording, operation: str = "create", name: str = "rocketmq-broker-a-set") -> str:
    """Return the error messages after a failed operation on the set."""
    resource = next(each for each in recording.resources.values() if each.name == name)
    inputs = dict(resource.inputs)
    (hook,) = resource.on_error
    arguments = ErrorHookArgs("urn", "id", name, "type", inputs, failed_operation=operation)
    messages: list[str] = []

    async def call() -> bool:
        return await recording.hooks[hook](arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eks_rocketmq.rocketmq.pods.pending_pods.pulumi.log.error", messages.append)
        assert asyncio.run(call()) is False, "the engine would retry"
    return "\n".join(messages)


def test_every_workload_has_an_error_hook() -> None:
    recording = deploy_workloads()
    assert {resource.name for resource in recording.resources.values() if resource.on_error} == WORKLOADS


def test_cluster_of_the_component_provider_is_queried(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere")
    kubernetes_api._create_client.cache_clear()
    base = "/api/v1/namespaces/rocketmq"
    api.objects[f"{base}/pods/broker-0"] = pod(claim="data-0")
    api.objects[f"{base}/persistentvolumeclaims/data-0"] = claim("data-0")
    api.objects[f"{base}/events/1"] = event("PersistentVolumeClaim", "data-0", NO_PROVIDER)
    recording = deploy_workloads(kubeconfig=api.kubeconfig)
    messages = get_failure_message(recording)
    assert messages == (
        f"rocketmq-broker-a-set is not ready:\n  claim data-0 of pod broker-0 is not bound: Failed: {NO_PROVIDER}"
    )
    selector = recording.one("StatefulSet", "rocketmq-broker-a-set").inputs["spec"]["selector"]["matchLabels"]
    (pods_request,) = [request for request in api.requests if request.path == f"{base}/pods"]
    assert dict(pair.split("=") for pair in pods_request.query["labelSelector"].split(",")) == selector
    assert get_failure_message(recording, "delete") == ""


NOT_HEALTHY = (
    'E1128 10:00:00.000000       1 main.go:78] "Health check failed" err="rpc error: code = FailedPrecondition desc = '
    "Failed health check (verify network connection and IAM credentials): dry-run EC2 API call failed: operation error "
    f'EC2: DescribeAvailabilityZones, get identity: get credentials: {NO_PROVIDER}"'
)
WAITING = "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually"
SYSTEM = "/api/v1/namespaces/kube-system/pods"


def waiting_claim() -> dict[str, Any]:
    found = claim("data-0")
    annotations = {"volume.kubernetes.io/storage-provisioner": "kubernetes.io/aws-ebs"}
    return {**found, "metadata": {**found["metadata"], "annotations": annotations}}


def controller(*, ready: bool = False) -> dict[str, Any]:
    status = {"name": "ebs-plugin", "ready": ready, "restartCount": 4}
    return {"metadata": {"name": "ebs-csi-controller-0"}, "status": {"containerStatuses": [status]}}


def get_waiting_claim_message(api: Api) -> str:
    """Return the error messages for a set whose claim waits without an error."""
    kubernetes_api._create_client.cache_clear()
    base = "/api/v1/namespaces/rocketmq"
    api.objects[f"{base}/pods/broker-0"] = pod(claim="data-0")
    api.objects[f"{base}/persistentvolumeclaims/data-0"] = waiting_claim()
    waiting_event = event("PersistentVolumeClaim", "data-0", WAITING, type_="Normal")
    api.objects[f"{base}/events/1"] = {**waiting_event, "reason": "ExternalProvisioning"}
    return get_failure_message(deploy_workloads(kubeconfig=api.kubeconfig))


HEAD = (
    "rocketmq-broker-a-set is not ready:\n"
    f"  claim data-0 of pod broker-0 is not bound: ExternalProvisioning: {WAITING}\n"
)


def test_log_of_an_unhealthy_driver_is_reported(api: Api) -> None:
    api.objects[f"{SYSTEM}/ebs-csi-controller-0"] = controller()
    api.objects[f"{SYSTEM}/ebs-csi-controller-0/log"] = {"text": f"I1128 started\n{NOT_HEALTHY}"}
    assert get_waiting_claim_message(api) == (
        f"{HEAD}  the controller of driver ebs.csi.aws.com is not ready (4 restarts), its log says: {NOT_HEALTHY}"
    )
    (pods_request,) = [request for request in api.requests if request.path == SYSTEM]
    assert pods_request.query == {"labelSelector": "app=ebs-csi-controller"}
    logs = [request for request in api.requests if request.path.endswith("/log")]
    assert (logs[0].query["container"], logs[0].query["previous"]) == ("ebs-plugin", "false")


def test_kubectl_command_is_reported_when_the_driver_log_is_forbidden(api: Api) -> None:
    api.objects[f"{SYSTEM}/ebs-csi-controller-0"] = controller()
    api.refuse("GET", f"{SYSTEM}/ebs-csi-controller-0/log", 403, "Forbidden", "pods/log is forbidden")
    command = "kubectl -n kube-system logs -l app=ebs-csi-controller --all-containers --prefix"
    assert (
        get_waiting_claim_message(api)
        == f"{HEAD}  the controller of driver ebs.csi.aws.com is not ready (4 restarts); see `{command}`"
    )


def test_missing_driver_is_reported(api: Api) -> None:
    assert get_waiting_claim_message(api).endswith(
        "driver ebs.csi.aws.com has no controller pod with the label app=ebs-csi-controller in kube-system"
    )


def test_healthy_driver_is_not_reported(api: Api) -> None:
    api.objects[f"{SYSTEM}/ebs-csi-controller-0"] = controller(ready=True)
    assert get_waiting_claim_message(api) == HEAD.rstrip()


def test_other_reasons_are_reported_when_the_driver_pods_are_forbidden(api: Api) -> None:
    api.refuse("GET", SYSTEM, 403, "Forbidden", "pods is forbidden")
    messages = get_waiting_claim_message(api)
    assert messages.startswith(HEAD)
    assert "the pods of the driver cannot be read" in messages


def test_failed_query_is_reported_with_the_failure(api: Api) -> None:
    kubernetes_api._create_client.cache_clear()
    kubeconfig = api.kubeconfig
    api.refuse("GET", "/api/v1/namespaces/rocketmq/pods", 403, "Forbidden", "pods is forbidden")
    assert "the cluster cannot be asked why" in get_failure_message(deploy_workloads(kubeconfig=kubeconfig))


def test_no_cluster_is_queried_without_the_settings_of_the_provider() -> None:
    class RemoteProvider(ProviderResource):
        """Provider as received from a program in another language."""

    def program() -> None:
        provider = RemoteProvider("kubernetes", "cluster", {})
        RocketMq("rocketmq", args(), ResourceOptions(providers=[provider]))

    assert get_failure_message(run(program)) == ""
