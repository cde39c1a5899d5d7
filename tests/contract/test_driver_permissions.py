"""What each kind of the driver's permissions lets it do: the same table of its real calls, in this AWS's own judgement.

The driver tags what it makes with its own tag and the cluster's: the table makes volumes as it does.
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
KEY = f"arn:aws:kms:{layout.REGION}:{layout.ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY[:-1] + "0"
KINDS = [*PERMISSIONS, "generated with snapshots"]
DRIVER_TAG = "ebs.csi.aws.com/cluster"
DRIVER = f"arn:aws:sts::{layout.ACCOUNT}:assumed-role/{ROLE}/driver"


def driver_tags(cluster: str = layout.CLUSTER) -> dict[str, str]:
    """The tags that the driver gives to a volume (driver 1.58 or newer, started by EKS)."""
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
    """The driver under one kind of permissions, and the operator beside it."""

    driver: Any
    operator: Any

    def volume(self, tags: dict[str, str]) -> str:
        """A volume that somebody else made."""
        made = self.operator.create_volume(AvailabilityZone=NODE.zone, Size=1, TagSpecifications=tagged("volume", tags))
        return made["VolumeId"]

    def create(self, tags: dict[str, str], **more: Any) -> str:
        asked = {"AvailabilityZone": NODE.zone, "Size": 1, "TagSpecifications": tagged("volume", tags)}
        return self.driver.create_volume(**asked, **more)["VolumeId"]

    def attach(self, tags: dict[str, str]) -> None:
        volume = self.volume(tags)
        self.driver.attach_volume(VolumeId=volume, InstanceId=NODE.instance_id, Device="/dev/xvdca")
        self.driver.detach_volume(VolumeId=volume, InstanceId=NODE.instance_id)

    def attach_elsewhere(self) -> None:
        """To a node that is not the cluster's."""
        marks = [{"Key": "eks:cluster-name"}, {"Key": f"kubernetes.io/cluster/{layout.CLUSTER}"}]
        self.operator.delete_tags(Resources=[NODE.instance_id], Tags=marks)
        try:
            self.attach(driver_tags())
        finally:
            values = zip(marks, (layout.CLUSTER, "owned"), strict=True)
            self.operator.create_tags(
                Resources=[NODE.instance_id], Tags=[{**mark, "Value": value} for mark, value in values]
            )

    def snapshot(self, tags: dict[str, str]) -> str:
        """A snapshot that somebody else made."""
        volume = self.volume(driver_tags())
        made = self.operator.create_snapshot(VolumeId=volume, TagSpecifications=tagged("snapshot", tags))
        return made["SnapshotId"]

    def take(self, of: dict[str, str]) -> None:
        """A snapshot as the driver takes it, of a volume with these tags."""
        self.driver.create_snapshot(
            VolumeId=self.volume(of),
            TagSpecifications=tagged("snapshot", driver_tags() | {"CSIVolumeSnapshotName": "s"}),
        )


OWN, OTHERS, UNTAGGED = driver_tags(), driver_tags("other"), {"Name": "by hand"}
ALL = {*KINDS}
ACCOUNT_WIDE = {"legacy", "v2"}
WITH_SNAPSHOTS = ALL - {"generated"}
CALLS: list[tuple[str, Callable[[Case], object], set[str], str]] = [
    ("creates a volume", lambda c: c.create(OWN), ALL, ""),
    ("creates a volume without its tags", lambda c: c.create(UNTAGGED), set(), "ec2:CreateVolume"),
    (
        "creates a volume with its own tag alone",
        lambda c: c.create({DRIVER_TAG: "true"}),
        ACCOUNT_WIDE,
        "ec2:CreateVolume",
    ),
    ("creates a volume of another cluster", lambda c: c.create(OTHERS), ACCOUNT_WIDE, "ec2:CreateVolume"),
    ("attaches its volume", lambda c: c.attach(OWN), ALL, ""),
    ("attaches a volume of another cluster", lambda c: c.attach(OTHERS), ACCOUNT_WIDE, "ec2:AttachVolume"),
    ("attaches a volume by hand", lambda c: c.attach(UNTAGGED), {"legacy"}, "ec2:AttachVolume"),
    ("attaches its volume to another node", lambda c: c.attach_elsewhere(), ACCOUNT_WIDE, ":instance/"),
    ("grows its volume", lambda c: c.driver.modify_volume(VolumeId=c.volume(OWN), Size=2), ALL, ""),
    (
        "grows a volume of another cluster",
        lambda c: c.driver.modify_volume(VolumeId=c.volume(OTHERS), Size=2),
        ACCOUNT_WIDE,
        "ec2:ModifyVolume",
    ),
    (
        "grows a volume by hand",
        lambda c: c.driver.modify_volume(VolumeId=c.volume(UNTAGGED), Size=2),
        {"legacy"},
        "ec2:ModifyVolume",
    ),
    ("deletes its volume", lambda c: c.driver.delete_volume(VolumeId=c.volume(OWN)), ALL, ""),
    (
        "deletes a volume of another cluster",
        lambda c: c.driver.delete_volume(VolumeId=c.volume(OTHERS)),
        ACCOUNT_WIDE,
        "ec2:DeleteVolume",
    ),
    (
        "deletes a volume by hand",
        lambda c: c.driver.delete_volume(VolumeId=c.volume(UNTAGGED)),
        set(),
        "ec2:DeleteVolume",
    ),
    (
        "makes a volume by hand its own",
        lambda c: c.driver.create_tags(Resources=[c.volume(UNTAGGED)], Tags=[{"Key": DRIVER_TAG, "Value": "true"}]),
        set(),
        "ec2:CreateTags",
    ),
    ("takes a snapshot", lambda c: c.take(OWN), WITH_SNAPSHOTS, "ec2:CreateSnapshot"),
    ("takes a snapshot of another cluster's volume", lambda c: c.take(OTHERS), ACCOUNT_WIDE, "ec2:CreateSnapshot"),
    (
        "deletes its snapshot",
        lambda c: c.driver.delete_snapshot(SnapshotId=c.snapshot(OWN)),
        WITH_SNAPSHOTS,
        "ec2:DeleteSnapshot",
    ),
    (
        "deletes a snapshot by hand",
        lambda c: c.driver.delete_snapshot(SnapshotId=c.snapshot(UNTAGGED)),
        set(),
        "ec2:DeleteSnapshot",
    ),
    ("restores its snapshot", lambda c: c.create(OWN, SnapshotId=c.snapshot(OWN)), WITH_SNAPSHOTS, ":snapshot/snap-"),
    (
        "restores a snapshot of another cluster",
        lambda c: c.create(OWN, SnapshotId=c.snapshot(OTHERS)),
        ACCOUNT_WIDE,
        ":snapshot/snap-",
    ),
    ("sees volumes", lambda c: c.driver.describe_volumes(), ALL, ""),
    ("sees modifications", lambda c: c.driver.describe_volumes_modifications(), ALL, ""),
    ("sees instances", lambda c: c.driver.describe_instances(), ALL, ""),
    ("sees zones", lambda c: c.driver.describe_availability_zones(), ALL, ""),
    ("sees snapshots", lambda c: c.driver.describe_snapshots(), WITH_SNAPSHOTS, "ec2:DescribeSnapshots"),
    (
        "terminates a node",
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
    """The role with this kind of permissions and nothing else, put back to the original case afterwards."""
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
    iam.put_role_policy(RoleName=ROLE, PolicyName="keys", PolicyDocument=build_key_policy([KEY]))
    try:
        yield Case(running.client("ec2", running.assume()["Credentials"]), running.client("ec2"))
    finally:
        for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
            iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
        for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
        iam.untag_role(RoleName=ROLE, TagKeys=[CLUSTER_TAG])
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=legacy)


@pytest.mark.parametrize(("call", "allowed", "words"), [pytest.param(*row[1:], id=row[0]) for row in CALLS])
def test_the_driver(case: Case, kind: str, call: Callable[[Case], object], allowed: set[str], words: str) -> None:
    if kind in allowed:
        call(case)
        return
    with refused(
        "UnauthorizedOperation", f"You are not authorized to perform this operation. User: {DRIVER}"
    ) as caught:
        call(case)
    assert words in str(caught.value)


def test_its_key_encrypts_a_volume_and_another_leaves_none_behind(case: Case) -> None:
    mine = case.create(OWN, Encrypted=True, KmsKeyId=KEY)
    assert case.driver.describe_volumes(VolumeIds=[mine])["Volumes"][0]["KmsKeyId"] == KEY
    case.create(OWN, Encrypted=True)
    lost = case.create(OWN, Encrypted=True, KmsKeyId=OTHER_KEY)
    with refused("InvalidVolume.NotFound"):
        case.driver.describe_volumes(VolumeIds=[lost])
