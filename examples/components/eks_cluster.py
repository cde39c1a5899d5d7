from eks_rocketmq import EksCluster, Network

network = Network("network", {"cluster_name": "prod"})
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
