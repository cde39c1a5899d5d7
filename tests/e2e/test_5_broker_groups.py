"""Several broker groups: one is added to a running RocketMQ, and both take messages where they were told to run."""

import re
from typing import Any

from sandbox.messages.deliver import Deployment
from sandbox.place import NODES
from tests.e2e.running_sandbox import Program, Sandbox, eventually

NAMESPACE = "groups"
TOPIC_STATS = 202
FIRST, SECOND = NODES[0].zone, NODES[1].zone


def group(name: str, zone: str, memory: str, storage: str) -> dict[str, Any]:
    return {
        "name": name,
        "replicas": 1,
        "memory": memory,
        "cpu": "50m",
        "storage": storage,
        "pods": {"zones": [zone]},
        "config": {"mappedFileSizeCommitLog": 67108864},
    }


def written(sandbox: Sandbox, name: str) -> int:
    """Messages of the topic on a group's only broker, as it answers itself."""
    address = f"rocketmq-{name}-0.rocketmq-{name}-peers.{NAMESPACE}.svc:10911"
    answer = sandbox.kubectl(
        *("-n", NAMESPACE, "exec", "deployment/rocketmq-declarations", "--"),
        *("bash", "/etc/rocketmq/ask.sh", address, str(TOPIC_STATS), '{"topic":"orders"}'),
    )
    return sum(map(int, re.findall(r'"maxOffset":(\d+)', answer)))


def brokers(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Pods by name."""
    pods = sandbox.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-broker")
    return {pod["metadata"]["name"]: pod for pod in pods}


def zone(sandbox: Sandbox, pod: dict[str, Any]) -> str:
    """Of the node that the pod runs on."""
    nodes = {node["metadata"]["name"]: node["metadata"]["labels"] for node in sandbox.objects("nodes")}
    return nodes[pod["spec"]["nodeName"]]["topology.kubernetes.io/zone"]


def test_a_group_is_added_to_a_running_rocketmq(room: Sandbox) -> None:
    program = Program(room, NAMESPACE)
    arguments = {
        "namespace": NAMESPACE,
        "storage_class": "gp2",
        "profile": "dev",
        "protect_data": False,
        "broker_groups": [group("broker-a", FIRST, "1536Mi", "2Gi")],
        "topics": [{"name": "orders", "queues": 4}],
        "consumer_groups": [{"name": "workers"}],
    }
    program.prepare({"rocketmq": arguments})
    program.up()
    client = Deployment(room.place, room.tools, namespace=NAMESPACE, topic="orders", group="workers")
    sent = client.send(10, "both")
    before = brokers(room)

    program.change(lambda rocketmq: rocketmq["broker_groups"].append(group("broker-b", SECOND, "2Gi", "3Gi")))
    program.up()

    def written_there() -> int:
        sent.extend(client.send(10, f"both-{len(sent)}"))
        return written(room, "broker-b")

    eventually(written_there, 120, "proxies and clients know the second group's routes")
    assert client.receive("both", len(sent)) == sorted(sent)
    counts = {name: written(room, name) for name in ("broker-a", "broker-b")}
    assert sum(counts.values()) == len(sent)
    after = brokers(room)
    uids = [pods["rocketmq-broker-a-0"]["metadata"]["uid"] for pods in (before, after)]
    assert uids[0] == uids[1], "the first group was left alone"
    assert {name: zone(room, pod) for name, pod in after.items()} == {
        "rocketmq-broker-a-0": FIRST,
        "rocketmq-broker-b-0": SECOND,
    }
    claims = room.objects("pvc", "-n", NAMESPACE)
    sizes = {claim["metadata"]["name"]: claim["status"]["capacity"]["storage"] for claim in claims}
    assert sizes["data-rocketmq-broker-a-0"] == "2Gi"
    assert sizes["data-rocketmq-broker-b-0"] == "3Gi"
    program.remove()
