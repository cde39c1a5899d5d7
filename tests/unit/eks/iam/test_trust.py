"""Trust policies evaluated for combinations of clusters, service accounts, patterns and callers."""

import fnmatch
import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from eks_rocketmq.args.aws_identifiers import format_subject
from eks_rocketmq.eks.iam.policy_documents import (
    TRUST_POLICY_LIMIT,
    build_pod_identity_statements,
    build_trust_policy,
    build_web_identity_statements,
    count_characters,
    has_wildcard,
)
from tests.unit.harness.trust import ACCOUNT, PodIdentity, Token, admits

ISSUERS = ("https://oidc.eks.eu-west-1.amazonaws.com/id/A", "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/B")
CLUSTERS = (f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/a", f"arn:aws-cn:eks:cn-north-1:{ACCOUNT}:cluster/b")
NAMESPACES = ("apps", "kube-system")
NAMES = ("reader", "reader-2", "x", "re")
PATTERNS = ("reader", "x", "read*", "*", "reader?2", "?")

accounts = st.lists(st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(PATTERNS)), min_size=1, max_size=5)
subset = st.lists(st.sampled_from([0, 1]), unique=True)


def provider(issuer: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.removeprefix('https://')}"


def matches(namespace: str, name: str, allowed: list[tuple[str, str]]) -> bool:
    return any(namespace == expected and fnmatch.fnmatchcase(name, pattern) for expected, pattern in allowed)


@given(accounts, subset, subset)
@settings(max_examples=60, deadline=None)
def test_only_listed_clusters_and_service_accounts_can_assume_the_role(
    allowed: list[tuple[str, str]], tokens: list[int], pods: list[int]
) -> None:
    subjects = [format_subject(*account) for account in allowed]
    statements = [s for i in tokens for s in build_web_identity_statements(provider(ISSUERS[i]), ISSUERS[i], subjects)]
    statements += [s for i in pods for s in build_pod_identity_statements(CLUSTERS[i], allowed)]
    if not statements or count_characters(json.dumps(statements)) > TRUST_POLICY_LIMIT - 100:
        return
    document = build_trust_policy(statements)
    for i, namespace, name in itertools.product((0, 1), NAMESPACES, NAMES):
        listed = matches(namespace, name, allowed)
        subject = format_subject(namespace, name)
        assert admits(document, Token(ISSUERS[i], subject)) == (i in tokens and listed)
        assert not admits(document, Token(ISSUERS[i], subject, audience="sts.amazonaws.com.cn"))
        assert not admits(document, Token(f"{ISSUERS[i]}2", subject))
        assert admits(document, PodIdentity(CLUSTERS[i], namespace, name)) == (i in pods and listed)
        assert not admits(document, PodIdentity(CLUSTERS[i].replace(ACCOUNT, "000000000000"), namespace, name))
        assert not admits(document, PodIdentity(CLUSTERS[i], namespace, name, source_account="000000000000"))


@given(accounts, subset)
@settings(max_examples=40, deadline=None)
def test_only_service_account_names_are_matched_as_patterns(
    allowed: list[tuple[str, str]], clusters: list[int]
) -> None:
    subjects = [format_subject(*account) for account in allowed]
    for i in clusters:
        for statement in build_web_identity_statements(provider(ISSUERS[i]), ISSUERS[i], subjects):
            host, like = ISSUERS[i].removeprefix("https://"), statement["Condition"].get("StringLike", {})
            assert set(like) <= {f"{host}:sub"}
            assert statement["Condition"]["StringEquals"][f"{host}:aud"] == "sts.amazonaws.com"
            exact = statement["Condition"]["StringEquals"].get(f"{host}:sub", [])
            assert not any(has_wildcard(each) for each in ([exact] if isinstance(exact, str) else exact))
        for statement in build_pod_identity_statements(CLUSTERS[i], allowed):
            like = set(statement["Condition"].get("StringLike", {}))
            assert like <= {"aws:RequestTag/kubernetes-service-account"}


@given(st.permutations([("apps", "a"), ("apps", "b*"), ("other", "c"), ("apps", "a")]))
@settings(max_examples=10, deadline=None)
def test_statements_do_not_depend_on_the_order_of_service_accounts(order: list[tuple[str, str]]) -> None:
    subjects = [format_subject(*account) for account in order]
    sorted_subjects = [format_subject(*account) for account in sorted(order)]
    assert build_web_identity_statements(provider(ISSUERS[0]), ISSUERS[0], subjects) == build_web_identity_statements(
        provider(ISSUERS[0]), ISSUERS[0], sorted_subjects
    )
    assert build_pod_identity_statements(CLUSTERS[0], order) == build_pod_identity_statements(
        CLUSTERS[0], sorted(order)
    )
