"""Service-account tokens of the real API server against the trust policy of the stack."""

import time
from collections.abc import Callable

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import ClientError

from sandbox.aws.seed import PROVIDER_ARN, ROLE_ARN
from sandbox.cluster.netns import inside
from sandbox.layout import ACCOUNT, ISSUER, REGION
from tests.e2e.running_sandbox import Sandbox

NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def token(sandbox: Sandbox, namespace: str, account: str, audience: str = "sts.amazonaws.com") -> str:
    """Return a projected token like that of a pod."""
    return sandbox.kubectl("-n", namespace, "create", "token", account, f"--audience={audience}").strip()


def signed(sandbox: Sandbox, **claims: object) -> str:
    """Return a token signed with the cluster's key whose claims the API server would not issue."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa",
        "aud": ["sts.amazonaws.com"],
        "iat": now,
        "nbf": now,
        "exp": now + 600,
    }
    key = (sandbox.instance.pki / "service-account.key").read_text()
    real = jwt.get_unverified_header(token(sandbox, "kube-system", "ebs-csi-controller-sa"))
    return jwt.encode(good | claims, key, algorithm="RS256", headers={"kid": real["kid"]})


def assume(sandbox: Sandbox, web_identity: str) -> dict:
    with inside(sandbox.instance.control_netns):
        sts = boto3.client(
            "sts",
            region_name=REGION,
            endpoint_url=sandbox.instance.aws_endpoint,
            config=Config(signature_version=UNSIGNED),
        )
        return sts.assume_role_with_web_identity(
            RoleArn=ROLE_ARN, RoleSessionName="test", WebIdentityToken=web_identity
        )


def refusal(sandbox: Sandbox, web_identity: str) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        assume(sandbox, web_identity)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_driver_token_gets_credentials_of_the_role(deployed: Sandbox) -> None:
    answer = assume(deployed, token(deployed, "kube-system", "ebs-csi-controller-sa"))
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/eks-ebs-csi-driver/test"
    assert answer["SubjectFromWebIdentityToken"] == "system:serviceaccount:kube-system:ebs-csi-controller-sa"


@pytest.mark.parametrize(
    ("make", "code", "text"),
    [
        pytest.param(
            lambda s: token(s, "kube-system", "default"), "AccessDenied", NOT_AUTHORIZED, id="service account"
        ),
        pytest.param(lambda s: token(s, "default", "default"), "AccessDenied", NOT_AUTHORIZED, id="namespace"),
        pytest.param(
            lambda s: token(s, "kube-system", "ebs-csi-controller-sa", "https://kubernetes.default.svc"),
            "InvalidIdentityToken",
            "Incorrect token audience",
            id="audience",
        ),
        pytest.param(
            lambda s: signed(s, iss="https://oidc.eks.ap-southeast-1.amazonaws.com/id/0000"),
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for",
            id="issuer",
        ),
        pytest.param(
            lambda s: signed(s, iat=1_700_000_000, nbf=1_700_000_000, exp=1_700_000_600),
            "ExpiredTokenException",
            "Token expired",
            id="expired",
        ),
    ],
)
def test_other_token_is_rejected(deployed: Sandbox, make: Callable[[Sandbox], str], code: str, text: str) -> None:
    given_code, given_text = refusal(deployed, make(deployed))
    assert given_code == code, given_text
    assert text in given_text


def test_deleted_oidc_provider_causes_the_incident_until_up_repairs_it(deployed: Sandbox) -> None:
    with deployed.aws("iam") as iam:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)

    assert refusal(deployed, token(deployed, "kube-system", "ebs-csi-controller-sa")) == (
        "InvalidIdentityToken",
        f"No OpenIDConnect provider found in your account for {ISSUER}",
    )

    deployed.pulumi("up", "-s", "prod", "--yes", "--skip-preview", "--refresh")
    assume(deployed, token(deployed, "kube-system", "ebs-csi-controller-sa"))
