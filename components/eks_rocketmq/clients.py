"""The Kubernetes clients of `eks-rocketmq`, set up as the stack's own provider is."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError

from eks_rocketmq.adopt import kubernetes_id
from eks_rocketmq.destroy import Volume, read_volumes
from eks_rocketmq.eks.lookup import Found

_PLAIN: Mapping[str, Any] = {"_preload_content": False, "_request_timeout": (5, 30)}
"""Objects as JSON. Seconds to connect and to wait for an answer; the client's own default is for ever."""


@functools.cache
def _api(kubeconfig: str, context: str | None) -> ApiClient:
    """As the provider reads it: content or path of a kubeconfig, or what kubectl would use."""
    content = yaml.safe_load(kubeconfig) if kubeconfig else None
    if isinstance(content, dict):
        return config.new_client_from_config_dict(content, context=context)
    return config.new_client_from_config(config_file=content, context=context)


@functools.cache
def _client(kubeconfig: str) -> DynamicClient:
    return DynamicClient(_api(kubeconfig, None))


def find_object(kubeconfig: str, inputs: Mapping[str, Any]) -> Found | None:
    """The object in the cluster of a kubeconfig that has kind and name of `inputs`, with its annotations, or None.

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
        MaxRetryError: when the cluster cannot be reached.
    """
    core = _core(provider)
    claims = _items(core.list_persistent_volume_claim_for_all_namespaces(**_PLAIN))
    return read_volumes(_items(core.list_persistent_volume(**_PLAIN)), claims)


def last_warning(provider: Mapping[str, Any], volume: str) -> str:
    """What was last said about a PersistentVolume, in the driver's own words; empty when nothing was."""
    about = f"involvedObject.kind=PersistentVolume,involvedObject.name={volume},type=Warning"
    events = _items(_core(provider).list_event_for_all_namespaces(field_selector=about, **_PLAIN))
    latest = max(events, key=lambda event: int(event["metadata"]["resourceVersion"]), default=None)
    return f"{latest['reason']}: {latest['message']}" if latest else ""


def _core(provider: Mapping[str, Any]) -> CoreV1Api:
    return CoreV1Api(_api(provider.get("kubeconfig", ""), provider.get("context")))


def _items(response: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the client declares the type of its models instead
    return json.loads(response.data)["items"]
