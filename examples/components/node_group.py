from eks_rocketmq import ExistingEksCluster, NodeGroup

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
# One group for each of three zones, two nodes in each.
nodes = NodeGroup(
    "nodes",
    {
        "cluster_name": cluster.name,
        "subnet_ids": ["subnet-0a", "subnet-0b", "subnet-0c"],
        "instance_types": ["m7i.large"],
        "desired_size": 2,
        "version": cluster.version,
    },
)
