"""S3 bucket and its settings through the aws stand-in, authorization, and the state after a crash."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox import layout
from sandbox.engine.provider.failures import ProviderError
from tests.contract.errors import refused
from tests.contract.server import Server, seeded
from tests.contract.stack import Stack

NAME = "contract-state"
BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BLOCK_ALL = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
KEY = f"arn:aws:kms:{layout.REGION}:{layout.ACCOUNT}:key/1234"


def rules(algorithm: str, **more: Any) -> list[dict[str, Any]]:
    by_default = {"sseAlgorithm": algorithm, **more}
    return [{"applyServerSideEncryptionByDefault": by_default, "bucketKeyEnabled": bool(more)}]


def test_bucket_is_created_in_the_region_of_the_provider(stack: Stack, aws: Server) -> None:
    made = stack.make(BUCKET, "bucket", bucket=NAME, tags={"team": "messaging"})
    assert (made["id"], made["arn"], made["bucketRegion"]) == (NAME, f"arn:aws:s3:::{NAME}", layout.REGION)
    assert aws.client("s3").get_bucket_location(Bucket=NAME)["LocationConstraint"] == layout.REGION
    assert stack.change("bucket", bucket=NAME, tags={"team": "other", "more": "1"})["tagsAll"]["team"] == "other"
    assert stack.change("bucket", bucket=NAME)["tagsAll"] == {}
    with refused("NoSuchTagSet", "The TagSet does not exist"):
        aws.client("s3").get_bucket_tagging(Bucket=NAME)
    assert stack.difference("bucket", bucket="another").changes["bucket"].replaces


def test_bucket_versioning_is_enabled_and_suspended(stack: Stack, aws: Server) -> None:
    bucket = stack.make(BUCKET, "bucket", bucket=NAME)["id"]
    stack.make(VERSIONING, "versions", bucket=bucket, versioningConfiguration={"status": "Enabled"})
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    stack.change("versions", bucket=bucket, versioningConfiguration={"status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Suspended"
    stack.change("versions", bucket=bucket, versioningConfiguration={"status": "Enabled"})
    stack.destroy("versions")
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Suspended", "versioning is suspended, not disabled"


def test_bucket_encrypts_objects_with_the_given_kms_key(stack: Stack, aws: Server) -> None:
    bucket = stack.make(BUCKET, "bucket", bucket=NAME)["id"]
    stack.make(ENCRYPTION, "encryption", bucket=bucket, rules=rules("aws:kms", kmsMasterKeyId=KEY))
    s3 = aws.client("s3")
    s3.put_object(Bucket=NAME, Key="state", Body=b"{}")
    stored = s3.head_object(Bucket=NAME, Key="state")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", KEY)
    stack.change("encryption", bucket=bucket, rules=rules("AES256"))
    assert s3.head_object(Bucket=NAME, Key="state")["ServerSideEncryption"] == "aws:kms", (
        "existing objects keep their encryption"
    )
    s3.delete_object(Bucket=NAME, Key="state")
    with pytest.raises(ProviderError, match=r"updating S3 Bucket Server-side Encryption .* api error MalformedXML: "):
        stack.change("encryption", bucket=bucket, rules=rules("rot13"))


def test_public_access_block_rejects_a_public_bucket_policy(stack: Stack, aws: Server) -> None:
    bucket = stack.make(BUCKET, "bucket", bucket=NAME)["id"]
    stack.make(BLOCK, "private", bucket=bucket, **BLOCK_ALL)
    public_read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{NAME}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [public_read]})
    with refused("AccessDenied", "BlockPublicPolicy"):
        aws.client("s3").put_bucket_policy(Bucket=NAME, Policy=policy)
    changed = stack.change("private", bucket=bucket, **{**BLOCK_ALL, "blockPublicPolicy": False})
    assert (changed["blockPublicPolicy"], changed["blockPublicAcls"]) == (False, True)
    aws.client("s3").put_bucket_policy(Bucket=NAME, Policy=policy)


def test_invalid_bucket_operations_are_rejected(stack: Stack, aws: Server) -> None:
    stack.make(BUCKET, "bucket", bucket=NAME)
    with pytest.raises(ProviderError, match=r"creating S3 Bucket: .*BucketAlreadyOwnedByYou"):
        stack.make(BUCKET, "twice", bucket=NAME)
    with pytest.raises(ProviderError, match=r"creating S3 Bucket: .*InvalidBucketName"):
        stack.make(BUCKET, "wrong", bucket="Not_A_Bucket")
    with pytest.raises(ProviderError, match=r"creating S3 Bucket Versioning: .*NoSuchBucket"):
        stack.make(VERSIONING, "nowhere", bucket="missing", versioningConfiguration={"status": "Enabled"})
    s3 = aws.client("s3")
    s3.put_object(Bucket=NAME, Key="state", Body=b"{}")
    with pytest.raises(ProviderError, match=r"deleting S3 Bucket \(contract-state\): .*BucketNotEmpty"):
        stack.destroy("bucket")
    s3.delete_object(Bucket=NAME, Key="state")


@contextmanager
def user(aws: Server, action: str, resource: str) -> Generator[dict[str, str]]:
    """Yield the access key of a user with this permission only."""
    iam = aws.client("iam")
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_user(UserName="somebody")
    iam.put_user_policy(UserName="somebody", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    try:
        yield key
    finally:
        iam.delete_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="somebody", PolicyName="p")
        iam.delete_user(UserName="somebody")


def test_bucket_access_requires_iam_permissions(stack: Stack, aws: Server) -> None:
    stack.make(BUCKET, "bucket", bucket=NAME)
    s3 = aws.client("s3")
    s3.put_object(Bucket=NAME, Key="state", Body=b"{}")
    with user(aws, "s3:GetObject", f"arn:aws:s3:::{NAME}/*") as keys:
        reader = aws.client("s3", keys)
        assert reader.get_object(Bucket=NAME, Key="state")["Body"].read() == b"{}"
        with refused("AccessDenied", "not authorized to perform: s3:PutObject"):
            reader.put_object(Bucket=NAME, Key="state", Body=b"")
        with refused("AccessDenied", "not authorized to perform: s3:ListBucket"):
            reader.list_objects_v2(Bucket=NAME)
    s3.delete_object(Bucket=NAME, Key="state")


def test_kms_alias_is_authorized_as_its_key(stack: Stack, aws: Server) -> None:
    mine, other = (stack.make("aws:kms/key:Key", name, description=name) for name in ("mine", "other"))
    for name, key in (("mine", mine), ("other", other)):
        stack.make("aws:kms/alias:Alias", f"{name}-alias", name=f"alias/{name}", targetKeyId=key["keyId"])
    with user(aws, "kms:Encrypt", mine["arn"]) as keys:
        kms = aws.client("kms", keys)
        assert kms.encrypt(KeyId="alias/mine", Plaintext=b"x")["KeyId"] == mine["arn"]
        for wrong in ("alias/other", other["arn"]):
            with refused("AccessDeniedException", "not authorized to perform: kms:Encrypt"):
                kms.encrypt(KeyId=wrong, Plaintext=b"x")


def test_bucket_and_objects_survive_a_server_crash(python: Path, tmp_path: Path) -> None:
    with seeded(tmp_path, python) as server:
        location = {"LocationConstraint": layout.REGION}
        server.client("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration=location)
        server.client("s3").put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
        for body in (b"old", b"new"):
            server.client("s3").put_object(Bucket=NAME, Key="a/b", Body=body)
        server.kill()
        server.start()
        s3 = server.client("s3")
        assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
        assert s3.get_object(Bucket=NAME, Key="a/b")["Body"].read() == b"new"
        assert len(s3.list_object_versions(Bucket=NAME)["Versions"]) == 2
