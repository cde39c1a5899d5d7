"""An adopted cluster: what is read, what is refused, and the kubeconfig that everything after it uses."""

import json
from typing import Any

import pulumi
import pytest

from eks_rocketmq import ExistingEksCluster, ExistingEksClusterArgs
from eks_rocketmq.eks.cluster.existing_cluster import warn_of_config_map
from eks_rocketmq.eks.cluster.kubeconfig import render_kubeconfig
from tests.unit.harness import Fakes, ProviderError, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION, cluster
from tests.unit.harness.rejections import rejects

ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
CALL = "aws:eks/getCluster:getCluster"


def program(args: ExistingEksClusterArgs | None = None) -> None:
    made = ExistingEksCluster("cluster", args or {"cluster_name": "prod"})
    pulumi.export("issuer", made.oidc_issuer)
    pulumi.export("kubeconfig", made.kubeconfig)


def described(**changed: Any) -> Fakes:
    return Fakes().answering(CALL, lambda arguments: {**cluster(arguments), **changed})


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program, preview=request.param)


def test_only_the_kubernetes_provider_is_created(recording: Recording) -> None:
    assert recording.inventory() == {
        "eks-rocketmq:index:ExistingEksCluster": 1,
        "pulumi:providers:kubernetes": 1,
    }
    assert recording.invokes == [(CALL, {"name": "prod"})]


def test_the_provider_survives_another_endpoint_because_it_is_identified_by_the_arn(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == ARN
    assert recording.parent(provider).type == "eks-rocketmq:index:ExistingEksCluster"


def test_the_outputs_are_those_of_the_cluster_and_known_at_preview(recording: Recording) -> None:
    outputs = recording.component_outputs[recording.one("ExistingEksCluster").urn]
    described_cluster = cluster({"name": "prod"})
    assert {key: value for key, value in outputs.items() if key not in ("kubeconfig", "provider")} == {
        "name": "prod",
        "arn": ARN,
        "version": "1.35",
        "endpoint": described_cluster["endpoint"],
        "certificateAuthority": "Q0VSVElGSUNBVEU=",
        "oidcIssuer": ISSUER,
        "clusterSecurityGroupId": "sg-0123",
        "securityGroupIds": ["sg-0456"],
    }
    assert recording.outputs["kubeconfig"] == recording.one("pulumi:providers:kubernetes").inputs["kubeconfig"]


def user_of(config: str) -> dict[str, Any]:
    (user,) = json.loads(config)["users"]
    return user["user"]["exec"]


def test_the_kubeconfig_asks_aws_for_a_token_and_holds_none() -> None:
    config = render_kubeconfig(arn=ARN, endpoint="https://api", certificate_authority="Q0E=")
    assert user_of(config)["command"] == "aws"
    assert user_of(config)["args"] == [
        *("--region", REGION, "eks", "get-token", "--cluster-name", "prod", "--output", "json"),
    ]
    assert "env" not in user_of(config)
    (entry,) = json.loads(config)["clusters"]
    assert entry["cluster"] == {"server": "https://api", "certificate-authority-data": "Q0E="}


def test_profile_and_role_reach_the_token_command() -> None:
    role = "arn:aws:iam::123456789012:role/r"
    recording = run(lambda: program({"cluster_name": "prod", "profile": "prod", "role_arn": role}))
    user = user_of(recording.outputs["kubeconfig"])
    assert user["env"] == [{"name": "AWS_PROFILE", "value": "prod"}]
    assert user["args"][-2:] == ["--role-arn", role]


def test_a_role_that_is_none_is_refused_at_preview() -> None:
    with rejects(("role_arn", "role-arn")):
        run(lambda: program({"cluster_name": "prod", "role_arn": "deployer"}), preview=True)


@pytest.mark.parametrize(("mode", "warned"), [("CONFIG_MAP", True), ("API_AND_CONFIG_MAP", False)])
def test_a_role_that_only_aws_auth_lets_in_is_said(mode: str, warned: bool) -> None:
    fakes = described(accessConfigs=[{"authenticationMode": mode}])
    role = "arn:aws:iam::123456789012:role/r"
    for args, expected in (({"role_arn": role}, warned), ({}, False)):
        recording = run(lambda args=args: program({"cluster_name": "prod", **args}), preview=True, fakes=fakes)
        assert [text for _, text in recording.log] == [warn_of_config_map("prod", role).render()] * expected


def missing(_: object) -> dict[str, Any]:
    raise ProviderError("ResourceNotFoundException: No cluster found for name: prod.")


def another_account(_: object) -> dict[str, Any]:
    raise ProviderError("AWS account ID not allowed: 111122223333")


def test_an_account_that_the_guard_refuses_is_named_with_what_to_check() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run(program, preview=True, fakes=Fakes().answering(CALL, another_account))
    assert str(refusal.value).endswith(
        "AWS account ID not allowed: 111122223333\n"
        "Accepted is the name of a cluster in the account and region of the AWS provider; `aws eks list-clusters` "
        "shows them. Check cluster_name, aws:region, aws:profile and aws:allowedAccountIds; "
        "`aws sts get-caller-identity` says who is asking."
    )


@pytest.mark.parametrize(
    ("fakes", "message"),
    [
        pytest.param(Fakes().answering(CALL, missing), "'prod' cannot be read: .*No cluster found", id="missing"),
        pytest.param(
            described(status="CREATING"),
            r"'prod' is CREATING; accepted is ACTIVE: wait until it is \(`aws eks wait cluster-active --name prod`\)",
            id="not active yet",
        ),
        pytest.param(
            described(status="DELETING"),
            r"'prod' is DELETING; accepted is ACTIVE: it is being deleted, so name another cluster, or create one",
            id="going",
        ),
        pytest.param(
            described(status="FAILED"),
            r"'prod' is FAILED; accepted is ACTIVE: it will never be, `aws eks describe-cluster --name prod --query "
            r"cluster.health` says why; name another cluster, or ask its owner to recreate it",
            id="failed",
        ),
        pytest.param(described(identities=[]), "'prod' has no OIDC issuer", id="no identity"),
        pytest.param(described(identities=[{"oidcs": []}]), "'prod' has no OIDC issuer", id="no issuer"),
    ],
)
def test_a_cluster_that_cannot_carry_the_stack_is_refused_at_preview(fakes: Fakes, message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        run(program, preview=True, fakes=fakes)
