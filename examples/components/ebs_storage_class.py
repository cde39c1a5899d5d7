import pulumi

from eks_rocketmq import EbsStorageClass, ExistingEksCluster

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
storage = EbsStorageClass(
    "storage",
    {"class_name": "gp2", "allow_volume_expansion": True},
    pulumi.ResourceOptions(provider=cluster.provider),
)
