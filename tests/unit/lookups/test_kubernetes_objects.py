"""Lookups of Kubernetes objects for `adopt` and the preflight check."""

import socket
from typing import Any

import pytest
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic.exceptions import ForbiddenError
from urllib3.exceptions import MaxRetryError

from eks_rocketmq.lookups import kubernetes_api, kubernetes_objects
from eks_rocketmq.lookups.existing_resource import ExistingResource
from tests.unit.adopt_case import NAMESPACE
from tests.unit.kubernetes_api import Api

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
    ids=["cluster-wide", "in a namespace", "in the default namespace", "in an API group"],
)
def test_an_object_is_found_only_if_it_exists_in_the_cluster(
    api: Api, inputs: dict[str, Any], path: str, id_: str
) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    assert kubernetes_objects.find_object({"kubeconfig": api.kubeconfig}, inputs) is None
    api.objects[path] = {"metadata": {"name": "x", "annotations": {"team": "messaging"}}}
    assert kubernetes_objects.find_object({"kubeconfig": api.kubeconfig}, inputs) == ExistingResource(
        id_, {"team": "messaging"}
    )
    del api.objects[path]["metadata"]["annotations"]
    assert kubernetes_objects.find_object({"kubeconfig": api.kubeconfig}, inputs) == ExistingResource(id_, {})


@pytest.mark.parametrize("version", ["v1", "monitoring.coreos.com/v1"], ids=["no such kind", "no such group"])
def test_objects_of_unknown_kinds_do_not_exist(api: Api, version: str) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    assert (
        kubernetes_objects.find_object({"kubeconfig": api.kubeconfig}, manifest(version, "PodMonitor", name="brokers"))
        is None
    )


def test_a_forbidden_lookup_raises_an_error(api: Api) -> None:
    api.objects |= {base: {"resources": resources} for base, resources in SERVED.items()}
    api.refuse("GET", "/api/v1/namespaces/rocketmq", 403, "Forbidden", "namespaces is forbidden")
    with pytest.raises(ForbiddenError, match="namespaces is forbidden"):
        kubernetes_objects.find_object({"kubeconfig": api.kubeconfig}, NAMESPACE)


def test_a_cluster_that_overrides_that_of_the_context_is_rejected() -> None:
    with pytest.raises(ConfigException, match=r"has `cluster` and no kubeconfig"):
        kubernetes_objects.find_object({"context": "prod", "cluster": "other"}, NAMESPACE)


def test_a_timed_out_request_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_api, "_TIMEOUT_SECONDS", (1, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = Api(f"http://127.0.0.1:{silent.getsockname()[1]}").kubeconfig
        with pytest.raises(MaxRetryError, match="Read timed out"):
            kubernetes_objects.find_object({"kubeconfig": kubeconfig}, NAMESPACE)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
