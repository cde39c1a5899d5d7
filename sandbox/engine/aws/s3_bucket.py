"""S3 buckets, their versioning, encryption and public access block.

The other settings of a bucket are rejected by name, and the state does not contain them.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import call, unless_missing
from sandbox.engine.aws.comparison import same_blocks, same_settings
from sandbox.engine.aws.resource import (
    FIXED,
    REGION,
    REGION_AND_TAGS,
    Description,
    Operation,
    Properties,
    Property,
    ResourceType,
    Tagging,
)
from sandbox.engine.aws.services import whole_id
from sandbox.engine.aws.tags import ALL_TAGS, tag_list, tag_map

# CreateBucket rejects this region as a location; it is the default.
_FIRST_REGION = "us-east-1"


def _location(aws: Account, _: Properties) -> Mapping[str, Any]:
    location = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    return {} if aws.region == _FIRST_REGION else location


def _tags(aws: Account, bucket: Description) -> dict[str, str]:
    # GetBucketTagging fails for a bucket without tags.
    answer = unless_missing(lambda: call(aws.client("s3"), "GetBucketTagging", Bucket=bucket["Bucket"]))
    return tag_map((answer or {}).get("TagSet"))


def _change_tags(op: Operation, changed: dict[str, str], removed: list[str]) -> None:
    """Send all tags, as S3 requires."""
    tags = {key: value for key, value in (op.olds.get(ALL_TAGS) or {}).items() if key not in removed} | changed
    if tags and (changed or removed):
        op.call("PutBucketTagging", Tagging={"TagSet": tag_list(tags)})
    elif removed:
        op.call("DeleteBucketTagging")


def _domains(aws: Account, bucket: Description) -> Mapping[str, str]:
    name = bucket["Bucket"]
    return {
        "bucketDomainName": f"{name}.s3.{aws.dns_suffix}",
        "bucketRegionalDomainName": f"{name}.s3.{aws.region}.{aws.dns_suffix}",
    }


BUCKET = ResourceType(
    "aws:s3/bucket:Bucket",
    "S3 Bucket",
    "s3",
    {"bucket": Property(replaces=True, must_be_given=True), **REGION_AND_TAGS},
    id_pattern=whole_id("Bucket"),
    create="CreateBucket",
    id_path="inputs.bucket",
    more_arguments=_location,
    describe="HeadBucket",
    delete="DeleteBucket",
    tagging=Tagging(create=None, read=_tags, change=_change_tags),
    arn="arn:{partition}:s3:::{id}",
    outputs=("bucketRegion",),
    more_outputs=_domains,
)


def _setting(
    token: str,
    label: str,
    noun: str,
    properties: Mapping[str, Property],
    description_path: str,
    **rest: Any,  # noqa: ANN401 - fields of ResourceType
) -> ResourceType:
    """Describe a setting of a bucket, which one API operation creates and changes."""
    calls: dict[str, Any] = {
        "id_pattern": whole_id("Bucket"),
        "create": f"Put{noun}",
        "id_path": "inputs.bucket",
        "describe": f"Get{noun}",
        "description_path": description_path,
        "update": lambda op: op.create_call(f"Put{noun}"),
        "delete": f"Delete{noun}",
    }
    return ResourceType(token, label, "s3", {"bucket": FIXED, **properties, **REGION}, **(calls | rest))


def _validate_versioning(_: str, block: Any) -> str | None:  # noqa: ANN401 - any value that the program gives
    if not isinstance(block, Mapping) or set(block) != {"status"}:
        return "the sandbox's stand-in serves the status alone of versioning_configuration; use the released plugin"
    if block["status"] in {"Enabled", "Suspended"}:
        return None
    # `Disabled` is no value of the API: the released provider makes no call for it.
    return f'expected status to be one of ["Enabled" "Suspended"], got {block["status"]}'


def _versioning(_: Account, inputs: Properties) -> Mapping[str, Any]:
    return {"VersioningConfiguration": {"Status": inputs["versioningConfiguration"]["status"]}}


VERSIONING = _setting(
    "aws:s3/bucketVersioning:BucketVersioning",
    "S3 Bucket Versioning",
    "BucketVersioning",
    {
        "versioningConfiguration": Property(
            same=same_settings, validate=_validate_versioning, argument="", path="{status: Status}"
        )
    },
    description_path="Status && @",
    more_arguments=_versioning,
    # Versioning cannot be removed, only suspended.
    delete=lambda op: op.call("PutBucketVersioning", VersioningConfiguration={"Status": "Suspended"}),
)

_RULES = """Rules[].{
    applyServerSideEncryptionByDefault: ApplyServerSideEncryptionByDefault.{
        sseAlgorithm: SSEAlgorithm, kmsMasterKeyId: KMSMasterKeyID || ''
    },
    bucketKeyEnabled: BucketKeyEnabled
}"""


def _encryption(_: Account, inputs: Properties) -> Mapping[str, Any]:
    return {"ServerSideEncryptionConfiguration": {"Rules": [_rule(each) for each in inputs["rules"]]}}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    default = rule.get("applyServerSideEncryptionByDefault") or {}
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    return {
        "ApplyServerSideEncryptionByDefault": {name: default[key] for key, name in names.items() if default.get(key)},
        "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
    }


def _validate_rules(_: str, rules: Any) -> str | None:  # noqa: ANN401 - any value that the program gives
    served = {"applyServerSideEncryptionByDefault", "bucketKeyEnabled"}
    if other := {key for rule in rules for key in rule} - served:
        return f"the sandbox's stand-in does not serve {', '.join(sorted(other))} of a rule; use the released plugin"
    return None


# Without a configuration, S3 encrypts with its own keys.
ENCRYPTION = _setting(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "S3 Bucket Server-side Encryption Configuration",
    "BucketEncryption",
    {"rules": Property(same=same_blocks, validate=_validate_rules, argument="", path=_RULES)},
    description_path="ServerSideEncryptionConfiguration",
    more_arguments=_encryption,
)

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _public_access(_: Account, inputs: Properties) -> Mapping[str, Any]:
    return {"PublicAccessBlockConfiguration": {key[0].upper() + key[1:]: inputs.get(key) for key in _BLOCKS}}


PUBLIC_ACCESS_BLOCK = _setting(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "S3 Bucket Public Access Block",
    "PublicAccessBlock",
    dict.fromkeys(_BLOCKS, Property(default=False, argument="")),
    description_path="PublicAccessBlockConfiguration",
    more_arguments=_public_access,
)
