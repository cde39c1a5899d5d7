"""CloudWatch log groups and KMS keys, by table."""

# ruff: noqa: ARG005 - the functions of a table take the same arguments, whichever they need

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call
from sandbox.engine.aws.policies import same_policy
from sandbox.engine.aws.properties import CHOSEN, REGION, TAGGED, Property, Schema, between, one_of
from sandbox.engine.aws.resource import Properties, Resource, Waiting
from sandbox.engine.aws.table import Step, TableResource, Tagging, Thing, Verbs, as_they_are, capitalised

_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def _log_group_arn(aws: Account, name: str) -> str:
    return f"arn:{aws.partition}:logs:{aws.region}:{aws.id}:log-group:{name}"


def _change_log_tags(
    resource_id: str, olds: Properties, changed: dict[str, str], removed: list[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    del resource_id
    calls: list[tuple[str, Mapping[str, Any]]] = []
    if removed:
        calls.append(("UntagResource", {"resourceArn": olds["arn"], "tagKeys": removed}))
    if changed:
        calls.append(("TagResource", {"resourceArn": olds["arn"], "tags": changed}))
    return calls


def _retention(name: str, days: int) -> Mapping[str, Any]:
    return {"logGroupName": name, **({"retentionInDays": days} if days else {})}


LOG_GROUP = TableResource(
    Schema(
        "aws:cloudwatch/logGroup:LogGroup",
        {
            "deletionProtectionEnabled": Property(computed=True),
            "kmsKeyId": Property(),
            "logGroupClass": CHOSEN,
            "name": CHOSEN,
            "retentionInDays": Property(default=0, refusal=one_of("retention_in_days", 0, *_RETENTIONS)),
            "skipDestroy": Property(default=False),
            **REGION,
            **TAGGED,
        },
        longest_name=512,
    ),
    Verbs(
        what="CloudWatch Logs Log Group",
        service="logs",
        create="CreateLogGroup",
        created="",
        identity=lambda inputs: inputs["name"],
        describe="DescribeLogGroups",
        named=lambda name: {"logGroupNamePrefix": name},
        found="logGroups[?logGroupName=='$id'] | [0]",
        delete="DeleteLogGroup",
        deleted=lambda name, olds: {"logGroupName": name},
        names=as_they_are("kmsKeyId", "logGroupClass") | {"name": "logGroupName"},
        state={"retentionInDays": "retentionInDays"},
        steps=(Step("retentionInDays", "PutRetentionPolicy", _retention, initial=0, off="DeleteRetentionPolicy"),),
        tagging=Tagging(
            create=lambda tags: {"tags": dict(tags)},
            read=lambda aws, thing: call(
                aws.client("logs"), "ListTagsForResource", resourceArn=_log_group_arn(aws, thing["logGroupName"])
            ).get("tags", {}),
            change=_change_log_tags,
        ),
        more=lambda aws, name, thing: {"arn": _log_group_arn(aws, name)},
    ),
)


def _key_settings(aws: Account, key: str, thing: Thing) -> Mapping[str, Any]:
    kms = aws.client("kms")
    return {
        "customerMasterKeySpec": thing.get("CustomerMasterKeySpec") or thing.get("KeySpec"),
        "enableKeyRotation": call(kms, "GetKeyRotationStatus", KeyId=key)["KeyRotationEnabled"],
        "policy": call(kms, "GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"],
    }


def _change_key_tags(
    resource_id: str, olds: Properties, changed: dict[str, str], removed: list[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    del olds
    calls: list[tuple[str, Mapping[str, Any]]] = []
    if removed:
        calls.append(("UntagResource", {"KeyId": resource_id, "TagKeys": removed}))
    if changed:
        calls.append(("TagResource", {"KeyId": resource_id, "Tags": _kms_tags(changed)}))
    return calls


def _kms_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]


class Key(TableResource):
    """A key is not deleted but scheduled to be, and counts as gone from then on."""

    def delete(self, aws: Account, resource_id: str, olds: Properties, waiting: Waiting) -> None:
        if self.read(aws, resource_id) is not None:
            super().delete(aws, resource_id, olds, waiting)

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        # These are nothing that AWS keeps: they say how the provider goes about its calls.
        own = {"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"}
        super().update(aws, resource_id, {**olds, **{key: news[key] for key in own & news.keys()}}, news, waiting)


KEY = Key(
    Schema(
        "aws:kms/key:Key",
        {
            "bypassPolicyLockoutSafetyCheck": Property(default=False),
            "customerMasterKeySpec": Property(default="SYMMETRIC_DEFAULT", replaces=True),
            "deletionWindowInDays": Property(refusal=between("deletion_window_in_days", 7, 30)),
            "description": Property(computed=True),
            "enableKeyRotation": Property(default=False),
            "isEnabled": Property(default=True),
            "keyUsage": Property(default="ENCRYPT_DECRYPT", replaces=True),
            "multiRegion": CHOSEN,
            "policy": Property(computed=True, same=same_policy, keeps_text=True),
            "rotationPeriodInDays": Property(computed=True),
            **REGION,
            **TAGGED,
        },
    ),
    Verbs(
        what="KMS Key",
        service="kms",
        create="CreateKey",
        created="KeyMetadata.KeyId",
        describe="DescribeKey",
        named=lambda key: {"KeyId": key},
        found="[KeyMetadata] | [?KeyState!='PendingDeletion'] | [0]",
        delete="ScheduleKeyDeletion",
        deleted=lambda key, olds: {"KeyId": key, "PendingWindowInDays": olds.get("deletionWindowInDays") or 30},
        names=capitalised("description", "keyUsage", "multiRegion", "policy") | {"customerMasterKeySpec": "KeySpec"},
        state=capitalised("arn", "keyId") | {"isEnabled": "Enabled"},
        steps=(
            Step("description", "UpdateKeyDescription", lambda key, text: {"KeyId": key, "Description": text}),
            Step("policy", "PutKeyPolicy", lambda key, text: {"KeyId": key, "PolicyName": "default", "Policy": text}),
            Step(
                "enableKeyRotation",
                "EnableKeyRotation",
                lambda key, on: {"KeyId": key},
                initial=False,
                off="DisableKeyRotation",
            ),
        ),
        tagging=Tagging(
            create=lambda tags: {"Tags": _kms_tags(tags)},
            read=lambda aws, thing: {
                each["TagKey"]: each["TagValue"]
                for each in call(aws.client("kms"), "ListResourceTags", KeyId=thing["KeyId"]).get("Tags", [])
            },
            change=_change_key_tags,
        ),
        more=_key_settings,
    ),
)

ALIAS = TableResource(
    Schema("aws:kms/alias:Alias", {"name": CHOSEN, "targetKeyId": Property(), **REGION}),
    Verbs(
        what="KMS Alias",
        service="kms",
        create="CreateAlias",
        created="",
        identity=lambda inputs: inputs["name"],
        describe="ListAliases",
        named=lambda name: {},
        found="Aliases[?AliasName=='$id'] | [0]",
        delete="DeleteAlias",
        deleted=lambda name, olds: {"AliasName": name},
        names={"name": "AliasName", "targetKeyId": "TargetKeyId"},
        state={"arn": "AliasArn"},
        steps=(Step("targetKeyId", "UpdateAlias", lambda name, key: {"AliasName": name, "TargetKeyId": key}),),
    ),
)

TYPES: Sequence[Resource] = (LOG_GROUP, KEY, ALIAS)
