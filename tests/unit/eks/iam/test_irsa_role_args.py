"""Rejected arguments of the IAM role for service accounts."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import IrsaRole
from tests.unit.eks.iam.irsa_role_case import (
    ARGS,
    CLUSTER,
    CUSTOMER_POLICY,
    DOCUMENT,
    PROVIDER,
    STATEMENT,
    program,
    unknown_at_preview,
)
from tests.unit.harness import Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import list_rejections, rejects


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"service_accounts": []}, "service_accounts", "no-service-account"),
        (
            {"service_accounts": [{"namespace": "Apps", "name": "reader"}]},
            "service_accounts['reader'].namespace",
            "dns-label",
        ),
        (
            {"service_accounts": [{"namespace": "apps", "name": "re_"}]},
            "service_accounts['re_'].name",
            "service-account-name",
        ),
        (
            {"service_accounts": [{"namespace": "apps", "name": ""}]},
            "service_accounts[''].name",
            "service-account-name",
        ),
        (
            {"service_accounts": [{"namespace": "app*", "name": "reader"}]},
            "service_accounts['reader'].namespace",
            "namespace-wildcard",
        ),
        (
            {"service_accounts": [{"namespace": "app?", "name": "reader"}]},
            "service_accounts['reader'].namespace",
            "namespace-wildcard",
        ),
        ({"audience": "sts.*"}, "audience", "token-audience"),
        ({"audience": "a?"}, "audience", "token-audience"),
        ({"audience": "${aws:x}"}, "audience", "token-audience"),
        ({"audience": ""}, "audience", "token-audience"),
        ({"issuer": "oidc.example"}, "issuer", "oidc-issuer"),
        (
            {"service_accounts": [{"namespace": f"team-{i}", "name": "reader"} for i in range(60)]},
            "service_accounts",
            "trust-policy-size",
        ),
        ({"role_name": "a/b"}, "role_name", "role-name"),
        ({"role_name": "r" * 65}, "role_name", "role-name"),
        ({"path": "team/"}, "path", "role-path"),
        ({"path": "//"}, "path", "role-path"),
        ({"max_session_duration": 3599}, "max_session_duration", "range"),
        ({"max_session_duration": 43201}, "max_session_duration", "range"),
        ({"max_session_duration": 3600.5}, "max_session_duration", "wrong-type"),
        ({"description": "x" * 1001}, "description", "role-description"),
        ({"managed_policies": ["service-role/X", "X"]}, "managed_policies", "policy-attached-twice"),
        ({"managed_policies": ["X"], "customer_policies": {"X": {}}}, "customer_policies", "policy-attached-twice"),
        ({"managed_policies": ["X"], "policy_arns": {"X": CUSTOMER_POLICY}}, "policy_arns", "policy-attached-twice"),
        ({"managed_policies": ["arn:aws:s3:::x"]}, "managed_policies", "policy-arn"),
        ({"managed_policies": ["a b"]}, "managed_policies", "managed-policy"),
        ({"policy_arns": {"a b": CUSTOMER_POLICY}}, "policy_arns", "policy-name"),
        ({"policy_arns": {"a": "arn:aws:s3:::x"}}, "policy_arns['a']", "policy-arn"),
        ({"permissions_boundary": "foo"}, "permissions_boundary", "policy-arn"),
        ({"provider_arn": "foo"}, "provider_arn", "oidc-provider-arn"),
        (
            {"provider_arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example/id/A"},
            "provider_arn",
            "provider-of-another-issuer",
        ),
        ({"clusters": [{"issuer": "oidc.example", "provider_arn": PROVIDER}]}, "clusters[0].issuer", "oidc-issuer"),
        (
            {"clusters": [{"issuer": "https://oidc.example/id/A", "provider_arn": PROVIDER}]},
            "clusters[0].provider_arn",
            "provider-of-another-issuer",
        ),
        ({"inline_policies": {"a b": {}}}, "inline_policies", "policy-name"),
        ({"inline_policies": {"a": "{"}}, "inline_policies['a']", "policy-json"),
        ({"inline_policies": {"a": {"Version": "2012-10-17"}}}, "inline_policies['a']", "policy-document"),
        ({"pod_identity_clusters": {"prod": "prod"}}, "pod_identity_clusters['prod']", "cluster-arn"),
        (
            {
                "pod_identity_clusters": {"prod": CLUSTER},
                "service_accounts": [{"namespace": "apps", "name": "re*"}],
            },
            "service_accounts['re*'].name",
            "association-wildcard",
        ),
    ],
)
def test_invalid_arguments_are_rejected_at_preview(changed: dict[str, object], path: str, code: str) -> None:
    with rejects((path, code)):
        run(program({**ARGS, **changed}), preview=True)


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ((), "issuer", "no-trusted-cluster"),
        (("issuer",), "provider_arn", "issuer-without-provider"),
        (("provider_arn",), "issuer", "issuer-without-provider"),
    ],
)
def test_a_role_requires_both_issuer_and_provider_arn(given: tuple[str, ...], path: str, code: str) -> None:
    args = {key: value for key, value in ARGS.items() if key not in {"issuer", "provider_arn"} or key in given}
    with rejects((path, code)):
        run(program(args), preview=True)


def test_invalid_arguments_register_no_resources() -> None:
    recording = Recording(preview=True)
    with rejects(("audience", "token-audience")):
        run(program({**ARGS, "audience": "*"}), preview=True, recording=recording)
    assert recording.inventory() == {"eks-rocketmq:index:IrsaRole": 1}


def test_an_output_in_managed_policies_is_rejected() -> None:
    def register() -> None:
        IrsaRole("reader", {**ARGS, "managed_policies": [unknown_at_preview(CUSTOMER_POLICY)]})  # ty: ignore[invalid-argument-type]

    with rejects(("managed_policies", "managed-policy-output")):
        run(register, preview=True)
    with rejects(("", "wrong-type")):
        run(program([]), preview=True)


@pytest.mark.parametrize("known", ["issuer", "provider_arn", "nothing"])
def test_a_too_long_trust_policy_is_rejected_before_the_cluster_is_created(known: str) -> None:
    cluster = {"issuer": ISSUER, "provider_arn": PROVIDER}

    def register(accounts: int) -> None:
        names = [{"namespace": f"team-{i}", "name": "reader"} for i in range(accounts)]
        given: Any = {key: value if key == known else unknown_at_preview(value, key) for key, value in cluster.items()}
        args: Any = {**ARGS, **given, "service_accounts": names}
        IrsaRole("reader", args)

    run(lambda: register(35), preview=True)
    recording = Recording(preview=True)
    with pytest.raises(ValueError, match="characters or more") as raised:
        run(lambda: register(60), preview=True, recording=recording)
    assert list_rejections(raised.value) == [("service_accounts", "trust-policy-size")]
    assert "reader-role" not in {each.name for each in recording.resources.values()}


def test_an_unknown_provider_of_another_issuer_is_rejected_at_the_update() -> None:
    def register() -> None:
        other = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example/id/A"
        IrsaRole("reader", {**ARGS, "provider_arn": unknown_at_preview(other)})

    run(register, preview=True)
    with rejects(("provider_arn", "provider-of-another-issuer")):
        run(register)


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        (lambda: {"issuer": pulumi.Output.secret("issuer")}, "issuer", "secret-value"),
        (lambda: {"provider_arn": pulumi.Output.secret("provider")}, "provider_arn", "secret-value"),
        (lambda: {"issuer": pulumi.Output.secret(f"{ISSUER}0")}, "provider_arn", "secret-provider-of-another-issuer"),
        (
            lambda: {"provider_arn": pulumi.Output.secret(f"{PROVIDER}0")},
            "provider_arn",
            "secret-provider-of-another-issuer",
        ),
        (
            lambda: {
                "issuer": pulumi.Output.secret(f"https://oidc.example/id/{'A' * 1000}"),
                "provider_arn": pulumi.Output.secret(f"{PROVIDER.rpartition('/oidc')[0]}/oidc.example/id/{'A' * 1000}"),
            },
            "service_accounts",
            "secret-trust-policy-size",
        ),
        (
            lambda: {"clusters": [{"issuer": pulumi.Output.secret("issuer"), "provider_arn": PROVIDER}]},
            "clusters[0].issuer",
            "secret-value",
        ),
    ],
)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_an_invalid_secret_is_reported_as_its_own_argument(
    changed: Callable[[], dict[str, object]], path: str, code: str, preview: bool
) -> None:
    def register() -> None:
        args: Any = {**ARGS, **changed()}
        IrsaRole("reader", args)

    with rejects((path, code)):
        run(register, preview=preview)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (lambda: {"issuer": pulumi.Output.from_input(3)}, "issuer"),
        (lambda: {"issuer": pulumi.Output.secret(3)}, "issuer"),
        (lambda: {"issuer": pulumi.Output.from_input(None)}, "issuer"),
        (lambda: {"provider_arn": pulumi.Output.from_input([PROVIDER])}, "provider_arn"),
        (
            lambda: {"clusters": [{"issuer": ISSUER, "provider_arn": pulumi.Output.from_input(3)}]},
            "clusters[0].provider_arn",
        ),
        (lambda: {"pod_identity_clusters": {"blue": pulumi.Output.from_input(3)}}, "pod_identity_clusters['blue']"),
        (lambda: {"permissions_boundary": pulumi.Output.from_input(3)}, "permissions_boundary"),
        (lambda: {"policy_arns": {"theirs": pulumi.Output.from_input(3)}}, "policy_arns['theirs']"),
    ],
)
def test_an_output_of_another_type_is_rejected(changed: Callable[[], dict[str, object]], path: str) -> None:
    def register() -> None:
        args: Any = {**ARGS, **changed()}
        IrsaRole("reader", args)

    with rejects((path, "wrong-type")):
        run(register)


@pytest.mark.parametrize(
    ("kind", "pieces", "path", "code"),
    [
        ("customer_policies", [6000], "customer_policies['p0']", "customer-policy-size"),
        ("inline_policies", [5000, 5100], "inline_policies", "inline-policies-size"),
    ],
)
def test_documents_above_the_size_limits_of_iam_are_rejected(
    kind: str, pieces: list[int], path: str, code: str
) -> None:
    def build_document(size: int) -> str:
        return json.dumps({**DOCUMENT, "Statement": [{**STATEMENT, "Sid": "x" * size}]}, indent=8)

    fitting = {f"p{i}": build_document(size - 100) for i, size in enumerate(pieces)}
    run(program({**ARGS, kind: fitting}), preview=True)
    long = {f"p{i}": build_document(size + 100) for i, size in enumerate(pieces)}
    with rejects((path, code)):
        run(program({**ARGS, kind: long}), preview=True)
