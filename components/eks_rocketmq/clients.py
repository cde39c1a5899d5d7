"""The Kubernetes client of `eks-rocketmq adopt`, set up as the stack's own provider is."""

import functools
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError

from eks_rocketmq.adopt import kubernetes_id
from eks_rocketmq.eks.lookup import Found


@functools.cache
def _client(kubeconfig: str) -> DynamicClient:
    client: ApiClient = config.new_client_from_config_dict(yaml.safe_load(kubeconfig))
    return DynamicClient(client)


def find_object(kubeconfig: str, inputs: Mapping[str, Any]) -> Found | None:
    """The object in the cluster of a kubeconfig that has kind and name of `inputs`, or None.

    Raises:
        ApiException: when the cluster refuses the question.
        MaxRetryError: when the cluster cannot be reached.
    """
    id_ = kubernetes_id(inputs)
    if id_ is None:
        return None
    client = _client(kubeconfig)
    metadata = inputs["metadata"]
    try:
        resource = client.resources.get(api_version=inputs["apiVersion"], kind=inputs["kind"])
        resource.get(name=metadata["name"], namespace=metadata.get("namespace"))
    except (NotFoundError, ResourceNotFoundError):
        return None
    return Found(id_)
