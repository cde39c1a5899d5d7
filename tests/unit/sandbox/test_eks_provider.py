"""The eks stand-in: rejected inputs, registered resources, outputs, and the protocol with the engine."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import grpc
import grpc.aio
import pulumi
import pulumi_aws as aws
import pytest
from pulumi import InputPropertiesError, ResourceOptions
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine.eks import cluster, serving
from sandbox.engine.eks.arguments import LEAN, PINNED_SDKS, kubeconfig, not_served, refusal
from sandbox.engine.provider.failures import UnsupportedTypeError
from tests.unit.harness import Recording
from tests.unit.harness.fakes import ACCOUNT, REGION, Fakes
from tests.unit.harness.recording import UNKNOWN
from tests.unit.harness.runner import run

TYPE = "aws:eks/cluster:Cluster"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/ABC"
ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/fresh"
GIVEN = {
    **LEAN,
    "bootstrapSelfManagedAddons": False,
    "deletionProtection": True,
    "enabledClusterLogTypes": ["api"],
    "encryptionConfigKeyArn": "arn:aws:kms:key",
    "endpointPrivateAccess": True,
    "endpointPublicAccess": False,
    "kubernetesServiceIpAddressRange": "172.20.0.0/16",
    "name": "fresh",
    "subnetIds": ["subnet-a", "subnet-b"],
    "tags": {"team": "messaging"},
    "upgradePolicy": {"supportType": "STANDARD"},
    "version": "1.35",
    "vpcId": "vpc-1",
}


def cluster_state(inputs: Any) -> tuple[str, dict[str, Any]]:
    return inputs["name"], {
        "arn": ARN,
        "certificateAuthority": {"data": "Q0E="},
        "endpoint": "https://api.example",
        "identities": [{"oidcs": [{"issuer": ISSUER}]}],
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-1", "vpcId": "vpc-1"},
    }


@pytest.fixture(autouse=True)
def cli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "aws_cli_problem", lambda: None)


def construct(
    preview: bool = False, /, unknown: Iterable[str] = (), **changes: Any
) -> tuple[Recording, dict[str, Any]]:
    """Construct the component and return what it registered and its resolved outputs."""
    outputs: dict[str, Any] = {}

    def program() -> None:
        role = aws.iam.Role("role", name="service", assume_role_policy="{}")
        inputs = {"serviceRole": role, **GIVEN, **changes, **dict.fromkeys(unknown, role.arn)}
        options = ResourceOptions(protect=True)
        result = serving.EksStandIn().construct(
            "c", cluster.TOKEN, {k: v for k, v in inputs.items() if v is not None}, options
        )
        for key, value in result.state.items():
            pulumi.Output.from_input(value).apply(lambda known, key=key: outputs.__setitem__(key, known))

    fakes = Fakes()
    resources = {**fakes.resources, TYPE: cluster_state}
    return run(program, preview=preview, fakes=replace(fakes, resources=resources)), outputs


def test_cluster_is_registered_as_by_the_released_component() -> None:
    recording, _ = construct()
    component, role, control_plane, kubernetes = (
        recording.one(token) for token in (cluster.TOKEN, "aws:iam/role:Role", TYPE, "pulumi:providers:kubernetes")
    )
    assert (control_plane.name, control_plane.parent, control_plane.protect) == ("c-eksCluster", component.urn, True)
    assert control_plane.ignore_changes == (
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
    )
    assert control_plane.inputs == {
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        "bootstrapSelfManagedAddons": False,
        "deletionProtection": True,
        "enabledClusterLogTypes": ["api"],
        "encryptionConfig": {"provider": {"keyArn": "arn:aws:kms:key"}, "resources": ["secrets"]},
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
        "name": "fresh",
        "roleArn": role.outputs["arn"],
        "tags": {"Name": "c-eksCluster", "team": "messaging"},
        "upgradePolicy": {"supportType": "STANDARD"},
        "version": "1.35",
        "vpcConfig": {
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
            "subnetIds": ["subnet-a", "subnet-b"],
        },
    }
    assert (kubernetes.name, kubernetes.parent) == ("c-eks-k8s", component.urn)
    assert json.loads(kubernetes.inputs["kubeconfig"])["clusters"][0]["cluster"]["server"] == "https://api.example"
    assert len(recording.resources) == 5  # including the stack


def test_child_resources_use_the_sdk_versions_that_the_component_pins() -> None:
    """The children therefore use another default provider than the program."""
    recording, _ = construct()
    assert recording.one(TYPE).version == PINNED_SDKS["aws"] != recording.one("aws:iam/role:Role").version
    assert recording.one("pulumi:providers:kubernetes").version == PINNED_SDKS["kubernetes"]
    assert version("pulumi-eks") == "4.4.0", "look up the SDK versions that this version pins"


def test_block_with_an_unknown_input_is_unknown() -> None:
    recording, _ = construct(True, unknown=("encryptionConfigKeyArn", "kubernetesServiceIpAddressRange"))
    inputs = recording.one(TYPE).inputs
    assert inputs["encryptionConfig"] == inputs["kubernetesNetworkConfig"] == UNKNOWN


def test_omitted_inputs_are_not_sent() -> None:
    absent = (
        "encryptionConfigKeyArn",
        "kubernetesServiceIpAddressRange",
        "upgradePolicy",
        "bootstrapSelfManagedAddons",
    )
    omitted: dict[str, Any] = dict.fromkeys(absent)
    recording, _ = construct(**omitted, subnetIds=None, publicSubnetIds=["p"], privateSubnetIds=["q"])
    inputs = recording.one(TYPE).inputs
    assert {"encryptionConfig", "kubernetesNetworkConfig", "upgradePolicy"}.isdisjoint(inputs)
    assert inputs["bootstrapSelfManagedAddons"] is True
    assert inputs["vpcConfig"]["subnetIds"] == ["p", "q"]


def test_outputs_are_known_after_an_update() -> None:
    _, outputs = construct()
    assert outputs["oidcProviderUrl"] == ISSUER
    assert outputs["oidcIssuer"] == ISSUER.removeprefix("https://")
    assert outputs["oidcProviderArn"] == outputs["clusterIngressRuleId"] == ""
    assert outputs["clusterSecurityGroupId"] == outputs["nodeSecurityGroupId"] == "sg-1"
    assert json.loads(outputs["kubeconfigJson"]) == outputs["kubeconfig"]
    assert (outputs["core"]["vpcId"], outputs["core"]["subnetIds"]) == ("vpc-1", ["subnet-a", "subnet-b"])
    assert {"awsProvider", "defaultNodeGroup"}.isdisjoint(outputs)


def test_preview_outputs_are_unknown_except_those_of_resources_never_created() -> None:
    recording, outputs = construct(True)
    # The harness does not know the values that AWS adds inside a block.
    assert set(outputs) - {"clusterSecurityGroupId", "nodeSecurityGroupId"} == {
        *("autoModeNodeRoleName", "clusterIngressRuleId", "defaultNodeGroupAsgName", "eksCluster"),
        *("fargateProfileId", "fargateProfileStatus", "instanceRoles", "oidcProviderArn"),
    }
    registered = recording.component_outputs[recording.one(cluster.TOKEN).urn]
    assert registered["core"] == registered["kubeconfigJson"] == UNKNOWN


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"publicAccessCidrs": ["0.0.0.0/0"], "endpointPublicAccess": False},
            "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true",
        ),
        ({"privateSubnetIds": ["s"]}, "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually"),
        ({"authenticationMode": "EKS"}, "Invalid value for authenticationMode: EKS. Allowed values are: CONFIG_MAP"),
        ({"roleMappings": [{}]}, "The 'roleMappings' property does not support non-empty values"),
        ({"authenticationMode": "CONFIG_MAP", "accessEntries": {"a": 1}}, "is set to 'CONFIG_MAP'."),
        ({"authenticationMode": None, "accessEntries": {"a": 1}}, "'authenticationMode' is not set."),
        ({"skipDefaultNodeGroup": None}, "Cannot read properties of undefined (reading '0')"),
    ],
)
def test_invalid_inputs_are_rejected_with_the_messages_of_the_component(changes: dict[str, Any], words: str) -> None:
    assert words in str(refusal({key: value for key, value in {**GIVEN, **changes}.items() if value is not None}))


def test_public_access_cidrs_without_endpoint_public_access_are_accepted() -> None:
    assert refusal({**LEAN, "publicAccessCidrs": ["203.0.113.0/24"]}) is None


KNOWN = frozenset({*GIVEN, "serviceRole", "gpu", "createOidcProvider"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subnetIdz": []}, "has no input 'subnetIdz'; did you mean 'subnetIds'?"),
        ({"gpu": True}, "does not serve the input 'gpu'"),
        ({"createOidcProvider": True}, "does not serve createOidcProvider"),
        ({"useDefaultVpcCni": False}, "with useDefaultVpcCni True and not False"),
        ({"kubeProxyAddonOptions": {}}, "with kubeProxyAddonOptions {'enabled': False} and not {}"),
        ({"authenticationMode": "CONFIG_MAP"}, "with authenticationMode 'API' and not 'CONFIG_MAP'"),
        ({"serviceRole": None}, "with a serviceRole"),
    ],
)
def test_unsupported_input_is_rejected_by_name(changes: dict[str, Any], words: str) -> None:
    assert words in str(not_served({"serviceRole": "role", **GIVEN, **changes}, KNOWN))


def test_invalid_inputs_raise_an_input_properties_error() -> None:
    with pytest.raises(InputPropertiesError) as failure:
        construct(authenticationMode="EKS")
    assert failure.value.errors is not None
    assert "Invalid value for authenticationMode" in failure.value.errors[0]["reason"]


def test_kubeconfig_passes_the_profile_and_the_role() -> None:
    known = {"name": "fresh", "arn": ARN, "endpoint": "https://api", "certificate": "Q0E="}
    (user,) = kubeconfig(known, "admin", "arn:role")["users"]
    assert user["user"]["exec"]["args"][-4:] == ["--role", "arn:role", "--profile", "admin"]
    assert {"name": "AWS_PROFILE", "value": "admin"} in user["user"]["exec"]["env"]
    (bare,) = kubeconfig(known)["users"]
    assert bare["user"]["exec"]["args"] == (
        f"--region {REGION} eks get-token --cluster-name fresh --output json".split()
    )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("aws-cli/2.31.0 Python/3.13", None),
        ("aws-cli/1.24.0 Python/3.8", None),
        ("aws-cli/2.6.9 Python/3.9", "aws CLI 2.6 is too old"),
        ("aws-cli/1.23.9 Python/3.8", "aws CLI 1.23 is too old"),
        ("something else", "Could not find aws CLI for EKS."),
    ],
)
def test_missing_or_old_aws_cli_is_reported(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, answer: str, problem: str | None
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(cluster.aws_cli_problem()).startswith("Could not find aws CLI for EKS.")
    program = tmp_path / "aws"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    found = cluster.aws_cli_problem()
    assert found is None if problem is None else str(found).startswith(problem)


def test_other_component_type_is_rejected_by_name() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"unsupported resource type eks:index:Addon: .* eks:index:Cluster"):
        serving.EksStandIn().construct("a", "eks:index:Addon", {})


def call_stand_in(call: Callable[[Any], Any]) -> Any:
    """Start a server of the stand-in, call it as an engine does, and return the answers."""

    async def serve_and_call() -> Any:
        server = grpc.aio.server()
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(serving.Servicer(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                return await call(provider_pb2_grpc.ResourceProviderStub(channel))
        finally:
            await server.stop(None)

    return asyncio.run(serve_and_call())


def test_engine_attaches_and_configures_the_provider() -> None:
    async def call(stub: Any) -> Any:
        await stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
        handshake = await stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        checked = await stub.CheckConfig(provider_pb2.CheckRequest())
        difference = await stub.DiffConfig(provider_pb2.DiffRequest())
        ready = await stub.Configure(provider_pb2.ConfigureRequest())
        return handshake, checked, difference, ready

    handshake, checked, difference, ready = call_stand_in(call)
    assert (handshake.accept_resources, handshake.accept_outputs, ready.acceptResources) == (True, True, True)
    assert not checked.failures
    assert difference.changes == provider_pb2.DiffResponse.DIFF_NONE
