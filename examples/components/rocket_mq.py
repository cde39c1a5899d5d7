import pulumi

from eks_rocketmq import RocketMq

rocketmq = RocketMq(
    "orders",
    {
        "namespace": "orders",
        "storage_class": "gp2",
        "broker_groups": [{"name": "broker-a", "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}],
        "name_servers": {"replicas": 2, "memory": "512Mi", "cpu": "100m"},
        "controllers": {"replicas": 3, "memory": "768Mi", "cpu": "100m", "storage": "10Gi"},
        "proxies": {"replicas": 2, "memory": "1Gi", "cpu": "250m"},
    },
)
pulumi.export("proxy", rocketmq.proxy_endpoint)
