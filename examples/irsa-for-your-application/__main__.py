"""Create a role to read S3 that only the service account of your application can assume."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_rocketmq import ClusterOidcProvider, ExistingEksCluster, IrsaRole

config = pulumi.Config()
namespace = config.get("namespace") or "default"

cluster = ExistingEksCluster("cluster", {"cluster_name": config.require("clusterName")})
# Another stack manages the provider. IAM accepts one provider for each issuer.
oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer, "existing": True})
role = IrsaRole(
    "orders",
    {
        "role_name": "orders-application",
        "issuer": oidc.issuer,
        "provider_arn": oidc.arn,
        "service_accounts": [{"namespace": namespace, "name": "orders"}],
        "managed_policies": ["AmazonS3ReadOnlyAccess"],
    },
)
account = kubernetes.core.v1.ServiceAccount(
    "orders",
    metadata={
        "name": "orders",
        "namespace": namespace,
        "annotations": {"eks.amazonaws.com/role-arn": role.arn},
    },
    opts=pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("roleArn", role.arn)
