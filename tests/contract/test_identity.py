"""STS: credentials for service-account tokens, and sessions with these credentials."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import layout
from sandbox.aws import env_file
from tests.contract.errors import refused
from tests.contract.server import HOST, PROVIDER_ARN, ROLE_ARN, SUBJECT, Server, trust

NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
VALID_CONDITIONS = {f"{HOST}:sub": SUBJECT, f"{HOST}:aud": "sts.amazonaws.com"}


def test_token_without_oidc_provider_gets_the_original_error(aws: Server) -> None:
    with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {layout.ISSUER}"):
        aws.assume()


def test_rejection_has_http_status_400(aws: Server) -> None:
    with pytest.raises(aws.client("sts").exceptions.InvalidIdentityTokenException) as caught:
        aws.assume()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_original_trust_policy_is_rejected_despite_registered_provider(cured: Server) -> None:
    trust(cured, {f"{layout.ISSUER}:sub": SUBJECT})
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_valid_token_gets_credentials_of_the_role(cured: Server) -> None:
    answer = cured.assume()
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == PROVIDER_ARN
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/eks-ebs-csi-driver/driver")
    caller = cured.client("sts", answer["Credentials"]).get_caller_identity()
    assert caller["Arn"] == answer["AssumedRoleUser"]["Arn"]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("system:serviceaccount:kube-system:default", id="another service account"),
        pytest.param("system:serviceaccount:rocketmq:ebs-csi-controller-sa", id="another namespace"),
    ],
)
def test_other_subject_is_not_authorized(cured: Server, subject: str) -> None:
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(cured.token(sub=subject))


def test_audience_missing_from_the_provider_is_rejected(cured: Server) -> None:
    with refused("InvalidIdentityToken", "Incorrect token audience"):
        cured.assume(cured.token(aud=["https://kubernetes.default.svc"]))


def test_audience_missing_from_the_trust_policy_is_rejected(cured: Server) -> None:
    cured.client("iam").add_client_id_to_open_id_connect_provider(
        OpenIDConnectProviderArn=PROVIDER_ARN, ClientID="other"
    )
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(cured.token(aud=["other"]))


@pytest.mark.parametrize(
    ("operator", "subject", "authorized"),
    [
        ("StringEquals", "system:serviceaccount:kube-system:*", False),
        ("StringLike", "system:serviceaccount:kube-system:*", True),
        ("StringLike", "system:serviceaccount:rocketmq:*", False),
        ("StringNotEquals", SUBJECT, False),
    ],
)
def test_trust_policy_conditions_are_evaluated(cured: Server, operator: str, subject: str, authorized: bool) -> None:
    trust(cured, {f"{HOST}:sub": subject}, operator)
    if authorized:
        cured.assume()
        return
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_other_federated_principal_is_not_authorized(cured: Server) -> None:
    trust(cured, VALID_CONDITIONS, federated=PROVIDER_ARN[:-4] + "0000")
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume()


def test_expired_token_is_rejected(cured: Server) -> None:
    with refused("ExpiredTokenException", "Token expired: current date/time"):
        cured.assume(cured.token(exp=int(time.time()) - 1))


def test_not_yet_valid_token_is_rejected(cured: Server) -> None:
    with refused("InvalidIdentityToken", "not valid yet"):
        cured.assume(cured.token(nbf=int(time.time()) + 600))


def test_token_signed_by_another_key_is_rejected(cured: Server) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with refused("InvalidIdentityToken", "Failed to verify signature"):
        cured.assume(cured.token(other))


def test_token_with_unpublished_key_id_is_rejected(cured: Server) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(cured.token(), options={"verify_signature": False})
    with refused("InvalidIdentityToken", "Couldn't retrieve verification key"):
        cured.assume(jwt.encode(claims, other, algorithm="RS256", headers={"kid": "another"}))


def test_unsigned_token_is_rejected(cured: Server) -> None:
    header, payload, _ = cured.token().split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "=="))
    unsigned = base64.urlsafe_b64encode(json.dumps({**head, "alg": "none"}).encode()).rstrip(b"=").decode()
    with refused("InvalidIdentityToken", "Failed to verify signature"):
        cured.assume(f"{unsigned}.{payload}.")


def test_malformed_token_is_rejected(cured: Server) -> None:
    with refused("InvalidIdentityToken", "not a valid JWT"):
        cured.assume("not-a-token")


def test_token_of_an_issuer_without_a_cluster_is_rejected(cured: Server) -> None:
    iam, other = cured.client("iam"), layout.ISSUER[:-4] + "0000"
    made = iam.create_open_id_connect_provider(Url=other, ClientIDList=["sts.amazonaws.com"])
    try:
        with refused("InvalidIdentityToken", "Couldn't retrieve verification key"):
            cured.assume(cured.token(iss=other))
    finally:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"])


def test_deleted_oidc_provider_is_not_found(cured: Server) -> None:
    cured.assume()
    cured.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)
    with refused("InvalidIdentityToken", "No OpenIDConnect provider found"):
        cured.assume()


@pytest.mark.parametrize("role", [ROLE_ARN + "-x", ROLE_ARN.replace("role/", "role/team/")])
def test_missing_role_gets_the_same_error_as_an_unauthorized_role(cured: Server, role: str) -> None:
    with refused("AccessDenied", NOT_AUTHORIZED):
        cured.assume(role=role)


def test_duration_above_the_maximum_of_the_role_is_rejected(cured: Server) -> None:
    with refused("ValidationError", "exceeds the MaxSessionDuration"):
        cured.assume(DurationSeconds=7200)


def test_session_requires_its_secret_key_and_session_token(cured: Server) -> None:
    credentials = cured.assume()["Credentials"]
    for change in ({"SecretAccessKey": "x" * 40}, {"SessionToken": "x"}):
        with pytest.raises(Exception, match=r"SignatureDoesNotMatch|InvalidClientTokenId"):
            cured.client("sts", {**credentials, **change}).get_caller_identity()


@pytest.mark.parametrize("key", ["test", layout.ACCOUNT, "AKIAIOSFODNN7EXAMPLE"])
def test_well_known_access_keys_are_rejected(aws: Server, key: str) -> None:
    with refused("InvalidClientTokenId"):
        aws.client("sts", {"AccessKeyId": key, "SecretAccessKey": "test"}).get_caller_identity()


def test_root_credentials_require_a_valid_signature(aws: Server) -> None:
    root = env_file.read(aws.root / "aws-root.env")
    caller = aws.client("sts", root).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:iam::{layout.ACCOUNT}:root"
    with refused("SignatureDoesNotMatch"):
        aws.client("sts", {**root, "AWS_SECRET_ACCESS_KEY": "x" * 40}).get_caller_identity()
