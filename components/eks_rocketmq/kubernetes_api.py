"""The Kubernetes API as the stack's own provider reaches it."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api

from eks_rocketmq.engine import is_secret

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

    Raises:
        ConfigException: when there is no kubeconfig that can be read.
    """
    return CoreV1Api(api(readable(provider.get("kubeconfig") or ""), provider.get("context")))


def readable(kubeconfig: Any) -> str:  # noqa: ANN401 - whatever the engine has for it
    """The kubeconfig of a provider, from a plan or an exported state.

    Raises:
        ConfigException: when the engine keeps it to itself.
    """
    if is_secret(kubeconfig):
        msg = (
            "the kubeconfig of the stack's Kubernetes provider is a secret, which the engine does not hand out; one "
            "that asks `aws eks get-token`, as those of the components do, holds none"
        )
        raise config.ConfigException(msg)
    return kubeconfig


def items(response: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the client declares the type of its models instead
    """The objects of a list that was asked for with `PLAIN`."""
    return json.loads(response.data)["items"]
