"""EC2 volumes: validation as in EC2, and authorization of the driver under the managed policy of AWS."""

from typing import Any

import pytest

from sandbox import layout
from tests.contract.errors import refused
from tests.contract.server import Server

ZONE = layout.NODES[0].zone
GIB = 1024**3
CLUSTER_TAG = {"Key": "ebs.csi.aws.com/cluster", "Value": "true"}
NAME_TAG = {"Key": "CSIVolumeName", "Value": "pvc-1"}


def tagged(*tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": "volume", "Tags": list(tags)}]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"VolumeType": "wat"}, "UnknownVolumeType", "wat"),
        ({"Size": 16385}, "InvalidParameterValue", "too large for volume type gp2; maximum is 16384GiB"),
        ({"VolumeType": "st1"}, "InvalidParameterValue", "too small for volume type st1; minimum is 125GiB"),
        ({"Iops": 3000}, "InvalidParameterCombination", "iops is not supported for gp2"),
        ({"Throughput": 125}, "InvalidParameterCombination", "throughput is not supported for gp2"),
        ({"VolumeType": "io1"}, "MissingParameter", "iops must be specified for io1"),
        ({"VolumeType": "gp3", "Iops": 80001}, "InvalidParameterValue", "maximum is 80000"),
        ({"VolumeType": "gp3", "Iops": 2999}, "InvalidParameterValue", "minimum is 3000"),
        ({"VolumeType": "gp3", "Iops": 6000}, "InvalidParameterCombination", "ratio of 600"),
        ({"VolumeType": "gp3", "Throughput": 1000}, "InvalidParameterCombination", "maximum is 0.25"),
        ({"VolumeType": "gp3", "Throughput": 100}, "InvalidParameterValue", "125 to 2000"),
        ({"AvailabilityZone": "ap-southeast-1z"}, "InvalidZone.NotFound", "ap-southeast-1z"),
        ({"AvailabilityZone": "us-east-1a"}, "InvalidZone.NotFound", "us-east-1a"),
        ({"KmsKeyId": "alias/mine"}, "InvalidParameterDependency", "Encrypted"),
        ({"SnapshotId": "snap-0"}, "InvalidSnapshot.NotFound", "snap-0"),
    ],
)
def test_invalid_volume_is_rejected(aws: Server, arguments: dict[str, Any], code: str, words: str) -> None:
    before = set((aws.root / "volumes").glob("*"))
    with refused(code, words):
        aws.client("ec2").create_volume(**{"AvailabilityZone": ZONE, "Size": 10, **arguments})
    assert set((aws.root / "volumes").glob("*")) == before


def test_volume_without_size_is_rejected(aws: Server) -> None:
    with refused("MissingParameter", "size or snapshot"):
        aws.client("ec2").create_volume(AvailabilityZone=ZONE)


def test_volume_is_a_sparse_file_until_it_is_deleted(aws: Server) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_volume(AvailabilityZone=ZONE, Size=100, TagSpecifications=tagged(CLUSTER_TAG))
    name = made["VolumeId"]
    file = aws.root / "volumes" / f"{name}.img"
    assert file.stat().st_size == 100 * GIB
    assert file.stat().st_blocks == 0
    assert (made["VolumeType"], made["Iops"], made["Encrypted"]) == ("gp2", 300, False)
    found = ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]
    assert found["Tags"] == [CLUSTER_TAG]
    with refused("InvalidVolumeModification.NotFound"):
        ec2.describe_volumes_modifications(VolumeIds=[name])
    ec2.modify_volume(VolumeId=name, Size=120, VolumeType="gp3", Throughput=250)
    assert file.stat().st_size == 120 * GIB
    change = ec2.describe_volumes_modifications(VolumeIds=[name])["VolumesModifications"][0]
    assert (change["OriginalSize"], change["TargetSize"], change["ModificationState"]) == (100, 120, "completed")
    for wanted, count in ((name, 1), ("vol-0", 0)):
        filters = [{"Name": "volume-id", "Values": [wanted]}]
        assert len(ec2.describe_volumes_modifications(Filters=filters)["VolumesModifications"]) == count
    found = ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]
    assert (found["VolumeType"], found["Iops"], found["Throughput"]) == ("gp3", 3000, 250)
    with refused("InvalidParameterValue", "smaller than existing size"):
        ec2.modify_volume(VolumeId=name, Size=119)
    ec2.delete_volume(VolumeId=name)
    assert not file.exists()
    with refused("InvalidVolume.NotFound", f"The volume '{name}' does not exist."):
        ec2.delete_volume(VolumeId=name)


def test_new_volumes_are_not_encrypted_by_default(aws: Server) -> None:
    ec2 = aws.client("ec2")
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


def test_fifth_modification_of_a_day_is_rejected(aws: Server) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_volume(AvailabilityZone=ZONE, Size=10)
    name = made["VolumeId"]
    with refused("InvalidParameterValue", "smaller than existing size"):
        ec2.modify_volume(VolumeId=name, Size=9)  # a rejected modification does not count
    for size in (11, 12, 13, 14):
        ec2.modify_volume(VolumeId=name, Size=size)
    with refused("VolumeModificationRateExceeded", "You've reached the maximum modification rate per volume limit."):
        ec2.modify_volume(VolumeId=name, Size=15)
    assert ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]["Size"] == 14
    ec2.delete_volume(VolumeId=name)


def test_encrypted_volume_keeps_its_kms_key(aws: Server) -> None:
    ec2 = aws.client("ec2")
    mine = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    with_mine = ec2.create_volume(AvailabilityZone=ZONE, Size=1, Encrypted=True, KmsKeyId=mine)
    assert with_mine["KmsKeyId"] == mine
    assert ec2.create_volume(AvailabilityZone=ZONE, Size=1, Encrypted=True)["KmsKeyId"].startswith("arn:aws:kms:")


def test_volume_of_a_missing_or_disabled_key_disappears(aws: Server) -> None:
    ec2, kms = aws.client("ec2"), aws.client("kms")
    disabled = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=disabled)
    for key in (disabled, f"arn:aws:kms:{layout.REGION}:{layout.ACCOUNT}:key/1"):
        made = ec2.create_volume(AvailabilityZone=ZONE, Size=1, Encrypted=True, KmsKeyId=key)
        assert made["State"] == "creating"
        with refused("InvalidVolume.NotFound"):
            ec2.describe_volumes(VolumeIds=[made["VolumeId"]])


def test_volumes_above_the_listed_quota_of_their_type_are_rejected(aws: Server) -> None:
    ec2, quotas = aws.client("ec2"), aws.client("service-quotas")
    listed = quotas.list_service_quotas(ServiceCode="ebs")["Quotas"]
    (quota,) = [each["Value"] for each in listed if each["QuotaName"] == "Storage for st1 volumes, in TiB"]
    half = {"AvailabilityZone": ZONE, "VolumeType": "st1", "Size": int(quota * 1024 / 5)}
    made = [ec2.create_volume(**half)["VolumeId"] for _ in range(5)]
    with refused("VolumeLimitExceeded", "You have exceeded your maximum st1 storage limit of 50 TiB in this region."):
        ec2.create_volume(**{**half, "Size": 125})
    ec2.create_volume(**{**half, "VolumeType": "sc1"})
    for name in made:
        ec2.delete_volume(VolumeId=name)


def test_hop_limit_of_an_instance_is_2_and_can_be_changed(aws: Server) -> None:
    ec2, node = aws.client("ec2"), layout.NODES[0].instance_id

    def limit() -> int:
        (found,) = ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"]
        return found["MetadataOptions"]["HttpPutResponseHopLimit"]

    assert limit() == 2
    ec2.modify_instance_metadata_options(InstanceId=node, HttpPutResponseHopLimit=1)
    assert limit() == 1
    ec2.modify_instance_metadata_options(InstanceId=node, HttpPutResponseHopLimit=2)
    with refused("InvalidInstanceID.NotFound"):
        ec2.modify_instance_metadata_options(InstanceId="i-0", HttpPutResponseHopLimit=2)


def test_client_token_creates_one_volume(aws: Server) -> None:
    ec2 = aws.client("ec2")
    first = ec2.create_volume(AvailabilityZone=ZONE, Size=1, ClientToken="once")
    again = ec2.create_volume(AvailabilityZone=ZONE, Size=1, ClientToken="once")
    assert first["VolumeId"] == again["VolumeId"]
    with refused("IdempotentParameterMismatch"):
        ec2.create_volume(AvailabilityZone=ZONE, Size=2, ClientToken="once")


def test_attachment_requires_same_zone_and_available_volume(aws: Server) -> None:
    ec2 = aws.client("ec2")
    here, there = layout.NODES[0].instance_id, layout.NODES[1].instance_id
    name = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    other = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    with refused("InvalidVolume.ZoneMismatch", "not in the same availability zone"):
        ec2.attach_volume(VolumeId=name, InstanceId=there, Device="/dev/xvdaa")
    with refused("InvalidInstanceID.NotFound"):
        ec2.attach_volume(VolumeId=name, InstanceId="i-0123456789abcdef0", Device="/dev/xvdaa")
    ec2.attach_volume(VolumeId=name, InstanceId=here, Device="/dev/xvdaa")
    found = ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]
    assert (found["State"], found["Attachments"][0]["InstanceId"]) == ("in-use", here)
    with refused("VolumeInUse", "already attached"):
        ec2.attach_volume(VolumeId=name, InstanceId=here, Device="/dev/xvdab")
    with refused("InvalidParameterValue", "/dev/xvdaa is already in use"):
        ec2.attach_volume(VolumeId=other, InstanceId=here, Device="/dev/xvdaa")
    with refused("VolumeInUse", f"Volume {name} is currently attached to {here}"):
        ec2.delete_volume(VolumeId=name)
    with refused("InvalidAttachment.NotFound"):
        ec2.detach_volume(VolumeId=name, InstanceId=there)
    ec2.detach_volume(VolumeId=name, InstanceId=here)
    with refused("IncorrectState", "'available'"):
        ec2.detach_volume(VolumeId=name)


def test_nodes_are_running_instances_in_their_zones(aws: Server) -> None:
    found = {
        instance["InstanceId"]: (instance["State"]["Name"], instance["Placement"]["AvailabilityZone"])
        for reservation in aws.client("ec2").describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    assert found == {node.instance_id: ("running", node.zone) for node in layout.NODES}
    for node in layout.NODES:
        own = [{"Name": "attachment.instance-id", "Values": [node.instance_id]}]
        roots = aws.client("ec2").describe_volumes(Filters=own)["Volumes"]
        assert {volume["AvailabilityZone"] for volume in roots} == {node.zone}


def test_driver_creates_and_deletes_its_own_volumes(cured: Server) -> None:
    driver = cured.client("ec2", cured.assume()["Credentials"])
    made = driver.create_volume(
        AvailabilityZone=ZONE, Size=4, VolumeType="gp2", TagSpecifications=tagged(CLUSTER_TAG, NAME_TAG)
    )
    name = made["VolumeId"]
    driver.modify_volume(VolumeId=name, Size=5)
    driver.attach_volume(VolumeId=name, InstanceId=layout.NODES[0].instance_id, Device="/dev/xvdba")
    driver.detach_volume(VolumeId=name, InstanceId=layout.NODES[0].instance_id)
    driver.delete_volume(VolumeId=name)


def test_driver_cannot_create_a_volume_without_its_tags(cured: Server) -> None:
    driver = cured.client("ec2", cured.assume()["Credentials"])
    with refused("UnauthorizedOperation", "not authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:"):
        driver.create_volume(AvailabilityZone=ZONE, Size=1)
    with refused("UnauthorizedOperation", "ec2:CreateVolume"):
        driver.create_volume(
            AvailabilityZone=ZONE, Size=1, TagSpecifications=tagged({"Key": CLUSTER_TAG["Key"], "Value": "false"})
        )


def test_driver_cannot_delete_or_tag_other_volumes(cured: Server) -> None:
    name = cured.client("ec2").create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    driver = cured.client("ec2", cured.assume()["Credentials"])
    with refused(
        "UnauthorizedOperation",
        f"ec2:DeleteVolume on resource: arn:aws:ec2:{layout.REGION}:{layout.ACCOUNT}:volume/{name}",
    ):
        driver.delete_volume(VolumeId=name)
    with refused("UnauthorizedOperation", "ec2:CreateTags"):
        driver.create_tags(Resources=[name], Tags=[CLUSTER_TAG])
    cured.client("ec2").create_tags(Resources=[name], Tags=[CLUSTER_TAG])
    driver.delete_volume(VolumeId=name)


def test_tags_at_creation_require_the_create_tags_permission(cured: Server) -> None:
    iam = cured.client("iam")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
    allow = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": "*"}}'
    driver = cured.client("ec2", cured.assume()["Credentials"])
    iam.detach_role_policy(RoleName="eks-ebs-csi-driver", PolicyArn=arn)
    iam.put_role_policy(RoleName="eks-ebs-csi-driver", PolicyName="create", PolicyDocument=allow)
    try:
        driver.create_volume(AvailabilityZone=ZONE, Size=1)
        with refused("UnauthorizedOperation", "not authorized to perform: ec2:CreateTags"):
            driver.create_volume(AvailabilityZone=ZONE, Size=1, TagSpecifications=tagged(CLUSTER_TAG))
    finally:
        iam.delete_role_policy(RoleName="eks-ebs-csi-driver", PolicyName="create")
        iam.attach_role_policy(RoleName="eks-ebs-csi-driver", PolicyArn=arn)


def test_policy_variable_without_a_value_grants_nothing(cured: Server) -> None:
    iam, role = cured.client("iam"), "eks-ebs-csi-driver"
    legacy = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
    scoped = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverEKSClusterScopedPolicy"
    iam.detach_role_policy(RoleName=role, PolicyArn=legacy)
    iam.attach_role_policy(RoleName=role, PolicyArn=scoped)
    driver = cured.client("ec2", cured.assume()["Credentials"])
    try:
        for value in (layout.CLUSTER, "", "${aws:PrincipalTag/eks-cluster-name}"):
            tag = {"Key": "ebs.csi.aws.com/cluster-name", "Value": value}
            with refused("UnauthorizedOperation", "ec2:CreateVolume"):
                driver.create_volume(AvailabilityZone=ZONE, Size=1, TagSpecifications=tagged(tag))
        iam.tag_role(RoleName=role, Tags=[{"Key": "eks-cluster-name", "Value": layout.CLUSTER}])
        tag = {"Key": "ebs.csi.aws.com/cluster-name", "Value": layout.CLUSTER}
        driver.create_volume(AvailabilityZone=ZONE, Size=1, TagSpecifications=tagged(tag))
    finally:
        iam.untag_role(RoleName=role, TagKeys=["eks-cluster-name"])
        iam.detach_role_policy(RoleName=role, PolicyArn=scoped)
        iam.attach_role_policy(RoleName=role, PolicyArn=legacy)


@pytest.mark.parametrize("kind", ["boundary", "customer policy", "inline policy"])
def test_boundary_customer_and_inline_policies_are_evaluated(cured: Server, kind: str) -> None:
    """A boundary restricts the managed policy. A customer policy and an inline policy grant more permissions."""
    iam, role = cured.client("iam"), "eks-ebs-csi-driver"
    volume = cured.client("ec2").create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    driver = cured.client("ec2", cured.assume()["Credentials"])
    allow = (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:Delete*", '
        '"Resource": "arn:aws:ec2:*:*:volume/*"}}'
    )
    if kind == "inline policy":
        with refused("UnauthorizedOperation", "ec2:DeleteVolume"):
            driver.delete_volume(VolumeId=volume)
        iam.put_role_policy(RoleName=role, PolicyName="delete", PolicyDocument=allow)
        driver.delete_volume(VolumeId=volume)
        iam.delete_role_policy(RoleName=role, PolicyName="delete")
        return
    arn = iam.create_policy(PolicyName="delete", PolicyDocument=allow)["Policy"]["Arn"]
    try:
        if kind == "customer policy":
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
            driver.delete_volume(VolumeId=volume)
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
            return
        driver.describe_volumes()
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn)
        with refused("UnauthorizedOperation", "ec2:DescribeVolumes"):
            driver.describe_volumes()
        with refused("UnauthorizedOperation", "ec2:DeleteVolume"):
            driver.delete_volume(VolumeId=volume)
        iam.delete_role_permissions_boundary(RoleName=role)
        driver.describe_volumes()
    finally:
        iam.delete_policy(PolicyArn=arn)
