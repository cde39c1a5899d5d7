"""Deploy a working EBS CSI driver and RocketMQ to an existing EKS cluster."""

import pulumi

from eks_rocketmq import ClusterOidcProvider, EbsCsiAddon, EbsStorageClass, ExistingEksCluster, RocketMq

config = pulumi.Config()

cluster = ExistingEksCluster("cluster", {"cluster_name": config.require("clusterName")})
in_cluster = pulumi.ResourceOptions(provider=cluster.provider)
oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer})
driver = EbsCsiAddon(
    "ebs-csi",
    {
        "cluster_name": cluster.name,
        "issuer": oidc.issuer,
        "provider_arn": oidc.arn,
        "role_name": "eks-ebs-csi-driver",
    },
)
storage = EbsStorageClass("storage", {"class_name": "gp2", "allow_volume_expansion": True}, in_cluster)
rocketmq = RocketMq(
    "orders",
    {
        "namespace": "orders",
        "storage_class": storage.name,
        "broker_groups": [{"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}],
        "name_servers": {"replicas": 2, "memory": "512Mi", "cpu": "100m"},
        "controllers": {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
        "proxies": {"replicas": 2, "memory": "1Gi", "cpu": "250m"},
    },
    # Claims bind only if the driver can assume its role and the StorageClass is correct.
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[driver, storage]),
)

pulumi.export("proxy", rocketmq.proxy_endpoint)
