"""The end: `destroy` deletes all resources and volumes, and `down` leaves nothing on the machine."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox import incident, lifecycle
from tests.e2e.running_sandbox import Sandbox, eventually


def namespaces(sandbox: Sandbox) -> set[str]:
    return {item["metadata"]["name"] for item in sandbox.objects("namespaces")}


def scale_driver(sandbox: Sandbox, replicas: int) -> None:
    sandbox.kubectl("-n", "kube-system", "scale", "deployment/ebs-csi-controller", f"--replicas={replicas}")


def test_destroy_is_rejected_while_the_data_is_protected(deployed: Sandbox) -> None:
    assert "protect" in deployed.destroy(ok=False)
    assert deployed.objects("deployments", "-n", "rocketmq"), "what is not protected is not deleted either"


def test_destroy_is_rejected_while_the_namespace_contains_the_original_brokers(deployed: Sandbox) -> None:
    incident.apply(deployed.instance, deployed.tools)
    unprotected = deployed.changed(lambda config: config["eks-rocketmq:rocketmq"].update(protectData=False))
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", *unprotected)
    eventually(
        lambda: len(incident.claim_phases(deployed.instance, deployed.tools)) == 2, 60, "the original brokers are there"
    )

    output = deployed.destroy(ok=False)

    for line in (
        "PersistentVolumeClaim rocketmq/store-rocketmq-broker-0",
        "PersistentVolumeClaim rocketmq/store-rocketmq-broker-1",
        "StatefulSet rocketmq/rocketmq-broker",
        "--keep-namespaces",
    ):
        assert line in output
    assert "data-rocketmq-broker-a-0" not in output, "what the stack made goes with it"
    assert deployed.objects("deployments", "-n", "rocketmq"), "nothing was deleted"


def test_destroy_deletes_all_resources_and_volumes(deployed: Sandbox) -> None:
    incident.remove(deployed.instance, deployed.tools)
    eventually(lambda: len(deployed.objects("pv")) == 6, 120, "the incident's volumes are deleted")
    # Simulate a slow driver: it deletes the first volume only after the last object of RocketMQ is gone.
    scale_driver(deployed, 0)

    with ThreadPoolExecutor() as thread:
        destroying = thread.submit(deployed.destroy)
        eventually(lambda: destroying.done() or "rocketmq" not in namespaces(deployed), 300, "RocketMQ is gone")
        scale_driver(deployed, 2)
        output = destroying.result(timeout=300)

    assert "Waiting for the driver to delete its volumes" in output
    assert "rocketmq/data-rocketmq-broker-a-1  100Gi  vol-" in output
    assert "rocketmq" not in namespaces(deployed)
    assert deployed.objects("pvc", "-A") == []
    assert deployed.objects("pv") == []
    assert deployed.driver_volumes() == []
    assert list(deployed.instance.volumes.glob("vol-*")) == []
    with deployed.aws("iam") as iam:
        assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
        assert "eks-ebs-csi-driver" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    with deployed.aws("eks") as eks:
        assert eks.list_addons(clusterName="prod")["addons"] == []
        assert eks.describe_cluster(name="prod")["cluster"]["status"] == "ACTIVE"


def test_down_leaves_nothing_on_the_machine(sandbox: Sandbox) -> None:
    lifecycle.down(sandbox.instance, sandbox.report)

    assert not sandbox.instance.root.exists()
    assert (
        f"rmq-{sandbox.instance.name}-"
        not in subprocess.run(["ip", "netns"], check=True, capture_output=True, text=True).stdout
    )
    assert str(sandbox.instance.root) not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/rmq-{sandbox.instance.name}-*"))
    assert (
        str(sandbox.instance.root)
        not in subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    )
