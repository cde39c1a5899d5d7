from eks_rocketmq import ClusterOidcProvider, ExistingEksCluster

cluster = ExistingEksCluster("cluster", {"cluster_name": "prod"})
oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer})
