"""An existing EKS cluster: its outputs, its kubeconfig and rejected clusters."""

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
    existing = ExistingEksCluster("cluster", args or {"cluster_name": "prod"})
    pulumi.export("issuer", existing.oidc_issuer)
    pulumi.export("kubeconfig", existing.kubeconfig)


def fake_cluster(**changed: Any) -> Fakes:
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


def test_the_kubernetes_provider_is_identified_by_the_cluster_arn(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == ARN
    assert recording.parent(provider).type == "eks-rocketmq:index:ExistingEksCluster"


def test_the_outputs_describe_the_cluster_and_are_known_at_preview(recording: Recording) -> None:
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


def read_exec_config(config: str) -> dict[str, Any]:
    (user,) = json.loads(config)["users"]
    return user["user"]["exec"]


def test_the_kubeconfig_gets_tokens_from_the_aws_command() -> None:
    config = render_kubeconfig(arn=ARN, endpoint="https://api", certificate_authority="Q0E=")
    assert read_exec_config(config)["command"] == "aws"
    assert read_exec_config(config)["args"] == [
        *("--region", REGION, "eks", "get-token", "--cluster-name", "prod", "--output", "json"),
    ]
    assert "env" not in read_exec_config(config)
    (entry,) = json.loads(config)["clusters"]
    assert entry["cluster"] == {"server": "https://api", "certificate-authority-data": "Q0E="}


def test_profile_and_role_are_passed_to_the_token_command() -> None:
    role = "arn:aws:iam::123456789012:role/r"
    recording = run(lambda: program({"cluster_name": "prod", "profile": "prod", "role_arn": role}))
    user = read_exec_config(recording.outputs["kubeconfig"])
    assert user["env"] == [{"name": "AWS_PROFILE", "value": "prod"}]
    assert user["args"][-2:] == ["--role-arn", role]


def test_an_invalid_role_arn_is_rejected_at_preview() -> None:
    with rejects(("role_arn", "role-arn")):
        run(lambda: program({"cluster_name": "prod", "role_arn": "deployer"}), preview=True)


@pytest.mark.parametrize(("mode", "has_warning"), [("CONFIG_MAP", True), ("API_AND_CONFIG_MAP", False)])
def test_a_role_in_authentication_mode_config_map_logs_a_warning(mode: str, has_warning: bool) -> None:
    fakes = fake_cluster(accessConfigs=[{"authenticationMode": mode}])
    role = "arn:aws:iam::123456789012:role/r"
    for args, expected in (({"role_arn": role}, has_warning), ({}, False)):
        recording = run(lambda args=args: program({"cluster_name": "prod", **args}), preview=True, fakes=fakes)
        assert [text for _, text in recording.log] == [warn_of_config_map("prod", role).render()] * expected


def missing(_: object) -> dict[str, Any]:
    raise ProviderError("ResourceNotFoundException: No cluster found for name: prod.")


def another_account(_: object) -> dict[str, Any]:
    raise ProviderError("AWS account ID not allowed: 111122223333")


def test_the_error_for_a_disallowed_account_lists_the_settings_to_check() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run(program, preview=True, fakes=Fakes().answering(CALL, another_account))
    assert str(raised.value).endswith(
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
            fake_cluster(status="CREATING"),
            r"'prod' is CREATING; accepted is ACTIVE: wait until it is \(`aws eks wait cluster-active --name prod`\)",
            id="creating",
        ),
        pytest.param(
            fake_cluster(status="DELETING"),
            r"'prod' is DELETING; accepted is ACTIVE: it is being deleted, so name another cluster, or create one",
            id="deleting",
        ),
        pytest.param(
            fake_cluster(status="FAILED"),
            r"'prod' is FAILED; accepted is ACTIVE: it will never be, `aws eks describe-cluster --name prod --query "
            r"cluster.health` says why; name another cluster, or ask its owner to recreate it",
            id="failed",
        ),
        pytest.param(fake_cluster(identities=[]), "'prod' has no OIDC issuer", id="no identities"),
        pytest.param(fake_cluster(identities=[{"oidcs": []}]), "'prod' has no OIDC issuer", id="no issuer"),
    ],
)
def test_a_missing_or_inactive_cluster_is_rejected_at_preview(fakes: Fakes, message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        run(program, preview=True, fakes=fakes)
