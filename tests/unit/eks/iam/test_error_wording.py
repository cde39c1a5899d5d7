"""Error and warning messages about the arguments of roles and OIDC providers."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq import ClusterOidcProvider, IrsaRole
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.eks.iam import role_checks, role_preflight
from eks_rocketmq.eks.iam.policy_documents import (
    build_secret_mismatch_error,
    build_secret_size_error,
    build_trust_policy,
    build_web_identity_statements,
    normalize_permission_policy,
    validate_customer_policy,
    validate_inline_policies,
)
from eks_rocketmq.lookups.create_checks import OWNER_TAG
from tests.unit.harness import Fakes, run
from tests.unit.harness.rejections import Wording, check_wording

POLICY = (ARGS / "inline_policies").key("orders")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/A"
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def service_account(namespace: str, name: str) -> tuple[str, str]:
    account = {"namespace": namespace, "name": name}
    return role_checks.parse_service_account(account, (ARGS / "service_accounts").index(0, account))


def statement(**changed: Any) -> str:
    document = {"Version": "2012-10-17", "Statement": [{**STATEMENT, **changed}]}
    return normalize_permission_policy(document, POLICY)


def raise_error(error: Exception) -> None:
    raise error


def attach_output() -> None:
    args: Any = {
        "role_name": "orders",
        "service_accounts": [],
        "managed_policies": [pulumi.Output.from_input("ReadOnlyAccess")],
    }
    IrsaRole("orders", args)


def use_own_provider() -> None:
    """Read a provider of the stack as an existing one."""
    answer = {"arn": PROVIDER, "clientIdLists": ["sts.amazonaws.com"], "tags": {OWNER_TAG: "eks-rocketmq/test"}}
    fakes = Fakes().answering("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", lambda _: answer)
    args: Any = {"issuer": "https://oidc.example/id/A", "existing": True}
    run(lambda: ClusterOidcProvider("oidc", args), preview=True, fakes=fakes)


WORDING = [
    Wording(
        "provider-of-another-issuer",
        lambda: build_web_identity_statements(PROVIDER, "https://oidc.example/id/B", []),
        "provider_arn: the provider is for 'oidc.example/id/A' and issuer is 'https://oidc.example/id/B', so IAM would "
        "accept no token. Take both from the same cluster.",
    ),
    Wording(
        "no-service-account",
        lambda: build_trust_policy([]),
        "service_accounts: the role has no service account. Accepted: one or more objects with the fields namespace, "
        "name.",
    ),
    Wording(
        "trust-policy-size",
        lambda: build_trust_policy([{"Sid": "x" * 2048}], complete=False),
        "service_accounts: the trust policy has 2097 characters or more. Accepted: up to 2048 characters, not counting "
        "white space. Divide the service accounts and clusters among several roles.",
    ),
    Wording(
        "secret-trust-policy-size",
        lambda: raise_error(build_secret_size_error()),
        "service_accounts: the trust policy of these service accounts is too long. An issuer or an ARN in it is "
        "secret, so the error does not show the length. Accepted: up to 2048 characters, not counting white space. "
        "Divide the service accounts and clusters among several roles.",
    ),
    Wording(
        "policy-json",
        lambda: normalize_permission_policy("{", POLICY),
        "inline_policies['orders']: the document cannot be read as JSON: Expecting property name enclosed in double "
        "quotes: line 1 column 2 (char 1). Accepted: a policy document as an object or as JSON text.",
    ),
    Wording(
        "policy-document",
        lambda: normalize_permission_policy({"Version": "2012-10-17"}, POLICY),
        "inline_policies['orders']: {'Version': '2012-10-17'} is no policy document. Accepted: an object with "
        "'Version' and one or more statements in 'Statement'.",
    ),
    Wording(
        "policy-version",
        lambda: normalize_permission_policy({"Version": "2008-10-17", "Statement": [STATEMENT]}, POLICY),
        "inline_policies['orders']['Version']: '2008-10-17' is not accepted, because older versions have no policy "
        "variables. Accepted: '2012-10-17'.",
    ),
    Wording(
        "policy-statement",
        lambda: normalize_permission_policy({"Version": "2012-10-17", "Statement": {"Effects": "Allow"}}, POLICY),
        "inline_policies['orders']['Statement'][0]: {'Effects': 'Allow'} is no statement of a permission policy. "
        "Accepted: an object with some of the elements Action, Condition, Effect, NotAction, NotResource, Resource, "
        "Sid.",
    ),
    Wording(
        "policy-statement-scope",
        lambda: statement(NotAction="s3:PutObject"),
        "inline_policies['orders']['Statement'][0]: {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*', "
        "'NotAction': 's3:PutObject'} has both Action and NotAction, or neither. Accepted: one of the two elements.",
    ),
    Wording(
        "inline-policies-size",
        lambda: validate_inline_policies({"orders": "x" * 6000, "audit": "x" * 6000}),
        "inline_policies: 'audit', 'orders' have 12000 characters in total. Accepted: up to 10240 characters in all "
        "inline policies of a role, not counting white space. Move the largest policies to customer_policies.",
    ),
    Wording(
        "customer-policy-size",
        lambda: validate_customer_policy("x" * 7000, (ARGS / "customer_policies").key("orders")),
        "customer_policies['orders']: the policy has 7000 characters. Accepted: up to 6144 characters, not counting "
        "white space. Divide its statements among several policies.",
    ),
    Wording(
        "namespace-wildcard",
        lambda: service_account("app*", "reader"),
        "service_accounts['reader'].namespace: 'app*' has a wildcard, which would also match namespaces of other "
        "users. Accepted: one namespace, without a wildcard. Write one item for each namespace.",
    ),
    Wording(
        "service-account-name",
        lambda: service_account("apps", "re_"),
        "service_accounts['re_'].name: 're_' is no name or pattern of a service account. Accepted: 1 to 253 lower-case "
        "letters, digits, '-' and '.', beginning and ending with a letter or a digit, and the wildcards '*' and '?'.",
    ),
    Wording(
        "token-audience",
        lambda: role_checks.validate_audience("sts.*"),
        "audience: 'sts.*' is no exact audience, and it could accept tokens for other services. Accepted: 1 to 255 "
        "characters without wildcards, variables and white space, such as 'sts.amazonaws.com'.",
    ),
    Wording(
        "too-many-audiences",
        lambda: role_checks.validate_provider_audiences([f"service-{i}" for i in range(100)]),
        "client_ids: the list has 100 audiences in addition to 'sts.amazonaws.com'. Accepted: up to 99.",
    ),
    Wording(
        "too-many-thumbprints",
        lambda: role_checks.validate_thumbprints(["a" * 40] * 6),
        "thumbprints: the list has 6 fingerprints. Accepted: up to 5.",
    ),
    Wording(
        "thumbprint",
        lambda: role_checks.validate_thumbprints(["9e:99"]),
        "thumbprints[0]: '9e:99' is not accepted. Accepted: a SHA-1 fingerprint of 40 hexadecimal digits, without "
        "colons.",
    ),
    Wording(
        "role-name",
        lambda: role_checks.validate_role_name("a/b"),
        "role_name: 'a/b' is not accepted. Accepted: 1 to 64 letters, digits and any of +=,.@_-.",
    ),
    Wording(
        "role-path",
        lambda: role_checks.validate_path("team/"),
        "path: 'team/' is not accepted. Accepted: '/' or a path that begins and ends with '/', such as "
        "'/team/messaging/'.",
    ),
    Wording(
        "role-description",
        lambda: role_checks.validate_description("役割"),
        "description: '役割' is not accepted. Accepted: up to 1000 characters of Latin-1.",
    ),
    Wording(
        "policy-name",
        lambda: role_checks.validate_policy_names([], [], [("a b", ARGS / "inline_policies")]),
        "inline_policies: 'a b' is not accepted. Accepted: names of 1 to 128 letters, digits and any of +=,.@_-.",
    ),
    Wording(
        "policy-attached-twice",
        lambda: role_checks.validate_policy_names(["service-role/X", "X"], [], []),
        "managed_policies: the role attaches 2 policies with the name 'X'. Accepted: each name once.",
    ),
    Wording(
        "association-wildcard",
        lambda: role_checks.reject_wildcard_names([("apps", "re*")]),
        "service_accounts['re*'].name: 're*' has a wildcard, but an association of EKS Pod Identity is for one service "
        "account. List each service account, or set associate to false and create the associations yourself.",
    ),
    Wording(
        "issuer-without-provider",
        lambda: role_checks.has_issuer_and_provider({"issuer": "https://oidc.example/id/A"}, pod_identity=False),
        "provider_arn: a value is required, because issuer is given. Take both from the same cluster.",
    ),
    Wording(
        "no-trusted-cluster",
        lambda: role_checks.has_issuer_and_provider({}, pod_identity=False),
        "issuer: the role trusts no cluster. Accepted: issuer and provider_arn of one cluster, clusters for several "
        "clusters, or pod_identity_clusters.",
    ),
    Wording(
        "secret-provider-of-another-issuer",
        lambda: raise_error(build_secret_mismatch_error((ARGS / "clusters").index(1))),
        "clusters[1].provider_arn: the provider is not that of clusters[1].issuer, so IAM would accept no token. A "
        "value is secret, so the error shows none. Take both from the same cluster.",
    ),
    Wording(
        "managed-policy-output",
        lambda: run(attach_output, preview=True),
        "managed_policies: the list has an output of another resource, but the names of attachments must be known at "
        "preview. Give the ARN in policy_arns, with a name of your choice as its key.",
    ),
    Wording(
        "managed-by-this-stack",
        use_own_provider,
        f"existing: this stack manages IAM OIDC provider {PROVIDER}, so `pulumi up` would delete the provider. Leave "
        "existing out. To give it to another owner, follow docs/concepts/existing-resources-and-ownership.md, section "
        "'Give a resource to another owner'.",
    ),
]
WARNINGS = ["unmanaged-policies"]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_warning_about_unmanaged_policies() -> None:
    message = role_preflight.build_warning("orders", ["arn:aws:iam::aws:policy/X", "old (inline)"])
    assert message.code == "unmanaged-policies"
    assert message.render() == (
        "exclusive_policies: IAM role 'orders' was imported with policies that this stack does not manage: "
        "arn:aws:iam::aws:policy/X, old (inline). They stay in effect in addition to the policies of the stack. Detach "
        "them with `aws iam detach-role-policy` and `aws iam delete-role-policy`, or set this argument to true."
    )
    assert role_preflight.build_warning("orders", ["x"], None).render().endswith("aws iam delete-role-policy`.")
