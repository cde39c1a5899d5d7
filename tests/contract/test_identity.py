"""STS: who gets credentials for a service-account token, and what they may then do."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import layout
from tests.contract.errors import refused
from tests.contract.server import HOST, PROVIDER_ARN, ROLE_ARN, SUBJECT, Server, trust

NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
RIGHT = {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "sts.amazonaws.com"}


def test_without_a_provider_the_incident_is_the_original_one(aws: Server) -> None:
    with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {layout.ISSUER}"):
        aws.assume()


def test_the_refusal_is_http_400(aws: Server) -> None:
    with pytest.raises(aws.client("sts").exceptions.InvalidIdentityTokenException) as caught:
        aws.assume()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_registered_provider_does_not_heal_the_original_trust_policy(cured: Server) -> None:
    trust(cured, {f"{layout.ISSUER}:sub": SUBJECT})
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_the_right_token_gets_in_and_is_told_who_it_is(cured: Server) -> None:
    answer = cured.assume()
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == PROVIDER_ARN
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/eks-ebs-csi-driver/driver")
    me = cured.client("sts", answer["Credentials"]).get_caller_identity()
    assert me["Arn"] == answer["AssumedRoleUser"]["Arn"]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("system:serviceaccount:kube-system:default", id="another service account"),
        pytest.param("system:serviceaccount:rocketmq:ebs-csi-controller-sa", id="another namespace"),
    ],
)
def test_another_subject_is_not_authorized(cured: Server, subject: str) -> None:
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(cured.token(sub=subject))


def test_an_audience_that_the_provider_does_not_have(cured: Server) -> None:
    with refused("InvalidIdentityToken", "Incorrect token audience"):
        cured.assume(cured.token(aud=["https://kubernetes.default.svc"]))


def test_an_audience_that_only_the_provider_has(cured: Server) -> None:
    cured.client("iam").add_client_id_to_open_id_connect_provider(
        OpenIDConnectProviderArn=PROVIDER_ARN, ClientID="other"
    )
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(cured.token(aud=["other"]))


@pytest.mark.parametrize(
    ("operator", "subject", "gets_in"),
    [
        ("StringEquals", "system:serviceaccount:kube-system:*", False),
        ("StringLike", "system:serviceaccount:kube-system:*", True),
        ("StringLike", "system:serviceaccount:rocketmq:*", False),
        ("StringNotEquals", SUBJECT, False),
    ],
)
def test_conditions_are_evaluated(cured: Server, operator: str, subject: str, gets_in: bool) -> None:
    trust(cured, {f"{HOST}:sub": subject}, operator)
    if gets_in:
        cured.assume()
        return
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_another_federated_principal_lets_nobody_in(cured: Server) -> None:
    trust(cured, RIGHT, federated=PROVIDER_ARN[:-4] + "0000")
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_an_expired_token(cured: Server) -> None:
    with refused("ExpiredTokenException", "Token expired: current date/time"):
        cured.assume(cured.token(exp=int(time.time()) - 1))


def test_a_token_that_is_not_valid_yet(cured: Server) -> None:
    with refused("InvalidIdentityToken", "not valid yet"):
        cured.assume(cured.token(nbf=int(time.time()) + 600))


def test_a_signature_by_another_key(cured: Server) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with refused("InvalidIdentityToken", "Failed to verify signature"):
        cured.assume(cured.token(other))


def test_a_key_that_the_issuer_does_not_publish(cured: Server) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(cured.token(), options={"verify_signature": False})
    with refused("InvalidIdentityToken", "Couldn't retrieve verification key"):
        cured.assume(jwt.encode(claims, other, algorithm="RS256", headers={"kid": "another"}))


def test_an_unsigned_token(cured: Server) -> None:
    header, payload, _ = cured.token().split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "=="))
    unsigned = base64.urlsafe_b64encode(json.dumps({**head, "alg": "none"}).encode()).rstrip(b"=").decode()
    with refused("InvalidIdentityToken", "Failed to verify signature"):
        cured.assume(f"{unsigned}.{payload}.")


def test_a_text_that_is_no_token(cured: Server) -> None:
    with refused("InvalidIdentityToken", "not a valid JWT"):
        cured.assume("not-a-token")


def test_an_issuer_without_a_cluster(cured: Server) -> None:
    iam, other = cured.client("iam"), layout.ISSUER[:-4] + "0000"
    made = iam.create_open_id_connect_provider(Url=other, ClientIDList=["sts.amazonaws.com"])
    try:
        with refused("InvalidIdentityToken", "Couldn't retrieve verification key"):
            cured.assume(cured.token(iss=other))
    finally:
        iam.delete_open_id_connect_provider(**_arn(made))


def test_a_provider_that_was_deleted(cured: Server) -> None:
    cured.assume()
    cured.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)
    with refused("InvalidIdentityToken", "No OpenIDConnect provider found"):
        cured.assume()


@pytest.mark.parametrize("role", [ROLE_ARN + "-x", ROLE_ARN.replace("role/", "role/team/")])
def test_a_role_that_does_not_exist_is_not_told_apart(cured: Server, role: str) -> None:
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(role=role)


def test_no_longer_than_the_role_allows(cured: Server) -> None:
    with refused("ValidationError", "exceeds the MaxSessionDuration"):
        cured.assume(DurationSeconds=7200)


def test_sessions_are_bound_to_secret_and_token(cured: Server) -> None:
    credentials = cured.assume()["Credentials"]
    for change in ({"SecretAccessKey": "x" * 40}, {"SessionToken": "x"}):
        with pytest.raises(Exception, match=r"SignatureDoesNotMatch|InvalidClientTokenId"):
            cured.client("sts", {**credentials, **change}).get_caller_identity()


@pytest.mark.parametrize("key", ["test", layout.ACCOUNT, "AKIAIOSFODNN7EXAMPLE"])
def test_no_key_is_root_by_its_name(aws: Server, key: str) -> None:
    with refused("InvalidClientTokenId"):
        aws.client("sts", {"AccessKeyId": key, "SecretAccessKey": "test"}).get_caller_identity()


def test_the_signature_of_root_counts(aws: Server) -> None:
    root = dict(line.split("=", 1) for line in (aws.root / "aws-root.env").read_text().splitlines())
    me = aws.client("sts", root).get_caller_identity()
    assert me["Arn"] == f"arn:aws:iam::{layout.ACCOUNT}:root"
    with refused("SignatureDoesNotMatch"):
        aws.client("sts", {**root, "AWS_SECRET_ACCESS_KEY": "x" * 40}).get_caller_identity()


def _arn(made: dict[str, Any]) -> dict[str, str]:
    return {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
