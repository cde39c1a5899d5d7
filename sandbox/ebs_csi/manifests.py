"""What the addon puts into the cluster, as plain objects. Pure: the same input gives the same objects."""

from typing import Any

from sandbox import pins
from sandbox.ebs_csi.configuration import Configuration
from sandbox.place import CLUSTER, REGION

Manifest = dict[str, Any]
UNCHECKED = "v1.48.0"
"""The last version whose driver does not check its identity; the names of the objects are those of every version."""

DRIVER = "ebs.csi.aws.com"
NAMESPACE = "kube-system"
CONTROLLER = "ebs-csi-controller"
SERVICE_ACCOUNT = "ebs-csi-controller-sa"
TOKEN_AUDIENCE = "sts.amazonaws.com"  # noqa: S105, an audience and no secret
TOKEN_FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount"  # noqa: S105, a path and no secret
TOKEN_SECONDS = 86400
PROBE_PORT = 9808
USER = 1000
LABELS = {"app.kubernetes.io/name": "aws-ebs-csi-driver", "app.kubernetes.io/managed-by": "EKS"}


def checks_ec2(version: str) -> bool:
    """Whether the driver of an addon version is healthy only while EC2 answers: since 1.49."""
    numbers = version.removeprefix("v").split("-")[0].split(".")
    return [int(number) for number in numbers[:2]] >= [1, 49]


def objects(role_arn: str | None, configuration: Configuration, aws_endpoint: str, version: str) -> list[Manifest]:
    """Every object of the addon, in the order in which it is applied.

    `role_arn` is the addon's service-account role, None when it has none; `aws_endpoint` is where pods reach AWS;
    `version` is the addon's, such as `v1.48.0-eksbuild.1`.
    """
    made = [
        _csi_driver(),
        _service_account(role_arn),
        *_access(),
        _disruption_budget(),
        deployment(role_arn, configuration, aws_endpoint, version),
    ]
    return [*made, default_storage_class()] if configuration.default_storage_class else made


def default_storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "ebs-csi-default-sc",
            "labels": LABELS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": DRIVER,
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def deployment(role_arn: str | None, configuration: Configuration, aws_endpoint: str, version: str) -> Manifest:
    """The controller. Its pods carry what EKS's pod identity webhook injects for an annotated service account."""
    labels = {"app": CONTROLLER, **LABELS}
    arguments = ["controller", f"--k8s-tag-cluster-id={CLUSTER}", f"--probe-address=:{PROBE_PORT}"]
    if configuration.extra_tags:
        pairs = ",".join(f"{key}={value}" for key, value in sorted(configuration.extra_tags.items()))
        arguments.append(f"--extra-tags={pairs}")
    if checks_ec2(version):
        arguments.append("--check-ec2")
    probe = {"httpGet": {"path": "/healthz", "port": "healthz"}}
    container = {
        "name": "ebs-plugin",
        "image": pins.EBS_CSI_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "env": _environment(role_arn, aws_endpoint),
        "ports": [{"name": "healthz", "containerPort": PROBE_PORT}],
        "readinessProbe": {**probe, "periodSeconds": 2, "timeoutSeconds": 5},
        # On an overloaded machine an answer takes seconds, and a restart would make it slower.
        "livenessProbe": {**probe, "periodSeconds": 10, "timeoutSeconds": 30, "failureThreshold": 5},
        "resources": {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "aws-iam-token", "mountPath": TOKEN_FOLDER, "readOnly": True}] if role_arn else [],
    }
    pod = {
        "serviceAccountName": SERVICE_ACCOUNT,
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_apart()]}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 10,
        "containers": [container],
        "volumes": [_token_volume()] if role_arn else [],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": CONTROLLER, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": configuration.replicas,
            "selector": {"matchLabels": {"app": CONTROLLER}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _environment(role_arn: str | None, aws_endpoint: str) -> list[dict[str, str]]:
    variables = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws_endpoint,
        # The SDK makes its STS client for web identity before it reads AWS_ENDPOINT_URL, so STS is named on its own.
        "AWS_ENDPOINT_URL_STS": aws_endpoint,
    }
    if role_arn:
        variables |= {
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_ROLE_ARN": role_arn,
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{TOKEN_FOLDER}/token",
        }
    return [{"name": name, "value": value} for name, value in variables.items()]


def _token_volume() -> Manifest:
    token = {"audience": TOKEN_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    return {"name": "aws-iam-token", "projected": {"sources": [{"serviceAccountToken": token}]}}


def _apart() -> Manifest:
    selector = {"matchLabels": {"app": CONTROLLER}}
    return {"weight": 100, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}}


def _csi_driver() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER, "labels": LABELS},
        "spec": {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "ReadWriteOnceWithFSType"},
    }


def _service_account(role_arn: str | None) -> Manifest:
    annotations = {"eks.amazonaws.com/role-arn": role_arn} if role_arn else {}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": SERVICE_ACCOUNT, "namespace": NAMESPACE, "labels": LABELS, "annotations": annotations},
    }


def _disruption_budget() -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": CONTROLLER, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": CONTROLLER}}},
    }


def _access() -> list[Manifest]:
    """What provisioning, attaching, growing and leading need of the Kubernetes API, and no more."""
    everywhere = [
        _rule("", ["persistentvolumes"], ["get", "list", "watch", "create", "update", "patch", "delete"]),
        _rule("", ["persistentvolumeclaims"], ["get", "list", "watch", "update"]),
        _rule("", ["persistentvolumeclaims/status"], ["update", "patch"]),
        _rule("", ["nodes"], ["get", "list", "watch"]),
        _rule("", ["events"], ["create", "patch", "update"]),
        _rule("storage.k8s.io", ["storageclasses", "csinodes"], ["get", "list", "watch"]),
        _rule("storage.k8s.io", ["volumeattachments"], ["get", "list", "watch", "update", "patch"]),
        _rule("storage.k8s.io", ["volumeattachments/status"], ["update", "patch"]),
    ]
    leases = [_rule("coordination.k8s.io", ["leases"], ["get", "create", "update"])]
    return [
        _role("ClusterRole", "ebs-csi-controller-role", None, everywhere),
        _binding("ClusterRoleBinding", "ebs-csi-controller-binding", None, "ClusterRole", "ebs-csi-controller-role"),
        _role("Role", "ebs-csi-leases-role", NAMESPACE, leases),
        _binding("RoleBinding", "ebs-csi-leases-rolebinding", NAMESPACE, "Role", "ebs-csi-leases-role"),
    ]


def _rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _role(kind: str, name: str, namespace: str | None, rules: list[Manifest]) -> Manifest:
    return {"apiVersion": _RBAC, "kind": kind, "metadata": _metadata(name, namespace), "rules": rules}


def _binding(kind: str, name: str, namespace: str | None, role_kind: str, role: str) -> Manifest:
    return {
        "apiVersion": _RBAC,
        "kind": kind,
        "metadata": _metadata(name, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": NAMESPACE}],
    }


def _metadata(name: str, namespace: str | None) -> Manifest:
    return {"name": name, "labels": LABELS} | ({"namespace": namespace} if namespace else {})


_RBAC = "rbac.authorization.k8s.io/v1"
