"""The Kubernetes API as the stack's own provider reaches it."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api

PLAIN: Mapping[str, Any] = {"_preload_content": False, "_request_timeout": (5, 30)}
"""Objects as JSON. Seconds to connect and to wait for an answer; the client's own default is for ever."""


@functools.cache
def api(kubeconfig: str, context: str | None) -> ApiClient:
    """A client for content or path of a kubeconfig, as the provider reads it; empty: for what kubectl would use."""
    content = yaml.safe_load(kubeconfig) if kubeconfig else None
    if isinstance(content, dict):
        return config.new_client_from_config_dict(content, context=context)
    return config.new_client_from_config(config_file=content, context=context)


def core(provider: Mapping[str, Any]) -> CoreV1Api:
    """The core API.

    Args:
        provider: inputs of the Kubernetes provider.
    """
    return CoreV1Api(api(provider.get("kubeconfig") or "", provider.get("context")))


def items(response: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the client declares the type of its models instead
    """The objects of a list that was asked for with `PLAIN`."""
    return json.loads(response.data)["items"]
