"""The IAM role for service accounts. This file is the model for tests of a component."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import IrsaRole, IrsaRoleArgs, TrustedClusterArgs
from tests.unit.harness import UNKNOWN, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.harness.trust import PodIdentity, Token, admits
from tests.unit.harness.upgrade import state, steps

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
CUSTOMER_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/team/theirs"
CLUSTER = f"arn:aws:eks:ap-southeast-1:{ACCOUNT}:cluster/prod"
ARGS: IrsaRoleArgs = {
    "role_name": "reader",
    "provider_arn": PROVIDER,
    "issuer": ISSUER,
    "service_accounts": [{"namespace": "apps", "name": "reader"}],
    "managed_policies": ["service-role/AmazonEBSCSIDriverPolicy", "ReadOnlyAccess"],
}


def program(args: Any = ARGS) -> Callable[[], None]:
    def register() -> None:
        role = IrsaRole("reader", args)
        pulumi.export("arn", role.arn)
        pulumi.export("name", role.name)

    return register


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_a_role_and_one_attachment_for_each_policy_are_created(recording: Recording) -> None:
    assert recording.inventory() == {
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2,
        "eks-rocketmq:index:IrsaRole": 1,
    }
    attachments = recording.by_type("RolePolicyAttachment")
    assert [attachment.name for attachment in attachments] == [
        "reader-AmazonEBSCSIDriverPolicy",
        "reader-ReadOnlyAccess",
    ]
    assert [attachment.inputs for attachment in attachments] == [
        {"role": "reader", "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"},
        {"role": "reader", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    ]
    component = recording.one("IrsaRole")
    assert {r.parent for r in recording.resources.values() if r.custom} == {component.urn}


def test_the_role_has_a_create_check_and_the_stack_tag(recording: Recording) -> None:
    role = recording.one("Role")
    assert role.before_create == ("reader-role-preflight",)
    assert role.inputs["name"] == "reader"
    assert role.inputs["tags"] == {"eks-rocketmq/stack": "eks-rocketmq/test"}


def test_attachments_depend_on_the_role(recording: Recording) -> None:
    for attachment in recording.by_type("RolePolicyAttachment"):
        assert recording.one("Role").urn in attachment.dependencies


def test_only_the_listed_service_account_can_assume_the_role(recording: Recording) -> None:
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:writer"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader", audience="other"))


def test_the_trust_policy_is_unknown_at_preview_with_a_new_provider() -> None:
    def register() -> None:
        import pulumi_aws as aws  # noqa: PLC0415

        provider = aws.iam.OpenIdConnectProvider("oidc", url=ISSUER, client_id_lists=["sts.amazonaws.com"])
        IrsaRole("reader", {**ARGS, "provider_arn": provider.arn})

    preview, update = run(register, preview=True), run(register, preview=False)
    assert preview.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert admits(update.one("Role").inputs["assumeRolePolicy"], Token(ISSUER, "system:serviceaccount:apps:reader"))
    for recording in (preview, update):
        assert recording.reaches(recording.one("Role"), recording.one("OpenIdConnectProvider"))


def test_the_outputs_are_arn_and_name_of_the_role() -> None:
    assert run(program()).outputs == {"arn": f"arn:aws:iam::{ACCOUNT}:role/reader", "name": "reader"}


def test_a_role_without_policies_has_its_tags_and_no_attachment() -> None:
    args: IrsaRoleArgs = {**ARGS, "managed_policies": [], "tags": {"team": "messaging"}}
    recording = run(program(args))
    assert recording.by_type("RolePolicyAttachment") == []
    assert recording.invokes == []
    assert recording.one("Role").inputs["tags"]["team"] == "messaging"


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


def unknown_at_preview(value: str, name: str = "other") -> pulumi.Output[str]:
    """Return the value as an output of another resource, which is unknown at preview."""
    import pulumi_aws as aws  # noqa: PLC0415

    other = aws.iam.Role(name, name=name, assume_role_policy="{}")
    return other.arn.apply(lambda _: value)


@pytest.mark.parametrize("preview", [True, False])
def test_policy_arns_that_are_outputs_are_attached_under_their_keys(preview: bool) -> None:
    def register() -> None:
        IrsaRole(
            "reader",
            {
                **ARGS,
                "managed_policies": [],
                "policy_arns": {"orders": unknown_at_preview(CUSTOMER_POLICY), "own": CUSTOMER_POLICY},
            },
        )

    recording = run(register, preview=preview)
    attached = {each.name: each.inputs["policyArn"] for each in recording.by_type("RolePolicyAttachment")}
    assert attached == {"reader-orders": UNKNOWN if preview else CUSTOMER_POLICY, "reader-own": CUSTOMER_POLICY}


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


STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}


@pytest.mark.parametrize("preview", [True, False])
def test_a_role_can_have_policies_of_every_kind(preview: bool) -> None:
    args: IrsaRoleArgs = {
        **ARGS,
        "managed_policies": ["ReadOnlyAccess", f"arn:aws:iam::{ACCOUNT}:policy/team/theirs"],
        "customer_policies": {"objects": DOCUMENT},
        "inline_policies": {"text": json.dumps(DOCUMENT, indent=4)},
        "path": "/team/",
        "tags": {"team": "messaging"},
    }

    def register() -> None:
        later = pulumi.Output.from_input(DOCUMENT)
        IrsaRole("reader", {**args, "inline_policies": {**args.get("inline_policies", {}), "later": later}})

    recording = run(register, preview=preview)
    assert recording.inventory() == {
        "aws:iam/policy:Policy": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicy:RolePolicy": 2,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 3,
        "eks-rocketmq:index:IrsaRole": 1,
    }
    existing = recording.one("RolePolicyAttachment", "reader-theirs")
    assert existing.inputs["policyArn"] == f"arn:aws:iam::{ACCOUNT}:policy/team/theirs"
    policy = recording.one("Policy")
    compact = json.dumps(DOCUMENT, separators=(",", ":"))
    tags = {"team": "messaging", "eks-rocketmq/stack": "eks-rocketmq/test"}
    assert policy.inputs == {"name": "objects", "path": "/team/", "policy": compact, "tags": tags}
    assert policy.before_create == ("reader-objects-policy-preflight",)
    attachment = recording.one("RolePolicyAttachment", "reader-objects")
    assert policy.urn in attachment.dependencies
    assert preview or attachment.inputs["policyArn"] == f"arn:aws:iam::{ACCOUNT}:policy/team/objects"
    inline = {r.inputs["name"]: r.inputs for r in recording.by_type("RolePolicy")}
    assert inline == {name: {"name": name, "role": "reader", "policy": compact} for name in ("text", "later")}
    component = recording.one("IrsaRole")
    assert {r.parent for r in recording.resources.values() if r.custom} == {component.urn}


def test_optional_arguments_are_passed_to_the_role() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    inputs = run(
        program(
            {
                **ARGS,
                "path": "/team/",
                "permissions_boundary": boundary,
                "max_session_duration": 7200.0,
                "description": "reads",
                "force_detach_policies": True,
            }
        )
    )
    role = inputs.one("Role").inputs
    assert {key: role[key] for key in role if key not in {"assumeRolePolicy", "name", "tags"}} == {
        "path": "/team/",
        "permissionsBoundary": boundary,
        "maxSessionDuration": 7200,
        "description": "reads",
        "forceDetachPolicies": True,
    }
    assert set(run(program()).one("Role").inputs) == {"assumeRolePolicy", "name", "tags"}, (
        "arguments that are not given must not be set"
    )


def test_a_name_pattern_matches_only_in_its_namespace() -> None:
    accounts = [{"namespace": "apps", "name": "worker-*"}, {"namespace": "apps", "name": "reader"}]
    trust = run(program({**ARGS, "service_accounts": accounts})).one("Role").inputs["assumeRolePolicy"]
    for subject, allowed in {
        "apps:worker-1": True,
        "apps:reader": True,
        "apps:reader2": False,
        "x:worker-1": False,
    }.items():
        assert admits(trust, Token(ISSUER, f"system:serviceaccount:{subject}")) is allowed, subject
        assert not admits(trust, Token(ISSUER, f"system:serviceaccount:{subject}", audience="other"))
    exact, pattern = json.loads(trust)["Statement"]
    assert set(exact["Condition"]) == {"StringEquals"}
    assert list(pattern["Condition"]["StringLike"]) == [f"{ISSUER.removeprefix('https://')}:sub"]


def test_several_clusters_can_share_a_role() -> None:
    other = "https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER"
    further: TrustedClusterArgs = {
        "issuer": other,
        "provider_arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{other.removeprefix('https://')}",
    }
    trust = run(program({**ARGS, "clusters": [further]})).one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))
    assert admits(trust, Token(other, "system:serviceaccount:apps:reader"))
    assert not admits(trust, Token("https://oidc.example/id/A", "system:serviceaccount:apps:reader"))
    only: dict[str, Any] = {key: value for key, value in ARGS.items() if key not in {"issuer", "provider_arn"}}
    trust = run(program({**only, "clusters": [further]})).one("Role").inputs["assumeRolePolicy"]
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))


def test_a_custom_audience_replaces_the_sts_audience() -> None:
    trust = run(program({**ARGS, "audience": "vault"})).one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader", audience="vault"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))


@pytest.mark.parametrize("preview", [True, False])
def test_pod_identity_associates_the_service_accounts_without_an_oidc_provider(preview: bool) -> None:
    args: dict[str, Any] = {key: value for key, value in ARGS.items() if key not in {"issuer", "provider_arn"}}
    pods = {**args, "pod_identity_clusters": {"prod": CLUSTER}, "inline_policies": {"objects": DOCUMENT}}
    recording = run(program(pods), preview=preview)
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, PodIdentity(CLUSTER, "apps", "reader"))
    assert not admits(trust, PodIdentity(CLUSTER, "apps", "writer"))
    assert not admits(trust, PodIdentity(CLUSTER, "other", "reader"))
    assert not admits(trust, PodIdentity(CLUSTER.replace("/prod", "/test"), "apps", "reader"))
    assert not admits(trust, PodIdentity(CLUSTER, "apps", "reader", session_tags=False))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))
    association = recording.one("PodIdentityAssociation")
    assert association.name == "reader-prod/apps/reader"
    inputs = {key: value for key, value in association.inputs.items() if key not in {"roleArn", "tags"}}
    assert inputs == {"clusterName": "prod", "namespace": "apps", "serviceAccount": "reader"}
    assert preview or association.inputs["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/reader"
    assert association.before_create == ("reader-prod/apps/reader-preflight",)
    policies = {r.urn for r in [*recording.by_type("RolePolicyAttachment"), *recording.by_type("RolePolicy")]}
    assert association.explicit_dependencies == policies
    assert run(program({**pods, "associate": False})).by_type("PodIdentityAssociation") == []


def run_with_associations(*accounts: tuple[str, str]) -> Recording:
    """Run a program with a role that has EKS Pod Identity associations for these service accounts."""
    listed = [{"namespace": namespace, "name": name} for namespace, name in accounts]
    return run(program({**ARGS, "service_accounts": listed, "pod_identity_clusters": {"prod": CLUSTER}}))


def test_each_service_account_has_a_separate_association() -> None:
    accounts = [("a-b", "c"), ("a", "b-c"), ("a", "b.c")]
    associations = run_with_associations(*accounts, accounts[0]).by_type("PodIdentityAssociation")
    assert {(each.inputs["namespace"], each.inputs["serviceAccount"]) for each in associations} == {*accounts}
    assert [each.name for each in associations] == ["reader-prod/a-b/c", "reader-prod/a/b-c", "reader-prod/a/b.c"]
    # Aliases must be unique, because the engine rejects a second resource with the same alias.
    aliases = [alias for each in associations for alias in each.aliases]
    assert sorted(aliases) == ["reader-prod-a-b-c", "reader-prod-a-b.c"]


def test_a_service_account_listed_twice_appears_once_in_the_trust_policy() -> None:
    twice, once = (run_with_associations(*[("apps", "reader")] * times).one("Role") for times in (2, 1))
    assert twice.inputs == once.inputs


def test_an_association_with_the_former_name_is_not_replaced() -> None:
    current = run_with_associations(("apps", "reader"))
    before = {
        urn.replace("::reader-prod/apps/reader", "::reader-prod-apps-reader"): old
        for urn, old in state(current).items()
    }
    assert before.keys() != state(current).keys()
    assert {step.operation for step in steps(before, current)} == {"same"}


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
