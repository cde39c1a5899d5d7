"""Error messages for pods that do not become ready, with the reasons that their cluster reports."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ErrorHookArgs, ProviderResource, ResourceOptions

from eks_rocketmq.doctor import live_cluster
from eks_rocketmq.lookups import kubernetes_api
from eks_rocketmq.rocketmq.pods import claim_diagnosis, pending_pods
from eks_rocketmq.rocketmq.pods.pending_pods import list_awaited_claims, list_pod_problems
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.doctor.live_case import FakeAws, build_aws, fill_cluster
from tests.unit.harness import Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION
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


def test_a_process_that_runs_is_asked_by_the_status() -> None:
    # The agent answers the probe why, but the event of a probe over HTTP contains only the status code.
    unready = pod(containerStatuses=[{"name": "broker", "ready": False, "state": {"running": {}}}])
    unready["metadata"]["namespace"] = "messages"
    probe = event("Pod", "broker-0", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    (line,) = list_pod_problems([unready], [], [probe])
    assert line.startswith("pod broker-0: ")
    assert line.endswith("statuscode: 503; `eks-rocketmq status --namespace messages` asks it why")


def test_only_the_first_five_pods_are_reported() -> None:
    assert list_pod_problems([pod(str(index)) for index in range(7)], [], []) == [
        *(f"pod {index}: it is Pending" for index in range(5)),
        "and 2 more pods",
    ]


def deploy_workloads(kubeconfig: str = "") -> Recording:
    given = args(topics=[{"name": "orders"}], dashboard={"login_secret": "login"})

    def program() -> None:
        providers: list[ProviderResource] = [k8s.Provider("cluster", kubeconfig=kubeconfig)] if kubeconfig else []
        RocketMq("rocketmq", given, ResourceOptions(providers=providers or None))

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
    assert messages.startswith(
        f"rocketmq-broker-a-set is not ready:\n  claim data-0 of pod broker-0 is not bound: Failed: {NO_PROVIDER}\n"
    )
    selector = recording.one("StatefulSet", "rocketmq-broker-a-set").inputs["spec"]["selector"]["matchLabels"]
    pods_request = next(request for request in api.requests if request.path == f"{base}/pods")
    assert dict(pair.split("=") for pair in pods_request.query["labelSelector"].split(",")) == selector
    assert get_failure_message(recording, "delete") == ""


NOT_HEALTHY = (
    'E1128 10:00:00.000000       1 main.go:78] "Health check failed" err="rpc error: code = FailedPrecondition desc = '
    "Failed health check (verify network connection and IAM credentials): dry-run EC2 API call failed: operation error "
    f'EC2: DescribeAvailabilityZones, get identity: get credentials: {NO_PROVIDER}"'
)
WAITING = "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually"
PODS = "/api/v1/namespaces/rocketmq/pods"
DRIVER_PODS = "/api/v1/namespaces/kube-system/pods"
HEAD = (
    "rocketmq-broker-a-set is not ready:\n"
    f"  claim data-0 of pod broker-0 is not bound: ExternalProvisioning: {WAITING}\n"
)
ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
EKS_COMMAND = f"eks-rocketmq doctor --claim rocketmq/data-0 --cluster prod --region {REGION}"


@pytest.fixture
def waiting(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A cluster with a healthy driver, whose claim waits for a volume without an error."""
    # A busy machine must not fail the tests.
    monkeypatch.setattr(pending_pods, "_READ_SECONDS", 600.0)
    monkeypatch.setattr(pending_pods, "_DOCTOR_SECONDS", 600.0)
    kubernetes_api._create_client.cache_clear()
    claim_diagnosis._recent.clear()
    fill_cluster(api, phase="Pending")
    api.objects["/api/v1/namespaces/rocketmq/persistentvolumeclaims"] = api.objects["/api/v1/persistentvolumeclaims"]
    (broker,) = api.objects[PODS]["items"]
    broker["status"] = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]}
    (found,) = api.objects["/api/v1/namespaces/rocketmq/events"]["items"]
    found |= {"type": "Normal", "reason": "ExternalProvisioning", "message": WAITING}
    found["metadata"]["resourceVersion"] = "1"
    return api


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    found = build_aws()
    monkeypatch.setattr(live_cluster, "create_boto_session", lambda *_: found)
    return found


def name_cluster(api: Api) -> str:
    """Return the kubeconfig of `aws eks update-kubeconfig`, which names the cluster."""
    return api.kubeconfig.replace('"c"', f'"{ARN}"')


def break_driver(api: Api) -> None:
    (deployment, _) = api.objects["/apis/apps/v1/deployments"]["items"]
    deployment["status"] = {"readyReplicas": 0}
    (driver,) = api.objects[DRIVER_PODS]["items"]
    driver["status"]["containerStatuses"] = [{"name": "ebs-plugin", "ready": False, "restartCount": 4}]
    api.objects[f"{DRIVER_PODS}/ebs-csi-controller-5d8-x/log"] = {"text": f"{NOT_HEALTHY}\nI1128 started"}


def test_first_cause_of_the_doctor_is_reported_with_its_fix(waiting: Api, aws: FakeAws) -> None:
    aws.answers["ListOpenIDConnectProviders"] = lambda _: {"OpenIDConnectProviderList": []}
    recording = deploy_workloads(kubeconfig=name_cluster(waiting))
    message = get_failure_message(recording)
    assert message.startswith(f"{HEAD}  BROKEN  oidc-provider-missing: ")
    assert message.count("BROKEN") == 1
    assert f"commands   aws iam create-open-id-connect-provider --url {ISSUER} --client-id-list sts." in message
    assert "settings   " in message
    assert message.endswith(f"Run `{EKS_COMMAND}` to see every check.")
    assert waiting.writes() == []
    assert "AssumeRoleWithWebIdentity" not in {operation for _, operation in aws.calls}


def test_sets_that_fail_together_share_the_facts(waiting: Api, aws: FakeAws) -> None:
    recording = deploy_workloads(kubeconfig=name_cluster(waiting))
    for name in ("rocketmq-broker-a-set", "rocketmq-controller-set"):
        get_failure_message(recording, name=name)
    assert [operation for _, operation in aws.calls].count("DescribeCluster") == 1
    # The facts do not contain a claim that is newer.
    (broker,) = waiting.objects[PODS]["items"]
    broker["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "data-1"
    get_failure_message(recording)
    assert [operation for _, operation in aws.calls].count("DescribeCluster") == 2


def test_log_of_an_unhealthy_driver_is_reported_without_aws(waiting: Api) -> None:
    break_driver(waiting)
    message = get_failure_message(deploy_workloads(kubeconfig=waiting.kubeconfig))
    # The identity was not judged, and could be the cause why the controller does not run.
    assert "BROKEN" not in message
    assert "not judged: controller runs: 0 of 1 replicas of Deployment kube-system/ebs-csi-controller are" in message
    # Not the last line of the log, which names no cause.
    assert "log of pod kube-system/ebs-csi-controller-5d8-x: E1128" in message
    assert NO_PROVIDER in " ".join(message.split())
    assert "not judged: cluster is active: AWS failed: no cluster name is known" in message
    assert message.endswith("Run `eks-rocketmq doctor --claim rocketmq/data-0` to see every check.")


@pytest.mark.parametrize(
    "error", [live_cluster.AwsSessionError("no such profile"), ModuleNotFoundError("No module named 'boto3'")]
)
def test_driver_is_judged_if_aws_cannot_be_asked(
    waiting: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: str) -> None:
        raise error

    monkeypatch.setattr(live_cluster, "create_boto_session", fail)
    break_driver(waiting)
    message = get_failure_message(deploy_workloads(kubeconfig=name_cluster(waiting)))
    assert "BROKEN" not in message
    assert f"not judged: AWS was not asked: {error}" in message
    assert "not judged: controller runs: 0 of 1 replicas" in message


def test_missing_driver_is_reported(waiting: Api) -> None:
    waiting.objects["/apis/apps/v1/deployments"]["items"].clear()
    message = get_failure_message(deploy_workloads(kubeconfig=waiting.kubeconfig))
    assert "BROKEN  driver-missing: " in message


@pytest.mark.usefixtures("aws")
def test_what_could_not_be_judged_is_reported_with_the_missing_permission(waiting: Api) -> None:
    waiting.refuse("GET", DRIVER_PODS, 403, "Forbidden", "pods is forbidden")
    message = get_failure_message(deploy_workloads(kubeconfig=name_cluster(waiting)))
    assert message.startswith(HEAD)
    assert "BROKEN" not in message
    assert "list pods failed: 403 Forbidden; missing permission: list pods" in message


def test_present_message_stays_if_the_doctor_fails(waiting: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[str]:
        raise KeyError("metadata")

    monkeypatch.setattr(claim_diagnosis, "explain_claims", fail)
    assert get_failure_message(deploy_workloads(kubeconfig=waiting.kubeconfig)) == (
        f"{HEAD}  the cause is not judged (KeyError: 'metadata'); run `eks-rocketmq doctor --claim rocketmq/data-0`"
    )


@pytest.mark.parametrize(
    ("limit", "function", "expected"),
    [
        (
            "_DOCTOR_SECONDS",
            "_explain_claims",
            f"{HEAD}  the cause is not judged (no answer within 0 s); run `eks-rock",
        ),
        (
            "_READ_SECONDS",
            "_read_problems",
            "rocketmq-broker-a-set is not ready:\n  the cluster did not say why within 0",
        ),
    ],
)
def test_cluster_that_hangs_does_not_hide_the_failure(
    waiting: Api, monkeypatch: pytest.MonkeyPatch, limit: str, function: str, expected: str
) -> None:
    released, threads = threading.Event(), list[threading.Thread]()

    def hang(*_: object) -> None:
        threads.append(threading.current_thread())
        released.wait()

    monkeypatch.setattr(pending_pods, limit, 0.05)
    monkeypatch.setattr(pending_pods, function, hang)
    try:
        message = get_failure_message(deploy_workloads(kubeconfig=waiting.kubeconfig))
    finally:
        released.set()
    assert message.startswith(expected)
    assert [each.daemon for each in threads] == [True], "Python would wait for the thread at its end"


RUNNING = {"name": "broker", "state": {"running": {}}}


@pytest.mark.parametrize(
    ("found", "claims"),
    [
        (pod(claim="data-0"), ["data-0"]),
        (pod(claim="data-0", containerStatuses=[container("broker", "ContainerCreating")]), ["data-0"]),
        (pod(claim="data-0", containerStatuses=[container("broker", "ImagePullBackOff")]), []),
        (pod(claim="data-0", containerStatuses=[RUNNING]), []),
        (pod(claim="data-0", ready=True), []),
        (pod(), []),
    ],
)
def test_claims_of_pods_that_wait_for_volumes_are_judged(found: dict[str, Any], claims: list[str]) -> None:
    assert list_awaited_claims([found]) == claims


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
