from eks_rocketmq import ClusterOidcProvider, EbsCsiAddon, ExistingEksCluster

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
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
