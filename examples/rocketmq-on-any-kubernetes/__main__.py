"""A small RocketMQ for development, on any Kubernetes with a StorageClass."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_rocketmq import RocketMq

config = pulumi.Config()

provider = kubernetes.Provider("kubernetes", context=config.require("context"))
rocketmq = RocketMq(
    "dev",
    {
        "namespace": "rocketmq-dev",
        "storage_class": config.require("storageClass"),
        # One member: an acknowledged message survives a restart, not the loss of its volume.
        "profile": "dev",
        "broker_groups": [{"name": "broker-a", "replicas": 1, "memory": "1536Mi", "cpu": "200m", "storage": "10Gi"}],
        "name_servers": {"replicas": 1, "memory": "320Mi", "cpu": "50m"},
        "controllers": {"replicas": 1, "memory": "512Mi", "cpu": "50m", "storage": "1Gi"},
        "proxies": {"replicas": 1, "memory": "768Mi", "cpu": "100m"},
        # A development stack may be destroyed with its messages.
        "protect_data": False,
    },
    pulumi.ResourceOptions(provider=provider),
)

pulumi.export("nameServers", rocketmq.name_server_addresses)
pulumi.export("proxy", rocketmq.proxy_endpoint)
