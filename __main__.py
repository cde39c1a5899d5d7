"""From an AWS account to an Apache RocketMQ that keeps its messages on EBS, in the order of the chain."""

import pulumi

from eks_rocketmq import EbsCsiAddon, EbsStorageClass, RocketMq
from eks_rocketmq.pulumi_sdk.performance import speed_up_large_programs
from eks_rocketmq.stack.settings import load
from eks_rocketmq.stack.verification import verification_commands
from kubernetes_cluster import create_cluster

speed_up_large_programs()
config = load()

base = create_cluster(config)
cluster, oidc = base.cluster, base.oidc
# EKS waits for the addon's pods, which need nodes, and makes its own class after a new API server answers.
ready = pulumi.ResourceOptions(provider=cluster.provider, depends_on=base.nodes)
driver = EbsCsiAddon(
    "ebs-csi",
    {
        **config.ebs_csi,
        "issuer": oidc.issuer,
        "provider_arn": oidc.arn,
        "kubernetes_version": cluster.version,
        "kubeconfig": cluster.kubeconfig,
    },
    ready,
)
storage = EbsStorageClass("storage", {**config.storage, "kubeconfig": cluster.kubeconfig}, ready)
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
if "external" in config.rocketmq:
    pulumi.export("externalEndpoint", rocketmq.external_endpoint)
if "access" in config.rocketmq:
    pulumi.export("passwords", rocketmq.passwords)
pulumi.export(
    "verify",
    pulumi.Output.all(
        cluster_arn=cluster.arn,
        provider_arn=oidc.arn,
        role_arn=driver.role_arn,
        namespace=rocketmq.namespace,
    ).apply(lambda known: verification_commands(**known)),
)
