"""Trust policies of service accounts, evaluated for tokens instead of compared as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_rocketmq.args.aws_identifiers import format_subject, parse_issuer_host
from eks_rocketmq.eks.iam.policy_documents import (
    build_web_identity_trust_policy,
    format_managed_policy_arn,
)
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import Token, admits

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
DRIVER = format_subject("kube-system", "ebs-csi-controller-sa")
OTHER_ISSUER = "https://oidc.eks.ap-southeast-1.amazonaws.com/id/00000000000000000000000000000000"


def policy(*subjects: str) -> str:
    return build_web_identity_trust_policy(PROVIDER, ISSUER, subjects or (DRIVER,))


def test_the_token_of_the_driver_is_accepted() -> None:
    assert admits(policy(), Token(ISSUER, DRIVER))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(Token(ISSUER, format_subject("kube-system", "default")), id="service account"),
        pytest.param(Token(ISSUER, format_subject("rocketmq", "ebs-csi-controller-sa")), id="namespace"),
        pytest.param(Token(ISSUER, DRIVER, audience="https://kubernetes.default.svc"), id="audience"),
        pytest.param(Token(OTHER_ISSUER, DRIVER), id="issuer"),
    ],
)
def test_a_token_with_a_different_claim_is_rejected(token: Token) -> None:
    assert not admits(policy(), token)


def test_condition_keys_with_the_issuer_scheme_reject_the_token() -> None:
    invalid = policy().replace(f"{ISSUER.removeprefix('https://')}:", f"{ISSUER}:")
    assert not admits(invalid, Token(ISSUER, DRIVER))


def test_subject_and_audience_are_compared_exactly() -> None:
    (statement,) = json.loads(policy())["Statement"]
    host = ISSUER.removeprefix("https://")
    assert statement["Condition"] == {"StringEquals": {f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": DRIVER}}


def test_only_the_listed_service_accounts_are_accepted() -> None:
    reader, writer = format_subject("a", "reader"), format_subject("b", "writer")
    document = policy(writer, reader)
    assert admits(document, Token(ISSUER, reader))
    assert admits(document, Token(ISSUER, writer))
    assert not admits(document, Token(ISSUER, format_subject("a", "writer")))


def test_the_order_of_service_accounts_does_not_change_the_document() -> None:
    assert policy("a", "b") == policy("b", "a", "b")


@given(st.sampled_from([DRIVER, *(format_subject("n", name) for name in "abc")]), st.text(max_size=20))
def test_only_the_exact_subject_is_accepted(subject: str, suffix: str) -> None:
    assert admits(policy(), Token(ISSUER, subject + suffix)) == (subject + suffix == DRIVER)


@pytest.mark.parametrize(
    "issuer",
    ["oidc.eks.eu-west-1.amazonaws.com/id/A", "http://oidc.example/id/A", f"{ISSUER}/", "https://", "https:///x y"],
)
def test_a_malformed_issuer_is_rejected(issuer: str) -> None:
    with rejects(("issuer", "oidc-issuer")):
        parse_issuer_host(issuer)


def test_a_trust_policy_without_service_accounts_is_rejected() -> None:
    with rejects(("service_accounts", "no-service-account")):
        build_web_identity_trust_policy(PROVIDER, ISSUER, [])


def test_a_trust_policy_above_the_size_limit_of_iam_is_rejected() -> None:
    subjects = [format_subject("namespace", f"service-account-{number}") for number in range(60)]
    with rejects(("service_accounts", "trust-policy-size")):
        policy(*subjects)


def test_managed_policy_arns_have_the_given_partition() -> None:
    assert format_managed_policy_arn("aws-cn", "service-role/X") == "arn:aws-cn:iam::aws:policy/service-role/X"
