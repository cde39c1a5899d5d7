"""Calls of the aws stand-in to S3 for buckets and bucket settings, and rejected inputs.

tests/contract/test_bucket.py tests the answers of AWS.
"""

from typing import Any

import pytest

from sandbox.engine.aws.comparison import same_blocks
from sandbox.engine.provider.failures import ProviderError
from sandbox.engine.provider.servicer import State
from tests.unit.aws_script import REGION, ScriptedAccount, provider, refusal, target

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
HEAD = {"BucketRegion": REGION, "ResponseMetadata": {}}
UNTAGGED = refusal("NoSuchTagSet", status=404)
ALL_BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
RULE = {
    "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"},
    "bucketKeyEnabled": True,
}


def account(**answers: Any) -> ScriptedAccount:
    return ScriptedAccount({"HeadBucket": HEAD, "GetBucketTagging": UNTAGGED, **answers})


def failures(token: str, **inputs: Any) -> list[str]:
    return [text for _, text in provider(ScriptedAccount({})).check(target(token), {}, inputs, b"").failures]


def test_bucket_is_created_in_the_region_of_the_provider() -> None:
    aws = account(CreateBucket={})
    state = provider(aws).create(target(BUCKET), {"bucket": "b"}, 0, preview=False)
    configuration = {"LocationConstraint": REGION}
    assert aws.made("CreateBucket") == [{"Bucket": "b", "CreateBucketConfiguration": configuration}]
    assert state.outputs == {
        "arn": "arn:aws:s3:::b",
        "bucket": "b",
        "bucketDomainName": "b.s3.amazonaws.com",
        "bucketRegion": REGION,
        "bucketRegionalDomainName": f"b.s3.{REGION}.amazonaws.com",
        "id": "b",
        "region": REGION,
        "tags": {},
        "tagsAll": {},
    }


def test_bucket_in_us_east_1_is_created_without_a_location_constraint() -> None:
    aws = account(CreateBucket={})
    aws.region = "us-east-1"
    provider(aws).create(target(BUCKET), {"bucket": "b"}, 0, preview=False)
    assert aws.made("CreateBucket") == [{"Bucket": "b"}]


def test_bucket_is_tagged_after_it_is_created() -> None:
    aws = account(CreateBucket={}, PutBucketTagging={})
    provider(aws).create(target(BUCKET), {"bucket": "b", "tagsAll": {"a": "1"}}, 0, preview=False)
    assert [verb for verb, _ in aws.calls][:2] == ["CreateBucket", "PutBucketTagging"]
    assert aws.made("PutBucketTagging") == [{"Bucket": "b", "Tagging": {"TagSet": [{"Key": "a", "Value": "1"}]}}]


@pytest.mark.parametrize(
    ("tags", "verb", "tag_set"),
    [
        ({"a": "1", "b": "2"}, "PutBucketTagging", [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]),
        ({"b": "2"}, "PutBucketTagging", [{"Key": "b", "Value": "2"}]),
        ({}, "DeleteBucketTagging", None),
    ],
)
def test_tag_change_sends_the_whole_tag_set(tags: dict[str, str], verb: str, tag_set: list[Any] | None) -> None:
    aws = account(**{verb: {}})
    olds = State("b", {"bucket": "b", "tagsAll": {"a": "1"}})
    provider(aws).update(target(BUCKET), olds, {"bucket": "b", "tagsAll": tags}, 0, preview=False)
    assert aws.made(verb) == [{"Bucket": "b"} | ({"Tagging": {"TagSet": tag_set}} if tag_set else {})]


def test_unchanged_tags_cause_no_tagging_call() -> None:
    aws = account()
    olds = State("b", {"bucket": "b", "tagsAll": {"a": "1"}})
    provider(aws).update(target(BUCKET), olds, {"bucket": "b", "tagsAll": {"a": "1"}}, 0, preview=False)
    assert [verb for verb, _ in aws.calls] == ["HeadBucket", "GetBucketTagging"]


def test_missing_bucket_is_read_with_an_empty_id_and_deleted_without_error() -> None:
    aws = account(HeadBucket=refusal("404", "Not Found", 404), DeleteBucket=refusal("NoSuchBucket", status=404))
    assert provider(aws).read(target(BUCKET), State("b")).resource_id == ""
    provider(aws).delete(target(BUCKET), State("b"), 0)


def test_reading_a_bucket_of_another_account_fails() -> None:
    with pytest.raises(ProviderError, match=r"reading S3 Bucket \(b\): .*403"):
        provider(account(HeadBucket=refusal("403", "Forbidden", 403))).read(target(BUCKET), State("b"))


def test_deleting_a_bucket_that_is_not_empty_fails() -> None:
    aws = account(DeleteBucket=refusal("BucketNotEmpty", "not empty", 409))
    with pytest.raises(ProviderError, match=r"deleting S3 Bucket \(b\): .*BucketNotEmpty: not empty"):
        provider(aws).delete(target(BUCKET), State("b"), 0)


def test_bucket_without_a_name_or_with_an_unsupported_input_is_rejected() -> None:
    assert failures(BUCKET) == [
        f"the sandbox's stand-in makes up no 'bucket' for {BUCKET}; give one, or use the released plugin"
    ]
    assert failures(BUCKET, bucket="b") == []
    (failure,) = failures(BUCKET, bucket="b", forceDestroy=True)
    assert "does not serve the input 'forceDestroy'" in failure


SETTINGS = {
    VERSIONING: (
        {"versioningConfiguration": {"status": "Enabled"}},
        "PutBucketVersioning",
        {"VersioningConfiguration": {"Status": "Enabled"}},
        "GetBucketVersioning",
        {"Status": "Enabled"},
    ),
    ENCRYPTION: (
        {"rules": [RULE]},
        "PutBucketEncryption",
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"},
                        "BucketKeyEnabled": True,
                    }
                ]
            }
        },
        "GetBucketEncryption",
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"},
                        "BucketKeyEnabled": True,
                    }
                ]
            }
        },
    ),
    BLOCK: (
        dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True),
        "PutPublicAccessBlock",
        {"PublicAccessBlockConfiguration": ALL_BLOCKED},
        "GetPublicAccessBlock",
        {"PublicAccessBlockConfiguration": ALL_BLOCKED},
    ),
}


@pytest.mark.parametrize("token", SETTINGS)
def test_bucket_setting_is_created_updated_and_read_without_a_diff(token: str) -> None:
    inputs, put, sent, get, answer = SETTINGS[token]
    aws = ScriptedAccount({put: {}, get: answer})
    stand_in = provider(aws)
    given = {"bucket": "b", **inputs}
    state = stand_in.create(target(token), given, 0, preview=False)
    assert state.resource_id == "b"
    assert state.outputs == {**given, "id": "b", "region": REGION}
    imported = stand_in.read(target(token), State("b"))
    assert {key: imported.inputs[key] for key in given} == given
    stand_in.update(target(token), state, given, 0, preview=False)
    assert aws.made(put) == [{"Bucket": "b", **sent}] * 2
    assert stand_in.diff(target(token), "b", State("b", state.outputs, given), given, []).changes == {}


@pytest.mark.parametrize("token", SETTINGS)
def test_failed_setting_update_names_the_setting_and_the_bucket(token: str) -> None:
    inputs, put, *_ = SETTINGS[token]
    aws = ScriptedAccount({put: refusal("AccessDenied", "no", 403)})
    with pytest.raises(ProviderError, match=r"updating S3 Bucket [\w -]+ \(b\): .*AccessDenied"):
        provider(aws).update(target(token), State("b", inputs), {"bucket": "b", **inputs}, 0, preview=False)


REMOVED = [
    (VERSIONING, "PutBucketVersioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    (ENCRYPTION, "DeleteBucketEncryption", {}),
    (BLOCK, "DeletePublicAccessBlock", {}),
]


@pytest.mark.parametrize(("token", "verb", "sent"), REMOVED)
def test_setting_is_removed_even_when_the_bucket_is_missing(token: str, verb: str, sent: dict[str, Any]) -> None:
    aws = ScriptedAccount({verb: [{}, refusal("NoSuchBucket", status=404)]})
    for _ in range(2):
        provider(aws).delete(target(token), State("b", {"bucket": "b"}), 0)
    assert aws.made(verb) == [{"Bucket": "b", **sent}] * 2


@pytest.mark.parametrize(
    ("token", "get", "answer"),
    [
        (VERSIONING, "GetBucketVersioning", {}),
        (VERSIONING, "GetBucketVersioning", refusal("NoSuchBucket", status=404)),
        (ENCRYPTION, "GetBucketEncryption", refusal("NoSuchBucket", status=404)),
        (BLOCK, "GetPublicAccessBlock", refusal("NoSuchPublicAccessBlockConfiguration", status=404)),
    ],
)
def test_missing_setting_is_read_with_an_empty_id(token: str, get: str, answer: Any) -> None:
    assert provider(ScriptedAccount({get: answer})).read(target(token), State("b")).resource_id == ""


@pytest.mark.parametrize(
    ("token", "inputs", "text"),
    [
        (VERSIONING, {"versioningConfiguration": {"status": "Disabled"}}, 'one of ["Enabled" "Suspended"]'),
        (VERSIONING, {"versioningConfiguration": {"status": "Enabled", "mfaDelete": "Enabled"}}, "serves the status"),
        (ENCRYPTION, {"rules": [{**RULE, "blockedEncryptionTypes": ["SSE-C"]}]}, "not serve blockedEncryptionTypes"),
        (BLOCK, {"skipDestroy": True}, "does not serve the input 'skipDestroy'"),
    ],
)
def test_unsupported_setting_is_rejected_by_name(token: str, inputs: dict[str, Any], text: str) -> None:
    (failure,) = failures(token, bucket="b", **inputs)
    assert text in failure


def test_encryption_rules_are_equal_when_aws_has_every_value_of_the_program() -> None:
    default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}}
    assert same_blocks([RULE], [default])
    assert not same_blocks([default], [RULE])
    assert not same_blocks([RULE], [])
    assert not same_blocks([RULE], [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}])


def test_changed_bucket_name_replaces_the_setting() -> None:
    for token in SETTINGS:
        inputs = SETTINGS[token][0]
        state = State("b", {"bucket": "b", **inputs}, {"bucket": "b", **inputs})
        difference = provider(ScriptedAccount({})).diff(target(token), "b", state, {"bucket": "c", **inputs}, [])
        assert difference.changes["bucket"].replaces, token
