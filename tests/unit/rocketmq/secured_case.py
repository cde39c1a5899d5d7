"""Arguments of a RocketMQ with access control, TLS, topics and consumer groups, and what its pods get."""

from typing import Any

from tests.unit.harness import Recording
from tests.unit.rocketmq_case import container

DECLARATIONS = "rocketmq-declarations-deployment"
PROXIES = "rocketmq-proxy-deployment"
USERS: list[dict[str, Any]] = [
    {
        "name": "orders",
        "permissions": [
            {"resources": ["Topic:orders-*", "Group:orders"], "actions": ["Sub", "Pub"], "source_ips": ["10.0.0.0/8"]},
            {"resources": ["Topic:orders-secret"], "actions": ["All"], "decision": "Deny"},
        ],
    },
    {"name": "admin", "type": "Super", "password": "Chosen-by-a-person"},
    {"name": "former", "enabled": False},
]
EVERYTHING: dict[str, Any] = {
    "access": {"users": USERS},
    "tls": {"secret_name": "rocketmq-tls", "mode": "enforcing", "authority": "ca.crt"},
    "topics": [{"name": "orders-new", "type": "FIFO", "queues": 16, "write_queues": 8, "permission": "R"}],
    "consumer_groups": [{"name": "orders", "ordered": True, "max_retries": 3}],
}


def secret(recording: Recording, name: str) -> dict[str, str]:
    """Return the files of the Secret `internal` or `declared`."""
    secrets = (each.inputs for each in recording.by_type("Secret"))
    (found,) = (each for each in secrets if each["metadata"]["name"].startswith(f"rocketmq-{name}-"))
    return found["stringData"]


def environment(recording: Recording, name: str) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container(recording, name)["env"]}
