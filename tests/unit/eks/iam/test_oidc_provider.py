"""The IAM OIDC provider of a cluster."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq import ClusterOidcProvider, ClusterOidcProviderArgs, IrsaRole, ServiceAccountArgs
from eks_rocketmq.lookups.create_checks import OWNER_TAG
from tests.unit.harness import Fakes, ProviderError, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import rejects

ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
LOOKUP = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider"


def program(args: ClusterOidcProviderArgs) -> None:
    pulumi.export("arn", ClusterOidcProvider("oidc", args).arn)


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(lambda: program({"issuer": ISSUER}), preview=request.param)


def test_one_provider_is_registered_with_the_unmodified_issuer(recording: Recording) -> None:
    assert recording.inventory() == {
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "eks-rocketmq:index:ClusterOidcProvider": 1,
    }
    provider = recording.one("OpenIdConnectProvider")
    assert provider.inputs == {
        "url": ISSUER,
        "clientIdLists": ["sts.amazonaws.com"],
        "tags": {"eks-rocketmq/stack": "eks-rocketmq/test"},
    }
    assert recording.parent(provider).type == "eks-rocketmq:index:ClusterOidcProvider"
    assert provider.before_create == ("oidc-provider-preflight",)


def test_the_arn_is_known_at_preview_and_matches_aws(recording: Recording) -> None:
    assert recording.outputs == {"arn": ARN}
    assert recording.one("OpenIdConnectProvider").id == ARN


@pytest.mark.parametrize("preview", [True, False])
def test_a_role_with_the_arn_depends_on_the_provider(preview: bool) -> None:
    def register() -> None:
        oidc = ClusterOidcProvider("oidc", {"issuer": ISSUER})
        service_accounts: list[ServiceAccountArgs] = [{"namespace": "apps", "name": "reader"}]
        IrsaRole(
            "reader",
            {
                "role_name": "reader",
                "provider_arn": oidc.arn,
                "issuer": oidc.issuer,
                "service_accounts": service_accounts,
            },
        )

    recording = run(register, preview=preview)
    assert recording.one("OpenIdConnectProvider").urn in recording.one("Role").dependencies
    assert ARN in recording.one("Role").inputs["assumeRolePolicy"]


def test_audiences_thumbprints_and_tags_are_passed_to_iam() -> None:
    args: ClusterOidcProviderArgs = {
        "issuer": ISSUER,
        "client_ids": ["sts.amazonaws.com", "my-service"],
        "thumbprints": ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
        "tags": {"team": "messaging"},
    }
    inputs = run(lambda: program(args)).one("OpenIdConnectProvider").inputs
    assert inputs["clientIdLists"] == ["sts.amazonaws.com", "my-service"]
    assert inputs["thumbprintLists"] == ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
    assert inputs["tags"] == {"team": "messaging", "eks-rocketmq/stack": "eks-rocketmq/test"}


def test_a_malformed_issuer_is_rejected_at_preview() -> None:
    with rejects(("issuer", "oidc-issuer")):
        run(lambda: program({"issuer": "oidc.example"}), preview=True)


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"client_ids": ["sts.amazonaws.com", "my-*"]}, "client_ids[1]", "token-audience"),
        ({"client_ids": [""]}, "client_ids[0]", "token-audience"),
        ({"client_ids": ["a b"]}, "client_ids[0]", "token-audience"),
        ({"client_ids": [f"service-{i}" for i in range(100)]}, "client_ids", "too-many-audiences"),
        ({"thumbprints": ["a" * 40, "9e:99"]}, "thumbprints[1]", "thumbprint"),
        ({"thumbprints": ["a" * 40] * 6}, "thumbprints", "too-many-thumbprints"),
    ],
)
def test_arguments_that_iam_would_reject_are_rejected_at_preview(changed: Any, path: str, code: str) -> None:
    with rejects((path, code)):
        run(lambda: program({"issuer": ISSUER, **changed}), preview=True)


def test_the_maximum_numbers_of_audiences_and_thumbprints_are_accepted() -> None:
    args: ClusterOidcProviderArgs = {
        "issuer": ISSUER,
        "client_ids": ["sts.amazonaws.com", *(f"service-{i}" for i in range(99))],
        "thumbprints": ["A" * 40] * 5,
    }
    assert len(run(lambda: program(args)).one("OpenIdConnectProvider").inputs["clientIdLists"]) == 100


def fake_provider(*client_ids: str) -> Fakes:
    return Fakes().answering(LOOKUP, lambda given: {"arn": ARN, "url": given["url"], "clientIdLists": [*client_ids]})


@pytest.mark.parametrize("preview", [True, False])
def test_an_existing_provider_is_read_and_not_managed(preview: bool) -> None:
    recording = run(
        lambda: program({"issuer": ISSUER, "existing": True}), preview=preview, fakes=fake_provider("sts.amazonaws.com")
    )
    assert recording.inventory() == {"eks-rocketmq:index:ClusterOidcProvider": 1}
    assert recording.invokes == [(LOOKUP, {"url": ISSUER})]
    assert recording.outputs == {"arn": ARN}


@pytest.mark.parametrize(
    ("client_ids", "requested", "missing"),
    [((), [], "sts.amazonaws.com"), (("sts.amazonaws.com",), ["my-service"], "my-service"), (("a",), [], "sts.am")],
)
def test_an_existing_provider_without_the_audience_is_rejected_with_a_command(
    client_ids: tuple[str, ...], requested: list[str], missing: str
) -> None:
    args: ClusterOidcProviderArgs = {"issuer": ISSUER, "existing": True, "client_ids": requested}
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: program(args), preview=True, fakes=fake_provider(*client_ids))
    assert f"IAM OIDC provider {ARN} does not accept the audience {missing}" in str(raised.value)
    assert f"--open-id-connect-provider-arn {ARN} --client-id {missing}" in str(raised.value)


@pytest.mark.parametrize(("owner", "rejected"), [("eks-rocketmq/test", True), ("eks-rocketmq/other", False)])
def test_a_provider_of_this_stack_is_not_given_up_by_the_argument_existing(owner: str, rejected: bool) -> None:
    answer = {"arn": ARN, "clientIdLists": ["sts.amazonaws.com"], "tags": {OWNER_TAG: owner}}
    fakes = Fakes().answering(LOOKUP, lambda _: answer)

    def register() -> Recording:
        return run(lambda: program({"issuer": ISSUER, "existing": True}), preview=True, fakes=fakes)

    if not rejected:
        assert register().outputs == {"arn": ARN}
        return
    with rejects(("existing", "managed-by-this-stack")):
        register()


@pytest.mark.parametrize("given", [{"tags": {"team": "x"}}, {"thumbprints": ["0" * 40]}])
def test_an_existing_provider_rejects_arguments_that_have_no_effect(given: Any) -> None:
    args: Any = {"issuer": ISSUER, "existing": True, **given}
    with rejects((next(iter(given)), "ignored-argument")):
        run(lambda: program(args), preview=True, fakes=fake_provider("sts.amazonaws.com"))


def test_the_error_for_a_missing_provider_lists_the_settings_to_check() -> None:
    def missing(_: object) -> dict[str, Any]:
        raise ProviderError(f"no IAM OIDC Provider found for url {ISSUER}")

    fakes = Fakes().answering(LOOKUP, missing)
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: program({"issuer": ISSUER, "existing": True}), preview=True, fakes=fakes)
    assert str(raised.value).startswith(f"the IAM OIDC provider of {ISSUER} cannot be read: ")
    assert "leave existing out" in str(raised.value)
    assert "Check aws:region, aws:profile and aws:allowedAccountIds" in str(raised.value)
