"""Faults that a production cluster has: brokers that restart, an engine that is killed, claims that find no volume."""

import threading

from sandbox.engine import pulumi
from tests.e2e.running_sandbox import Program, Sandbox

BROKERS = "rocketmq-broker-a"


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


def test_an_engine_killed_in_the_middle_of_an_update_is_taken_over(deployed: Sandbox) -> None:
    setting = deployed.changed(lambda config: config["eks-rocketmq:proxies"].update(cpu="200m"))
    generation = _proxy(deployed)["metadata"]["generation"]
    deployed.kill_up("-s", "prod", *setting, when=lambda: _proxy(deployed)["metadata"]["generation"] > generation)

    pulumi.ensure_stack(deployed.place, deployed.tools)
    deployed.adopt()
    deployed.pulumi("up", "-s", "prod", "--yes")

    (container,) = _proxy(deployed)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "250m"
    deployed.pulumi("up", "-s", "prod", "--yes", "--expect-no-changes")


def test_what_pods_wait_for_is_said_in_the_clusters_own_words(deployed: Sandbox) -> None:
    program = Program(deployed, "unready")
    arguments = {"namespace": "unready", "storage_class": "nowhere", "protect_data": False}
    program.prepare({"rocketmq": {**arguments, "broker_groups": [{"name": "broker-a"}]}, "seconds": 30})
    output = program.pulumi("up", "--yes", "--skip-preview", ok=False)
    for member in range(3):
        assert f"claim data-rocketmq-controller-{member} of pod rocketmq-controller-{member} is not bound" in output
    assert 'storageclass.storage.k8s.io "nowhere" not found' in output
    program.remove()


def _proxy(sandbox: Sandbox) -> dict:
    (deployment,) = sandbox.objects("deployments", "-n", "rocketmq")
    return deployment
