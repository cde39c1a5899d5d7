"""Permissions of the EBS CSI driver: its real calls, authorized by this AWS under each kind of permissions.

The volumes have the tags of the driver and of the cluster, as the driver creates them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from eks_rocketmq.eks.ebs.driver_plan import CLUSTER_TAG, PERMISSIONS
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from eks_rocketmq.eks.iam.policy_documents import format_managed_policy_arn
from sandbox import layout
from tests.contract.errors import refused
from tests.contract.server import ROLE, Server, cure

NODE = layout.NODES[0]
SCOPE = PolicyScope("aws", layout.REGION, layout.ACCOUNT, layout.CLUSTER)
KINDS = [*PERMISSIONS, "generated with snapshots"]
DRIVER_TAG = "ebs.csi.aws.com/cluster"
DRIVER = f"arn:aws:sts::{layout.ACCOUNT}:assumed-role/{ROLE}/driver"


def driver_tags(cluster: str = layout.CLUSTER) -> dict[str, str]:
    """Return the tags that the driver adds to a volume (driver 1.58 or newer, started by EKS)."""
    return {
        "CSIVolumeName": "pvc-1",
        DRIVER_TAG: "true",
        "ebs.csi.aws.com/cluster-name": cluster,
        f"kubernetes.io/cluster/{cluster}": "owned",
    }


def tagged(kind: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": kind, "Tags": pairs}] if pairs else []


@dataclass
class Case:
    """Clients of the driver, with one kind of permissions, and of the operator."""

    driver: Any
    operator: Any
    key: str
    """KMS key that the role allows."""

    def volume(self, tags: dict[str, str]) -> str:
        """Create a volume as the operator."""
        made = self.operator.create_volume(AvailabilityZone=NODE.zone, Size=1, TagSpecifications=tagged("volume", tags))
        return made["VolumeId"]

    def create(self, tags: dict[str, str], **more: Any) -> str:
        request_arguments = {"AvailabilityZone": NODE.zone, "Size": 1, "TagSpecifications": tagged("volume", tags)}
        return self.driver.create_volume(**request_arguments, **more)["VolumeId"]

    def attach(self, tags: dict[str, str]) -> None:
        volume = self.volume(tags)
        self.driver.attach_volume(VolumeId=volume, InstanceId=NODE.instance_id, Device="/dev/xvdca")
        self.driver.detach_volume(VolumeId=volume, InstanceId=NODE.instance_id)

    def attach_elsewhere(self) -> None:
        """Attach a volume to an instance without the tags of the cluster."""
        cluster_tags = [{"Key": "eks:cluster-name"}, {"Key": f"kubernetes.io/cluster/{layout.CLUSTER}"}]
        self.operator.delete_tags(Resources=[NODE.instance_id], Tags=cluster_tags)
        try:
            self.attach(driver_tags())
        finally:
            values = zip(cluster_tags, (layout.CLUSTER, "owned"), strict=True)
            self.operator.create_tags(
                Resources=[NODE.instance_id], Tags=[{**tag, "Value": value} for tag, value in values]
            )

    def snapshot(self, tags: dict[str, str]) -> str:
        """Create a snapshot as the operator."""
        volume = self.volume(driver_tags())
        made = self.operator.create_snapshot(VolumeId=volume, TagSpecifications=tagged("snapshot", tags))
        return made["SnapshotId"]

    def take(self, of: dict[str, str]) -> None:
        """Create a snapshot as the driver does, of a volume with these tags."""
        self.driver.create_snapshot(
            VolumeId=self.volume(of),
            TagSpecifications=tagged("snapshot", driver_tags() | {"CSIVolumeSnapshotName": "s"}),
        )


OWN, OTHERS, UNTAGGED = driver_tags(), driver_tags("other"), {"Name": "by hand"}
ALL = {*KINDS}
ACCOUNT_WIDE = {"legacy", "v2"}
WITH_SNAPSHOTS = ALL - {"generated"}
CALLS: list[tuple[str, Callable[[Case], object], set[str], str]] = [
    ("create volume", lambda c: c.create(OWN), ALL, ""),
    ("create volume without driver tags", lambda c: c.create(UNTAGGED), set(), "ec2:CreateVolume"),
    (
        "create volume with the driver tag only",
        lambda c: c.create({DRIVER_TAG: "true"}),
        ACCOUNT_WIDE,
        "ec2:CreateVolume",
    ),
    ("create volume of another cluster", lambda c: c.create(OTHERS), ACCOUNT_WIDE, "ec2:CreateVolume"),
    ("attach own volume", lambda c: c.attach(OWN), ALL, ""),
    ("attach volume of another cluster", lambda c: c.attach(OTHERS), ACCOUNT_WIDE, "ec2:AttachVolume"),
    ("attach untagged volume", lambda c: c.attach(UNTAGGED), {"legacy"}, "ec2:AttachVolume"),
    ("attach own volume to untagged node", lambda c: c.attach_elsewhere(), ACCOUNT_WIDE, ":instance/"),
    ("modify own volume", lambda c: c.driver.modify_volume(VolumeId=c.volume(OWN), Size=2), ALL, ""),
    (
        "modify volume of another cluster",
        lambda c: c.driver.modify_volume(VolumeId=c.volume(OTHERS), Size=2),
        ACCOUNT_WIDE,
        "ec2:ModifyVolume",
    ),
    (
        "modify untagged volume",
        lambda c: c.driver.modify_volume(VolumeId=c.volume(UNTAGGED), Size=2),
        {"legacy"},
        "ec2:ModifyVolume",
    ),
    ("delete own volume", lambda c: c.driver.delete_volume(VolumeId=c.volume(OWN)), ALL, ""),
    (
        "delete volume of another cluster",
        lambda c: c.driver.delete_volume(VolumeId=c.volume(OTHERS)),
        ACCOUNT_WIDE,
        "ec2:DeleteVolume",
    ),
    (
        "delete untagged volume",
        lambda c: c.driver.delete_volume(VolumeId=c.volume(UNTAGGED)),
        set(),
        "ec2:DeleteVolume",
    ),
    (
        "add the driver tag to untagged volume",
        lambda c: c.driver.create_tags(Resources=[c.volume(UNTAGGED)], Tags=[{"Key": DRIVER_TAG, "Value": "true"}]),
        set(),
        "ec2:CreateTags",
    ),
    ("create snapshot", lambda c: c.take(OWN), WITH_SNAPSHOTS, "ec2:CreateSnapshot"),
    ("create snapshot of another cluster's volume", lambda c: c.take(OTHERS), ACCOUNT_WIDE, "ec2:CreateSnapshot"),
    (
        "delete own snapshot",
        lambda c: c.driver.delete_snapshot(SnapshotId=c.snapshot(OWN)),
        WITH_SNAPSHOTS,
        "ec2:DeleteSnapshot",
    ),
    (
        "delete untagged snapshot",
        lambda c: c.driver.delete_snapshot(SnapshotId=c.snapshot(UNTAGGED)),
        set(),
        "ec2:DeleteSnapshot",
    ),
    ("restore own snapshot", lambda c: c.create(OWN, SnapshotId=c.snapshot(OWN)), WITH_SNAPSHOTS, ":snapshot/snap-"),
    (
        "restore snapshot of another cluster",
        lambda c: c.create(OWN, SnapshotId=c.snapshot(OTHERS)),
        ACCOUNT_WIDE,
        ":snapshot/snap-",
    ),
    ("describe volumes", lambda c: c.driver.describe_volumes(), ALL, ""),
    ("describe volume modifications", lambda c: c.driver.describe_volumes_modifications(), ALL, ""),
    ("describe instances", lambda c: c.driver.describe_instances(), ALL, ""),
    ("describe zones", lambda c: c.driver.describe_availability_zones(), ALL, ""),
    ("describe snapshots", lambda c: c.driver.describe_snapshots(), WITH_SNAPSHOTS, "ec2:DescribeSnapshots"),
    (
        "terminate node",
        lambda c: c.driver.terminate_instances(InstanceIds=[NODE.instance_id]),
        set(),
        "ec2:TerminateInstances",
    ),
]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def case(running: Server, kind: str) -> Iterator[Case]:
    """Clients for a role with this kind of permissions only. The original case is restored afterwards."""
    iam = running.client("iam")
    cure(running)
    legacy = format_managed_policy_arn("aws", PERMISSIONS["legacy"] or "")
    permissions = kind.split(maxsplit=1)[0]
    managed = PERMISSIONS[permissions]
    iam.detach_role_policy(RoleName=ROLE, PolicyArn=legacy)
    if managed:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=format_managed_policy_arn("aws", managed))
    else:
        document = build_volume_policy(SCOPE, snapshots=kind != permissions)
        iam.put_role_policy(RoleName=ROLE, PolicyName="volumes", PolicyDocument=document)
    if permissions == "cluster_scoped":
        iam.tag_role(RoleName=ROLE, Tags=[{"Key": CLUSTER_TAG, "Value": layout.CLUSTER}])
    key = running.client("kms").create_key()["KeyMetadata"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="keys", PolicyDocument=build_key_policy([key]))
    try:
        yield Case(running.client("ec2", running.assume()["Credentials"]), running.client("ec2"), key)
    finally:
        for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
            iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
        for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
        iam.untag_role(RoleName=ROLE, TagKeys=[CLUSTER_TAG])
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=legacy)


@pytest.mark.parametrize(("call", "allowed", "words"), [pytest.param(*row[1:], id=row[0]) for row in CALLS])
def test_driver_call_is_authorized_only_by_allowed_kinds(
    case: Case, kind: str, call: Callable[[Case], object], allowed: set[str], words: str
) -> None:
    if kind in allowed:
        call(case)
        return
    with refused(
        "UnauthorizedOperation", f"You are not authorized to perform this operation. User: {DRIVER}"
    ) as caught:
        call(case)
    assert words in str(caught.value)


def test_allowed_kms_key_encrypts_volumes_and_other_keys_fail(running: Server, case: Case) -> None:
    mine = case.create(OWN, Encrypted=True, KmsKeyId=case.key)
    assert case.driver.describe_volumes(VolumeIds=[mine])["Volumes"][0]["KmsKeyId"] == case.key
    case.create(OWN, Encrypted=True)
    other = running.client("kms").create_key()["KeyMetadata"]["Arn"]
    lost = case.create(OWN, Encrypted=True, KmsKeyId=other)
    with refused("InvalidVolume.NotFound"):
        case.driver.describe_volumes(VolumeIds=[lost])
