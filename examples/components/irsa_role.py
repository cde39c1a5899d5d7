from eks_rocketmq import ClusterOidcProvider, ExistingEksCluster, IrsaRole

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer})
role = IrsaRole(
    "orders",
    {
        "role_name": "orders-application",
        "issuer": oidc.issuer,
        "provider_arn": oidc.arn,
        "service_accounts": [{"namespace": "orders", "name": "orders"}],
        "managed_policies": ["AmazonS3ReadOnlyAccess"],
    },
)
