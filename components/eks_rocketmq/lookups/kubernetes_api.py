"""Requests to the Kubernetes API with the settings of the stack's provider.

Requests and responses are plain JSON. The typed clients of the `kubernetes` package take 0.5 s to load, which delays
previews.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.dynamic import DynamicClient
from urllib3 import Retry

from eks_rocketmq.pulumi_sdk.engine_values import is_secret

_TIMEOUT_SECONDS = (5, 30)
"""Timeouts of connect and read. The package waits without limit by default."""
_RETRIES = Retry(2, read=0)
"""Number of connection retries. Requests that time out are not retried."""

_WARNING_HEADER = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED_CHARACTER = re.compile(r"\\(.)")


@functools.cache
def _create_client(kubeconfig: str, context: str | None) -> DynamicClient:
    """Return a client for the content or the path of a kubeconfig, as the provider reads it.

    An empty kubeconfig means the default of kubectl.
    """
    content = yaml.safe_load(kubeconfig) if kubeconfig else None
    settings = Configuration()
    settings.retries = _RETRIES
    if isinstance(content, dict):
        api = config.new_client_from_config_dict(content, context=context, client_configuration=settings)
    else:
        api = config.new_client_from_config(config_file=content, context=context, client_configuration=settings)
    # The paths are known, so no discovery is needed. It would write a cache file into the temporary folder.
    return DynamicClient(api, discoverer=lambda *_: None)


def get_json(provider: Mapping[str, Any], path: str, **query: str) -> dict[str, Any]:
    """Return the API server's response to a GET request.

    Args:
        provider: inputs of the Kubernetes provider.
        path: path of an object or of a list, such as `/api/v1/events`.
        query: query parameters, such as `labelSelector`.

    Raises:
        ApiException: the API server rejects the request; `NotFoundError` if the path does not exist.
        ConfigException: no readable kubeconfig exists.
        MaxRetryError: the API server cannot be reached.
    """
    client = _create_client(_require_readable(provider.get("kubeconfig") or ""), provider.get("context"))
    options = {"query_params": list(query.items()), "_request_timeout": _TIMEOUT_SECONDS}
    return client.request("get", path, serializer=lambda _, content: content, **options)


def request_token(provider: Mapping[str, Any], namespace: str, service_account: str, audience: str) -> str:
    """Return a token of a service account, valid for ten minutes. Errors are those of `get_json`.

    The API server issues it and stores nothing.
    """
    client = _create_client(_require_readable(provider.get("kubeconfig") or ""), provider.get("context"))
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [audience], "expirationSeconds": 600},
    }
    options = {"serializer": lambda _, content: content, "_request_timeout": _TIMEOUT_SECONDS}
    return client.request("post", path, body=body, **options)["status"]["token"]


def dry_run_patch(provider: Mapping[str, Any], path: str, patch: Mapping[str, Any]) -> list[str]:
    """Return the API server's warnings about a merge patch. The patch is not applied. Errors are those of `get_json`.

    Args:
        provider: inputs of the Kubernetes provider.
        path: path of an object.
        patch: the merge patch.
    """
    client = _create_client(_require_readable(provider.get("kubeconfig") or ""), provider.get("context"))
    options = {
        "query_params": [("dryRun", "All")],
        "content_type": "application/merge-patch+json",
        "_request_timeout": _TIMEOUT_SECONDS,
        "serialize": False,
    }
    answer = client.request("patch", path, body=patch, **options)
    # The format of each warning is `299 - "text"`, with escaped quotes in the text.
    return [_ESCAPED_CHARACTER.sub(r"\1", text) for text in _WARNING_HEADER.findall(answer.getheader("Warning") or "")]


def _require_readable(kubeconfig: Any) -> str:  # noqa: ANN401 - a secret is an object
    if is_secret(kubeconfig):
        msg = (
            "the kubeconfig of the stack's Kubernetes provider is a secret, which the engine does not hand out; one "
            "that asks `aws eks get-token`, as those of the components do, holds none"
        )
        raise config.ConfigException(msg)
    return kubeconfig
