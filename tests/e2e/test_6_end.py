"""The end: `destroy` leaves AWS, Kubernetes and volumes empty, `down` leaves nothing on the machine."""

import subprocess
from pathlib import Path

from sandbox import incident, lifecycle
from tests.e2e.running_sandbox import Sandbox, eventually


def test_destroy_is_refused_while_the_data_is_protected(deployed: Sandbox) -> None:
    assert "protect" in deployed.pulumi("destroy", "-s", "prod", "--yes", ok=False)
    assert deployed.objects("statefulsets", "-n", "rocketmq")


def test_destroy_leaves_aws_kubernetes_and_volumes_empty(sandbox: Sandbox) -> None:
    sandbox.kubectl("delete", "namespace", incident.NAMESPACE, "--ignore-not-found")
    unprotected = sandbox.changed(lambda config: config.update({"eks-rocketmq:protectData": False}))
    sandbox.pulumi("up", "-s", "prod", "--yes", *unprotected)

    sandbox.pulumi("destroy", "-s", "prod", "--yes")

    assert "rocketmq" not in [item["metadata"]["name"] for item in sandbox.objects("namespaces")]
    assert sandbox.objects("pvc", "-A") == []
    eventually(lambda: not sandbox.objects("pv"), 60, "the driver deletes the volumes of the claims that are gone")
    assert sandbox.driver_volumes() == []
    assert list(sandbox.place.volumes.glob("vol-*")) == []
    with sandbox.aws("iam") as iam:
        assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
        assert "eks-ebs-csi-driver" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    with sandbox.aws("eks") as eks:
        assert eks.list_addons(clusterName="prod")["addons"] == []
        assert eks.describe_cluster(name="prod")["cluster"]["status"] == "ACTIVE"


def test_down_leaves_nothing_on_the_machine(sandbox: Sandbox) -> None:
    lifecycle.down(sandbox.place, sandbox.report)

    assert not sandbox.place.root.exists()
    assert (
        f"rmq-{sandbox.place.name}-"
        not in subprocess.run(["ip", "netns"], check=True, capture_output=True, text=True).stdout
    )
    assert str(sandbox.place.root) not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/rmq-{sandbox.place.name}-*"))
    assert (
        str(sandbox.place.root)
        not in subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    )
