"""What a new EKS cluster and the original team had made before the stack comes."""

from typing import Any


def objects() -> list[dict[str, Any]]:
    """EKS's own storage class, and the namespace that the team had made."""
    return [gp2(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rocketmq"}}]


def gp2() -> dict[str, Any]:
    """As in every EKS cluster since 1.30: the in-tree name, which Kubernetes hands to `ebs.csi.aws.com`."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp2"},
        "provisioner": "kubernetes.io/aws-ebs",
        "parameters": {"type": "gp2", "fsType": "ext4"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
