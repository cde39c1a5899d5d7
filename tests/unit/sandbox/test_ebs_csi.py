"""EBS CSI addon of the sandbox: applied and deleted objects, and the reported status."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from botocore.exceptions import ClientError

from sandbox.cluster import mounts
from sandbox.ebs_csi import addon, health, manifests, node_plugin, self_managed
from sandbox.ebs_csi.addon_configuration import AddonConfiguration, ConfigurationError, parse
from sandbox.ebs_csi.cluster_client import ClusterClient
from sandbox.layout import NODES, SandboxInstance

ROLE = "arn:aws:iam::140023393377:role/eks-ebs-csi-driver"
ENDPOINT = "http://10.200.0.1:4566"
Objects = list[manifests.Manifest]


WITHOUT_EC2_CHECK, WITH_EC2_CHECK = "v1.48.0-eksbuild.1", "v1.49.0-eksbuild.1"


def rendered(
    role: str | None = ROLE, configuration: AddonConfiguration | None = None, version: str = WITHOUT_EC2_CHECK
) -> Objects:
    return manifests.addon_manifests(role, configuration or AddonConfiguration(), ENDPOINT, version)


ALL_MANIFESTS = rendered(configuration=AddonConfiguration(default_storage_class=True))


def one(objects: Sequence[manifests.Manifest], kind: str) -> manifests.Manifest:
    found = [each for each in objects if each["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def controller_pod(objects: Objects) -> dict[str, Any]:
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def environment(objects: Objects) -> dict[str, str]:
    return {each["name"]: each["value"] for each in controller_pod(objects)["containers"][0]["env"]}


@pytest.mark.parametrize("each", ALL_MANIFESTS, ids=lambda each: each["kind"])
def test_manifests_are_valid_kubernetes_objects(each: manifests.Manifest) -> None:
    kubernetes_validate.validate(each, "1.35", strict=True)


def test_controller_uses_the_role_of_the_addon() -> None:
    objects = rendered()
    assert one(objects, "ServiceAccount")["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE}
    assert environment(objects)["AWS_ROLE_ARN"] == ROLE
    pod = controller_pod(objects)
    token = pod["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]
    mounted = pod["containers"][0]["volumeMounts"][0]["mountPath"]
    assert pod["serviceAccountName"] == "ebs-csi-controller-sa"
    assert token["audience"] == "sts.amazonaws.com"
    assert environment(objects)["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mounted}/{token['path']}"


def test_controller_calls_sts_of_the_sandbox() -> None:
    # The SDK creates its STS client before it reads AWS_ENDPOINT_URL. Without this variable it would call the real AWS.
    assert environment(rendered())["AWS_ENDPOINT_URL_STS"] == ENDPOINT


def test_controller_without_a_role_gets_no_credentials() -> None:
    objects = rendered(role=None)
    assert one(objects, "ServiceAccount")["metadata"]["annotations"] == {}
    assert not {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} & environment(objects).keys()
    assert controller_pod(objects)["volumes"] == []


def test_pods_have_the_label_that_runbooks_select() -> None:
    deployment = one(rendered(), "Deployment")["spec"]
    assert deployment["template"]["metadata"]["labels"]["app"] == "ebs-csi-controller"
    assert deployment["selector"]["matchLabels"] == {"app": "ebs-csi-controller"}


@pytest.mark.parametrize(
    ("version", "checks"),
    [
        (WITHOUT_EC2_CHECK, False),
        (WITH_EC2_CHECK, True),
        ("v1.50.1-eksbuild.1", True),
        ("v1.9.0-eksbuild.1", False),
        ("v2.0.0", True),
    ],
)
def test_driver_checks_ec2_since_version_1_49(version: str, checks: bool) -> None:
    assert ("--check-ec2" in controller_pod(rendered(version=version))["containers"][0]["args"]) is checks


def test_fs_group_is_applied_to_read_write_once_volumes() -> None:
    spec = one(rendered(), "CSIDriver")["spec"]
    assert spec == {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "ReadWriteOnceWithFSType"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, AddonConfiguration()),
        ("", AddonConfiguration()),
        ('{"controller": {"replicaCount": 1}}', AddonConfiguration(replicas=1)),
        ("controller:\n  extraVolumeTags: {team: messaging}", AddonConfiguration(extra_tags={"team": "messaging"})),
        ('{"defaultStorageClass": {"enabled": true}}', AddonConfiguration(default_storage_class=True)),
        ('{"node": {"volumeAttachLimit": 5}}', AddonConfiguration(attach_limit=5)),
        ('{"sidecars": {"snapshotter": {}}}', AddonConfiguration()),
    ],
)
def test_configuration_values_are_parsed(text: str | None, expected: AddonConfiguration) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[1]", "configurationValues"),
        ("{", "configurationValues"),
        ('{"controller": 1}', "controller"),
        ('{"controller": {"replicaCount": 0}}', "replicaCount"),
        ('{"controller": {"replicaCount": true}}', "replicaCount"),
        ('{"controller": {"extraVolumeTags": {"a": 1}}}', "extraVolumeTags"),
        ('{"defaultStorageClass": {"enabled": "yes"}}', "enabled"),
        ('{"node": {"volumeAttachLimit": "many"}}', "volumeAttachLimit"),
    ],
)
def test_invalid_configuration_value_is_rejected_by_name(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        parse(text)


def test_configuration_values_are_rendered() -> None:
    objects = rendered(
        configuration=AddonConfiguration(replicas=3, extra_tags={"b": "2", "a": "1"}, default_storage_class=True)
    )
    assert one(objects, "Deployment")["spec"]["replicas"] == 3
    assert "--extra-tags=a=1,b=2" in controller_pod(objects)["containers"][0]["args"]
    assert one(objects, "StorageClass")["metadata"]["name"] == "ebs-csi-default-sc"
    assert not [each for each in rendered() if each["kind"] == "StorageClass"]


def deployment_with_status(available: str = "True", replicas: int = 2, observed: int = 1) -> dict[str, Any]:
    conditions = [{"type": "Available", "status": available}]
    status = {"observedGeneration": observed, "availableReplicas": replicas, "conditions": conditions}
    return {"metadata": {"generation": 1}, "status": status}


@pytest.mark.parametrize(
    ("deployment", "before", "expected"),
    [
        (None, None, "CREATING"),
        (deployment_with_status(available="False", replicas=0), "CREATING", "CREATING"),
        (deployment_with_status(observed=0), None, "CREATING"),
        (deployment_with_status(), "CREATING", "ACTIVE"),
        (deployment_with_status(), "DEGRADED", "ACTIVE"),
        (deployment_with_status(available="False", replicas=0), "ACTIVE", "DEGRADED"),
        (None, "ACTIVE", "DEGRADED"),
    ],
)
def test_status_follows_the_deployment(deployment: dict[str, Any] | None, before: str | None, expected: str) -> None:
    found = health.assess(deployment, before)
    assert found["status"] == expected
    codes = [each["code"] for each in found["issues"]]
    assert codes == (["InsufficientNumberOfReplicas"] if expected == "DEGRADED" else [])


def test_creation_that_exceeds_the_deadline_becomes_degraded() -> None:
    found = health.assess(deployment_with_status(available="False", replicas=0), "CREATING", late=True)
    assert (found["status"], found["final"]) == ("DEGRADED", True)
    assert health.assess(deployment_with_status(), "CREATING", late=True)["status"] == "ACTIVE"


class FakeEks:
    """Fake EKS API with at most one addon."""

    def __init__(self) -> None:
        self.addon: dict[str, Any] | None = {"serviceAccountRoleArn": ROLE, "addonVersion": WITHOUT_EC2_CHECK}

    def describe_addon(self, **_: str) -> dict[str, Any]:
        if self.addon is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeAddon")
        return {"addon": self.addon}


class FakeCluster(ClusterClient):
    """Fake cluster that stores the applied objects."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], manifests.Manifest] = {}
        self.applies = 0
        self.broken = False

    def apply(self, objects: Sequence[manifests.Manifest]) -> None:
        self.applies += 1
        self.objects |= {(each["kind"], each["metadata"]["name"]): each for each in objects}

    def delete(self, objects: Sequence[manifests.Manifest]) -> None:
        for each in objects:
            self.objects.pop((each["kind"], each["metadata"]["name"]), None)

    def controller(self) -> dict[str, Any] | None:
        if self.broken:
            return deployment_with_status(available="False", replicas=0)
        return deployment_with_status() if ("Deployment", "ebs-csi-controller") in self.objects else None


class Bench:
    """Reconciler with a fake EKS API and a fake cluster."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SandboxInstance, "root", root)
        self.instance = SandboxInstance("unit")
        self.instance.run.mkdir()
        self.eks, self.cluster = FakeEks(), FakeCluster()
        self.reconciler = addon.Reconciler(self.instance, Path("ebs-csi"), self.eks, self.cluster)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_driver_exists_only_while_the_addon_exists(bench: Bench) -> None:
    bench.reconciler.step()
    assert ("CSIDriver", "ebs.csi.aws.com") in bench.cluster.objects
    assert json.loads(health.status_file(bench.instance).read_text()) == {"status": "ACTIVE", "issues": []}
    bench.eks.addon = None
    bench.reconciler.step()
    assert bench.cluster.objects == {}
    assert not health.status_file(bench.instance).exists()
    assert health.observed_file(bench.instance).read_text() == "absent"


def test_helm_driver_gets_node_plugins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(node_plugin, "ensure", lambda *_: started.append("ensure"))
    monkeypatch.setattr(node_plugin, "stop_idle", lambda *_: started.append("stop"))
    bench.eks.addon = None
    bench.reconciler.step()
    helm = one(self_managed.driver_manifests(ENDPOINT), "Deployment")
    monkeypatch.setattr(bench.cluster, "controller", lambda: helm)
    bench.reconciler.step()
    monkeypatch.setattr(bench.cluster, "controller", lambda: one(ALL_MANIFESTS, "Deployment"))
    bench.reconciler.step()
    assert started == ["stop", "ensure", "stop"]


@pytest.mark.parametrize("each", self_managed.driver_manifests(ENDPOINT), ids=lambda each: each["kind"])
def test_helm_driver_has_no_role_and_no_eks_label(each: manifests.Manifest) -> None:
    kubernetes_validate.validate(each, "1.35", strict=True)
    assert each["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert "role/" not in json.dumps(each)


@pytest.mark.parametrize(("version", "status"), [(WITHOUT_EC2_CHECK, "CREATING"), (WITH_EC2_CHECK, "DEGRADED")])
def test_only_a_driver_that_checks_ec2_becomes_degraded_after_the_deadline(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, version: str, status: str
) -> None:
    monkeypatch.setattr(addon, "LATE_SECONDS", -1.0)
    bench.eks.addon = {"serviceAccountRoleArn": ROLE, "addonVersion": version}
    bench.cluster.broken = True
    bench.reconciler.step()
    bench.reconciler.step()
    assert health.read(bench.instance) == status
    bench.cluster.broken = False
    bench.reconciler.step()
    assert health.read(bench.instance) == "ACTIVE"


def test_objects_of_a_deleting_addon_are_deleted_immediately(bench: Bench) -> None:
    bench.reconciler.step()
    bench.eks.addon = {"serviceAccountRoleArn": ROLE, "addonVersion": WITHOUT_EC2_CHECK, "status": "DELETING"}
    bench.reconciler.step()
    assert bench.cluster.objects == {}
    assert not health.status_file(bench.instance).exists()


def test_unchanged_manifests_are_not_applied_again(bench: Bench) -> None:
    bench.reconciler.step()
    bench.reconciler.step()
    assert bench.cluster.applies == 1
    bench.eks.addon = {"serviceAccountRoleArn": f"{ROLE}-2", "addonVersion": WITHOUT_EC2_CHECK}
    bench.reconciler.step()
    account = bench.cluster.objects["ServiceAccount", "ebs-csi-controller-sa"]
    assert bench.cluster.applies == 2
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == f"{ROLE}-2"


def test_object_removed_from_the_configuration_is_deleted(bench: Bench) -> None:
    bench.eks.addon = {
        "serviceAccountRoleArn": ROLE,
        "addonVersion": WITHOUT_EC2_CHECK,
        "configurationValues": '{"defaultStorageClass": {"enabled": true}}',
    }
    bench.reconciler.step()
    assert ("StorageClass", "ebs-csi-default-sc") in bench.cluster.objects
    bench.eks.addon = {"serviceAccountRoleArn": ROLE, "addonVersion": WITHOUT_EC2_CHECK}
    bench.reconciler.step()
    assert ("StorageClass", "ebs-csi-default-sc") not in bench.cluster.objects


def test_invalid_configuration_degrades_the_addon_and_keeps_the_driver(bench: Bench) -> None:
    bench.reconciler.step()
    bench.eks.addon = {"addonVersion": WITHOUT_EC2_CHECK, "configurationValues": '{"controller": {"replicaCount": 0}}'}
    bench.reconciler.step()
    reported = json.loads(health.status_file(bench.instance).read_text())
    assert (reported["status"], reported["issues"][0]["code"]) == ("DEGRADED", "ConfigurationConflict")
    assert ("Deployment", "ebs-csi-controller") in bench.cluster.objects


def test_temporary_eks_error_does_not_remove_the_driver(bench: Bench) -> None:
    bench.reconciler.step()
    failure = ClientError({"Error": {"Code": "ServerException"}}, "DescribeAddon")
    bench.eks.describe_addon = lambda **_: (_ for _ in ()).throw(failure)
    with pytest.raises(ClientError):
        bench.reconciler.step()
    assert ("Deployment", "ebs-csi-controller") in bench.cluster.objects


def test_node_plugin_uses_the_kubelet_and_identity_of_its_node() -> None:
    instance, node = SandboxInstance("unit"), NODES[1]
    process = node_plugin.process(instance, node, Path("/bin/ebs-csi"), None)
    assert process.netns == "rmq-unit-b"
    assert list(process.argv) == [
        *(
            "/bin/ebs-csi",
            "node",
            f"--kubelet-root={instance.node_root(node)}/kubelet",
            f"--volumes={instance.volumes}",
        ),
        *("--instance-id=i-0b00000000000000b", "--zone=ap-southeast-1b", "--volume-attach-limit=25"),
    ]


MOUNTINFO = """\
30 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
41 30 7:0 / /nodes/a/kubelet/plugins/kubernetes.io/csi/ebs.csi.aws.com/1/globalmount rw shared:9 - xfs /dev/loop0 rw
42 30 7:0 / /nodes/a/kubelet/pods/1/volumes/kubernetes.io~csi/pvc-1/mount rw shared:9 - xfs /dev/loop0 rw
43 30 7:1 / /nodes/b/kubelet/plugins/kubernetes.io/csi/other.driver/1/globalmount rw - xfs /dev/loop1 rw
"""


def test_staged_volumes_of_a_node_are_found() -> None:
    assert len(node_plugin.staged(MOUNTINFO, Path("/nodes/a/kubelet"))) == 1
    assert node_plugin.staged(MOUNTINFO, Path("/nodes/b/kubelet")) == []


def test_mounts_and_loop_devices_of_a_sandbox_are_found() -> None:
    assert len(mounts.mounted_from(MOUNTINFO, "/dev/loop0")) == 2
    listing = json.dumps(
        {
            "loopdevices": [
                {"name": "/dev/loop0", "back-file": "/sandbox/volumes/vol-1.img (deleted)"},
                {"name": "/dev/loop1", "back-file": "/sandbox/volumes-2/vol-2.img"},
                {"name": "/dev/loop2", "back-file": None},
            ]
        }
    )
    assert mounts.loop_devices(listing, Path("/sandbox/volumes")) == ["/dev/loop0"]
    assert mounts.loop_devices("", Path("/sandbox/volumes")) == []
