"""Every component with Pulumi's mocks, as users test their programs."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

import eks_rocketmq
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
    RocketMq,
)
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiPermissions
from eks_rocketmq.testing import Mocks

ACCOUNT = "123456789012"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
BROKERS: Any = {"namespace": "orders", "storage_class": "gp2", "broker_groups": [{"name": "broker-a"}]}


def run_with_mocks(program: Callable[[], Any], *, preview: bool) -> Mocks:
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, preview=preview)
    pulumi.runtime.test(program)()
    return mocks


def equal(output: pulumi.Output[Any], value: object) -> pulumi.Output[None]:
    """Assert the value of an output. An unknown output fails."""

    async def known() -> None:
        assert await output.is_known()
        assert await output.future() == value

    return pulumi.Output.from_input(known())


def unknown(output: pulumi.Output[Any]) -> pulumi.Output[None]:
    async def check() -> None:
        assert not await output.is_known()

    return pulumi.Output.from_input(check())


def test_outputs_of_an_existing_cluster_are_known_at_preview(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
        return pulumi.Output.all(
            equal(cluster.name, "prod"),
            equal(cluster.arn, CLUSTER),
            equal(cluster.version, "1.35"),
            equal(cluster.oidc_issuer, ISSUER),
            equal(cluster.security_group_ids, []),
            equal(cluster.kubeconfig.apply(json.loads)["current-context"], CLUSTER),
        )

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("pulumi:providers:kubernetes")["clusterIdentifier"] == CLUSTER


def test_the_arn_of_an_oidc_provider_is_known_at_preview(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        oidc = ClusterOidcProvider("oidc", {"issuer": ISSUER})
        return pulumi.Output.all(equal(oidc.arn, PROVIDER), equal(oidc.issuer, ISSUER))

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("OpenIdConnectProvider")["clientIdLists"] == ["sts.amazonaws.com"]


def test_an_existing_oidc_provider_is_read(preview: bool) -> None:
    mocks = run_with_mocks(
        lambda: equal(ClusterOidcProvider("oidc", {"issuer": ISSUER, "existing": True}).arn, PROVIDER),
        preview=preview,
    )
    assert mocks.names("OpenIdConnectProvider") == []


def test_a_role_trusts_one_service_account(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        role = IrsaRole(
            "orders",
            {
                "role_name": "orders",
                "issuer": ISSUER,
                "provider_arn": PROVIDER,
                "service_accounts": [{"namespace": "orders", "name": "api"}],
                "managed_policies": ["AmazonS3ReadOnlyAccess"],
            },
        )
        arn = f"arn:aws:iam::{ACCOUNT}:role/orders"
        return unknown(role.arn) if preview else equal(role.arn, arn)

    mocks = run_with_mocks(program, preview=preview)
    (statement,) = json.loads(mocks.inputs("aws:iam/role:Role")["assumeRolePolicy"])["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        f"{ISSUER.removeprefix('https://')}:aud": "sts.amazonaws.com",
        f"{ISSUER.removeprefix('https://')}:sub": "system:serviceaccount:orders:api",
    }
    assert mocks.inputs("RolePolicyAttachment")["policyArn"] == "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.mark.parametrize("permissions", ["legacy", "generated"])
def test_the_driver_has_its_role(permissions: EbsCsiPermissions, preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        driver = EbsCsiAddon(
            "ebs-csi",
            {
                "cluster_name": "prod",
                "role_name": "driver",
                "issuer": ISSUER,
                "provider_arn": PROVIDER,
                "permissions": permissions,
                "most_recent": True,
                "kubernetes_version": "1.35",
            },
        )
        return equal(driver.addon_version, "v1.62.0-eksbuild.1")

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("Addon")["addonName"] == "aws-ebs-csi-driver"
    assert mocks.inputs("Addon").get("serviceAccountRoleArn") == (
        None if preview else f"arn:aws:iam::{ACCOUNT}:role/driver"
    )


def test_an_existing_driver_is_read(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        driver = EbsCsiAddon("ebs-csi", {"cluster_name": "prod", "role_name": "driver", "existing": True})
        return equal(driver.role_arn, f"arn:aws:iam::{ACCOUNT}:role/prod-ebs-csi-driver")

    assert run_with_mocks(program, preview=preview).names("Addon") == []


def test_an_existing_storage_class_is_read_and_patched(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        storage = EbsStorageClass("storage", {"class_name": "gp2", "allow_volume_expansion": True})
        return pulumi.Output.all(equal(storage.name, "gp2"), equal(storage.provisioner, "kubernetes.io/aws-ebs"))

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("StorageClassPatch")["allowVolumeExpansion"] is True


def test_a_new_storage_class_is_encrypted(preview: bool) -> None:
    mocks = run_with_mocks(
        lambda: equal(EbsStorageClass("storage", {"class_name": "fast", "create": True}).name, "fast"),
        preview=preview,
    )
    assert mocks.inputs("StorageClass")["parameters"]["encrypted"] == "true"


def test_a_network_spans_three_zones(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        network = Network("network", {"interface_endpoints": ["sts"]})
        ids = network.private_subnet_ids
        return pulumi.Output.all(
            equal(network.zones, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
            unknown(ids) if preview else equal(ids.apply(lambda known: len(set(known))), 3),
        )

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("Vpc")["cidrBlock"] == "10.0.0.0/16"
    assert len(mocks.names("Subnet")) == 6
    assert mocks.inputs("VpcEndpoint", "network-sts")["serviceName"] == "com.amazonaws.eu-west-1.sts"


def test_a_new_cluster_has_the_outputs_of_an_existing_one(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        cluster = EksCluster(
            "cluster",
            {
                "cluster_name": "prod",
                "version": "1.35",
                "vpc_id": "vpc-1",
                "subnet_ids": ["subnet-a", "subnet-b"],
                "access_entries": [
                    {
                        "name": "team",
                        "principal_arn": f"arn:aws:iam::{ACCOUNT}:role/team",
                        "policies": [{"policy": "AmazonEKSViewPolicy"}],
                    }
                ],
            },
        )
        if preview:
            return pulumi.Output.all(equal(cluster.name, "prod"), unknown(cluster.oidc_issuer))
        return pulumi.Output.all(
            equal(cluster.name, "prod"),
            equal(cluster.arn, CLUSTER),
            equal(cluster.oidc_issuer, ISSUER),
            equal(cluster.cluster_security_group_id, "sg-0c1a5703"),
            equal(cluster.kubeconfig.apply(json.loads)["current-context"], CLUSTER),
        )

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("eks:index:Cluster")["authenticationMode"] == "API"
    assert mocks.names("AccessPolicyAssociation") == [f"cluster-{ACCOUNT}/role/team-AmazonEKSViewPolicy"]


def test_each_subnet_has_its_own_node_group(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        nodes = NodeGroup(
            "general",
            {"cluster_name": "prod", "subnet_ids": ["subnet-a", "subnet-b"], "instance_types": ["m7i.large"]},
        )
        names = nodes.group_names
        return unknown(names) if preview else equal(names.apply(len), 2)

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("NodeGroup", "general-1")["subnetIds"] == ["subnet-a"]


def test_addons_return_their_versions(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        addons = ClusterAddons(
            "addons",
            {
                "cluster_name": "prod",
                "stage": "before_nodes",
                "versions": "latest",
                "kubernetes_version": "1.35",
                "vpc_cni": {"role_name": "cni", "issuer": ISSUER, "provider_arn": PROVIDER},
            },
        )
        return equal(addons.versions, dict.fromkeys(["kube-proxy", "vpc-cni"], "v1.62.0-eksbuild.1"))

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.names("Addon") == ["addons-kube-proxy", "addons-vpc-cni"]


def test_rocketmq_returns_its_endpoints(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        rocketmq = RocketMq("orders", BROKERS)
        return pulumi.Output.all(
            equal(rocketmq.namespace, "orders"),
            equal(rocketmq.proxy_endpoint, "rocketmq-proxy.orders.svc:8081"),
            equal(rocketmq.external_endpoint, None),
            equal(rocketmq.load_balancer_address, None),
            equal(rocketmq.passwords, {}),
        )

    mocks = run_with_mocks(program, preview=preview)
    assert mocks.inputs("StatefulSet", "orders-broker-a-set")["spec"]["replicas"] == 3


def test_rocketmq_returns_passwords_and_the_external_endpoint(preview: bool) -> None:
    users: Any = [{"name": "api", "permissions": [{"resources": ["Topic:orders"], "actions": ["Pub"]}]}]
    external: Any = {"type": "LoadBalancer", "source_ranges": ["10.0.0.0/8"]}

    def program() -> pulumi.Output[Any]:
        rocketmq = RocketMq("orders", {**BROKERS, "access": {"users": users}, "external": external})
        if preview:
            outputs = rocketmq.passwords, rocketmq.external_endpoint, rocketmq.load_balancer_address
            return pulumi.Output.all(*map(unknown, outputs))
        return pulumi.Output.all(
            equal(rocketmq.passwords.apply(lambda known: len(known["api"])), 32),
            equal(rocketmq.external_endpoint, "rocketmq-proxy-external.elb.example.com:8081"),
            equal(rocketmq.load_balancer_address, "rocketmq-proxy-external.elb.example.com"),
        )

    run_with_mocks(program, preview=preview)


@pytest.mark.parametrize("again", [True, False], ids=["new-mocks", "same-mocks"])
def test_several_tests_of_a_process_can_create_the_same_rocketmq(again: bool, preview: bool) -> None:
    # The documentation of Pulumi calls set_mocks once for all tests of a module.
    @pulumi.runtime.test
    def program() -> pulumi.Output[Any]:
        return equal(RocketMq("orders", BROKERS).namespace, "orders")

    pulumi.runtime.set_mocks(Mocks(), preview=preview)
    program()
    if again:
        pulumi.runtime.set_mocks(Mocks(), preview=preview)
    program()


def test_a_component_uses_an_explicit_provider(preview: bool) -> None:
    def program() -> pulumi.Output[Any]:
        own = aws.Provider("own", region="eu-west-1")
        oidc = ClusterOidcProvider("oidc", {"issuer": ISSUER}, pulumi.ResourceOptions(providers=[own]))
        return equal(oidc.arn, PROVIDER)

    run_with_mocks(program, preview=preview)


def test_every_component_is_tested_here() -> None:
    public = {
        name
        for name in eks_rocketmq.__all__
        if isinstance(each := getattr(eks_rocketmq, name), type) and issubclass(each, pulumi.ComponentResource)
    }
    called = {
        node.func.id
        for node in ast.walk(ast.parse(Path(__file__).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert public <= called
