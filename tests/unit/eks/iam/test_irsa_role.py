"""The IAM role for service accounts. This file and `test_irsa_role_args` are the model for tests of a component."""

import json
from typing import Any

import pulumi
import pytest

from eks_rocketmq import IrsaRole, IrsaRoleArgs, TrustedClusterArgs
from tests.unit.eks.iam.irsa_role_case import ARGS, CLUSTER, CUSTOMER_POLICY, DOCUMENT, program, unknown_at_preview
from tests.unit.harness import UNKNOWN, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.trust import PodIdentity, Token, admits
from tests.unit.harness.upgrade import state, steps


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
