"""Objects that the cluster has before the stack: the storage class of EKS, and a namespace of the original team."""

from typing import Any


def manifests() -> list[dict[str, Any]]:
    """Return the storage class of EKS and the namespace of the original team."""
    return [gp2(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}]


def gp2() -> dict[str, Any]:
    """Return the class of every EKS cluster since 1.30. Kubernetes maps its in-tree name to `ebs.csi.aws.com`."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
        "provisioner": "kubernetes.io/aws-ebs",
        "parameters": {"type": "gp2", "fsType": "ext4"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
