"""Program of the stacks: an AWS account, an EKS cluster with EBS storage, and Apache RocketMQ on it."""

import pulumi

from eks_rocketmq import EbsCsiAddon, EbsStorageClass, RocketMq
from eks_rocketmq.args.planned_args import complete_args
from eks_rocketmq.pulumi_sdk.performance import speed_up_large_programs
from eks_rocketmq.stack.error_report import in_stack_file
from eks_rocketmq.stack.settings import load
from eks_rocketmq.stack.stack_paths import EBS_CSI, ROCKETMQ, STORAGE
from eks_rocketmq.stack.verification import verification_commands
from kubernetes_cluster import create_cluster

speed_up_large_programs()
config = load()

stack_cluster = create_cluster(config)
cluster, oidc = stack_cluster.cluster, stack_cluster.oidc
# EKS waits for the addon's pods, which need nodes. It creates its own StorageClass after the API server is ready.
after_nodes = pulumi.ResourceOptions(provider=cluster.provider, depends_on=stack_cluster.nodes)
with in_stack_file(EBS_CSI):
    driver = EbsCsiAddon(
        "ebs-csi",
        complete_args(
            config.ebs_csi,
            issuer=oidc.issuer,
            provider_arn=oidc.arn,
            kubernetes_version=cluster.version,
            kubeconfig=cluster.kubeconfig,
        ),
        after_nodes,
    )
with in_stack_file(STORAGE):
    storage = EbsStorageClass("storage", complete_args(config.storage, kubeconfig=cluster.kubeconfig), after_nodes)
with in_stack_file(ROCKETMQ):
    rocketmq = RocketMq(
        "rocketmq",
        complete_args(config.rocketmq, storage_class=storage.name),
        # Claims bind only if the driver can assume its role and the StorageClass is correct.
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
    pulumi.export("loadBalancerAddress", rocketmq.load_balancer_address)
if "access" in config.rocketmq:
    pulumi.export("passwords", rocketmq.passwords)
chain = {"cluster_arn": cluster.arn, "provider_arn": oidc.arn, "role_arn": driver.role_arn}
known = pulumi.Output.all(**chain, namespace=rocketmq.namespace)
pulumi.export("verify", known.apply(lambda values: verification_commands(**values)))
