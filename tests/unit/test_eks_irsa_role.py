"""A role for service accounts: this file is the shape in which a component is tested."""

from collections.abc import Callable

import pulumi
import pytest

from eks_rocketmq import IrsaRole, IrsaRoleArgs
from tests.unit.harness import UNKNOWN, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.trust import Token, admits

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
ARGS: IrsaRoleArgs = {
    "role_name": "reader",
    "provider_arn": PROVIDER,
    "issuer": ISSUER,
    "service_accounts": [{"namespace": "apps", "name": "reader"}],
    "managed_policies": ["service-role/AmazonEBSCSIDriverPolicy", "ReadOnlyAccess"],
}


def program(args: IrsaRoleArgs = ARGS) -> Callable[[], None]:
    def make() -> None:
        role = IrsaRole("reader", args)
        pulumi.export("arn", role.arn)
        pulumi.export("name", role.name)

    return make


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


def test_the_role_is_checked_before_it_is_created_and_carries_the_stacks_mark(recording: Recording) -> None:
    role = recording.one("Role")
    assert role.before_create == ("reader-role-preflight",)
    assert role.inputs["name"] == "reader"
    assert role.inputs["tags"] == {"eks-rocketmq/stack": "eks-rocketmq/test"}


def test_attachments_come_after_the_role(recording: Recording) -> None:
    for attachment in recording.by_type("RolePolicyAttachment"):
        assert recording.one("Role").urn in attachment.dependencies


def test_only_the_named_service_account_can_take_the_role(recording: Recording) -> None:
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:writer"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:apps:reader", audience="other"))


def test_a_provider_that_is_only_made_in_this_update_leaves_the_trust_policy_unknown_at_preview() -> None:
    def make() -> None:
        import pulumi_aws as aws  # noqa: PLC0415

        provider = aws.iam.OpenIdConnectProvider("oidc", url=ISSUER, client_id_lists=["sts.amazonaws.com"])
        IrsaRole("reader", {**ARGS, "provider_arn": provider.arn})

    preview, update = run(make, preview=True), run(make, preview=False)
    assert preview.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert admits(update.one("Role").inputs["assumeRolePolicy"], Token(ISSUER, "system:serviceaccount:apps:reader"))
    for recording in (preview, update):
        assert recording.reaches(recording.one("Role"), recording.one("OpenIdConnectProvider"))


def test_the_outputs_name_the_role() -> None:
    assert run(program()).outputs == {"arn": f"arn:aws:iam::{ACCOUNT}:role/reader", "name": "reader"}


def test_a_role_without_policies_has_no_attachment_and_keeps_its_own_tags() -> None:
    bare: IrsaRoleArgs = {**ARGS, "managed_policies": [], "tags": {"team": "messaging"}}
    recording = run(program(bare))
    assert recording.by_type("RolePolicyAttachment") == []
    assert recording.invokes == []
    assert recording.one("Role").inputs["tags"]["team"] == "messaging"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"service_accounts": []}, "the role has no service account"),
        ({"service_accounts": [{"namespace": "Apps", "name": "reader"}]}, "namespace of a service account is 'Apps'"),
        ({"service_accounts": [{"namespace": "apps", "name": "re*"}]}, r"name of a service account is 're\*'"),
        ({"issuer": "oidc.example"}, "OIDC issuer is 'oidc.example'"),
    ],
    ids=["nobody", "namespace", "wildcard", "issuer"],
)
def test_bad_arguments_are_refused_at_preview(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(program({**ARGS, **changed}), preview=True)
