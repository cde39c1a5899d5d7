"""What a cluster is asked before a set is created: its nodes, PriorityClasses and StorageClasses."""

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


def listed(api: Api, path: str, *objects: dict[str, Any]) -> None:
    api.objects[path] = {"items": list(objects)}


@pytest.fixture
def cluster(api: Api) -> Api:
    kubernetes_api._create_client.cache_clear()
    listed(api, "/api/v1/nodes", *map(node, ZONES))
    listed(api, "/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "gp2"}})
    listed(api, "/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "high"}})
    return api


def deployed(kubeconfig: Any, *, preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        provider = k8s.Provider("cluster", kubeconfig=kubeconfig)
        RocketMq("rocketmq", args(**changed), ResourceOptions(providers=[provider]))

    return run(program, preview=preview)


def warned(recording: Recording, name: str = SET) -> list[str]:
    """What is said before the set is created."""
    resource = next(each for each in recording.resources.values() if each.name == name)
    (hook,) = [each for each in resource.before_create if each.endswith("-schedulable")]
    inputs = dict(resource.inputs)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi.log, "warn", said.append)
        asyncio.run(recording.hooks[hook](ResourceHookArgs("urn", "", name, "type", new_inputs=inputs)))
    return said


@pytest.mark.parametrize("preview", [True, False])
def test_nothing_is_said_where_the_pods_find_nodes(cluster: Api, *, preview: bool) -> None:
    recording = deployed(cluster.kubeconfig, preview=preview)
    names = [each.name for each in recording.resources.values() if each.on_error]
    assert len(names) >= 4
    assert [told for name in names for told in warned(recording, name)] == []


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("there", "told"),
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
def test_pods_that_no_node_takes_are_said(cluster: Api, there: list[Any], told: str, *, preview: bool) -> None:
    listed(cluster, "/api/v1/nodes", *there)
    assert warned(deployed(cluster.kubeconfig, preview=preview)) == [
        f"{SET}: its pods {told}. They stay Pending until nodes are added that take them"
    ]


def test_what_the_pods_name_and_the_cluster_has_not_is_said(cluster: Api) -> None:
    given: dict[str, Any] = {"pods": {"priority_class": "low", "node_selector": {"kubernetes.io/arch": "amd64"}}}
    listed(cluster, "/apis/storage.k8s.io/v1/storageclasses")
    assert warned(deployed(cluster.kubeconfig, **given)) == [
        f"{SET}: the cluster has no PriorityClass 'low'; it refuses the pods until it has",
        f"{SET}: the cluster has no StorageClass 'gp2'; the claims stay Pending until it has",
    ]
    # At preview the class may still be made.
    assert warned(deployed(cluster.kubeconfig, preview=True, **given)) == [
        f"{SET}: the cluster has no PriorityClass 'low'; it refuses the pods until it has"
    ]
    assert warned(deployed(cluster.kubeconfig, preview=True, pods={"priority_class": "high"})) == []


def test_a_cluster_that_does_not_answer_stops_nothing(cluster: Api) -> None:
    kubeconfig = cluster.kubeconfig
    cluster.refuse("GET", "/api/v1/nodes", 403, "Forbidden", "nodes is forbidden")
    assert warned(deployed(kubeconfig)) == []


def test_a_cluster_that_is_not_known_yet_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever kubectl would use on this machine is another cluster."""
    monkeypatch.setattr(kubernetes_api, "get_json", lambda *_, **__: pytest.fail("another cluster was asked"))
    assert warned(run(lambda: RocketMq("rocketmq", args()), preview=True)) == []
