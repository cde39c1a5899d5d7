"""Tokens of `aws eks get-token` that the API server's webhook accepts or rejects."""

import base64
import datetime as dt
import logging
import threading
from typing import Any
from unittest.mock import patch

import boto3
import botocore.auth
import pytest
import requests
from botocore.signers import RequestSigner

from sandbox import layout
from sandbox.aws import env_file
from sandbox.aws.authenticator import Authenticator, serve
from sandbox.aws.authorizer import Authorizer
from sandbox.aws.presigned import PREFIX
from tests.contract.server import Server

OPERATOR = f"arn:aws:iam::{layout.ACCOUNT}:user/deployer"


@pytest.fixture
def authenticator(aws: Server, monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    """Token authenticator of the webhook, without its TLS server."""
    for name, value in env_file.read(aws.root / "aws-root.env").items():
        monkeypatch.setenv(name, value)
    return Authenticator(layout.CLUSTER, aws.endpoint)


def token(aws: Server, cluster: str = layout.CLUSTER, keys: dict[str, str] | None = None, **change: Any) -> str:
    """Return a token like that of the AWS CLI. `change` overrides parameters of the request before it is signed."""
    given = keys or env_file.read(aws.root / "aws.env")
    session = boto3.Session(
        given.get("AccessKeyId") or given["AWS_ACCESS_KEY_ID"],
        given.get("SecretAccessKey") or given["AWS_SECRET_ACCESS_KEY"],
        given.get("SessionToken"),
        layout.REGION,
    )
    service = session.client("sts").meta.service_model.service_id
    signer = RequestSigner(service, layout.REGION, "sts", "v4", session.get_credentials(), session.events)
    action, host = change.get("action", "GetCallerIdentity"), change.get("host", aws.endpoint)
    request = {
        "method": "GET",
        "url": f"{host}/?Action={action}&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster} if cluster else {},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name=layout.REGION, expires_in=change.get("seconds", 60), operation_name=""
    )
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def review(authenticator: Authenticator, bearer: str) -> dict[str, Any]:
    return authenticator.review({"spec": {"token": bearer}})["status"]


def test_operator_token_is_mapped_to_system_masters(aws: Server, authenticator: Authenticator) -> None:
    status = review(authenticator, token(aws))
    assert status["authenticated"] is True
    assert status["user"]["username"] == OPERATOR
    assert status["user"]["groups"] == ["system:masters"]


def test_token_signed_for_the_regional_sts_host_is_accepted(aws: Server, authenticator: Authenticator) -> None:
    status = review(authenticator, token(aws, host=f"https://sts.{layout.REGION}.amazonaws.com"))
    assert status["authenticated"] is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cluster": "other"}, "SignatureDoesNotMatch"),
        ({"cluster": ""}, "x-k8s-aws-id is not signed"),
        ({"host": "https://sts.example.com"}, "it asks sts.example.com"),
        ({"action": "GetSessionToken"}, "it asks for GetSessionToken"),
        ({"seconds": 901}, "900 at most"),
    ],
)
def test_invalid_token_is_rejected(
    aws: Server,
    authenticator: Authenticator,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, Any],
    words: str,
) -> None:
    with caplog.at_level(logging.WARNING):
        status = review(authenticator, token(aws, **change))
    assert status["authenticated"] is False
    assert words in caplog.text


def test_token_expires_after_fifteen_minutes(aws: Server, authenticator: Authenticator) -> None:
    assert review(authenticator, _signed_ago(aws, minutes=14))["authenticated"] is True
    status = review(authenticator, _signed_ago(aws, minutes=16))
    assert status["authenticated"] is False
    assert "has expired" in status["error"]


def test_principal_without_access_entry_is_rejected(cured: Server, authenticator: Authenticator) -> None:
    status = review(authenticator, token(cured, keys=cured.assume()["Credentials"]))
    assert status["authenticated"] is False
    assert "no access entry" in status["error"]


def test_assumed_role_session_uses_the_access_entry_of_its_role(cured: Server, authenticator: Authenticator) -> None:
    eks, role = cured.client("eks"), f"arn:aws:iam::{layout.ACCOUNT}:role/eks-ebs-csi-driver"
    eks.create_access_entry(clusterName=layout.CLUSTER, principalArn=role, kubernetesGroups=["viewers"])
    try:
        status = review(authenticator, token(cured, keys=cured.assume()["Credentials"]))
    finally:
        eks.delete_access_entry(clusterName=layout.CLUSTER, principalArn=role)
    assert status["user"]["groups"] == ["viewers"]
    assert status["user"]["username"].endswith(":assumed-role/eks-ebs-csi-driver/driver")


@pytest.mark.parametrize(
    "bearer", ["", "eyJhbGciOi.J9.x", PREFIX + "!!!", PREFIX + "aGVsbG8", PREFIX + "aHR0cDovL3N0cy8/AAAA"]
)
def test_malformed_token_is_rejected(authenticator: Authenticator, bearer: str) -> None:
    assert review(authenticator, bearer)["authenticated"] is False


def _signed_ago(aws: Server, minutes: int) -> str:
    """Return a token signed `minutes` ago, with the clock of the signer set back."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    with patch.object(botocore.auth, "get_current_datetime", lambda: then.replace(tzinfo=None)):
        return token(aws)


def test_webhook_answers_token_reviews_over_tls(aws: Server, authenticator: Authenticator) -> None:
    server = serve(authenticator, Authorizer(layout.CLUSTER, authenticator.eks), aws.root / "pki", port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/authenticate"
        trusted = str(aws.root / "pki" / "ca.crt")
        reviewed = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token(aws)}}
        answer = requests.post(url, json=reviewed, verify=trusted, timeout=10).json()
        assert answer["status"]["user"]["username"] == OPERATOR
        tampered = {"spec": {"token": token(aws)[:-4] + "AAAA"}}
        assert requests.post(url, json=tampered, verify=trusted, timeout=10).json()["status"]["authenticated"] is False
        assert requests.post(url, data=b"{", verify=trusted, timeout=10).status_code == 400
        other = f"https://127.0.0.1:{server.server_port}/audit"
        assert requests.post(other, json=reviewed, verify=trusted, timeout=10).status_code == 404
    finally:
        server.shutdown()
        server.server_close()
