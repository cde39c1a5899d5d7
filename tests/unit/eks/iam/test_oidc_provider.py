"""The account's trust in the cluster's tokens."""

from typing import Any

import pulumi
import pytest

from eks_rocketmq import ClusterOidcProvider, ClusterOidcProviderArgs, IrsaRole, ServiceAccountArgs
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


def test_one_provider_is_registered_for_the_issuer_verbatim(recording: Recording) -> None:
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


def test_the_arn_is_known_at_preview_and_the_one_that_aws_gives(recording: Recording) -> None:
    assert recording.outputs == {"arn": ARN}
    assert recording.one("OpenIdConnectProvider").id == ARN


@pytest.mark.parametrize("preview", [True, False])
def test_what_uses_the_arn_comes_after_the_provider(preview: bool) -> None:
    def make() -> None:
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

    recording = run(make, preview=preview)
    assert recording.one("OpenIdConnectProvider").urn in recording.one("Role").dependencies
    assert ARN in recording.one("Role").inputs["assumeRolePolicy"]


def test_audiences_thumbprints_and_tags_are_added_to_the_defaults() -> None:
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


def test_a_malformed_issuer_is_refused_at_preview() -> None:
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
def test_what_iam_would_refuse_is_refused_at_preview(changed: Any, path: str, code: str) -> None:
    with rejects((path, code)):
        run(lambda: program({"issuer": ISSUER, **changed}), preview=True)


def test_as_many_as_iam_accepts() -> None:
    args: ClusterOidcProviderArgs = {
        "issuer": ISSUER,
        "client_ids": ["sts.amazonaws.com", *(f"service-{i}" for i in range(99))],
        "thumbprints": ["A" * 40] * 5,
    }
    assert len(run(lambda: program(args)).one("OpenIdConnectProvider").inputs["clientIdLists"]) == 100


def registered(*client_ids: str) -> Fakes:
    return Fakes().answering(LOOKUP, lambda given: {"arn": ARN, "url": given["url"], "clientIdLists": [*client_ids]})


@pytest.mark.parametrize("preview", [True, False])
def test_an_existing_provider_is_read_and_not_managed(preview: bool) -> None:
    recording = run(
        lambda: program({"issuer": ISSUER, "existing": True}), preview=preview, fakes=registered("sts.amazonaws.com")
    )
    assert recording.inventory() == {"eks-rocketmq:index:ClusterOidcProvider": 1}
    assert recording.invokes == [(LOOKUP, {"url": ISSUER})]
    assert recording.outputs == {"arn": ARN}


@pytest.mark.parametrize(
    ("client_ids", "wanted", "missing"),
    [((), [], "sts.amazonaws.com"), (("sts.amazonaws.com",), ["my-service"], "my-service"), (("a",), [], "sts.am")],
)
def test_an_existing_provider_that_refuses_the_audience_is_refused_with_the_command_that_mends_it(
    client_ids: tuple[str, ...], wanted: list[str], missing: str
) -> None:
    args: ClusterOidcProviderArgs = {"issuer": ISSUER, "existing": True, "client_ids": wanted}
    with pytest.raises(pulumi.RunError) as refusal:
        run(lambda: program(args), preview=True, fakes=registered(*client_ids))
    assert f"IAM OIDC provider {ARN} does not accept the audience {missing}" in str(refusal.value)
    assert f"--open-id-connect-provider-arn {ARN} --client-id {missing}" in str(refusal.value)


@pytest.mark.parametrize("given", [{"tags": {"team": "x"}}, {"thumbprints": ["0" * 40]}])
def test_an_existing_provider_is_given_nothing_that_would_be_dropped(given: Any) -> None:
    args: Any = {"issuer": ISSUER, "existing": True, **given}
    with rejects((next(iter(given)), "ignored-argument")):
        run(lambda: program(args), preview=True, fakes=registered("sts.amazonaws.com"))


def test_a_missing_provider_is_reported_with_what_to_check() -> None:
    def missing(_: object) -> dict[str, Any]:
        raise ProviderError(f"no IAM OIDC Provider found for url {ISSUER}")

    fakes = Fakes().answering(LOOKUP, missing)
    with pytest.raises(pulumi.RunError) as refusal:
        run(lambda: program({"issuer": ISSUER, "existing": True}), preview=True, fakes=fakes)
    assert str(refusal.value).startswith(f"the IAM OIDC provider of {ISSUER} cannot be read: ")
    assert "leave existing out" in str(refusal.value)
    assert "Check aws:region, aws:profile and aws:allowedAccountIds" in str(refusal.value)
