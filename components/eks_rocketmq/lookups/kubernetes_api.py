"""The Kubernetes API as the stack's own provider reaches it.

Plain requests and JSON: the typed clients of the `kubernetes` package take half a second to load, and previews wait.
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
"""To connect and to wait for an answer; the package's own default is for ever."""
_RETRIES = Retry(2, read=0)
"""How often more to connect. Who did not answer in time is not asked again."""

_WARNING_HEADER = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED_CHARACTER = re.compile(r"\\(.)")


@functools.cache
def _create_client(kubeconfig: str, context: str | None) -> DynamicClient:
    """For content or path of a kubeconfig, as the provider reads it; empty: for what kubectl would use."""
    content = yaml.safe_load(kubeconfig) if kubeconfig else None
    settings = Configuration()
    settings.retries = _RETRIES
    if isinstance(content, dict):
        api = config.new_client_from_config_dict(content, context=context, client_configuration=settings)
    else:
        api = config.new_client_from_config(config_file=content, context=context, client_configuration=settings)
    # Nothing is discovered: it would be kept in a file of the machine's temporary folder, and the paths are known.
    return DynamicClient(api, discoverer=lambda *_: None)


def get_json(provider: Mapping[str, Any], path: str, **query: str) -> dict[str, Any]:
    """The API server's answer to a GET.

    Args:
        provider: inputs of the Kubernetes provider.
        path: of an object or of a list, such as `/api/v1/events`.
        query: such as `labelSelector`.

    Raises:
        ApiException: when the cluster refuses the question; `NotFoundError` when there is no such path.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    client = _create_client(_require_readable(provider.get("kubeconfig") or ""), provider.get("context"))
    options = {"query_params": list(query.items()), "_request_timeout": _TIMEOUT_SECONDS}
    return client.request("get", path, serializer=lambda _, content: content, **options)


def dry_run_patch(provider: Mapping[str, Any], path: str, patch: Mapping[str, Any]) -> list[str]:
    """The API server's warnings about a merge patch, which is not carried out. Errors as for `get`.

    Args:
        provider: inputs of the Kubernetes provider.
        path: of an object.
        patch: what would change.
    """
    client = _create_client(_require_readable(provider.get("kubeconfig") or ""), provider.get("context"))
    options = {
        "query_params": [("dryRun", "All")],
        "content_type": "application/merge-patch+json",
        "_request_timeout": _TIMEOUT_SECONDS,
        "serialize": False,
    }
    answer = client.request("patch", path, body=patch, **options)
    # Each is `299 - "text"`, with quotes in the text escaped.
    return [_ESCAPED_CHARACTER.sub(r"\1", text) for text in _WARNING_HEADER.findall(answer.getheader("Warning") or "")]


def _require_readable(kubeconfig: Any) -> str:  # noqa: ANN401 - whatever the engine has for it
    if is_secret(kubeconfig):
        msg = (
            "the kubeconfig of the stack's Kubernetes provider is a secret, which the engine does not hand out; one "
            "that asks `aws eks get-token`, as those of the components do, holds none"
        )
        raise config.ConfigException(msg)
    return kubeconfig
