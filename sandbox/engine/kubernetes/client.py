"""REST client of the API server, with objects as JSON and the server's error messages."""

import json
import os
import ssl
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions
from urllib3.util import parse_url

from sandbox.engine.kubernetes.credentials import ExecTokens
from sandbox.engine.kubernetes.errors import ApiError, UnreachableError
from sandbox.engine.kubernetes.kinds import Kind
from sandbox.engine.kubernetes.kubeconfig import Access, User
from sandbox.engine.kubernetes.naming import name_of, namespace_of
from sandbox.engine.provider.values import JsonObject

# Field manager of a create. An update uses a field manager of the resource.
CREATE_MANAGER = "pulumi-kubernetes"

_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
# More than the requests that the engine sends at a time: opening a connection takes longer than a request.
_CONNECTIONS = 256
_HEADERS = {"User-Agent": "pulumi-kubernetes-stand-in", "Accept": "application/json"}
_FIRST_ERROR, _UNAUTHORIZED = 400, 401


class Client:
    """Client of one API server with one identity. Thread-safe."""

    def __init__(self, access: Access, tokens: ExecTokens) -> None:
        """Prepare connections, without opening one.

        Raises UnreachableError for an invalid address and for invalid certificates.
        """
        self.namespace = access.namespace
        self._user = access.user
        self._tokens = tokens
        self._server = access.cluster.server
        self._http = _connections(access)
        self._prefix = (parse_url(self._server).path or "").rstrip("/")

    def close(self) -> None:
        self._http.close()

    def check_reachable(self) -> None:
        """Raise UnreachableError when the server does not answer or rejects the identity."""
        try:
            self._call("GET", "/version")
        except UnreachableError as error:
            url = f"{self._server}/openapi/v2?timeout=32s"
            raise UnreachableError(
                f'unable to load schema information from the API server: Get "{url}": {error}'
            ) from error
        except ApiError as error:
            raise UnreachableError(f"unable to load schema information from the API server: {error}") from error

    def serves(self, kind: Kind) -> bool:
        """Return whether the server serves the kind. Sends a request for custom kinds only."""
        if kind.model:
            return True
        try:
            resources = self._call("GET", f"/apis/{kind.api_version}").get("resources") or []
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return any(resource.get("kind") == kind.name for resource in resources)

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject:
        return self._call("GET", kind.path(namespace, name))

    def list_all(self, kind: Kind, namespace: str, field_selector: str = "") -> list[JsonObject]:
        parameters = {"fieldSelector": field_selector} if field_selector else {}
        return self._call("GET", kind.collection(namespace), parameters).get("items") or []

    def create(self, kind: Kind, obj: JsonObject, *, dry_run: bool) -> JsonObject:
        parameters = {"fieldManager": CREATE_MANAGER, **_dry_run(dry_run)}
        return self._call("POST", kind.collection(namespace_of(obj)), parameters, obj)

    def apply(self, kind: Kind, obj: JsonObject, manager: str, *, force: bool, dry_run: bool) -> JsonObject:
        """Apply the whole object server-side."""
        parameters = {"fieldManager": manager, "force": str(force).lower(), **_dry_run(dry_run)}
        return self._call("PATCH", kind.path(namespace_of(obj), name_of(obj)), parameters, obj, _APPLY)

    def json_patch(self, kind: Kind, obj: JsonObject, operations: list[JsonObject]) -> JsonObject:
        return self._call("PATCH", kind.path(namespace_of(obj), name_of(obj)), {}, operations, _JSON_PATCH)

    def delete(self, kind: Kind, namespace: str, name: str, propagation_policy: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation_policy}
        self._call("DELETE", kind.path(namespace, name), {}, options)

    def changed(self, kind: Kind, obj: JsonObject, seconds: int) -> JsonObject | None:
        """Wait up to `seconds` for a change; return the object, None when it was deleted."""
        parameters = {
            "watch": "1",
            "fieldSelector": f"metadata.name={name_of(obj)}",
            "resourceVersion": str(obj["metadata"].get("resourceVersion", "")),
            "timeoutSeconds": str(seconds),
        }
        event: JsonObject = {}
        try:
            watch = _url(kind.collection(namespace_of(obj)), parameters)
            with closing(self._answer("GET", watch, _HEADERS, stream=True)) as response:
                line = next((line for line in response if line.strip()), b"")
                event = json.loads(line) if line else {}
        except exceptions.HTTPError as error:
            raise UnreachableError(_transport_text(error, self._server)) from error
        if event.get("type") == "DELETED":
            return None
        if event.get("type") in {"ADDED", "MODIFIED"}:
            return event["object"]
        return self._current(kind, obj) if event else obj

    def _current(self, kind: Kind, obj: JsonObject) -> JsonObject | None:
        """Read the object again, after a watch from a version that the server no longer has."""
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
        content, headers = None, _HEADERS
        if body is not None:
            content, headers = json.dumps(body), _HEADERS | {"Content-Type": content_type}
        try:
            return self._answer(method, _url(path, parameters), headers, content).json()
        except exceptions.HTTPError as error:
            raise UnreachableError(_transport_text(error, self._server)) from error
        except ValueError as error:
            raise UnreachableError(f"{self._server} is no Kubernetes API server: its answer is no JSON") from error

    def _answer(
        self, method: str, url: str, headers: dict[str, str], content: str | None = None, *, stream: bool = False
    ) -> urllib3.BaseHTTPResponse:
        """Send a request with the identity's token; once again with a new token when the server rejects it."""

        def send(*, renew: bool) -> urllib3.BaseHTTPResponse:
            token = self._token(renew=renew)
            known = headers | {"Authorization": f"Bearer {token}"} if token else headers
            return self._http.urlopen(method, self._prefix + url, content, known, preload_content=not stream)

        response = send(renew=False)
        if response.status == _UNAUTHORIZED and self._user.exec_plugin and not self._user.token:
            response.drain_conn()
            response = send(renew=True)
        if response.status >= _FIRST_ERROR:
            raise _api_error(response)
        return response

    def _token(self, *, renew: bool) -> str:
        """Return the token; empty for an identity with a certificate."""
        if self._user.token or not self._user.exec_plugin:
            return self._user.token
        return self._tokens.get(self._user.exec_plugin, renew=renew)


def _url(path: str, parameters: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _dry_run(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _connections(access: Access) -> urllib3.HTTPConnectionPool:
    server, name = access.cluster.server, access.cluster.server_name
    tls = {"ssl_context": _tls(access), "server_hostname": name or None} if server.startswith("https:") else {}
    try:
        return urllib3.connection_from_url(server, maxsize=_CONNECTIONS, timeout=_TIMEOUT, retries=False, **tls)
    except exceptions.LocationValueError as error:
        raise UnreachableError(f"host must be a URL or a host:port pair: {server!r}") from error


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
    """Load a client certificate through a file, because OpenSSL reads only files."""
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{user.certificate_pem}\n{user.key_pem}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def _api_error(response: urllib3.BaseHTTPResponse) -> ApiError:
    try:
        status = response.json()
    except ValueError:
        status = {}
    if response.status == _UNAUTHORIZED:
        message = "the server has asked for the client to provide credentials"
    else:
        message = status.get("message") or f"the server answered {response.status} {response.reason}"
    return ApiError(response.status, status.get("reason") or "", message, status.get("details") or {})


def _transport_text(error: exceptions.HTTPError, server: str) -> str:
    """Return the message of Go's network library for an error."""
    address = parse_url(server).netloc
    cause = error.__context__ or error
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ssl.SSLError):
        return f"dial tcp {address}: connect: {cause.strerror.lower()}"
    if isinstance(error, exceptions.TimeoutError):
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: {str(cause) or type(cause).__name__}"
