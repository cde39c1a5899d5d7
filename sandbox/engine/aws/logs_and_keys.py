"""CloudWatch log groups, KMS keys and aliases."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.comparison import same_policy
from sandbox.engine.aws.resource import (
    CHOSEN,
    LOCAL,
    REGION,
    REGION_AND_TAGS,
    Description,
    Operation,
    Property,
    ResourceType,
    Tagging,
    send_to,
)
from sandbox.engine.aws.services import eks_tags, whole_id
from sandbox.engine.aws.validators import between, one_of

_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_ARN = "arn:{partition}:logs:{region}:{account}:log-group:{id}"


def _log_tags(aws: Account, group: Description) -> dict[str, str]:
    names = {"partition": aws.partition, "region": aws.region, "account": aws.id, "id": group["logGroupName"]}
    return call(aws.client("logs"), "ListTagsForResource", resourceArn=_ARN.format_map(names)).get("tags", {})


def _log_group(aws: Account, name: str) -> Description | None:
    groups = call(aws.client("logs"), "DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
    return next((each for each in groups if each["logGroupName"] == name), None)


def _delete_log_group(op: Operation) -> None:
    """Delete a log group, unless its `skipDestroy` is true: the provider then only forgets it."""
    if not op.olds.get("skipDestroy"):
        op.call("DeleteLogGroup")


LOG_GROUP = ResourceType(
    "aws:cloudwatch/logGroup:LogGroup",
    "CloudWatch Logs Log Group",
    "logs",
    {
        "deletionProtectionEnabled": Property(computed=True, argument="", path=""),
        "kmsKeyId": Property(),
        "logGroupClass": CHOSEN,
        "name": replace(CHOSEN, argument="logGroupName"),
        "retentionInDays": Property(
            default=0,
            validate=one_of(0, *_RETENTIONS),
            initial=0,
            update=send_to("PutRetentionPolicy", off="DeleteRetentionPolicy"),
        ),
        "skipDestroy": replace(LOCAL, default=False),
        **REGION_AND_TAGS,
    },
    id_pattern=whole_id("logGroupName"),
    create="CreateLogGroup",
    id_path="inputs.name",
    describe=_log_group,
    delete=_delete_log_group,
    tagging=replace(eks_tags(), read=_log_tags),
    arn=_ARN,
    longest_name=512,
)


def _key_outputs(aws: Account, key: Description) -> Mapping[str, Any]:
    kms, which = aws.client("kms"), {"KeyId": key["KeyId"]}
    return {
        "customerMasterKeySpec": key.get("CustomerMasterKeySpec") or key.get("KeySpec"),
        "enableKeyRotation": call(kms, "GetKeyRotationStatus", **which)["KeyRotationEnabled"],
        "policy": call(kms, "GetKeyPolicy", **which, PolicyName="default")["Policy"],
    }


def _kms_tags(tags: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    return {"Tags": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]} if tags else {}


def _read_key_tags(aws: Account, key: Description) -> dict[str, str]:
    answer = call(aws.client("kms"), "ListResourceTags", KeyId=key["KeyId"])
    return {each["TagKey"]: each["TagValue"] for each in answer.get("Tags", [])}


def _change_key_tags(op: Operation, changed: dict[str, str], removed: list[str]) -> None:
    if removed:
        op.call("UntagResource", TagKeys=removed)
    if changed:
        op.call("TagResource", **_kms_tags(changed))


def _delete_key(op: Operation) -> None:
    """Schedule the deletion of a key, which counts as deleted from then on."""
    if op.kind.description(op.aws, op.resource_id):
        op.call("ScheduleKeyDeletion", PendingWindowInDays=op.olds.get("deletionWindowInDays") or 30)


KEY = ResourceType(
    "aws:kms/key:Key",
    "KMS Key",
    "kms",
    {
        "bypassPolicyLockoutSafetyCheck": replace(LOCAL, default=False),
        "customerMasterKeySpec": Property(default="SYMMETRIC_DEFAULT", replaces=True, argument="KeySpec"),
        "deletionWindowInDays": replace(LOCAL, validate=between(7, 30)),
        "description": Property(computed=True, update=send_to("UpdateKeyDescription")),
        "enableKeyRotation": Property(
            default=False, argument="", initial=False, update=send_to("EnableKeyRotation", off="DisableKeyRotation")
        ),
        "isEnabled": Property(default=True, argument="", path="Enabled"),
        "keyUsage": Property(default="ENCRYPT_DECRYPT", replaces=True),
        "multiRegion": CHOSEN,
        "policy": Property(
            computed=True, same=same_policy, keeps_text=True, update=send_to("PutKeyPolicy", PolicyName="default")
        ),
        "rotationPeriodInDays": Property(computed=True, argument="", path=""),
        **REGION_AND_TAGS,
    },
    id_pattern=whole_id("KeyId"),
    create="CreateKey",
    id_path="KeyMetadata.KeyId",
    describe="DescribeKey",
    description_path="[KeyMetadata] | [?KeyState!='PendingDeletion'] | [0]",
    delete=_delete_key,
    tagging=Tagging(_kms_tags, _read_key_tags, _change_key_tags),
    outputs=("arn", "keyId"),
    more_outputs=_key_outputs,
)


def _alias(aws: Account, name: str) -> Description | None:
    aliases = call(aws.client("kms"), "ListAliases")["Aliases"]
    return next((each for each in aliases if each["AliasName"] == name), None)


ALIAS = ResourceType(
    "aws:kms/alias:Alias",
    "KMS Alias",
    "kms",
    {"name": replace(CHOSEN, argument="AliasName"), "targetKeyId": Property(update=send_to("UpdateAlias")), **REGION},
    id_pattern=whole_id("AliasName"),
    create="CreateAlias",
    id_path="inputs.name",
    describe=_alias,
    delete="DeleteAlias",
    output_paths={"arn": "AliasArn"},
)
