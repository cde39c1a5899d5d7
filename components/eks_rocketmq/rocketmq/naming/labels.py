"""Names, labels and host names of what one RocketMQ is made of. Pure."""

APP = "rocketmq"
CLUSTER = "rocketmq"
"""Name of the RocketMQ cluster, `brokerClusterName`."""
GROUP_LABEL = "rocketmq.apache.org/broker-group"

NAME_SERVER = "nameserver"
CONTROLLER = "controller"
BROKER = "broker"
PROXY = "proxy"
DECLARATIONS = "declarations"
MONITORING = "monitoring"
DASHBOARD = "dashboard"


def app(role: str) -> str:
    """The value of the short label `app`, such as `rocketmq-broker`, that runbooks select by."""
    return f"{APP}-{role}"


def selector(role: str, group: str | None = None) -> dict[str, str]:
    """What picks the pods of a role, or of one broker group. A StatefulSet's selector can never change."""
    labels = {"app": app(role), "app.kubernetes.io/name": APP, "app.kubernetes.io/component": role}
    return labels if group is None else labels | {GROUP_LABEL: group}


def labels(role: str, version: str, group: str | None = None) -> dict[str, str]:
    """Labels of every object of a role: the selector and Kubernetes' recommended ones."""
    return selector(role, group) | {
        "app.kubernetes.io/part-of": APP,
        "app.kubernetes.io/managed-by": "pulumi",
        "app.kubernetes.io/version": version,
    }


def group_name(group: str) -> str:
    """Name of a broker group's StatefulSet."""
    return f"{APP}-{group}"


def peers_service(workload: str) -> str:
    """Name of the headless Service that gives the pods of a StatefulSet their host names."""
    return f"{workload}-peers"


def pod_hosts(workload: str, replicas: int, namespace: str) -> list[str]:
    """Stable host names of a StatefulSet's pods, by ordinal."""
    return [f"{workload}-{i}.{peers_service(workload)}.{namespace}.svc" for i in range(replicas)]
