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


def _kinds(group: str, version: str, *kinds: tuple[str, str, bool]) -> list[Kind]:
    return [
        Kind(group, version, name, plural, f"V1{name}", namespaced=namespaced) for name, plural, namespaced in kinds
    ]


def _custom(group: str, version: str, *kinds: tuple[str, str]) -> list[Kind]:
    return [Kind(group, version, name, plural, model="") for name, plural in kinds]


KINDS: tuple[Kind, ...] = (
    *_kinds(
        "",
        "v1",
        ("Namespace", "namespaces", False),
        ("ConfigMap", "configmaps", True),
        ("Secret", "secrets", True),
        ("Service", "services", True),
        ("ServiceAccount", "serviceaccounts", True),
        ("PersistentVolumeClaim", "persistentvolumeclaims", True),
    ),
    *_kinds("apps", "v1", ("StatefulSet", "statefulsets", True), ("Deployment", "deployments", True)),
    *_kinds("batch", "v1", ("Job", "jobs", True)),
    *_kinds("policy", "v1", ("PodDisruptionBudget", "poddisruptionbudgets", True)),
    *_kinds("networking.k8s.io", "v1", ("NetworkPolicy", "networkpolicies", True)),
    *_kinds("storage.k8s.io", "v1", ("StorageClass", "storageclasses", False)),
    *_kinds("scheduling.k8s.io", "v1", ("PriorityClass", "priorityclasses", False)),
    *_kinds(
        "rbac.authorization.k8s.io",
        "v1",
        ("Role", "roles", True),
        ("RoleBinding", "rolebindings", True),
        ("ClusterRole", "clusterroles", False),
        ("ClusterRoleBinding", "clusterrolebindings", False),
    ),
    # Kinds of the Prometheus operator; the cluster must have its CRDs.
    *_custom(
        "monitoring.coreos.com",
        "v1",
        ("PodMonitor", "podmonitors"),
        ("ServiceMonitor", "servicemonitors"),
        ("PrometheusRule", "prometheusrules"),
    ),
)

# Kinds that readiness rules read besides the object.
POD = Kind("", "v1", "Pod", "pods", "V1Pod")
EVENT = Kind("", "v1", "Event", "events", "CoreV1Event")
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", "V1Endpoints")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", "V1ReplicaSet")
CLAIM = next(kind for kind in KINDS if kind.name == "PersistentVolumeClaim")
STORAGE_CLASS = next(kind for kind in KINDS if kind.name == "StorageClass")


def _token(kind: Kind) -> str:
    return f"{PACKAGE}:{kind.group or 'core'}/{kind.version}:{kind.name}"


_BY_TOKEN = {_token(kind): kind for kind in KINDS}


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
