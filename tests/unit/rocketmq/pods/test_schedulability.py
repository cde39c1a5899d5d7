"""Checks of nodes, PriorityClasses and StorageClasses before a StatefulSet is created."""

import asyncio
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceHookArgs, ResourceOptions

from eks_rocketmq import RocketMq
from eks_rocketmq.lookups import kubernetes_api
from tests.unit.harness import Recording, run
from tests.unit.kubernetes_api import Api
from tests.unit.rocketmq_case import args

SET = "rocketmq-broker-a-set"
ZONES = ("a", "b", "c")


def node(zone: str = "a", taints: Any = (), memory: str = "15Gi", **labels: str) -> dict[str, Any]:
    own = {"topology.kubernetes.io/zone": zone, "kubernetes.io/arch": "amd64", **labels}
    return {
        "metadata": {"name": f"node-{zone}", "labels": own},
        "spec": {"taints": list(taints)},
        "status": {"allocatable": {"cpu": "1930m", "memory": memory}},
    }


def serve_list(api: Api, path: str, *objects: dict[str, Any]) -> None:
    api.objects[path] = {"items": list(objects)}


@pytest.fixture
def cluster(api: Api) -> Api:
    kubernetes_api._create_client.cache_clear()
    serve_list(api, "/api/v1/nodes", *map(node, ZONES))
    serve_list(api, "/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "gp2"}})
    serve_list(api, "/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "high"}})
    return api


def deploy_with_provider(kubeconfig: Any, *, preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        provider = k8s.Provider("cluster", kubeconfig=kubeconfig)
        RocketMq("rocketmq", args(**changed), ResourceOptions(providers=[provider]))

    return run(program, preview=preview)


def list_warnings(recording: Recording, name: str = SET) -> list[str]:
    """Return the warnings before the creation of the set."""
    resource = next(each for each in recording.resources.values() if each.name == name)
    (hook,) = [each for each in resource.before_create if each.endswith("-schedulable")]
    inputs = dict(resource.inputs)
    warnings: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi.log, "warn", warnings.append)
        asyncio.run(recording.hooks[hook](ResourceHookArgs("urn", "", name, "type", new_inputs=inputs)))
    return warnings


@pytest.mark.parametrize("preview", [True, False])
def test_schedulable_pods_cause_no_warnings(cluster: Api, *, preview: bool) -> None:
    recording = deploy_with_provider(cluster.kubeconfig, preview=preview)
    names = [each.name for each in recording.resources.values() if each.on_error]
    assert len(names) >= 4
    assert [message for name in names for message in list_warnings(recording, name)] == []


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [node(zone, [{"key": "dedicated", "effect": "NoSchedule"}]) for zone in ZONES],
            "do not tolerate the taint 'dedicated:NoSchedule', and each node that they select has such a taint",
        ),
        ([node("a"), node("b")], "run each on a node of its own, and there are nodes for 2 of 3 replicas"),
        (
            [node("a"), node("a"), node("b"), node("b")],
            "are spread evenly over zones, 3 at least, and with 2 nodes in a and 2 nodes in b replica 3 of 3 has no "
            "place",
        ),
        (
            [node(zone, memory="1900000Ki") for zone in ZONES],
            "request 4 GiB of memory each, and the largest node for them has 1.812 GiB of memory at most",
        ),
    ],
)
def test_unschedulable_pods_cause_a_warning(cluster: Api, nodes: list[Any], message: str, *, preview: bool) -> None:
    serve_list(cluster, "/api/v1/nodes", *nodes)
    assert list_warnings(deploy_with_provider(cluster.kubeconfig, preview=preview)) == [
        f"{SET}: its pods {message}. They stay Pending until nodes are added that take them"
    ]


def test_missing_priority_and_storage_classes_cause_warnings(cluster: Api) -> None:
    given: dict[str, Any] = {"pods": {"priority_class": "low", "node_selector": {"kubernetes.io/arch": "amd64"}}}
    serve_list(cluster, "/apis/storage.k8s.io/v1/storageclasses")
    assert list_warnings(deploy_with_provider(cluster.kubeconfig, **given)) == [
        f"{SET}: the cluster has no PriorityClass 'low'; it refuses the pods until it has",
        f"{SET}: the cluster has no StorageClass 'gp2'; the claims stay Pending until it has",
    ]
    # At preview, the StorageClass may still be created by the update.
    assert list_warnings(deploy_with_provider(cluster.kubeconfig, preview=True, **given)) == [
        f"{SET}: the cluster has no PriorityClass 'low'; it refuses the pods until it has"
    ]
    assert list_warnings(deploy_with_provider(cluster.kubeconfig, preview=True, pods={"priority_class": "high"})) == []


def test_forbidden_node_list_causes_no_warning(cluster: Api) -> None:
    kubeconfig = cluster.kubeconfig
    cluster.refuse("GET", "/api/v1/nodes", 403, "Forbidden", "nodes is forbidden")
    assert list_warnings(deploy_with_provider(kubeconfig)) == []


def test_unknown_cluster_is_not_queried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The current context of kubectl on this machine is another cluster."""
    monkeypatch.setattr(kubernetes_api, "get_json", lambda *_, **__: pytest.fail("another cluster was queried"))
    assert list_warnings(run(lambda: RocketMq("rocketmq", args()), preview=True)) == []
