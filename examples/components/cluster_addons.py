import pulumi

from eks_rocketmq import ClusterAddons, ClusterOidcProvider, ExistingEksCluster, NodeGroup

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
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
    "nodes",
    {
        "cluster_name": cluster.name,
        "subnet_ids": ["subnet-0a", "subnet-0b", "subnet-0c"],
        "instance_types": ["m7i.large"],
    },
    # A node is ready once a pod network gives it addresses.
    pulumi.ResourceOptions(depends_on=[base]),
)
dns = ClusterAddons(
    "dns",
    {"cluster_name": cluster.name, "stage": "after_nodes"},
    # CoreDNS is ready once its pods run somewhere.
    pulumi.ResourceOptions(depends_on=[nodes]),
)
