"""S3 buckets and what they are set to, by table: versions, encryption, whom they shut out.

A bucket has a dozen more settings; those inputs are refused by name, and the state does not tell of them.
"""

# ruff: noqa: ARG001, ARG002, ARG005 - the functions of a table take the same arguments, whichever they need

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.engine.aws.account import Account
from sandbox.engine.aws.calls import AwsError, call, failed, unless_missing
from sandbox.engine.aws.properties import ALL_TAGS, FIXED, REGION, Property, Schema, same_settings
from sandbox.engine.aws.resource import Properties, Resource, Waiting, tag_list, tag_map
from sandbox.engine.aws.table import TableResource, Tagging, Thing, Verbs, capitalised

# In every other region a create says where the bucket is to be.
_FIRST_REGION = "us-east-1"


def _named(bucket: str) -> dict[str, str]:
    return {"Bucket": bucket}


# A bucket and what it is set to are all told by the bucket's name.
_verbs = functools.partial(Verbs, service="s3", created="", identity=lambda inputs: inputs["bucket"], named=_named)


class Bucket(TableResource):
    """Import id: the name."""

    def create(self, aws: Account, inputs: Properties, waiting: Waiting) -> str:
        where = {} if aws.region == _FIRST_REGION else {"region": aws.region}
        return super().create(aws, {**inputs, **where}, waiting)


def _tags(aws: Account, thing: Thing) -> dict[str, str]:
    # A bucket without tags has no set of them.
    answer = unless_missing(lambda: call(aws.client("s3"), "GetBucketTagging", Bucket=thing["Bucket"]))
    return tag_map((answer or {}).get("TagSet"))


def _change_tags(
    bucket: str, olds: Properties, changed: dict[str, str], removed: list[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    """S3 takes all tags at once."""
    if not changed and not removed:
        return []
    tags = {key: value for key, value in (olds.get(ALL_TAGS) or {}).items() if key not in removed} | changed
    if not tags:
        return [("DeleteBucketTagging", _named(bucket))]
    return [("PutBucketTagging", {**_named(bucket), "Tagging": {"TagSet": tag_list(tags)}})]


def _addresses(aws: Account, bucket: str, thing: Thing) -> Mapping[str, str]:
    return {
        "arn": f"arn:{aws.partition}:s3:::{bucket}",
        "bucketDomainName": f"{bucket}.s3.{aws.dns_suffix}",
        "bucketRegionalDomainName": f"{bucket}.s3.{aws.region}.{aws.dns_suffix}",
    }


BUCKET = Bucket(
    Schema("aws:s3/bucket:Bucket", {"bucket": Property(replaces=True, asked=True), "tags": Property(), **REGION}),
    _verbs(
        what="S3 Bucket",
        create="CreateBucket",
        describe="HeadBucket",
        found="{Bucket: '$id', BucketRegion: BucketRegion}",
        delete="DeleteBucket",
        deleted=lambda bucket, olds: _named(bucket),
        names={"bucket": "Bucket", "region": "CreateBucketConfiguration.LocationConstraint"},
        state={"bucketRegion": "BucketRegion"},
        tagging=Tagging(create=None, read=_tags, change=_change_tags),
        more=_addresses,
    ),
)


class BucketSetting(TableResource):
    """What a bucket is set to: one verb makes it and changes it, all at once. Import id: the bucket's name."""

    def update(self, aws: Account, resource_id: str, olds: Properties, news: Properties, waiting: Waiting) -> None:
        verbs = self.verbs
        try:
            call(aws.client(verbs.service), verbs.create, **self._arguments(news))
        except AwsError as error:
            raise failed(f"updating {verbs.what} ({resource_id})", error) from error


def _versioning_refusal(block: Any) -> str | None:  # noqa: ANN401 - whatever the program gives
    if not isinstance(block, Mapping) or set(block) != {"status"}:
        return "the sandbox's stand-in serves the status alone of versioning_configuration; use the released plugin"
    if block["status"] in {"Enabled", "Suspended"}:
        return None
    # `Disabled` is what AWS calls nothing: the released provider makes no call for it.
    return f'expected status to be one of ["Enabled" "Suspended"], got {block["status"]}'


VERSIONING = BucketSetting(
    Schema(
        "aws:s3/bucketVersioning:BucketVersioning",
        {
            "bucket": FIXED,
            "versioningConfiguration": Property(same=same_settings, refusal=_versioning_refusal),
            **REGION,
        },
    ),
    _verbs(
        what="S3 Bucket Versioning",
        create="PutBucketVersioning",
        describe="GetBucketVersioning",
        found="Status && {Bucket: '$id', Status: Status}",
        # A bucket that ever had versions keeps those that it has; it can only stop to make new ones.
        delete="PutBucketVersioning",
        deleted=lambda bucket, olds: {**_named(bucket), "VersioningConfiguration": {"Status": "Suspended"}},
        names={"bucket": "Bucket"},
        state={"versioningConfiguration": "{status: Status}"},
        also=lambda inputs: {"VersioningConfiguration": {"Status": inputs["versioningConfiguration"]["status"]}},
    ),
)

_RULES = """Rules[].{
    applyServerSideEncryptionByDefault: ApplyServerSideEncryptionByDefault.{
        sseAlgorithm: SSEAlgorithm, kmsMasterKeyId: KMSMasterKeyID || ''
    },
    bucketKeyEnabled: BucketKeyEnabled
}"""


def same_rules(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether AWS's rules (`one`) have all that the program's say."""
    return len(one) == len(other) and all(map(same_settings, one, other))


def _encryption(inputs: Properties) -> Mapping[str, Any]:
    return {"ServerSideEncryptionConfiguration": {"Rules": [_rule(each) for each in inputs["rules"]]}}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    default = rule.get("applyServerSideEncryptionByDefault") or {}
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    return {
        "ApplyServerSideEncryptionByDefault": {name: default[key] for key, name in names.items() if default.get(key)},
        "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
    }


def _rules_refusal(rules: Any) -> str | None:  # noqa: ANN401 - whatever the program gives
    served = {"applyServerSideEncryptionByDefault", "bucketKeyEnabled"}
    if other := {key for rule in rules for key in rule} - served:
        return f"the sandbox's stand-in does not serve {', '.join(sorted(other))} of a rule; use the released plugin"
    return None


ENCRYPTION = BucketSetting(
    Schema(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {"bucket": FIXED, "rules": Property(same=same_rules, refusal=_rules_refusal), **REGION},
    ),
    _verbs(
        what="S3 Bucket Server-side Encryption Configuration",
        create="PutBucketEncryption",
        describe="GetBucketEncryption",
        found=f"{{Bucket: '$id', Rules: ServerSideEncryptionConfiguration.{_RULES}}}",
        # The bucket goes back to the keys of S3 itself.
        delete="DeleteBucketEncryption",
        deleted=lambda bucket, olds: _named(bucket),
        names={"bucket": "Bucket"},
        state={"rules": "Rules"},
        also=_encryption,
    ),
)

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

PUBLIC_ACCESS_BLOCK = BucketSetting(
    Schema(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {"bucket": FIXED, **dict.fromkeys(_BLOCKS, Property(default=False)), **REGION},
    ),
    _verbs(
        what="S3 Bucket Public Access Block",
        create="PutPublicAccessBlock",
        describe="GetPublicAccessBlock",
        found="{Bucket: '$id', Blocks: PublicAccessBlockConfiguration}",
        delete="DeletePublicAccessBlock",
        deleted=lambda bucket, olds: _named(bucket),
        names={"bucket": "Bucket"}
        | {key: f"PublicAccessBlockConfiguration.{name}" for key, name in capitalised(*_BLOCKS).items()},
        state={key: f"Blocks.{name}" for key, name in capitalised(*_BLOCKS).items()},
    ),
)

TYPES: Sequence[Resource] = (BUCKET, VERSIONING, ENCRYPTION, PUBLIC_ACCESS_BLOCK)
