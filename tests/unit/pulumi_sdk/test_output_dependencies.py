"""Dependencies of component outputs: a consumer depends on the resources behind the output."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from eks_rocketmq import ClusterOidcProvider, EbsCsiAddon, EbsStorageClass, EksCluster, IrsaRole, Network, RocketMq
from tests.unit.harness import UNKNOWN, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.rocketmq_case import args

PROVIDER_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
TRUSTED = {"issuer": ISSUER, "provider_arn": PROVIDER_ARN}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}
ROLE: Any = {
    **TRUSTED,
    "role_name": "orders",
    "service_accounts": [{"namespace": "orders", "name": "orders"}],
    "managed_policies": ["AmazonS3ReadOnlyAccess"],
    "inline_policies": {"own": POLICY},
    "pod_identity_clusters": {"prod": f"arn:aws:eks:ap-southeast-1:{ACCOUNT}:cluster/prod"},
}
ENTRY: Any = {
    "name": "team",
    "principal_arn": f"arn:aws:iam::{ACCOUNT}:role/team",
    "policies": [{"policy": "AmazonEKSViewPolicy"}],
}
PRINCIPAL = f"cluster-{ACCOUNT}/role/team"
OPTIONS: Any = {
    "external": {"type": "LoadBalancer", "source_ranges": ["10.0.0.0/8"]},
    "topics": [{"name": "orders"}],
    "access": {"users": [{"name": "orders", "permissions": [{"resources": ["Topic:orders"], "actions": ["Pub"]}]}]},
}


def rocketmq() -> pulumi.ComponentResource:
    return RocketMq("rocketmq", args())


def declared() -> pulumi.ComponentResource:
    return RocketMq("rocketmq", args(**OPTIONS))


def oidc() -> pulumi.ComponentResource:
    return ClusterOidcProvider("oidc", {"issuer": ISSUER})


def role() -> pulumi.ComponentResource:
    return IrsaRole("orders", ROLE)


def driver() -> pulumi.ComponentResource:
    return EbsCsiAddon("ebs-csi", {"cluster_name": "prod", "role_name": "driver", **TRUSTED})


def network() -> pulumi.ComponentResource:
    return Network("network", {})


def cluster() -> pulumi.ComponentResource:
    vpc: Any = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-a", "subnet-b"], "access_entries": [ENTRY]}
    return EksCluster("cluster", {"cluster_name": "prod", "version": "1.35", **vpc})


def storage_class() -> pulumi.ComponentResource:
    return EbsStorageClass("storage", {"class_name": "fast", "create": True})


BEHIND: list[tuple[Callable[[], pulumi.ComponentResource], str, set[str]]] = [
    (rocketmq, "namespace", {"rocketmq-namespace"}),
    (rocketmq, "name_server_addresses", {"rocketmq-nameserver-set", "rocketmq-nameserver-peers"}),
    (rocketmq, "proxy_endpoint", {"rocketmq-proxy-deployment", "rocketmq-proxy-service"}),
    (declared, "proxy_endpoint", {"rocketmq-proxy-deployment", "rocketmq-declarations-deployment"}),
    (declared, "external_endpoint", {"rocketmq-external-service", "rocketmq-proxy-deployment"}),
    (declared, "load_balancer_address", {"rocketmq-external-service"}),
    (declared, "passwords", {"rocketmq-credentials-user-orders", "rocketmq-declarations-deployment"}),
    (oidc, "arn", {"oidc-provider"}),
    (oidc, "issuer", {"oidc-provider"}),
    (role, "arn", {"orders-role", "orders-AmazonS3ReadOnlyAccess", "orders-own", "orders-prod/orders/orders"}),
    (role, "name", {"orders-role", "orders-AmazonS3ReadOnlyAccess", "orders-own", "orders-prod/orders/orders"}),
    (driver, "role_arn", {"ebs-csi-driver-role", "ebs-csi-driver-AmazonEBSCSIDriverPolicy"}),
    (driver, "addon_version", {"ebs-csi-addon"}),
    (network, "private_subnet_ids", {"network-private-1", "network-s3"}),
    (network, "public_subnet_ids", {"network-public-1", "network-public"}),
    (cluster, "name", {"cluster-eks-eksCluster"}),
    (cluster, "kubeconfig", {"cluster-eks-eksCluster", PRINCIPAL, f"{PRINCIPAL}-AmazonEKSViewPolicy"}),
    (storage_class, "name", {"storage-new-class"}),
]
KNOWN_AT_PREVIEW = {
    *((create, output) for create in (rocketmq, declared) for output in ("name_server_addresses", "namespace")),
    *((create, "proxy_endpoint") for create in (rocketmq, declared)),
    *((oidc, output) for output in ("arn", "issuer")),
    (cluster, "name"),
    (role, "name"),
    (storage_class, "name"),
}


def run_consumer(component: Callable[[], pulumi.ComponentResource], output: str, *, preview: bool) -> Recording:
    """Run a program in which a ConfigMap of the user consumes the output."""

    def program() -> None:
        value = getattr(component(), output)
        k8s.core.v1.ConfigMap("application", data={"value": pulumi.Output.unsecret(value).apply(str)})

    return run(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(("component", "output", "behind"), BEHIND)
def test_a_consumer_of_an_output_depends_on_the_resources_behind_it(
    component: Callable[[], pulumi.ComponentResource], output: str, behind: set[str], *, preview: bool
) -> None:
    recording = run_consumer(component, output, preview=preview)
    (application,) = [each for each in recording.by_type("ConfigMap") if each.name == "application"]
    names = {recording.resources[urn].name for urn in application.property_dependencies["data"]}
    assert behind <= names
    data: Mapping[str, Any] = application.inputs["data"]
    assert (data["value"] != UNKNOWN) == (not preview or (component, output) in KNOWN_AT_PREVIEW)


@pytest.mark.parametrize(
    ("output", "behind"),
    [
        ("name_server_addresses", {"rocketmq-nameserver-set", "rocketmq-nameserver-peers"}),
        ("proxy_endpoint", {"rocketmq-proxy-deployment", "rocketmq-proxy-service"}),
    ],
)
def test_an_output_lists_its_resources(output: str, behind: set[str]) -> None:
    found: set[str] = set()

    def program() -> None:
        value: pulumi.Output[str] = getattr(RocketMq("rocketmq", args()), output)

        async def look() -> None:
            found.update(each.pulumi_resource_name for each in await value.resources())

        pulumi.Output.from_input(look())

    run(program)
    assert found == behind
