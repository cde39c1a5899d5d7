"""The component of pulumi_eks: the transform of its cluster, and what it rejects."""

from typing import Any

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_MARK

from eks_rocketmq import EksClusterArgs
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_cluster
from eks_rocketmq.eks.cluster.eks_cluster import _create_cluster_transform
from tests.unit.eks.cluster.eks_cluster_case import ARGS, CLUSTER
from tests.unit.harness import Recording, run


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_transform_preserves_unknown_values_of_the_pulumi_engine(preview: bool) -> None:
    """Call the transform over gRPC, as the engine does. The test harness calls transforms with plain values."""
    inputs = {
        "accessConfig": {"authenticationMode": "API"},
        "roleArn": UNKNOWN_MARK if preview else "arn:aws:iam::123456789012:role/r",
        "vpcConfig": {"subnetIds": UNKNOWN_MARK if preview else ["subnet-a"], "endpointPrivateAccess": True},
    }
    answers: list[Any] = []

    async def call(transform: Any) -> None:
        no_monitor: Any = None
        servicer = _CallbackServicer(no_monitor)
        callback = servicer.register_transform(transform)
        request = resource_pb2.TransformRequest(type=CLUSTER, name="c", custom=True)
        request.properties.update(inputs)
        request.options.protect = True
        request.options.ignore_changes.append("bootstrapSelfManagedAddons")
        answers.append(await servicer._callbacks[callback.token](request.SerializeToString()))
        _CallbackServicer._servicers.remove(servicer)
        await servicer._server.stop(grace=None)

    recording = Recording(preview=preview)

    def register() -> None:
        hooks = reject_existing_cluster("c-eks", "c", pulumi.ComponentResource("test:index:Holder", "holder"))
        args: EksClusterArgs = {**ARGS, "ignore_changes": ["version"], "timeouts": {"create": "45m"}}
        pulumi.Output.from_input(call(_create_cluster_transform(args, hooks)))

    run(register, preview=preview, recording=recording)
    (answer,) = answers
    properties = json_format.MessageToDict(answer.properties)
    assert properties.pop("accessConfig") == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": True,
    }
    assert properties == {key: value for key, value in inputs.items() if key != "accessConfig"}
    assert answer.options.protect
    assert list(answer.options.ignore_changes) == ["bootstrapSelfManagedAddons", "version"]
    assert answer.options.custom_timeouts.create == "45m"
    assert list(answer.options.hooks.before_create) == ["c-eks-preflight"]


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"public_access_cidrs": []}, "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true"),
        ({"private_subnet_ids": ["s"]}, "mutually exclusive"),
        ({"authentication_mode": "EKS"}, "Invalid value for authenticationMode: EKS"),
        ({"skip_default_node_group": False}, "Cannot read properties of undefined"),
        ({"create_oidc_provider": True}, "Cannot retrieve the certificate fingerprint"),
    ],
)
def test_the_fake_rejects_what_the_real_pulumi_eks_component_rejects(invalid: dict[str, Any], message: str) -> None:
    def register() -> None:
        import pulumi_aws as aws  # noqa: PLC0415
        import pulumi_eks as eks  # noqa: PLC0415

        role = aws.iam.Role("role", assume_role_policy="{}")
        cluster_args: Any = {
            "service_role": role,
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-a"],
            "authentication_mode": "API",
            "endpoint_public_access": False,
            "skip_default_node_group": True,
            "skip_default_security_groups": True,
            **invalid,
        }
        eks.Cluster("c", **cluster_args)

    with pytest.raises(Exception, match=f"eks:index:Cluster resource 'c' has a problem: .*{message}"):
        run(register, preview=True)
