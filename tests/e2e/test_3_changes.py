"""Everyday changes: a setting, a rejected replacement, volume expansion, manual drift and driver permissions."""

import json
from typing import Any

import pytest

from eks_rocketmq.lookups.create_checks import OWNER_TAG
from sandbox import pins
from sandbox.aws.seed import PROVIDER_ARN
from sandbox.layout import CLUSTER
from tests.e2e.running_sandbox import Sandbox, eventually

BROKERS = "kubernetes:apps/v1:StatefulSet"
GROWING = "data-rocketmq-broker-a-0"
"""Claim that grows while the other tests of this file run: the kubelet looks for it every 60 to 90 s."""


@pytest.fixture(scope="module")
def restarts(stack: Sandbox) -> dict[str, int]:
    """Return how often the broker pods had restarted before the tests of this file."""
    stack.start()
    return _restarts(stack)


@pytest.mark.usefixtures("restarts")
def test_claim_begins_to_grow(deployed: Sandbox) -> None:
    deployed.kubectl(
        *("-n", "rocketmq", "patch", "pvc", GROWING),
        *("-p", '{"spec":{"resources":{"requests":{"storage":"101Gi"}}}}'),
    )
    assert _growth(deployed), "a growth takes a minute, and status shows it"
    eventually(lambda: 101 in {volume["Size"] for volume in deployed.driver_volumes()}, 60, "the volume has grown")


def test_changed_broker_setting_changes_only_its_config_map_and_set(deployed: Sandbox) -> None:
    setting = deployed.changed(
        lambda config: config["eks-rocketmq:rocketmq"]["brokerGroups"][0].update(config={"fileReservedTime": 48})
    )

    changed = deployed.preview_steps("-s", "prod", *setting).changed()
    diff = deployed.pulumi("preview", "-s", "prod", "--diff", *setting)

    # Only a new immutable ConfigMap and the set that refers to it. The old ConfigMap is deleted last.
    assert {kind.split("::")[0] for kind in changed} == {"kubernetes:core/v1:ConfigMap", BROKERS}
    assert changed[f"{BROKERS}::rocketmq-broker-a-set"] == "update"
    assert "fileReservedTime=48" in diff


def test_replacement_of_a_set_with_data_is_rejected(deployed: Sandbox) -> None:
    before = {claim["metadata"]["uid"] for claim in deployed.objects("pvc", "-n", "rocketmq")}

    setting = deployed.changed(
        lambda config: config["eks-rocketmq:rocketmq"]["brokerGroups"][0].update(storage="200Gi")
    )

    output = deployed.pulumi("up", "-s", "prod", "--yes", *setting, ok=False)

    assert "protect" in output
    assert {claim["metadata"]["uid"] for claim in deployed.objects("pvc", "-n", "rocketmq")} == before


def test_manual_drift_is_detected_and_repaired(deployed: Sandbox) -> None:
    budget = "rocketmq-broker-a"
    deployed.kubectl("-n", "rocketmq", "patch", "pdb", budget, "--type=merge", "-p", '{"spec":{"maxUnavailable":3}}')
    with deployed.aws("iam") as iam:
        iam.detach_role_policy(
            RoleName="eks-ebs-csi-driver",
            PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
        )

    plan = deployed.preview_steps("-s", "prod", "--refresh")
    assert plan.operations("kubernetes:policy/v1:PodDisruptionBudget") & {"update", "refresh"}

    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", "--refresh")

    (repaired,) = [item for item in deployed.objects("pdb", "-n", "rocketmq") if item["metadata"]["name"] == budget]
    assert repaired["spec"]["maxUnavailable"] == 1
    with deployed.aws("iam") as iam:
        attached = iam.list_attached_role_policies(RoleName="eks-ebs-csi-driver")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonEBSCSIDriverPolicy"]
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", "--expect-no-changes")


def test_driver_works_with_generated_permissions(deployed: Sandbox) -> None:
    generated = deployed.changed(lambda config: config["eks-rocketmq:ebsCsi"].update(permissions="generated"))
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", *generated)
    with deployed.aws("iam") as iam:
        assert iam.list_attached_role_policies(RoleName="eks-ebs-csi-driver")["AttachedPolicies"] == []
    before = {volume["VolumeId"] for volume in deployed.driver_volumes()}

    name = "least"
    deployed.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": _writer(name)}))
    deployed.kubectl("wait", "pod", name, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    (made,) = {volume["VolumeId"] for volume in deployed.driver_volumes()} - before
    deployed.kubectl("delete", "pod,pvc", name, "--wait=true")

    def left() -> set[str]:
        return {volume["VolumeId"] for volume in deployed.driver_volumes()}

    eventually(lambda: made not in left(), 120, "the driver has detached and deleted the volume")
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview")


def _writer(name: str) -> list[dict[str, Any]]:
    """Return a claim of the default StorageClass of EKS and a pod that writes to it and exits."""
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp2", "resources": {"requests": {"storage": "1Gi"}}}
    container = {
        "name": "writer",
        "image": f"apache/rocketmq:{pins.ROCKETMQ}",
        "command": ["sh", "-c", "echo kept > /data/file && sync"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": name}}
    pod = {
        "restartPolicy": "Never",
        "securityContext": {"fsGroup": 3000},
        "containers": [container],
        "volumes": [volume],
    }
    return [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": claim},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod},
    ]


def _restarts(sandbox: Sandbox) -> dict[str, int]:
    pods = sandbox.objects("pods", "-n", "rocketmq", "-l", "app=rocketmq-broker")
    return {pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods}


def test_driver_and_provider_are_given_to_another_owner_and_adopted_again(deployed: Sandbox) -> None:
    # As docs/concepts/existing-resources-and-ownership.md says.
    keys = {f"eks-rocketmq:{key}": {"existing": True} for key in ("ebsCsi", "oidc")}
    existing = deployed.changed(lambda config: config.update(keys))
    assert "this stack manages IAM OIDC provider" in deployed.pulumi("preview", "-s", "prod", *existing, ok=False)
    export = json.loads(deployed.pulumi("stack", "export", "-s", "prod"))
    for resource in export["deployment"]["resources"]:
        resource["retainOnDelete"] = any(name in resource["urn"] for name in ("EbsCsiAddon", "ClusterOidcProvider"))
    file = deployed.instance.root / "retained.json"
    file.write_text(json.dumps(export))
    deployed.pulumi("stack", "import", "-s", "prod", "--file", str(file))
    addon = {"clusterName": CLUSTER, "addonName": "aws-ebs-csi-driver"}
    with deployed.aws("eks") as eks, deployed.aws("iam") as iam:
        eks.untag_resource(resourceArn=eks.describe_addon(**addon)["addon"]["addonArn"], tagKeys=[OWNER_TAG])
        iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN, TagKeys=[OWNER_TAG])

        output = deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", *existing)

        assert "[retain]" in output
        # EKS calls an addon DEGRADED while one of its pods is not ready, as for seconds on a busy machine.
        eventually(lambda: eks.describe_addon(**addon)["addon"]["status"] == "ACTIVE", 120, "the addon is ACTIVE")
        assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)["ClientIDList"]
    deployed.adopt()
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview")
    deployed.pulumi("preview", "-s", "prod", "--expect-no-changes")


def test_claim_has_grown_online_without_a_change_of_the_stack(deployed: Sandbox, restarts: dict[str, int]) -> None:
    def capacity() -> str:
        return deployed.kubectl("-n", "rocketmq", "get", "pvc", GROWING, "-o=jsonpath={.status.capacity.storage}")

    eventually(lambda: capacity() == "101Gi", 240, "the file system has grown")
    size = deployed.kubectl(
        "-n", "rocketmq", "exec", "rocketmq-broker-a-0", "--", "df", "-BG", "--output=size", "/data"
    )
    assert int(size.split()[-1].rstrip("G")) > 100
    assert _restarts(deployed) == restarts
    assert _growth(deployed) == ""
    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", "--expect-no-changes")


def _growth(sandbox: Sandbox) -> str:
    """Return the step of growth that `eks-rocketmq status` shows for the growing claim."""
    claims = [each["claim"] for each in sandbox.status()[1]["pods"] if each["claim"]]
    (found,) = [each["growth"] for each in claims if each["name"] == GROWING]
    return found
