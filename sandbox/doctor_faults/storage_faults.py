"""Faults of claims: their class, key, quota, zone and attachment."""

import json
from typing import Any

from sandbox.aws.seed import ROLE
from sandbox.aws.volume_rules import QUOTA_TIB
from sandbox.doctor_faults import probe_claim, snapshot_objects
from sandbox.doctor_faults.fault_context import FaultContext, FaultError, permissions
from sandbox.doctor_faults.probe_claim import NAME, NAMESPACE, claim, pod, storage_class, volume
from sandbox.doctor_faults.saved_resources import FAULT_TAG
from sandbox.layout import ACCOUNT, NODES, REGION
from sandbox.polling import wait_until

_AUTO_MODE = "ebs.csi.eks.amazonaws.com"
_MISSING_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
_KEY_ACTIONS = ("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext")
_LARGE_TIB = 10
_SECONDS = 90.0
_MODIFICATIONS = 4


def claim_missing_class(context: FaultContext) -> None:
    """Create a claim of a class that does not exist."""
    context.apply([claim(), pod()])


def claim_without_class(context: FaultContext) -> None:
    """Create a claim without a class, in a cluster without a default class."""
    default = "storageclass.kubernetes.io/is-default-class"
    for each in context.get("storageclasses"):
        if each["metadata"].get("annotations", {}).get(default) == "true":
            raise FaultError(f"the cluster has the default class {each['metadata']['name']}")
    context.apply([claim(class_name=None), pod()])


def claim_class_of_auto_mode(context: FaultContext) -> None:
    """Create a claim of a class of EKS Auto Mode."""
    context.apply([storage_class(_AUTO_MODE), claim(), pod()])


def _claim_key(context: FaultContext, key: str) -> None:
    context.apply([storage_class(parameters={"encrypted": "true", "kmsKeyId": key}), claim(), pod()])


def claim_missing_key(context: FaultContext) -> None:
    """Create a claim of a class whose key does not exist."""
    _claim_key(context, _MISSING_KEY)


def _create_key(context: FaultContext, **policy: Any) -> str:  # noqa: ANN401 (arguments of boto3)
    return context.aws("kms").create_key(Description=FAULT_TAG, **policy)["KeyMetadata"]["Arn"]


def _allow_key(context: FaultContext, key: str) -> None:
    document = permissions(*_KEY_ACTIONS, resource=key)
    context.aws("iam").put_role_policy(RoleName=ROLE, PolicyName="key", PolicyDocument=document)


def claim_disabled_key(context: FaultContext) -> None:
    """Create a claim of a class whose key is disabled."""
    key = _create_key(context)
    _allow_key(context, key)
    context.aws("kms").disable_key(KeyId=key)
    _claim_key(context, key)


def claim_deleted_key(context: FaultContext) -> None:
    """Create a claim of a class whose key is about to be deleted."""
    key = _create_key(context)
    _allow_key(context, key)
    context.aws("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    _claim_key(context, key)


def claim_forbidden_key(context: FaultContext) -> None:
    """Create a claim of a class with a key that the policies of the driver's role do not allow."""
    _claim_key(context, _create_key(context))


def claim_key_of_another_role(context: FaultContext) -> None:
    """Create a claim of a class whose key policy names another principal only."""
    operator = context.aws("sts").get_caller_identity()["Arn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": operator}, "Action": "kms:*", "Resource": "*"}
    doctor = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": ["kms:DescribeKey", "kms:GetKeyPolicy"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement, doctor]})
    key = _create_key(context, Policy=document, BypassPolicyLockoutSafetyCheck=True)
    _allow_key(context, key)
    _claim_key(context, key)


def use_up_quota(context: FaultContext) -> None:
    """Create volumes until the quota for gp3 is used up. They are sparse files."""
    ec2, tags = context.aws("ec2"), [{"Key": FAULT_TAG, "Value": "quota"}]
    found = ec2.describe_volumes()["Volumes"]
    free = QUOTA_TIB * 1024 - sum(each["Size"] for each in found if each["VolumeType"] == "gp3")
    while free > 0:
        size = min(free, _LARGE_TIB * 1024)
        specifications = [{"ResourceType": "volume", "Tags": tags}]
        ec2.create_volume(AvailabilityZone=NODES[0].zone, Size=size, VolumeType="gp3", TagSpecifications=specifications)
        free -= size
    context.apply([storage_class(parameters={"type": "gp3"}), claim(), pod()])
    probe_claim.await_event(context, "VolumeLimitExceeded")


def claim_from_snapshot(context: FaultContext) -> None:
    """Create a claim from a snapshot, which lacks the tags of the driver's own."""
    ec2, tags = context.aws("ec2"), [{"Key": FAULT_TAG, "Value": "snapshot"}]
    volume_tags, snapshot_tags = ([{"ResourceType": kind, "Tags": tags}] for kind in ("volume", "snapshot"))
    made = ec2.create_volume(AvailabilityZone=NODES[0].zone, Size=1, TagSpecifications=volume_tags)
    snapshot = ec2.create_snapshot(VolumeId=made["VolumeId"], TagSpecifications=snapshot_tags)
    context.apply(snapshot_objects.build_definitions())
    names = [f"crd/{name}" for name in snapshot_objects.KINDS.values()]
    context.kubectl("wait", "--for=condition=Established", *names, "--timeout=60s")
    context.apply(snapshot_objects.bind_snapshot(snapshot["SnapshotId"]))
    context.apply([storage_class(), claim(dataSource=snapshot_objects.DATA_SOURCE), pod()])
    probe_claim.await_event(context, f"snapshot/{snapshot['SnapshotId']}")


def claim_unused(context: FaultContext) -> None:
    """Create a claim that no pod uses."""
    context.apply([storage_class(), claim()])


def claim_of_large_pod(context: FaultContext) -> None:
    """Create a claim of a pod that fits on no node."""
    context.apply([storage_class(), claim(), pod(requests={"cpu": "1000"})])
    probe_claim.await_event(context, "Insufficient cpu", "Pod")


def claim_in_zone_without_node(context: FaultContext) -> None:
    """Create a claim bound to a volume in a zone where the cluster has no node."""
    context.apply([volume(NAME, f"{REGION}d"), claim(class_name="", volume=NAME), pod()])
    _await_bound(context, (NAME,))
    probe_claim.await_event(context, "node affinity", "Pod")


def claim_too_many_volumes(context: FaultContext) -> None:
    """Create a pod with one volume more than a node has slots."""
    limits = [
        driver["allocatable"]["count"]
        for each in context.get("csinodes")
        for driver in each["spec"]["drivers"] or []
        if driver.get("allocatable")
    ]
    names = tuple(f"{NAME}-{number}" for number in range(max(limits) + 1))
    context.apply([manifest for name in names for manifest in (volume(name), claim(name, "", name))])
    _await_bound(context, names)
    context.apply([pod(claims=names)])
    probe_claim.await_event(context, "exceed max volume count", "Pod")


def share_volume(context: FaultContext) -> None:
    """Let a pod on another node use a volume that is attached already."""
    context.apply([storage_class(), claim(), pod(**probe_claim.in_zone(NODES[0]))])
    context.kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", f"pod/{NAME}", f"--timeout={_SECONDS:.0f}s")
    other = f"{NAME}-other"
    context.apply([pod(other, nodeName=NODES[1].name)])
    probe_claim.await_event(context, "Multi-Attach error", "Pod", other)


def modify_too_often(context: FaultContext) -> None:
    """Grow a claim whose volume was modified four times today."""
    context.apply([storage_class(parameters={"type": "gp3"}), claim(), pod()])
    _await_bound(context, (NAME,))
    (bound,) = context.get("-n", NAMESPACE, "pvc", NAME)
    (found,) = context.get("pv", bound["spec"]["volumeName"])
    for number in range(_MODIFICATIONS):
        context.aws("ec2").modify_volume(VolumeId=found["spec"]["csi"]["volumeHandle"], Throughput=126 + number)
    patch = json.dumps({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    context.kubectl("-n", NAMESPACE, "patch", "pvc", NAME, "-p", patch)
    probe_claim.await_event(context, "VolumeModificationRateExceeded")


def _await_bound(context: FaultContext, names: tuple[str, ...]) -> None:
    def bound() -> bool:
        claims = context.get("-n", NAMESPACE, "pvc", "-l", f"{probe_claim.LABEL}=true")
        return {each["metadata"]["name"] for each in claims if each["status"]["phase"] == "Bound"} >= set(names)

    if not wait_until(bound, _SECONDS, every=0.3):
        raise FaultError(f"the claims {', '.join(names)} are not bound after {_SECONDS:.0f} s")
