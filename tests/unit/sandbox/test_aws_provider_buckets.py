"""What the aws stand-in asks of S3 for a bucket and what it is set to, and what it refuses.

What AWS answers to all of it is in tests/contract/test_bucket.py.
"""

from typing import Any

import pytest

from sandbox.engine.aws.comparison import same_blocks
from sandbox.engine.provider.base import State
from sandbox.engine.provider.failures import ProviderError
from tests.unit.aws_script import REGION, ScriptedAccount, provider, refusal, target

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
HEAD = {"BucketRegion": REGION, "ResponseMetadata": {}}
UNTAGGED = refusal("NoSuchTagSet", status=404)
SHUT = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
RULE = {
    "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"},
    "bucketKeyEnabled": True,
}


def account(**answers: Any) -> ScriptedAccount:
    return ScriptedAccount({"HeadBucket": HEAD, "GetBucketTagging": UNTAGGED, **answers})


def failures(token: str, **inputs: Any) -> list[str]:
    return [text for _, text in provider(ScriptedAccount({})).check(target(token), {}, inputs, b"").failures]


def test_a_bucket_is_made_in_the_providers_region() -> None:
    aws = account(CreateBucket={})
    state = provider(aws).create(target(BUCKET), {"bucket": "b"}, 0, preview=False)
    where = {"LocationConstraint": REGION}
    assert aws.made("CreateBucket") == [{"Bucket": "b", "CreateBucketConfiguration": where}]
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


def test_the_first_region_goes_without_saying() -> None:
    aws = account(CreateBucket={})
    aws.region = "us-east-1"
    provider(aws).create(target(BUCKET), {"bucket": "b"}, 0, preview=False)
    assert aws.made("CreateBucket") == [{"Bucket": "b"}]


def test_a_bucket_is_tagged_once_it_exists() -> None:
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
def test_a_change_of_tags_sends_all_of_them(tags: dict[str, str], verb: str, tag_set: list[Any] | None) -> None:
    aws = account(**{verb: {}})
    olds = State("b", {"bucket": "b", "tagsAll": {"a": "1"}})
    provider(aws).update(target(BUCKET), olds, {"bucket": "b", "tagsAll": tags}, 0, preview=False)
    assert aws.made(verb) == [{"Bucket": "b"} | ({"Tagging": {"TagSet": tag_set}} if tag_set else {})]


def test_tags_that_stay_cost_no_call() -> None:
    aws = account()
    olds = State("b", {"bucket": "b", "tagsAll": {"a": "1"}})
    provider(aws).update(target(BUCKET), olds, {"bucket": "b", "tagsAll": {"a": "1"}}, 0, preview=False)
    assert [verb for verb, _ in aws.calls] == ["HeadBucket", "GetBucketTagging"]


def test_a_bucket_that_is_gone_is_read_as_gone() -> None:
    aws = account(HeadBucket=refusal("404", "Not Found", 404), DeleteBucket=refusal("NoSuchBucket", status=404))
    assert provider(aws).read(target(BUCKET), State("b")).resource_id == ""
    provider(aws).delete(target(BUCKET), State("b"), 0)


def test_a_bucket_of_somebody_else_is_not_taken_for_gone() -> None:
    with pytest.raises(ProviderError, match=r"reading S3 Bucket \(b\): .*403"):
        provider(account(HeadBucket=refusal("403", "Forbidden", 403))).read(target(BUCKET), State("b"))


def test_a_bucket_with_something_in_it_stays() -> None:
    aws = account(DeleteBucket=refusal("BucketNotEmpty", "not empty", 409))
    with pytest.raises(ProviderError, match=r"deleting S3 Bucket \(b\): .*BucketNotEmpty: not empty"):
        provider(aws).delete(target(BUCKET), State("b"), 0)


def test_a_bucket_needs_a_name() -> None:
    assert failures(BUCKET) == [
        f"the sandbox's stand-in makes up no 'bucket' for {BUCKET}; give one, or use the released plugin"
    ]
    assert failures(BUCKET, bucket="b") == []
    (refused,) = failures(BUCKET, bucket="b", forceDestroy=True)
    assert "does not serve the input 'forceDestroy'" in refused


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
        {"PublicAccessBlockConfiguration": SHUT},
        "GetPublicAccessBlock",
        {"PublicAccessBlockConfiguration": SHUT},
    ),
}


@pytest.mark.parametrize("token", SETTINGS)
def test_a_setting_is_made_and_changed_by_one_verb_and_read_back_without_a_difference(token: str) -> None:
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
def test_a_refused_change_of_a_setting_says_of_which(token: str) -> None:
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
def test_a_setting_is_taken_back_also_of_a_bucket_that_is_gone(token: str, verb: str, sent: dict[str, Any]) -> None:
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
def test_a_bucket_that_was_never_set_so_has_no_setting(token: str, get: str, answer: Any) -> None:
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
def test_what_is_not_served_is_refused_by_name(token: str, inputs: dict[str, Any], text: str) -> None:
    (refused,) = failures(token, bucket="b", **inputs)
    assert text in refused


def test_rules_are_the_same_when_aws_has_all_that_the_program_says() -> None:
    default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}}
    assert same_blocks([RULE], [default])
    assert not same_blocks([default], [RULE])
    assert not same_blocks([RULE], [])
    assert not same_blocks([RULE], [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}])


def test_a_bucket_cannot_be_moved() -> None:
    for token in SETTINGS:
        inputs = SETTINGS[token][0]
        state = State("b", {"bucket": "b", **inputs}, {"bucket": "b", **inputs})
        difference = provider(ScriptedAccount({})).diff(target(token), "b", state, {"bucket": "c", **inputs}, [])
        assert difference.changes["bucket"].replaces, token
