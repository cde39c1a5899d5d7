"""EBS volumes, validated as by EC2. Each has a sparse file for its blocks."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from sandbox.aws import iam_authorization, patching, volume_rules
from sandbox.aws.emulator import Parameters, Response, ec2, iam_actions, kms, responses
from sandbox.aws.refusal import RefusedError
from sandbox.aws.settings import ServerSettings

_GIB = 1024**3
# Default key of the account for EBS.
_DEFAULT_KEY = "00000000-0000-4000-8000-0000000000eb"
_ZONE = re.compile(r"[a-z]+-[a-z]+-\d[a-c]")
Handler = Callable[[Parameters], Response]


def install(settings: ServerSettings) -> None:
    """Handle the volume verbs. Of snapshots only the permission to tag them is checked."""
    patching.require(ec2, "_volumes", "_instances", "_tags", "_p", "_xml", "_error", "_new_volume_id", "_now_ts")
    patching.require(ec2, "_parse_filters", "_parse_member_list", "_parse_tag_specs")
    patching.require(kms, "_resolve_key")
    verbs: dict[str, Handler] = {
        "CreateVolume": lambda p: _create(settings, p),
        "DeleteVolume": lambda p: _delete(settings, p),
        "AttachVolume": _attach,
        "DetachVolume": _detach,
        "ModifyVolume": lambda p: _modify(settings, p),
        "DescribeVolumesModifications": _describe_modifications,
    }
    for verb, handler in verbs.items():
        patching.replace_verb(ec2._ACTION_MAP, verb, _answering_refusals(handler))
    patching.add_verb(ec2._ACTION_MAP, "GetEbsEncryptionByDefault", _get_encryption_by_default)
    patching.add_verb(ec2._ACTION_MAP, "GetEbsDefaultKmsKeyId", _get_default_key)
    stock_snapshot = patching.replace_verb(
        ec2._ACTION_MAP, "CreateSnapshot", lambda p: _tags_denied(p, "snapshot") or stock_snapshot(p)
    )

    def _volume_inner_xml(vol: dict[str, Any]) -> str:
        throughput = f"<throughput>{vol['Throughput']}</throughput>" if vol.get("Throughput") else ""
        key = f"<kmsKeyId>{escape(vol['KmsKeyId'])}</kmsKeyId>" if vol.get("KmsKeyId") else ""
        return stock(vol) + throughput + key

    stock = patching.replace(ec2, "_volume_inner_xml", _volume_inner_xml)


def _answering_refusals(handler: Handler) -> Handler:
    def answer(p: Parameters) -> Response:
        try:
            return handler(p)
        except RefusedError as refused:
            return ec2._error(refused.code, escape(str(refused)), 400)

    return answer


def _create(settings: ServerSettings, p: Parameters) -> Response:
    wanted = _requested_volume(p)
    token = ec2._p(p, "ClientToken")
    earlier = _created_with(token) if token else None
    if earlier is not None:
        if earlier["_wanted"] != wanted:
            raise RefusedError(
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource whose parameters differ: arguments "
                "on this idempotent request are inconsistent with arguments used in previous request(s).",
            )
        return ec2._xml(200, "CreateVolumeResponse", ec2._volume_inner_xml(earlier))
    volume_id = ec2._new_volume_id()
    denied = _tags_denied(p, "volume")
    if denied is not None:
        return denied
    volume = {
        **wanted,
        "VolumeId": volume_id,
        "State": "available",
        "CreateTime": ec2._now_ts(),
        "Attachments": [],
        "_wanted": wanted,
        "_token": token,
    }
    if not _key_usable(wanted["KmsKeyId"]):
        # EC2 calls KMS after its answer: the volume is "creating" in the answer and does not exist afterwards.
        return ec2._xml(200, "CreateVolumeResponse", ec2._volume_inner_xml({**volume, "State": "creating"}))
    settings.volumes.mkdir(parents=True, exist_ok=True)
    _resize(settings, volume_id, wanted["Size"])
    ec2._volumes[volume_id] = volume
    ec2._parse_tag_specs(p, "volume", volume_id)
    return ec2._xml(200, "CreateVolumeResponse", ec2._volume_inner_xml(volume))


def _requested_volume(p: Parameters) -> dict[str, Any]:
    """Return the volume of a CreateVolume request in the emulator's format. Raises RefusedError."""
    zone, snapshot = ec2._p(p, "AvailabilityZone"), ec2._p(p, "SnapshotId")
    if not zone:
        raise RefusedError("MissingParameter", "The request must contain the parameter AvailabilityZone")
    if not _ZONE.fullmatch(zone) or zone[:-1] != responses.get_region():
        raise RefusedError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
    if snapshot and snapshot not in ec2._snapshots:
        raise RefusedError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot}' does not exist.")
    size = _whole(p, "Size") or (int(ec2._snapshots[snapshot]["VolumeSize"]) if snapshot else None)
    if size is None:
        raise RefusedError("MissingParameter", "The request must contain the parameter size or snapshot")
    kind = ec2._p(p, "VolumeType") or volume_rules.DEFAULT_TYPE
    volume_rules.check_size(kind, size)
    given = volume_rules.performance(kind, size, _whole(p, "Iops"), _whole(p, "Throughput"))
    volume_rules.check_quota(kind, size, sum(v["Size"] for v in ec2._volumes.values() if v["VolumeType"] == kind))
    encrypted, key = ec2._p(p, "Encrypted").lower() == "true", ec2._p(p, "KmsKeyId")
    if key and not encrypted:
        raise RefusedError(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )
    region, account = responses.get_region(), responses.get_account_id()
    return {
        "AvailabilityZone": zone,
        "Size": size,
        "VolumeType": kind,
        "SnapshotId": snapshot,
        "Iops": given.iops,
        "Throughput": given.throughput,
        "Encrypted": encrypted,
        "KmsKeyId": (key or f"arn:aws:kms:{region}:{account}:key/{_DEFAULT_KEY}") if encrypted else "",
        "MultiAttachEnabled": False,
    }


def _created_with(token: str) -> dict[str, Any] | None:
    return next((volume for volume in ec2._volumes.values() if volume.get("_token") == token), None)


def _tags_denied(p: Parameters, kind: str) -> Response | None:
    """Check the permission for tags at creation: ec2:CreateTags with ec2:CreateAction."""
    context = iam_actions.request_tag_context("ec2", "ec2:CreateTags", b"", p)
    if not context:
        return None
    account = "" if kind == "snapshot" else responses.get_account_id()
    named = f"arn:aws:ec2:{responses.get_region()}:{account}:{kind}/*"
    return iam_authorization.allowed(
        "ec2:CreateTags", named, {**context, "ec2:CreateAction": f"Create{kind.capitalize()}"}
    )


def _key_usable(key: str) -> bool:
    """Return whether the caller may use a key. EC2 calls KMS for the caller, and needs a grant for the instance.

    Every caller may use the account's default key for EBS. Another key must exist and be enabled, and its key policy
    counts too.
    """
    if not key or key.endswith(_DEFAULT_KEY):
        return True
    found = kms._resolve_key(key)
    if found is None or found["KeyState"] != "Enabled":
        return False
    region, account, named = responses.get_region(), responses.get_account_id(), found["Arn"]
    through_ec2 = {"kms:ViaService": f"ec2.{region}.amazonaws.com", "kms:CallerAccount": account}
    return all(
        iam_authorization.allowed(action, named, {**through_ec2, **more}) is None
        for action, more in (
            ("kms:GenerateDataKeyWithoutPlaintext", {}),
            ("kms:Decrypt", {}),
            ("kms:CreateGrant", {"kms:GrantIsForAWSResource": "true"}),
        )
    )


def _delete(settings: ServerSettings, p: Parameters) -> Response:
    volume = _volume(p)
    for attachment in volume["Attachments"]:
        raise RefusedError(
            "VolumeInUse", f"Volume {volume['VolumeId']} is currently attached to {attachment['InstanceId']}"
        )
    ec2._volumes.pop(volume["VolumeId"])
    ec2._tags.pop(volume["VolumeId"], None)
    _file(settings, volume["VolumeId"]).unlink(missing_ok=True)
    return ec2._xml(200, "DeleteVolumeResponse", "<return>true</return>")


def _attach(p: Parameters) -> Response:
    volume, instance_id, device = _volume(p), ec2._p(p, "InstanceId"), ec2._p(p, "Device")
    volume_id = volume["VolumeId"]
    instance = ec2._instances.get(instance_id)
    if instance is None:
        raise RefusedError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
    if instance["State"]["Name"] not in ("running", "stopped"):
        raise RefusedError("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
    if not device:
        raise RefusedError("MissingParameter", "The request must contain the parameter device")
    if volume["Attachments"]:
        raise RefusedError("VolumeInUse", f"{volume_id} is already attached to an instance")
    if volume["AvailabilityZone"] != instance["Placement"]["AvailabilityZone"]:
        raise RefusedError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'",
        )
    if any(
        (attached["InstanceId"], attached["Device"]) == (instance_id, device)
        for other in ec2._volumes.values()
        for attached in other["Attachments"]
    ):
        raise RefusedError(
            "InvalidParameterValue",
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
        )
    attachment = {
        "VolumeId": volume_id,
        "InstanceId": instance_id,
        "Device": device,
        "State": "attached",
        "AttachTime": ec2._now_ts(),
        "DeleteOnTermination": False,
    }
    volume["Attachments"], volume["State"] = [attachment], "in-use"
    return _attachment("AttachVolumeResponse", attachment, "attached")


def _detach(p: Parameters) -> Response:
    volume, instance_id = _volume(p), ec2._p(p, "InstanceId")
    if not volume["Attachments"]:
        raise RefusedError("IncorrectState", f"Volume '{volume['VolumeId']}' is in the 'available' state.")
    attachment = volume["Attachments"][0]
    if instance_id and instance_id != attachment["InstanceId"]:
        raise RefusedError(
            "InvalidAttachment.NotFound",
            f"The volume '{volume['VolumeId']}' is not attached to instance '{instance_id}'.",
        )
    volume["Attachments"], volume["State"] = [], "available"
    return _attachment("DetachVolumeResponse", attachment, "detached")


def _modify(settings: ServerSettings, p: Parameters) -> Response:
    volume = _volume(p)
    before = {name: volume[name] for name in ("Size", "VolumeType", "Iops", "Throughput")}
    size = _whole(p, "Size") or before["Size"]
    kind = ec2._p(p, "VolumeType") or before["VolumeType"]
    if size < before["Size"]:
        raise RefusedError("InvalidParameterValue", "New size cannot be smaller than existing size")
    volume_rules.check_size(kind, size)
    same = kind == before["VolumeType"] and volume_rules.TYPES[kind].iops is not None
    iops = _whole(p, "Iops") or (before["Iops"] if same else None)
    throughput = _whole(p, "Throughput") or (before["Throughput"] or None if same else None)
    given = volume_rules.performance(kind, size, iops, throughput)
    earlier, now = volume.get("_modified", []), time.time()
    volume_rules.check_modification_rate(earlier, now)
    _resize(settings, volume["VolumeId"], size)
    volume.update(Size=size, VolumeType=kind, Iops=given.iops, Throughput=given.throughput)
    volume["_modification"] = {"before": before, "at": ec2._now_ts()}
    volume["_modified"] = [*earlier, now]
    return ec2._xml(200, "ModifyVolumeResponse", f"<volumeModification>{_modification(volume)}</volumeModification>")


def _describe_modifications(p: Parameters) -> Response:
    names, wanted = ec2._parse_member_list(p, "VolumeId"), ec2._parse_filters(p).get("volume-id")
    known = {
        name: volume
        for name, volume in ec2._volumes.items()
        if "_modification" in volume and (wanted is None or name in wanted)
    }
    for name in names:
        if name not in ec2._volumes:
            raise RefusedError("InvalidVolume.NotFound", f"The volume '{name}' does not exist.")
        if name not in known:
            raise RefusedError(
                "InvalidVolumeModification.NotFound", f"Modification for volume '{name}' does not exist."
            )
    items = "".join(f"<item>{_modification(known[name])}</item>" for name in names or known)
    return ec2._xml(
        200, "DescribeVolumesModificationsResponse", f"<volumeModificationSet>{items}</volumeModificationSet>"
    )


def _get_encryption_by_default(_: Parameters) -> Response:
    return ec2._xml(200, "GetEbsEncryptionByDefaultResponse", "<ebsEncryptionByDefault>false</ebsEncryptionByDefault>")


def _get_default_key(_: Parameters) -> Response:
    return ec2._xml(200, "GetEbsDefaultKmsKeyIdResponse", "<kmsKeyId>alias/aws/ebs</kmsKeyId>")


def _modification(volume: dict[str, Any]) -> str:
    """Return a completed modification: the sandbox has no optimizing phase."""
    done = volume["_modification"]

    def figures(prefix: str, of: dict[str, Any]) -> str:
        throughput = f"<{prefix}Throughput>{of['Throughput']}</{prefix}Throughput>" if of["Throughput"] else ""
        return (
            f"<{prefix}Size>{of['Size']}</{prefix}Size><{prefix}VolumeType>{of['VolumeType']}</{prefix}VolumeType>"
            f"<{prefix}Iops>{of['Iops']}</{prefix}Iops>{throughput}"
        )

    return (
        f"<volumeId>{volume['VolumeId']}</volumeId><modificationState>completed</modificationState>"
        f"{figures('target', volume)}{figures('original', done['before'])}"
        f"<startTime>{done['at']}</startTime><endTime>{done['at']}</endTime><progress>100</progress>"
    )


def _attachment(root: str, attachment: dict[str, Any], status: str) -> Response:
    return ec2._xml(
        200,
        root,
        f"<volumeId>{attachment['VolumeId']}</volumeId><instanceId>{attachment['InstanceId']}</instanceId>"
        f"<device>{escape(attachment['Device'])}</device><status>{status}</status>"
        f"<attachTime>{attachment['AttachTime']}</attachTime><deleteOnTermination>false</deleteOnTermination>",
    )


def _volume(p: Parameters) -> dict[str, Any]:
    volume_id = ec2._p(p, "VolumeId")
    volume = ec2._volumes.get(volume_id)
    if volume is None:
        raise RefusedError("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
    return volume


def _whole(p: Parameters, name: str) -> int | None:
    value = ec2._p(p, name)
    if not value:
        return None
    if not value.isdigit():
        raise RefusedError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
    return int(value)


def _file(settings: ServerSettings, volume_id: str) -> Path:
    return settings.volumes / f"{volume_id}.img"


def _resize(settings: ServerSettings, volume_id: str, gibibytes: int) -> None:
    """Resize the sparse file."""
    with _file(settings, volume_id).open("ab") as blocks:
        blocks.truncate(gibibytes * _GIB)
