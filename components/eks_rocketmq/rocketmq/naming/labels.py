"""Names, labels and host names of the objects of a RocketMQ deployment. Pure."""

APP = "rocketmq"
CLUSTER = "rocketmq"
"""Name of the RocketMQ cluster, `brokerClusterName`."""
GROUP_LABEL = "rocketmq.apache.org/broker-group"
VERSION_LABEL = "app.kubernetes.io/version"
ACCESS_MODE_ANNOTATION = "rocketmq.apache.org/access-mode"
INTERNAL_GENERATION_ANNOTATION = "rocketmq.apache.org/internal-generation"
"""Annotations of a StatefulSet with the settings of access control, for the checks of the next update."""

INTERNAL_USER_PREFIX = "rocketmq-internal-"
"""Prefix of the names of the users of RocketMQ's own processes."""

CONFIG_ANNOTATION = "rocketmq.apache.org/config"
"""Annotation of a workload with the text of its configuration file. A preview shows its changed lines, and the checks
of the next update compare its keys."""

QUEUES_ANNOTATION = "rocketmq.apache.org/queues"
"""Annotation of the declarations' Deployment with NAME READ_QUEUES WRITE_QUEUES of each topic, for the next update."""

NAME_SERVER = "nameserver"
CONTROLLER = "controller"
BROKER = "broker"
PROXY = "proxy"
DECLARATIONS = "declarations"
MONITORING = "monitoring"
DASHBOARD = "dashboard"


def format_app_label(role: str) -> str:
    """Return the value of the label `app`, such as `rocketmq-broker`, by which runbooks select pods."""
    return f"{APP}-{role}"


def build_selector(role: str, group: str | None = None) -> dict[str, str]:
    """Return the selector for the pods of a role or of one broker group. A StatefulSet's selector is immutable."""
    labels = {"app": format_app_label(role), "app.kubernetes.io/name": APP, "app.kubernetes.io/component": role}
    return labels if group is None else labels | {GROUP_LABEL: group}


def build_labels(role: str, version: str, group: str | None = None) -> dict[str, str]:
    """Return the labels of every object of a role: the selector and the labels that Kubernetes recommends."""
    return build_selector(role, group) | {
        "app.kubernetes.io/part-of": APP,
        "app.kubernetes.io/managed-by": "pulumi",
        VERSION_LABEL: version,
    }


def format_set_name(group: str) -> str:
    """Return the name of a broker group's StatefulSet."""
    return f"{APP}-{group}"


def format_peers_service(workload: str) -> str:
    """Return the name of the headless Service that gives the pods of a StatefulSet their host names."""
    return f"{workload}-peers"


def format_pod_name(workload: str, ordinal: int) -> str:
    """Return the name of a StatefulSet's pod, which is also that of the Service with its address."""
    return f"{workload}-{ordinal}"


def list_pod_hosts(workload: str, replicas: int, namespace: str) -> list[str]:
    """Return the stable host names of a StatefulSet's pods, by ordinal."""
    domain = f"{format_peers_service(workload)}.{namespace}.svc"
    return [f"{format_pod_name(workload, ordinal)}.{domain}" for ordinal in range(replicas)]
