"""A program that creates a cluster and RocketMQ, and its counterpart for an existing cluster."""

from pulumi import ResourceOptions

from eks_rocketmq import (
    ClusterAddons,
    ClusterOidcProvider,
    EbsCsiAddon,
    EbsStorageClass,
    EksCluster,
    ExistingEksCluster,
    Network,
    NodeGroup,
    RocketMq,
)
from tests.unit.rocketmq_case import args

ZONES = 3


def everything() -> None:
    """Create network, cluster, addons before and after the nodes, storage and RocketMQ."""
    network = Network("network", {"zone_count": ZONES})
    cluster = EksCluster(
        "cluster",
        {
            "cluster_name": "prod",
            "version": "1.35",
            "vpc_id": network.vpc_id,
            "subnet_ids": network.private_subnet_ids,
            "public_access_cidrs": ["203.0.113.0/24"],
        },
    )
    oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer})
    base = ClusterAddons(
        "base",
        {
            "cluster_name": cluster.name,
            "stage": "before_nodes",
            "vpc_cni": {"role_name": "prod-vpc-cni", "issuer": oidc.issuer, "provider_arn": oidc.arn},
        },
    )
    nodes = NodeGroup(
        "brokers",
        {
            "cluster_name": cluster.name,
            "subnet_ids": network.private_subnet_ids,
            "zone_count": ZONES,
            "instance_types": ["m7g.large"],
            "version": cluster.version,
        },
        # A node becomes ready after the VPC CNI is installed.
        ResourceOptions(depends_on=[base]),
    )
    names = ClusterAddons(
        "names",
        {"cluster_name": cluster.name, "stage": "after_nodes"},
        # CoreDNS becomes ready after its pods are scheduled on a node.
        ResourceOptions(depends_on=[nodes]),
    )
    messages(cluster, oidc, ResourceOptions(depends_on=[nodes, names]))


def on_an_existing_cluster() -> None:
    """Create storage and RocketMQ on an existing cluster with nodes and addons."""
    cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
    messages(cluster, ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer}), ResourceOptions())


def messages(cluster: EksCluster | ExistingEksCluster, oidc: ClusterOidcProvider, after: ResourceOptions) -> None:
    """Create storage and RocketMQ on a cluster with nodes. Use only outputs of both cluster components."""
    driver = EbsCsiAddon(
        "ebs-csi",
        {
            "cluster_name": cluster.name,
            "issuer": oidc.issuer,
            "provider_arn": oidc.arn,
            "role_name": "prod-ebs-csi-driver",
            "permissions": "v2",
        },
        after,
    )
    storage = EbsStorageClass(
        "storage", {"class_name": "rocketmq-gp3", "create": True}, ResourceOptions(provider=cluster.provider)
    )
    RocketMq(
        "rocketmq",
        args(storage_class=storage.name),
        ResourceOptions(provider=cluster.provider, depends_on=[driver, storage]),
    )
