"""Rights that the status needs: a Role and a ClusterRole as data. Pure."""

from typing import Any

_API = "rbac.authorization.k8s.io/v1"
_NAME = "eks-rocketmq-status"


def build_role(namespace: str) -> dict[str, Any]:
    """Return the Role for the namespace of RocketMQ.

    Before Kubernetes 1.35 a websocket needs the verb `get` alone.
    """
    return {
        "apiVersion": _API,
        "kind": "Role",
        "metadata": {"name": _NAME, "namespace": namespace},
        "rules": [
            {"apiGroups": [""], "resources": ["persistentvolumeclaims", "pods"], "verbs": ["list"]},
            {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["list"]},
            {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
        ],
    }


def build_cluster_role() -> dict[str, Any]:
    """Return the ClusterRole for the zones of the nodes."""
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]
    return {"apiVersion": _API, "kind": "ClusterRole", "metadata": {"name": _NAME}, "rules": rules}
