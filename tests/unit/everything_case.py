"""RocketMQ with every option, so that options that the stack files omit have committed URNs and a recorded state."""

from typing import Any

from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.rocketmq_case import args

OPTIONS: dict[str, Any] = {
    "access": {
        "users": [
            {"name": "orders", "permissions": [{"resources": ["Topic:orders-*"], "actions": ["Pub", "Sub"]}]},
            {"name": "admin", "type": "Super", "password": "Chosen-by-a-person"},
            {"name": "former", "enabled": False},
        ]
    },
    "tls": {"secret_name": "rocketmq-tls", "mode": "enforcing", "authority": "ca.crt"},
    "topics": [{"name": "orders-new", "type": "FIFO", "queues": 16}],
    "consumer_groups": [{"name": "orders", "ordered": True}],
    "network_policies": {"clients": [{"cidr": "10.0.0.0/8"}], "egress": True},
    "monitoring": {
        "monitor": "pod",
        "monitor_labels": {"release": "kps"},
        "alerts": {},
        "grafana_dashboard": {},
    },
    "external": {"type": "NodePort", "node_port": 30081, "hostname": "mq.example.com"},
    "dashboard": {"login_secret": "console-users", "credentials_secret": "console-user"},
}


def everything() -> None:
    """Create a RocketMq with two broker groups, so that the lists contain a second one."""
    groups = [
        {"name": name, "replicas": 3, "memory": "4Gi", "cpu": "500m", "storage": "100Gi"}
        for name in ("broker-a", "broker-b")
    ]
    RocketMq("rocketmq", args(broker_groups=groups, **OPTIONS))
