import pulumi

from eks_rocketmq import ExistingEksCluster

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
in_cluster = pulumi.ResourceOptions(provider=cluster.provider)
