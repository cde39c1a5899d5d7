"""Incomplete lookup results: the error names the lookup and the missing field."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_rocketmq import (
    ClusterAddons,
    ClusterOidcProvider,
    EbsCsiAddon,
    EbsStorageClass,
    EksCluster,
    ExistingEksCluster,
    IrsaRole,
    Network,
    NodeGroup,
)
from eks_rocketmq.testing import Mocks

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
TRUSTED: Any = {
    "issuer": ISSUER,
    "provider_arn": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER.removeprefix('https://')}",
}
DRIVER: Any = {"cluster_name": "prod", "role_name": "driver", **TRUSTED}


def existing_cluster() -> pulumi.Output[Any]:
    return ExistingEksCluster("cluster", {"cluster_name": "prod"}).kubeconfig


def existing_provider() -> pulumi.Output[Any]:
    return ClusterOidcProvider("oidc", {"issuer": ISSUER, "existing": True}).arn


def new_provider() -> pulumi.Output[Any]:
    return ClusterOidcProvider("oidc", {"issuer": ISSUER}).arn


def existing_driver() -> pulumi.Output[Any]:
    return EbsCsiAddon("ebs-csi", {**DRIVER, "existing": True}).role_arn


def new_driver(**more: Any) -> pulumi.Output[Any]:
    return EbsCsiAddon("ebs-csi", {**DRIVER, **more}).role_arn


def generated_driver() -> pulumi.Output[Any]:
    return new_driver(permissions="generated")


def newest_driver() -> pulumi.Output[Any]:
    driver = EbsCsiAddon("ebs-csi", {**DRIVER, "most_recent": True, "kubernetes_version": "1.35"})
    return driver.addon_version


def addons() -> pulumi.Output[Any]:
    after: Any = {"stage": "after_nodes", "versions": "default", "kubernetes_version": "1.35"}
    return ClusterAddons("addons", {"cluster_name": "prod", **after}).versions


def role() -> pulumi.Output[Any]:
    accounts: Any = [{"namespace": "orders", "name": "orders"}]
    policies = ["AmazonS3ReadOnlyAccess"]
    irsa_role = IrsaRole(
        "role", {"role_name": "orders", "service_accounts": accounts, "managed_policies": policies, **TRUSTED}
    )
    return pulumi.Output.all(irsa_role.arn, *[each.policy_arn for each in irsa_role.attachments])


def network(**more: Any) -> pulumi.Output[Any]:
    return Network("network", {**more}).private_subnet_ids


def endpoints() -> pulumi.Output[Any]:
    return network(interface_endpoints=["sts"])


def storage_class() -> pulumi.Output[Any]:
    return EbsStorageClass("storage", {"class_name": "gp2"}).name


def new_cluster() -> pulumi.Output[Any]:
    vpc: Any = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-a", "subnet-b"]}
    return EksCluster("cluster", {"cluster_name": "prod", "version": "1.35", **vpc}).kubeconfig


CLUSTER = "aws:eks/getCluster:getCluster"
WHOLE: Any = {
    "name": "prod",
    "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
    "version": "1.35",
    "status": "ACTIVE",
    "endpoint": "https://1.eks.amazonaws.com",
    "certificateAuthorities": [{"data": "Q0E="}],
    "identities": [{"oidcs": [{"issuer": ISSUER}]}],
    "vpcConfig": {"clusterSecurityGroupId": "sg-1", "securityGroupIds": []},
}
LOOKUPS: list[tuple[Callable[[], pulumi.Output[Any]], str, str, str]] = [
    (existing_cluster, CLUSTER, "(name='prod')", "status"),
    (existing_provider, "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", f"(url='{ISSUER}')", "arn"),
    (
        existing_driver,
        "aws:eks/getAddon:getAddon",
        "(clusterName='prod', addonName='aws-ebs-csi-driver')",
        "addon_version",
    ),
    (existing_driver, CLUSTER, "(name='prod')", "arn"),
    (existing_driver, "aws:iam/getRole:getRole", "(name='prod-ebs-csi-driver')", "arn"),
    (
        existing_driver,
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        "(arn='arn:aws:iam::",
        "client_id_lists",
    ),
    (new_provider, "aws:index/getCallerIdentity:getCallerIdentity", "()", "arn"),
    (generated_driver, "aws:index/getCallerIdentity:getCallerIdentity", "()", "arn"),
    (generated_driver, "aws:index/getRegion:getRegion", "()", "region"),
    (newest_driver, "aws:eks/getAddonVersion:getAddonVersion", "(addonName='aws-ebs-csi-driver')", "version"),
    (addons, "aws:eks/getAddonVersion:getAddonVersion", "(addonName='coredns')", "version"),
    (role, "aws:index/getPartition:getPartition", "()", "partition"),
    (network, "aws:index/getAvailabilityZones:getAvailabilityZones", "(state='available')", "names"),
    (network, "aws:index/getRegion:getRegion", "()", "region"),
    (network, "aws:index/getCallerIdentity:getCallerIdentity", "()", "account_id"),
    (
        endpoints,
        "aws:ec2/getVpcEndpointService:getVpcEndpointService",
        "(service_name=['com.amazonaws.eu-west-1.sts'",
        "service_name",
    ),
]


def failure(mocks: Mocks, component: Callable[[], pulumi.Output[Any]], *, preview: bool = False) -> str:
    pulumi.runtime.set_mocks(mocks, preview=preview)
    with pytest.raises(Exception) as error:  # noqa: PT011 - each test checks the text
        pulumi.runtime.test(component)()
    return str(error.value)


@pytest.mark.parametrize("answer", [None, {}, ({}, None)], ids=["None", "empty", "base-class"])
@pytest.mark.parametrize(("component", "token", "arguments", "field"), LOOKUPS)
def test_an_empty_result_reports_the_lookup(
    component: Callable[[], pulumi.Output[Any]],
    token: str,
    arguments: str,
    field: str,
    answer: Any,
    preview: bool,
) -> None:
    message = failure(Mocks(lookups={token: lambda _: answer}), component, preview=preview)
    assert f"{token}(" in message
    assert "the answer cannot be used: " in message
    if answer == {}:
        assert f"{token}{arguments}" in message
        assert f"`{field}` is missing. " in message


@pytest.mark.parametrize(
    ("field", "missing"),
    [
        ("name", "name"),
        ("arn", "arn"),
        ("version", "version"),
        ("endpoint", "endpoint"),
        ("certificateAuthorities", "certificate_authorities.0.data"),
        ("identities", "identities"),
        ("vpcConfig", "vpc_config.cluster_security_group_id"),
    ],
)
def test_a_missing_field_of_an_existing_cluster_is_reported(field: str, missing: str) -> None:
    partial = {key: value for key, value in WHOLE.items() if key != field}
    message = failure(Mocks(lookups={CLUSTER: lambda _: partial}), existing_cluster)
    assert f"{CLUSTER}(name='prod'): the answer cannot be used: `{missing}` is missing." in message


@pytest.mark.parametrize(
    ("token", "component", "partial", "missing"),
    [
        (
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
            existing_provider,
            {"arn": TRUSTED["provider_arn"]},
            "client_id_lists",
        ),
        ("aws:index/getAvailabilityZones:getAvailabilityZones", network, {"names": ["eu-west-1a"]}, "zone_ids"),
        (
            "aws:index/getAvailabilityZones:getAvailabilityZones",
            network,
            {"names": ["eu-west-1a", "eu-west-1b"], "zoneIds": ["euw1-az1"]},
            "zone_ids.1",
        ),
        ("aws:index/getCallerIdentity:getCallerIdentity", new_provider, {"accountId": "123456789012"}, "arn"),
        (
            "aws:eks/getAddon:getAddon",
            existing_driver,
            {"serviceAccountRoleArn": "arn:aws:iam::1:role/x"},
            "addon_version",
        ),
    ],
)
def test_a_missing_field_of_a_result_is_reported(
    token: str, component: Callable[[], pulumi.Output[Any]], partial: Any, missing: str
) -> None:
    message = failure(Mocks(lookups={token: lambda _: partial}), component)
    assert f"{token}(" in message
    assert f"`{missing}` is missing" in message


@pytest.mark.parametrize("read", [{}, {"metadata": {"name": "gp2"}}])
def test_a_storage_class_without_provisioner_reports_the_read(read: Any) -> None:
    message = failure(Mocks(outputs={"kubernetes:storage.k8s.io/v1:StorageClass": lambda _: read}), storage_class)
    assert (
        "kubernetes:storage.k8s.io/v1:StorageClass.get(id='gp2'): the answer cannot be used: `provisioner`" in message
    )


@pytest.mark.parametrize(
    ("cluster", "missing"),
    [
        ({"identities": None}, "0.oidcs.0.issuer"),
        ({"certificateAuthority": None}, "data"),
        ({"vpcConfig": None}, "cluster_security_group_id"),
    ],
)
def test_a_missing_output_of_a_new_cluster_is_reported(cluster: Any, missing: str) -> None:
    message = failure(Mocks(outputs={"eks:index:Cluster": cluster}), new_cluster)
    assert f"`{missing}` is missing" in message
    assert "eks:index:Cluster.eksCluster" in message


def node_group() -> pulumi.Output[Any]:
    args: Any = {"cluster_name": "prod", "subnet_ids": ["subnet-a"], "instance_types": ["m7i.large"]}
    return NodeGroup("nodes", args).group_names


@pytest.mark.parametrize(
    ("component", "type_", "outputs", "call", "problem"),
    [
        (
            node_group,
            "aws:ec2/launchTemplate:LaunchTemplate",
            {"latestVersion": None},
            "aws:ec2/launchTemplate:LaunchTemplate()",
            "`latest_version` is missing",
        ),
        (new_cluster, "eks:index:Cluster", None, "eks:index:Cluster.eksCluster()", "there is none"),
    ],
)
def test_a_missing_output_of_a_resource_is_reported(
    component: Callable[[], pulumi.Output[Any]], type_: str, outputs: Any, call: str, problem: str
) -> None:
    class OwnMocks(Mocks):
        """Mocks that return the inputs as the outputs, as in Pulumi's documentation."""

        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            return (f"{args.name}-id", dict(args.inputs)) if outputs is None else super().new_resource(args)

    message = failure(OwnMocks(outputs={type_: outputs} if outputs else {}), component)
    assert f"{call}: the answer cannot be used: {problem}." in message


def test_results_are_unknown_when_the_provider_is_unknown_at_preview() -> None:
    # The engine returns `{}` for such a provider. The output is then unknown, not an error.
    empty = dict.fromkeys(["aws:index/getPartition:getPartition", "aws:index/getCallerIdentity:getCallerIdentity"])

    def program() -> pulumi.Output[Any]:
        own = pulumi.ResourceOptions(providers=[aws.Provider("own", region="eu-west-1")])
        oidc = ClusterOidcProvider("oidc", {"issuer": ISSUER}, own)

        async def check() -> None:
            assert not await oidc.arn.is_known()

        return pulumi.Output.from_input(check())

    pulumi.runtime.set_mocks(Mocks(lookups={token: lambda _: {} for token in empty}), preview=True)
    pulumi.runtime.test(program)()


def test_an_unsupported_lookup_reports_how_to_mock_it() -> None:
    message = failure(Mocks(), lambda: aws.ec2.get_vpc_output(default=True))
    assert re.search(
        r"aws:ec2/getVpc:getVpc: no answer. Give one in Mocks\(lookups=\{'aws:ec2/getVpc:getVpc': …\}\)", message
    )
