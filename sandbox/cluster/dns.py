"""Cluster DNS as EKS has it: two CoreDNS pods behind the service `kube-system/kube-dns`."""

from typing import Any

from sandbox.cluster.kubelet import CLUSTER_DOMAIN
from sandbox.pins import COREDNS_IMAGE
from sandbox.place import DNS_ADDRESS

NAMESPACE = "kube-system"
NAME = "coredns"
LABELS = {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"}
SELECTOR = {"k8s-app": "kube-dns"}
REPLICAS = 2
PORT = 53
HEALTH_PORT = 8080
READY_PORT = 8181

# Short negative answers: a broker's name may be asked for a moment before it exists. Without a forwarder, names outside
# of the cluster fail at once instead of timing out.
COREFILE = f"""\
.:{PORT} {{
    errors
    health :{HEALTH_PORT} {{
        lameduck 2s
    }}
    ready :{READY_PORT}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 5
    }}
    cache {{
        success 9984 5
        denial 9984 1
    }}
    loadbalance
}}
"""


def objects() -> list[dict[str, Any]]:
    """Everything of cluster DNS as manifests."""
    return [*_access(), _config(), _deployment(), _service()]


def _metadata(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - a manifest's own shape
    return {"name": NAME, "namespace": NAMESPACE, "labels": LABELS, **more}


def _access() -> list[dict[str, Any]]:
    role = f"system:{NAME}"
    watch = ["list", "watch"]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": watch},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": watch},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
    ]


def _config() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(), "data": {"Corefile": COREFILE}}


def _deployment() -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": _pod()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {"replicas": REPLICAS, "selector": {"matchLabels": SELECTOR}, "template": template},
    }


def _pod() -> dict[str, Any]:
    affinity_term = {"labelSelector": {"matchLabels": SELECTOR}, "topologyKey": "kubernetes.io/hostname"}
    return {
        "serviceAccountName": NAME,
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": affinity_term}]
            }
        },
        "containers": [_container()],
        "volumes": [{"name": "config", "configMap": {"name": NAME}}],
    }


def _container() -> dict[str, Any]:
    return {
        "name": NAME,
        "image": COREDNS_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": PORT, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": READY_PORT}, "periodSeconds": 2, "timeoutSeconds": 5},
        # On an overloaded machine an answer takes seconds, and a restart would make it slower.
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": HEALTH_PORT},
            "initialDelaySeconds": 30,
            "timeoutSeconds": 30,
            "failureThreshold": 5,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        },
    }


def _service() -> dict[str, Any]:
    ports = [{"name": "dns", "port": PORT, "protocol": "UDP"}, {"name": "dns-tcp", "port": PORT, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(name="kube-dns"),
        "spec": {"clusterIP": DNS_ADDRESS, "selector": SELECTOR, "ports": ports},
    }
