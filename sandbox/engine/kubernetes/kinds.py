"""Served kinds."""

from dataclasses import dataclass

from sandbox.engine.provider.failures import UnsupportedTypeError

PACKAGE = "kubernetes"


@dataclass(frozen=True)
class Kind:
    """One kind of the API server.

    model: its class in the Kubernetes client, which has all fields; empty for a custom kind.
    """

    group: str
    version: str
    name: str
    plural: str
    model: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection(self, namespace: str) -> str:
        """Return the path of all objects of the kind; of a namespaced kind, those in the namespace."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{base}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{base}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        return f"{self.collection(namespace)}/{name}"


_RBAC, _MONITORING = "rbac.authorization.k8s.io", "monitoring.coreos.com"
KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "Namespace", "namespaces", "V1Namespace", namespaced=False),
    Kind("", "v1", "ConfigMap", "configmaps", "V1ConfigMap"),
    Kind("", "v1", "Secret", "secrets", "V1Secret"),
    Kind("", "v1", "Service", "services", "V1Service"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", "V1ServiceAccount"),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "V1PersistentVolumeClaim"),
    Kind("apps", "v1", "StatefulSet", "statefulsets", "V1StatefulSet"),
    Kind("apps", "v1", "Deployment", "deployments", "V1Deployment"),
    Kind("batch", "v1", "Job", "jobs", "V1Job"),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "V1PodDisruptionBudget"),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "V1NetworkPolicy"),
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", "V1StorageClass", namespaced=False),
    Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "V1PriorityClass", namespaced=False),
    Kind(_RBAC, "v1", "Role", "roles", "V1Role"),
    Kind(_RBAC, "v1", "RoleBinding", "rolebindings", "V1RoleBinding"),
    Kind(_RBAC, "v1", "ClusterRole", "clusterroles", "V1ClusterRole", namespaced=False),
    Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", "V1ClusterRoleBinding", namespaced=False),
    # Kinds of the Prometheus operator; the cluster must have its CRDs.
    Kind(_MONITORING, "v1", "PodMonitor", "podmonitors", model=""),
    Kind(_MONITORING, "v1", "ServiceMonitor", "servicemonitors", model=""),
    Kind(_MONITORING, "v1", "PrometheusRule", "prometheusrules", model=""),
)

# Kinds that readiness rules read besides the object.
POD = Kind("", "v1", "Pod", "pods", "V1Pod")
EVENT = Kind("", "v1", "Event", "events", "CoreV1Event")
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", "V1Endpoints")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", "V1ReplicaSet")
CLAIM = next(kind for kind in KINDS if kind.name == "PersistentVolumeClaim")
STORAGE_CLASS = next(kind for kind in KINDS if kind.name == "StorageClass")


_BY_TOKEN = {f"{PACKAGE}:{kind.group or 'core'}/{kind.version}:{kind.name}": kind for kind in KINDS}


def is_patch(token: str) -> bool:
    """Return whether a type is a `…Patch` resource, which manages single fields of an existing object."""
    return token.removesuffix("Patch") in _BY_TOKEN and token.endswith("Patch")


def of(token: str) -> Kind:
    """Return the kind of a resource type such as `kubernetes:apps/v1:StatefulSet` or its Patch resource.

    Raises UnsupportedTypeError for a type that is not served.
    """
    kind = _BY_TOKEN.get(token.removesuffix("Patch"))
    if kind is None:
        raise UnsupportedTypeError(token, PACKAGE, [*_BY_TOKEN])
    return kind
