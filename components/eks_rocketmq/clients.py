"""The Kubernetes clients of `eks-rocketmq`, set up as the stack's own provider is."""

import functools
from collections.abc import Mapping
from typing import Any

from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError

from eks_rocketmq.adopt import kubernetes_id
from eks_rocketmq.destroy import Volume, read_volumes
from eks_rocketmq.eks.lookup import Found
from eks_rocketmq.events import latest
from eks_rocketmq.kubernetes_api import PLAIN, api, core, items, readable


@functools.cache
def _client(kubeconfig: str) -> DynamicClient:
    return DynamicClient(api(kubeconfig, None))


def find_object(kubeconfig: str, inputs: Mapping[str, Any]) -> Found | None:
    """The object in the cluster of a kubeconfig that has kind and name of `inputs`, with its annotations, or None.

    Raises:
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    id_ = kubernetes_id(inputs)
    if id_ is None:
        return None
    client = _client(readable(kubeconfig))
    metadata = inputs["metadata"]
    try:
        resource = client.resources.get(api_version=inputs["apiVersion"], kind=inputs["kind"])
        found = resource.get(name=metadata["name"], namespace=metadata.get("namespace")).to_dict()
    except (NotFoundError, ResourceNotFoundError):
        return None
    return Found(id_, found["metadata"].get("annotations") or {})


def list_volumes(provider: Mapping[str, Any]) -> list[Volume]:
    """Every PersistentVolume of a cluster, with what became of its claim.

    Args:
        provider: inputs of the Kubernetes provider.

    Raises:
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    client = core(provider)
    claims = items(client.list_persistent_volume_claim_for_all_namespaces(**PLAIN))
    return read_volumes(items(client.list_persistent_volume(**PLAIN)), claims)


def last_warning(provider: Mapping[str, Any], volume: str) -> str:
    """What was last said about a PersistentVolume, in the driver's own words; empty when nothing was."""
    about = f"involvedObject.kind=PersistentVolume,involvedObject.name={volume},type=Warning"
    return latest(items(core(provider).list_event_for_all_namespaces(field_selector=about, **PLAIN)))
