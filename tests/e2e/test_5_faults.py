"""Faults of a production cluster.

Simultaneous start, an overloaded node, hanging processes, a rolling restart, a killed engine and unbound claims.
"""

import json
import os
import signal
import threading
import time
from pathlib import Path

from sandbox.engine import pulumi
from sandbox.layout import NODES
from tests.e2e.running_sandbox import Program, Sandbox, eventually
from tests.faults.sandbox_audit import audit_on_sandbox
from tests.faults.sandbox_cluster import attach

NAMESPACE = "rocketmq"
BROKERS = "rocketmq-broker-a"
STARVED_SECONDS = 90


def test_pods_that_start_at_once_wait_for_their_dependencies(stopped: Sandbox) -> None:
    stopped.start()
    # A proxy without a master exits, which would count as a restart.
    assert set(stopped.restarts(NAMESPACE).values()) == {0}
    sent = json.loads(stopped.sent_before_stop.read_text())
    assert stopped.rocketmq.receive(sent[0].rpartition("-")[0], 5, seconds=90) == sorted(sent)


def test_cpu_starved_node_causes_no_restarts(deployed: Sandbox) -> None:
    deployed.rocketmq.ensure_topic()
    before = deployed.restarts(NAMESPACE)
    with deployed.starved(NODES[1], percent=4):
        ends = time.monotonic() + STARVED_SECONDS
        while time.monotonic() < ends:
            assert deployed.restarts(NAMESPACE) == before
            time.sleep(5)
    eventually(lambda: _all_ready(deployed), 180, "all pods are ready again")
    assert deployed.restarts(NAMESPACE) == before
    sent = deployed.rocketmq.send(5, "starved")
    assert deployed.rocketmq.receive("starved", 5, seconds=90) == sorted(sent)


def test_hanging_processes_are_killed_and_brokers_within_15_seconds(deployed: Sandbox) -> None:
    """Stop a master and the controller leader in turn: `strict` does not cover the loss of both at once."""
    (proxy, *_) = deployed.objects("pods", "-n", NAMESPACE, "-l", "app=rocketmq-proxy")
    _hang(deployed, {f"{BROKERS}-0": 15, "rocketmq-nameserver-0": 70, proxy["metadata"]["name"]: 70})
    _hang(deployed, {"rocketmq-controller-0": 70})


def _hang(deployed: Sandbox, bounds: dict[str, int]) -> None:
    """Stop the processes of some pods. Assert that only these are killed, each in time, and that all become ready."""
    before = deployed.restarts(NAMESPACE)
    hung = {pod: deployed.jvm(NAMESPACE, pod) for pod in bounds}
    begun = time.monotonic()
    for process in hung.values():
        os.kill(process, signal.SIGSTOP)
    took: dict[str, float] = {}

    def all_gone() -> bool:
        for pod, process in hung.items():
            if pod not in took and not Path(f"/proc/{process}").exists():
                took[pod] = time.monotonic() - begun
        return len(took) == len(hung)

    eventually(all_gone, 120, "everything that hung is gone")
    assert {pod: seconds for pod, seconds in took.items() if seconds > bounds[pod]} == {}
    expected = {name for name in before if name.split("/")[0] in bounds}

    def restarted() -> set[str]:
        return {name for name, count in deployed.restarts(NAMESPACE).items() if count > before[name]}

    # A pod whose process has just ended still counts as ready.
    eventually(lambda: restarted() >= expected, 240, "everything that hung is started again")
    eventually(lambda: _all_ready(deployed), 240, "all pods are ready again")
    assert restarted() == expected


def test_messages_survive_a_rolling_restart_of_all_brokers(deployed: Sandbox) -> None:
    deployed.rocketmq.ensure_topic()
    acknowledged = deployed.rocketmq.send(20, "roll-before")
    during: list[str] = []
    sender = threading.Thread(target=lambda: during.extend(deployed.rocketmq.send(200, "roll-during")))

    deployed.kubectl("-n", "rocketmq", "rollout", "restart", f"statefulset/{BROKERS}")
    sender.start()
    deployed.kubectl("-n", "rocketmq", "rollout", "status", f"statefulset/{BROKERS}", "--timeout=10m")
    sender.join(timeout=300)

    assert len(during) == 200, "the sender was stopped by an outage of more than a minute"
    acknowledged += during
    assert deployed.rocketmq.receive("roll", len(acknowledged), seconds=90) == sorted(acknowledged)


def test_draining_the_node_of_the_master_and_the_controller_leader_loses_no_acknowledged_message(
    deployed: Sandbox, tmp_path: Path
) -> None:
    with attach(deployed.instance) as cluster:
        audit = audit_on_sandbox(cluster, "node-drained", tmp_path)
        cluster.wait_until_ready()
    assert audit.findings.correct, (audit.row, audit.lost())


def test_adopt_recovers_an_update_after_the_engine_was_killed(deployed: Sandbox) -> None:
    # The changed key creates another ConfigMap. The reverted update needs the former one again.
    proxies = {"cpu": "200m", "config": {"longPollingReserveTimeInMillis": 200}}
    setting = deployed.changed(lambda config: config["eks-rocketmq:rocketmq"]["proxies"].update(proxies))
    generation = _proxy(deployed)["metadata"]["generation"]
    deployed.kill_up("-s", "prod", *setting, when=lambda: _proxy(deployed)["metadata"]["generation"] > generation)

    pulumi.ensure_stack(deployed.instance, deployed.tools)
    deployed.adopt()
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview")

    (container,) = _proxy(deployed)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "250m"
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", "--expect-no-changes")
    created = [each["metadata"]["name"] for each in deployed.objects("configmaps", "-n", "rocketmq")]
    assert len([name for name in created if name.startswith("rocketmq-proxy-")]) == 1


def test_up_reports_why_pods_are_not_ready(deployed: Sandbox) -> None:
    program = Program(deployed, "unready")
    arguments = {"namespace": "unready", "storage_class": "nowhere", "protect_data": False}
    program.prepare({"rocketmq": {**arguments, "broker_groups": [{"name": "broker-a"}]}, "seconds": 30})
    output = program.pulumi("up", "--yes", "--skip-preview", ok=False)
    for member in range(3):
        assert f"claim data-rocketmq-controller-{member} of pod rocketmq-controller-{member} is not bound" in output
    assert 'storageclass.storage.k8s.io "nowhere" not found' in output
    assert "BROKEN  class-missing: " in output
    assert "Run `eks-rocketmq doctor --claim unready/data-rocketmq-controller-0" in output
    program.remove()


def _all_ready(sandbox: Sandbox) -> bool:
    pods = sandbox.objects("pods", "-n", NAMESPACE)
    return all(each["ready"] for pod in pods for each in pod["status"].get("containerStatuses", [{"ready": False}]))


def _proxy(sandbox: Sandbox) -> dict:
    (deployment,) = sandbox.objects("deployments", "-n", "rocketmq")
    return deployment
