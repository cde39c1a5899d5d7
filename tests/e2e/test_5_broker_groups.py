"""Several broker groups: one on the volume of a broker outside of the stack, and one that is added later.

The first follows docs/how-to/migrate-a-statefulset.md. Both receive messages in their configured zones.
"""

import re
from typing import Any

from sandbox import incident
from sandbox.cluster.netns import inside
from sandbox.engine import pulumi
from sandbox.layout import NODES, REPOSITORY
from sandbox.messages.rocketmq_deployment import RocketMqDeployment
from tests.e2e.running_sandbox import Program, Sandbox, eventually
from tests.versions import old_brokers

NAMESPACE = "groups"
TOPIC_STATS = 202
OLD = 20
GUIDE = REPOSITORY / "docs" / "how-to" / "migrate-a-statefulset.md"


def group(name: str, zone: str, memory: str, storage: str) -> dict[str, Any]:
    return {
        "name": name,
        "replicas": 1,
        "memory": memory,
        "cpu": "50m",
        "storage": storage,
        "pods": {"zones": [zone]},
        # A page of topics would have a single one. The declarations see all of them.
        "config": {"mappedFileSizeCommitLog": 67108864, "splitMetadataSize": 1},
    }


def written(sandbox: Sandbox, name: str) -> int:
    """Return the number of messages of the topic on the only broker of a group, as the broker reports it."""
    address = f"rocketmq-{name}-0.rocketmq-{name}-peers.{NAMESPACE}.svc:10911"
    # The provider may take the ready pod of the former revision for that of the new one.
    sandbox.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/rocketmq-declarations", "--timeout=120s")
    answer = sandbox.kubectl(
        *("-n", NAMESPACE, "exec", "deployment/rocketmq-declarations", "--"),
        *("bash", "/etc/rocketmq/ask.sh", address, str(TOPIC_STATS), '{"topic":"orders"}'),
    )
    return sum(map(int, re.findall(r'"maxOffset":(\d+)', answer)))


def brokers(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Return the broker pods by name."""
    pods = sandbox.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-broker")
    return {pod["metadata"]["name"]: pod for pod in pods}


def zone(sandbox: Sandbox, pod: dict[str, Any]) -> str:
    """Return the zone of the node on which the pod runs."""
    nodes = {node["metadata"]["name"]: node["metadata"]["labels"] for node in sandbox.objects("nodes")}
    return nodes[pod["spec"]["nodeName"]]["topology.kubernetes.io/zone"]


def filled(sandbox: Sandbox) -> list[str]:
    """Send messages to the first of the original brokers and return their bodies."""
    incident.apply(sandbox.instance, sandbox.tools)
    eventually(sandbox.original_claims_are_bound, 120, "the claims of the original brokers are bound")
    ready = ("--for=condition=Ready", "--timeout=120s")
    sandbox.kubectl("-n", incident.NAMESPACE, "wait", "pod", "rocketmq-broker-0", *ready)
    address = sandbox.kubectl(
        "-n", incident.NAMESPACE, "get", "pod", "rocketmq-broker-0", "-o=jsonpath={.status.podIP}"
    )
    bodies = [f"both-old-{number}" for number in range(OLD)]
    with inside(sandbox.instance.control_netns):
        old_brokers.fill(f"{address}:10911", "orders", "workers", bodies)
    return bodies


def guide() -> str:
    """Return the commands of steps 1 to 5 of the guide, for the namespace of this file."""
    steps = GUIDE.read_text().partition("### 1. ")[2].partition("### 6. ")[0]
    script = "\n".join(re.findall(r"^```\n(.*?)^```$", steps, flags=re.DOTALL | re.MULTILINE))
    assert "target=rocketmq\n" in script
    return script.replace("target=rocketmq\n", f"target={NAMESPACE}\n")


def moved(sandbox: Sandbox) -> str:
    """Move the volume of the first of the original brokers into a claim in this file's namespace. Return its zone."""
    sandbox.kubectl("create", "namespace", NAMESPACE)
    done = pulumi.execute(sandbox.instance, sandbox.tools, ["bash", "-euo", "pipefail", "-c", guide()], capture=True)
    assert done.code == 0, done.output
    volume = sandbox.kubectl(
        "-n", NAMESPACE, "get", "pvc", "data-rocketmq-broker-a-0", "-o=jsonpath={.spec.volumeName}"
    )
    (found,) = [each for each in sandbox.objects("pv") if each["metadata"]["name"] == volume]
    (term,) = found["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    return term["matchExpressions"][0]["values"][0]


def test_group_uses_an_existing_volume_and_a_second_group_is_added(stopped: Sandbox) -> None:
    old = filled(stopped)
    first = moved(stopped)
    second = next(node.zone for node in NODES if node.zone != first)
    program = Program(stopped, NAMESPACE)
    arguments = {
        "namespace": NAMESPACE,
        "create_namespace": False,
        "storage_class": "gp2",
        "profile": "dev",
        "protect_data": False,
        "broker_groups": [group("broker-a", first, "1536Mi", "20Gi")],
        "topics": [{"name": "orders", "queues": 4}],
        "consumer_groups": [{"name": "workers"}],
    }
    program.prepare({"rocketmq": arguments})
    output = program.up()
    assert "rocketmq-broker-a uses the claims that exist already" in " ".join(output.split())
    client = RocketMqDeployment(stopped.instance, stopped.tools, namespace=NAMESPACE, topic="orders", group="workers")
    sent = [*old, *client.send(10, "both")]
    before = brokers(stopped)

    program.change(lambda rocketmq: rocketmq["broker_groups"].append(group("broker-b", second, "2Gi", "3Gi")))
    program.up()

    def written_there() -> int:
        sent.extend(client.send(10, f"both-{len(sent)}"))
        return written(stopped, "broker-b")

    eventually(written_there, 120, "proxies and clients know the second group's routes")
    assert client.receive("both", len(sent)) == sorted(sent)
    counts = {name: written(stopped, name) for name in ("broker-a", "broker-b")}
    assert sum(counts.values()) == len(sent)
    after = brokers(stopped)
    uids = [pods["rocketmq-broker-a-0"]["metadata"]["uid"] for pods in (before, after)]
    assert uids[0] == uids[1], "the first group was left alone"
    assert {name: zone(stopped, pod) for name, pod in after.items()} == {
        "rocketmq-broker-a-0": first,
        "rocketmq-broker-b-0": second,
    }
    claims = stopped.objects("pvc", "-n", NAMESPACE)
    sizes = {claim["metadata"]["name"]: claim["status"]["capacity"]["storage"] for claim in claims}
    assert sizes["data-rocketmq-broker-a-0"] == "20Gi"
    assert sizes["data-rocketmq-broker-b-0"] == "3Gi"
    program.remove()
    volume = next(c["spec"]["volumeName"] for c in claims if c["metadata"]["name"] == "data-rocketmq-broker-a-0")
    stopped.kubectl("patch", "pv", volume, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')
    stopped.kubectl("delete", "namespace", NAMESPACE, "--wait=true")
    stopped.kubectl("-n", incident.NAMESPACE, "delete", "pvc", "-l", incident.SELECTOR)
