"""From an EKS cluster to an Apache RocketMQ that keeps its messages on EBS, in the order of the chain."""

import pulumi

from eks_rocketmq import (
    ClusterOidcProvider,
    EbsCsiAddon,
    EbsStorageClass,
    ExistingEksCluster,
    RocketMq,
)
from eks_rocketmq.settings import load
from eks_rocketmq.verification import verification_commands

config = load()

cluster = ExistingEksCluster("cluster", config.cluster)
oidc = ClusterOidcProvider("oidc", {"issuer": cluster.oidc_issuer, "existing": config.oidc_provider_exists})
driver = EbsCsiAddon(
    "ebs-csi",
    {
        "cluster_name": cluster.name,
        "issuer": oidc.issuer,
        "provider_arn": oidc.arn,
        "role_name": config.ebs_csi_role_name,
        "permissions": config.ebs_csi_permissions,
        "existing": config.ebs_csi_driver_exists,
    },
)
storage = EbsStorageClass(
    "storage",
    {"class_name": config.storage_class, "allow_volume_expansion": config.allow_volume_expansion},
    pulumi.ResourceOptions(provider=cluster.provider),
)
rocketmq = RocketMq(
    "rocketmq",
    {**config.rocketmq, "storage_class": storage.name},
    # Claims bind only once the driver has an identity that works and the class is as it should be.
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[driver, storage]),
)

pulumi.export("clusterName", cluster.name)
pulumi.export("oidcIssuer", cluster.oidc_issuer)
pulumi.export("oidcProviderArn", oidc.arn)
pulumi.export("ebsCsiRoleArn", driver.role_arn)
pulumi.export("storageClass", storage.name)
pulumi.export("namespace", rocketmq.namespace)
pulumi.export("nameServerAddresses", rocketmq.name_server_addresses)
pulumi.export("proxyEndpoint", rocketmq.proxy_endpoint)
pulumi.export(
    "verify",
    pulumi.Output.all(
        cluster_arn=cluster.arn,
        provider_arn=oidc.arn,
        role_arn=driver.role_arn,
        namespace=rocketmq.namespace,
    ).apply(lambda known: verification_commands(**known)),
)
