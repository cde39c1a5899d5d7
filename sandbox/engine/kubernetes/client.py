"""The API server over REST: objects as plain JSON, errors as the server words them."""

import json
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.engine.kubernetes.credentials import ExecTokens
from sandbox.engine.kubernetes.errors import ApiError, UnreachableError
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.kubernetes.kubeconfig import Access, User
from sandbox.engine.kubernetes.naming import name_of, namespace_of
from sandbox.engine.provider.values import JsonObject

# The manager of fields at create. From the first update on a resource has a manager of its own.
CREATE_MANAGER = "pulumi-kubernetes"

_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"
_TIMEOUT = httpx.Timeout(60, connect=10)
_UNAUTHORIZED = 401


class Client:
    """One API server with one identity. Safe for use by several threads."""

    def __init__(self, access: Access, tokens: ExecTokens) -> None:
        """Opens no connection yet.

        Raises UnreachableError for certificates that cannot be read.
        """
        self.namespace = access.namespace
        self._user = access.user
        self._tokens = tokens
        self._server = access.cluster.server
        extensions = {"sni_hostname": access.cluster.server_name} if access.cluster.server_name else {}
        self._extensions = extensions
        self._http = httpx.Client(
            base_url=access.cluster.server,
            verify=_tls(access),
            timeout=_TIMEOUT,
            # As many as the engine asks at once: opening one costs more than the question.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            headers={"User-Agent": "pulumi-kubernetes-stand-in", "Accept": "application/json"},
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def check_reachable(self) -> None:
        """Raises UnreachableError when the server does not answer or does not know the identity."""
        try:
            self._call("GET", "/version")
        except UnreachableError as error:
            url = f"{self._server}/openapi/v2?timeout=32s"
            raise UnreachableError(
                f'unable to load schema information from the API server: Get "{url}": {error}'
            ) from error
        except ApiError as error:
            raise UnreachableError(f"unable to load schema information from the API server: {error}") from error

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject:
        return self._call("GET", kind.path(namespace, name))

    def list_all(self, kind: Kind, namespace: str, field_selector: str = "") -> list[JsonObject]:
        parameters = {"fieldSelector": field_selector} if field_selector else {}
        return self._call("GET", kind.collection(namespace), parameters).get("items") or []

    def create(self, kind: Kind, obj: JsonObject, *, dry_run: bool) -> JsonObject:
        parameters = {"fieldManager": CREATE_MANAGER, **_dry_run(dry_run)}
        return self._call("POST", kind.collection(namespace_of(obj)), parameters, obj)

    def apply(self, kind: Kind, obj: JsonObject, manager: str, *, force: bool, dry_run: bool) -> JsonObject:
        """Server-side apply of the whole object."""
        parameters = {"fieldManager": manager, "force": str(force).lower(), **_dry_run(dry_run)}
        return self._call("PATCH", kind.path(namespace_of(obj), name_of(obj)), parameters, obj, _APPLY)

    def json_patch(self, kind: Kind, obj: JsonObject, operations: list[JsonObject]) -> JsonObject:
        return self._call("PATCH", kind.path(namespace_of(obj), name_of(obj)), {}, operations, _JSON_PATCH)

    def delete(self, kind: Kind, namespace: str, name: str, propagation_policy: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation_policy}
        self._call("DELETE", kind.path(namespace, name), {}, options)

    def changed(self, kind: Kind, obj: JsonObject, seconds: int) -> JsonObject | None:
        """The object after its next change, or as it is when none comes within `seconds`; None once it is deleted."""
        parameters = {
            "watch": "1",
            "fieldSelector": f"metadata.name={name_of(obj)}",
            "resourceVersion": str(obj["metadata"].get("resourceVersion", "")),
            "timeoutSeconds": str(seconds),
        }
        event: JsonObject = {}
        try:
            request = self._request("GET", kind.collection(namespace_of(obj)), parameters, None, "")
            with self._answering(request, stream=True) as response:
                line = next((line for line in response.iter_lines() if line), "")
                event = json.loads(line) if line else {}
        except httpx.TransportError as error:
            raise UnreachableError(_transport_text(error, self._server)) from error
        if event.get("type") == "DELETED":
            return None
        if event.get("type") in {"ADDED", "MODIFIED"}:
            return event["object"]
        return self._current(kind, obj) if event else obj

    def _current(self, kind: Kind, obj: JsonObject) -> JsonObject | None:
        """After a watch from a version that the server has forgotten."""
        try:
            return self.get(kind, namespace_of(obj), name_of(obj))
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def _call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> Any:  # noqa: ANN401 - any JSON value
        try:
            response = self._answering(self._request(method, path, parameters or {}, body, content_type), stream=False)
            return response.json()
        except httpx.TransportError as error:
            raise UnreachableError(_transport_text(error, self._server)) from error
        except ValueError as error:
            raise UnreachableError(f"{self._server} is no Kubernetes API server: its answer is no JSON") from error

    def _request(
        self, method: str, path: str, parameters: Mapping[str, str], body: object, content_type: str
    ) -> httpx.Request:
        content = json.dumps(body) if body is not None else None
        headers = {"Content-Type": content_type} if content is not None else {}
        return self._http.build_request(
            method, path, params=dict(parameters), content=content, headers=headers, extensions=self._extensions
        )

    def _answering(self, request: httpx.Request, *, stream: bool) -> Any:  # noqa: ANN401 - a response, open when streamed
        """Send with the identity's token, once more with a new one when the server knows it no longer."""
        response = self._send(request, stream=stream, renew=False)
        if response.status_code == _UNAUTHORIZED and self._user.exec_plugin and not self._user.token:
            response.close()
            response = self._send(request, stream=stream, renew=True)
        if response.is_error:
            response.read()
            response.close()
            raise _api_error(response)
        return _Closing(response) if stream else response

    def _send(self, request: httpx.Request, *, stream: bool, renew: bool) -> httpx.Response:
        token = self._user.token
        if not token and self._user.exec_plugin:
            token = self._tokens.get(self._user.exec_plugin, renew=renew)
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return self._http.send(request, stream=stream)


class _Closing:
    """A streamed response that is closed at the end of its `with` block."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __enter__(self) -> httpx.Response:
        return self._response

    def __exit__(self, *_: object) -> None:
        self._response.close()


def _dry_run(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _tls(access: Access) -> ssl.SSLContext:
    cluster = access.cluster
    try:
        context = ssl.create_default_context(cadata=cluster.ca_pem or None)
        if cluster.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if access.user.certificate_pem:
            _load_certificate(context, access.user)
    except ssl.SSLError as error:
        raise UnreachableError(f"unable to load TLS certificates from the kubeconfig: {error}") from error
    return context


def _load_certificate(context: ssl.SSLContext, user: User) -> None:
    """OpenSSL reads certificates from files only."""
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{user.certificate_pem}\n{user.key_pem}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def _api_error(response: httpx.Response) -> ApiError:
    try:
        status = response.json()
    except ValueError:
        status = {}
    if response.status_code == _UNAUTHORIZED:
        message = "the server has asked for the client to provide credentials"
    else:
        message = status.get("message") or f"the server answered {response.status_code} {response.reason_phrase}"
    return ApiError(response.status_code, status.get("reason") or "", message, status.get("details") or {})


def _transport_text(error: httpx.TransportError, server: str) -> str:
    """In the words of Go's network library, which users of the released plugin know."""
    address = httpx.URL(server).netloc.decode()
    text = str(error)
    if "Connection refused" in text:
        return f"dial tcp {address}: connect: connection refused"
    if isinstance(error, httpx.TimeoutException):
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: {text or type(error).__name__}"
