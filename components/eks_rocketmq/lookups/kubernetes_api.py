"""Requests to the Kubernetes API with the settings of the stack's provider.

Requests and responses are plain JSON. The typed clients of the `kubernetes` package take 0.5 s to load, which delays
previews.
"""

import functools
import json
import re
import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from urllib3 import Retry

from eks_rocketmq.pulumi_sdk.engine_values import is_secret

_TIMEOUT_SECONDS = (5, 30)
"""Timeouts of connect and read. The package waits without limit by default."""
_RETRIES = Retry(2, read=0)
"""Number of connection retries. Requests that time out are not retried."""

_LOCK = threading.Lock()
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


def _get_client(provider: Mapping[str, Any]) -> DynamicClient:
    """Return the client for the inputs of a provider.

    Without the lock, threads that start together would each run the credential plugin, such as `aws eks get-token`.
    """
    kubeconfig = _require_readable(provider.get("kubeconfig") or "")
    if provider.get("cluster") and not kubeconfig:
        msg = (
            "the stack's Kubernetes provider has `cluster` and no kubeconfig; set `context` to a context of that "
            "cluster instead"
        )
        raise config.ConfigException(msg)
    with _LOCK:
        return _create_client(kubeconfig, provider.get("context"))


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
    client = _get_client(provider)
    options = {"query_params": list(query.items()), "_request_timeout": _TIMEOUT_SECONDS}
    return client.request("get", path, serializer=lambda _, content: content, **options)


def list_pods(provider: Mapping[str, Any], namespace: str, labels: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the pods of a namespace that have all of these labels. Errors are those of `get_json`."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return get_json(provider, f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)["items"]


def request_token(provider: Mapping[str, Any], namespace: str, service_account: str, audience: str) -> str:
    """Return a token of a service account, valid for ten minutes. Errors are those of `get_json`.

    The API server issues it and stores nothing.
    """
    client = _get_client(provider)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [audience], "expirationSeconds": 600},
    }
    options = {"serializer": lambda _, content: content, "_request_timeout": _TIMEOUT_SECONDS}
    return client.request("post", path, body=body, **options)["status"]["token"]


def dry_run_patch(provider: Mapping[str, Any], path: str, patch: Mapping[str, Any]) -> list[str]:
    """Return the API server's warnings about a merge patch.

    The patch is not applied. Errors are those of `get_json`.
    """
    client = _get_client(provider)
    options = {
        "query_params": [("dryRun", "All")],
        "content_type": "application/merge-patch+json",
        "_request_timeout": _TIMEOUT_SECONDS,
        "serialize": False,
    }
    answer = client.request("patch", path, body=patch, **options)
    # The format of each warning is `299 - "text"`, with escaped quotes in the text.
    return [_ESCAPED_CHARACTER.sub(r"\1", text) for text in _WARNING_HEADER.findall(answer.getheader("Warning") or "")]


class Websocket:
    """Connection to the API server that carries messages."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - the package has no types
        self._connection = connection

    def settimeout(self, seconds: float) -> None:
        """Set the time limit of the next message."""
        self._connection.settimeout(seconds)

    def receive(self) -> tuple[int, bytes]:
        """Return the opcode and the content of the next message.

        Raise OSError if no message arrives in time, or the connection breaks.
        """
        import websocket  # noqa: PLC0415 - only commands that execute in pods need it

        try:
            return self._connection.recv_data()
        except websocket.WebSocketTimeoutException as error:
            msg = "no answer in time"
            raise TimeoutError(msg) from error
        except websocket.WebSocketException as error:
            raise ConnectionError(str(error)) from error

    def close(self) -> None:
        """Close the connection without waiting for the server."""
        self._connection.shutdown()


def open_websocket(
    provider: Mapping[str, Any], path: str, query: Sequence[tuple[str, str]], protocol: str, seconds: float
) -> Websocket:
    """Open a websocket to the API server.

    The websocket of the `kubernetes` package waits without limit for a kubelet that does not answer.

    `path` is the path of a subresource, such as `exec` of a pod. `seconds` is the time limit of the connection.

    Raises:
        ApiException: the API server rejects the request.
        ConfigException: no readable kubeconfig exists.
        OSError: the API server cannot be reached, or does not answer in time.
    """
    import websocket  # noqa: PLC0415 - only commands that execute in pods need it

    client = _get_client(provider)
    settings = client.client.configuration
    authentication = [
        f"{each['key']}: {each['value']}" for each in settings.auth_settings().values() if each["in"] == "header"
    ]
    url = f"{settings.host.replace('http', 'ws', 1)}{path}?{urlencode(query)}"
    try:
        connection = websocket.create_connection(
            url,
            timeout=seconds,
            header=authentication,
            subprotocols=[protocol],
            sslopt=_build_ssl_options(settings),
            **_build_proxy_options(settings),
        )
    except websocket.WebSocketBadStatusException as error:
        raise ApiException(error.status_code, _read_reason(error.resp_body) or str(error)) from error
    except websocket.WebSocketTimeoutException as error:
        msg = "no answer in time"
        raise TimeoutError(msg) from error
    except websocket.WebSocketException as error:
        raise ConnectionError(str(error)) from error
    return Websocket(connection)


def _build_proxy_options(settings: Configuration) -> dict[str, Any]:
    if not settings.proxy:
        return {}
    proxy = urlsplit(settings.proxy)
    direct = settings.no_proxy.split(",") if settings.no_proxy else []
    return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "http_no_proxy": direct}


def _build_ssl_options(settings: Configuration) -> dict[str, Any]:
    options = {
        "cert_reqs": ssl.CERT_REQUIRED if settings.verify_ssl else ssl.CERT_NONE,
        "check_hostname": settings.verify_ssl and settings.assert_hostname is not False,
        "ca_certs": settings.ssl_ca_cert,
        "certfile": settings.cert_file,
        "keyfile": settings.key_file,
        "server_hostname": settings.tls_server_name,
    }
    return {name: value for name, value in options.items() if value is not None}


def _read_reason(body: bytes | str | None) -> str:
    """Return the message of a Status."""
    try:
        found = json.loads(body or "{}")
    except ValueError:
        return ""
    return str(found.get("message") or "") if isinstance(found, dict) else ""


def _require_readable(kubeconfig: Any) -> str:  # noqa: ANN401 - a secret is an object
    if is_secret(kubeconfig):
        msg = (
            "the kubeconfig of the stack's Kubernetes provider is a secret, which the engine does not hand out; one "
            "that asks `aws eks get-token`, as those of the components do, holds none"
        )
        raise config.ConfigException(msg)
    return kubeconfig
