"""Evaluation of trust policies against tokens: operators, keys, principals, Deny statements, and repairs."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks_rocketmq.doctor.policies.policy_conditions import RequestContext, evaluate_action, evaluate_conditions
from eks_rocketmq.doctor.policies.trust_policy import (
    PodIdentityRequest,
    WebIdentityRequest,
    evaluate_trust_policy,
    pins_audience,
    repair_trust_policy,
)
from tests.unit.doctor.healthy_cases import AUDIENCE, CLUSTER_ARN, HOST, PROVIDER, SUBJECT, trust_policy
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.trust import PodIdentity, Token, admits

REQUEST = WebIdentityRequest(PROVIDER, ISSUER, SUBJECT, (AUDIENCE,))
POD = PodIdentityRequest(ACCOUNT, CLUSTER_ARN, "kube-system", "ebs-csi-controller-sa")
OTHER = PROVIDER.replace(HOST, "oidc.eks.eu-west-1.amazonaws.com/id/A")
SUB, AUD = f"{HOST}:sub", f"{HOST}:aud"


def kinds(document: str, request: WebIdentityRequest | PodIdentityRequest = REQUEST) -> list[str] | None:
    """Return the kinds of the mismatches; None if the policy does not decide the request."""
    verdict = evaluate_trust_policy(document, request)
    assert (verdict.allowed is False) == bool(verdict.mismatches)
    return None if verdict.allowed is None else [each.kind for each in verdict.mismatches]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, []),
        ({"StringEquals": {SUB: SUBJECT}}, []),
        ({"StringEquals": {SUB: [SUBJECT, "other"], AUD: AUDIENCE}}, []),
        ({"StringEquals": {SUB.upper(): SUBJECT}}, []),
        ({"StringEquals": {SUB: SUBJECT.upper()}}, ["subject"]),
        ({"StringEqualsIgnoreCase": {SUB: SUBJECT.upper()}}, []),
        ({"StringLike": {SUB: "system:serviceaccount:kube-system:*"}}, []),
        ({"StringLike": {SUB: "system:serviceaccount:kube-system:ebs-csi-controller-s?"}}, []),
        ({"StringLike": {SUB: "system:serviceaccount:*:other"}}, ["subject"]),
        ({"StringEquals": {SUB: "system:serviceaccount:kube-system:*"}}, ["subject"]),
        ({"StringNotEquals": {SUB: "other"}}, []),
        ({"StringNotEquals": {SUB: SUBJECT}}, ["subject"]),
        ({"StringNotLike": {SUB: "system:*"}}, ["subject"]),
        ({"ForAnyValue:StringEquals": {AUD: [AUDIENCE, "x"]}}, []),
        ({"ForAnyValue:StringLike": {AUD: "sts.*"}}, []),
        ({"ForAnyValue:StringEquals": {AUD: "x"}}, ["audience"]),
        ({"ForAnyValue:StringEquals": {f"https://{AUD}": AUDIENCE}}, ["condition-key"]),
        ({"ForAllValues:StringEquals": {AUD: [AUDIENCE]}}, []),
        ({"ForAllValues:StringEquals": {AUD: ["x"]}}, ["audience"]),
        ({"ForAllValues:StringEquals": {f"https://{AUD}": ["x"]}}, []),
        ({"StringEqualsIfExists": {f"https://{SUB}": "x"}}, []),
        ({"StringEqualsIfExists": {SUB: "x"}}, ["subject"]),
        ({"Null": {SUB: "false"}}, []),
        ({"Null": {SUB: "true"}}, ["subject"]),
        ({"Null": {SUB: False}}, []),
        ({"StringEquals": {f"https://{SUB}": SUBJECT}}, ["condition-key"]),
        ({"StringEquals": {f"http://{SUB}": SUBJECT}}, ["condition-key"]),
        ({"StringEquals": {f"oidc-provider/{SUB}": SUBJECT}}, ["condition-key"]),
        ({"StringEquals": {f"{HOST}/:sub": SUBJECT}}, ["condition-key"]),
        ({"StringEquals": {f"{HOST}2:sub": SUBJECT}}, ["condition-key"]),
        ({"StringNotEquals": {f"https://{SUB}": "x"}}, []),
        ({"StringEquals": {SUB: "x", AUD: "y"}}, ["subject", "audience"]),
        ({"StringEquals": {f"{HOST}:amr": "x"}}, ["condition"]),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, None),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, None),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1", SUB: "x"}}, ["subject"]),
        ({"StringLike": {SUB: "system:serviceaccount:${aws:PrincipalTag/ns}:*"}}, None),
        ({"StringEquals": {"aws:FederatedProvider": PROVIDER}}, []),
        ({"ArnLike": {"aws:FederatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/*"}}, []),
        ({"ArnEquals": {"aws:FederatedProvider": "arn:aws:iam::1:oidc-provider/*"}}, ["condition"]),
        ({"SomeOperator": {SUB: SUBJECT}}, None),
    ],
)  # fmt: skip
def test_conditions_are_evaluated_as_in_sts(conditions: dict[str, Any], expected: list[str] | None) -> None:
    assert kinds(trust_policy(conditions)) == expected


@pytest.mark.parametrize(
    ("federated", "text"),
    [
        (OTHER, "the provider of another issuer"),
        (PROVIDER.replace(ACCOUNT, "111122223333"), "another account"),
        (PROVIDER.replace("arn:aws:", "arn:aws-cn:"), "another partition"),
        (PROVIDER.replace(HOST, ISSUER), "the ARN contains the scheme of the URL"),
        ("cognito-identity.amazonaws.com", "not the ARN of an OIDC provider"),
    ],
)
def test_a_wrong_principal_is_explained(federated: str, text: str) -> None:
    (mismatch,) = evaluate_trust_policy(trust_policy(federated=federated), REQUEST).mismatches
    assert mismatch.kind == "provider"
    assert text in mismatch.found
    assert mismatch.expected == PROVIDER


def statement(**changes: Any) -> str:
    (found,) = json.loads(trust_policy())["Statement"]
    return json.dumps({"Statement": {**found, **changes}})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (statement(), []),
        (statement(Action=["sts:AssumeRole", "sts:assumerolewithwebidentity"]), []),
        (statement(Action="sts:*"), []),
        (statement(Action="*"), []),
        (statement(Action="sts:AssumeRole"), ["action"]),
        (statement(Principal="*"), []),
        (statement(Principal={"Federated": [OTHER, PROVIDER]}), []),
        (statement(Principal={"AWS": "*"}), ["provider"]),
        (statement(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"), ["action", "provider"]),
        (statement(Effect="Deny"), ["deny"]),
        ('{"Statement": []}', ["no-statement"]),
        ("{}", ["no-statement"]),
        ("[]", ["malformed"]),
        ("{", ["malformed"]),
        (trust_policy(more=[{"Effect": "Deny", "Principal": "*", "Action": "*"}]), ["deny"]),
        (trust_policy(more=[{"Effect": "Deny", "Principal": {"Federated": OTHER}, "Action": "*"}]), []),
        (trust_policy(more=[{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]), []),
        (trust_policy(more=[{"Effect": "Deny", "NotPrincipal": {"Federated": PROVIDER}, "Action": "*"}]), []),
        (trust_policy(more=[{"Effect": "Deny", "NotPrincipal": {"Federated": OTHER}, "Action": "*"}]), ["deny"]),
        (trust_policy(more=[{"Effect": "Deny", "Principal": "*", "NotAction": "sts:AssumeRole"}]), ["deny"]),
        (trust_policy(more=[{"Effect": "Deny", "Principal": "*", "Action": "*",
                             "Condition": {"StringNotEquals": {SUB: SUBJECT}}}]), []),
        (trust_policy(more=[{"Effect": "Deny", "Principal": "*", "Action": "*",
                             "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]), None),
    ],
)  # fmt: skip
def test_statements_are_evaluated_as_in_sts(document: str, expected: list[str] | None) -> None:
    assert kinds(document) == expected


def test_the_nearest_statement_explains_the_denial() -> None:
    far = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.loads(trust_policy({"StringEquals": {SUB: "x", AUD: AUDIENCE}}))
    document["Statement"] = [
        far,
        *document["Statement"],
        {**document["Statement"][0], "Principal": {"Federated": OTHER}},
    ]
    assert kinds(json.dumps(document)) == ["subject"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"Action": "sts:AssumeRole"}, ["action"]),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, ["provider"]),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}, ["condition"]),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": CLUSTER_ARN}}}, []),
        ({"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "kube-system"}}}, []),
        ({"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "x"}}}, ["condition"]),
    ],
)
def test_pod_identity_is_evaluated(changes: dict[str, Any], expected: list[str]) -> None:
    base = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    assert kinds(json.dumps({"Statement": [{**base, **changes}]}), POD) == expected


VALUES = st.sampled_from([SUBJECT, AUDIENCE, "system:serviceaccount:kube-system:*", "*", "s?s.amazonaws.com", "x"])
KEYS = st.sampled_from([SUB, AUD, f"https://{SUB}", f"{HOST}:iss", f"{HOST}:amr"])
CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "StringLike"]),
    st.dictionaries(KEYS, VALUES | st.lists(VALUES, min_size=1), max_size=2),
)
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.just("Allow"),
        "Principal": st.sampled_from([{"Federated": PROVIDER}, {"Federated": OTHER}, {"Federated": [OTHER, PROVIDER]}]),
        "Action": st.sampled_from(["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"]),
        "Condition": CONDITIONS,
    }
)


@given(st.lists(STATEMENTS, max_size=4))
@settings(deadline=None)
def test_the_decision_is_that_of_the_independent_evaluator(statements: list[dict[str, Any]]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert evaluate_trust_policy(document, REQUEST).allowed == admits(document, Token(ISSUER, SUBJECT, AUDIENCE))


@given(st.lists(STATEMENTS, max_size=4), st.booleans())
@settings(deadline=None)
def test_a_repaired_policy_allows_the_request_and_no_other_account(
    statements: list[dict[str, Any]], deny: bool
) -> None:
    denied = [{"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringEquals": {SUB: SUBJECT}}}]
    before = json.dumps({"Version": "2012-10-17", "Statement": [*statements, *(denied if deny else [])]})
    stranger = Token(ISSUER, "system:serviceaccount:apps:stranger", AUDIENCE)

    after = repair_trust_policy(before, REQUEST)

    assert evaluate_trust_policy(after, REQUEST).allowed is True
    # What another service account could not do before, it cannot do after the repair.
    assert admits(after, stranger) <= admits(before, stranger)


STRANGER = WebIdentityRequest(PROVIDER, ISSUER, "system:serviceaccount:apps:stranger", (AUDIENCE,))
WIDE = {
    "Effect": "Allow",
    "Principal": {"Federated": PROVIDER},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": {SUB: "system:serviceaccount:*"}},
}


def deny(action: str = "*", **conditions: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Condition": conditions}


DENIES = st.builds(
    lambda principal, action, condition: {**deny(action, **condition), "Principal": principal},
    st.sampled_from(["*", {"Federated": PROVIDER}, {"Federated": OTHER}, {"AWS": "*"}]),
    st.sampled_from(["*", "sts:*", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]),
    st.sampled_from(
        [
            {},
            {"StringEquals": {SUB: SUBJECT}},
            {"StringEquals": {SUB: [SUBJECT, STRANGER.subject]}},
            {"StringEqualsIfExists": {SUB: SUBJECT}},
            {"StringNotEquals": {SUB: "system:serviceaccount:apps:ok"}},
            {"StringNotEquals": {SUB: SUBJECT}},
            {"StringNotEquals": {AUD: AUDIENCE}},
            {"StringLike": {SUB: "system:serviceaccount:*"}},
            {"Bool": {"aws:SecureTransport": "false"}},
            {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
            {"StringEquals": {SUB: SUBJECT}, "Bool": {"aws:SecureTransport": "false"}},
        ]
    ),
)


@given(st.lists(STATEMENTS | st.just(WIDE), max_size=3), st.lists(DENIES, max_size=3))
@settings(deadline=None)
def test_a_repair_gives_a_stranger_nothing(allows: list[dict[str, Any]], denies: list[dict[str, Any]]) -> None:
    before = json.dumps({"Version": "2012-10-17", "Statement": [*allows, *denies]})
    after = repair_trust_policy(before, REQUEST)
    if not after:
        assert [each.kind for each in evaluate_trust_policy(before, REQUEST).mismatches] == ["deny"]
        return
    assert evaluate_trust_policy(after, REQUEST).allowed is not False
    ranks = [False, None, True]
    gains = [ranks.index(evaluate_trust_policy(each, STRANGER).allowed) for each in (before, after)]
    assert gains[1] <= gains[0]
    kept = [each for each in json.loads(after)["Statement"] if each["Effect"] == "Deny"]
    assert kept == [each for each in denies if each in kept]
    assert all(each["Condition"] == {"StringEquals": {SUB: SUBJECT}} for each in denies if each not in kept)


ELEMENTS = st.sampled_from(["Statement", "Effect", "Principal", "Action", "Condition"])
JSON = st.recursive(st.none() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(ELEMENTS, inner))


@given(st.text(max_size=30) | JSON.map(json.dumps))
@settings(deadline=None)
def test_no_document_raises(document: str) -> None:
    assert evaluate_trust_policy(document, REQUEST).allowed is not True
    assert evaluate_trust_policy(repair_trust_policy(document, REQUEST), REQUEST).allowed is True
    assert evaluate_trust_policy(repair_trust_policy(document, POD), POD).allowed is True


def test_a_repair_keeps_statements_of_others() -> None:
    subject = "system:serviceaccount:apps:other"
    (own,) = json.loads(trust_policy())["Statement"]
    (account,) = json.loads(trust_policy({"StringEquals": {SUB: subject, AUD: AUDIENCE}}))["Statement"]
    key = OTHER.partition("/")[2]
    cluster = {**own, "Principal": {"Federated": OTHER}, "Condition": {"StringEquals": {f"{key}:sub": SUBJECT}}}
    wrong = trust_policy({"StringEquals": {f"https://{SUB}": SUBJECT}}, more=[account, cluster])

    assert json.loads(repair_trust_policy(wrong, REQUEST))["Statement"] == [account, cluster, own]

    pod = repair_trust_policy(json.dumps({"Statement": [account]}), POD)
    assert json.loads(pod)["Statement"][0] == account
    assert admits(pod, PodIdentity(CLUSTER_ARN, "kube-system", "ebs-csi-controller-sa"))


def test_a_repair_removes_a_deny_statement_only() -> None:
    (wide,) = json.loads(trust_policy({"StringLike": {SUB: "system:serviceaccount:*"}}))["Statement"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringEquals": {SUB: SUBJECT}}}
    repaired = repair_trust_policy(json.dumps({"Statement": [wide, deny]}), REQUEST)
    assert json.loads(repaired)["Statement"] == [wide]


@pytest.mark.parametrize(
    ("other", "allowed"),
    [
        (deny("sts:AssumeRole"), True),
        (deny("sts:*", Bool={"aws:SecureTransport": "false"}), None),
        (deny("sts:*", StringNotEquals={"aws:SourceVpc": "vpc-1"}), None),
    ],
)
def test_a_repair_keeps_a_deny_statement_that_is_not_the_fault(other: dict[str, Any], allowed: bool | None) -> None:
    wrong = trust_policy({"StringEquals": {f"https://{SUB}": SUBJECT}}, more=[other])
    repaired = repair_trust_policy(wrong, REQUEST)
    (own,) = json.loads(trust_policy())["Statement"]
    assert json.loads(repaired)["Statement"] == [other, own]
    assert evaluate_trust_policy(repaired, REQUEST).allowed is allowed
    # A second repair adds nothing.
    assert repair_trust_policy(repaired, REQUEST) == repaired


@pytest.mark.parametrize(
    "wide",
    [
        deny(StringNotEquals={SUB: "system:serviceaccount:apps:ok"}),
        deny(StringEquals={SUB: [SUBJECT, "system:serviceaccount:apps:other"]}),
        deny(StringLike={SUB: "system:serviceaccount:kube-system:*"}),
        deny(),
    ],
)
def test_a_deny_statement_for_more_than_the_service_account_is_not_repaired(wide: dict[str, Any]) -> None:
    assert repair_trust_policy(json.dumps({"Statement": [WIDE, wide]}), REQUEST) == ""
    wrong = trust_policy({"StringEquals": {f"https://{SUB}": SUBJECT}}, more=[wide])
    assert repair_trust_policy(wrong, REQUEST) == ""


def test_a_policy_without_audience_is_recognized() -> None:
    assert pins_audience(trust_policy(), REQUEST)
    assert not pins_audience(trust_policy({"StringEquals": {SUB: SUBJECT}}), REQUEST)


def test_identity_policies_are_three_valued() -> None:
    def allow(**condition: Any) -> dict[str, Any]:
        return {
            "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "arn:*:volume/*", "Condition": condition}]
        }

    context = RequestContext({"aws:requesttag/a": ("1",)}, ("aws:requesttag/",))

    def decide(*documents: dict[str, Any], resource: str = "arn:aws:ec2:r:1:volume/v") -> bool | None:
        return evaluate_action(documents, "ec2:CreateVolume", resource, context)

    deny = {"Statement": {"Effect": "Deny", "Action": "ec2:CreateVolume", "Resource": "*"}}
    assert decide(allow()) is True
    assert decide(allow(StringEquals={"aws:RequestTag/a": "1"})) is True
    assert decide(allow(StringEquals={"aws:RequestTag/b": "1"})) is False
    assert decide(allow(StringEquals={"aws:SourceVpc": "1"})) is None
    assert decide(allow(StringEquals={"aws:SourceVpc": "1"}), allow()) is True
    assert decide(allow(), deny) is False
    assert decide(allow(), resource="arn:aws:ec2:r:1:snapshot/s") is False
    assert decide() is False
    assert evaluate_conditions({"Bool": {"aws:RequestTag/a": "1"}}, context).holds is True
