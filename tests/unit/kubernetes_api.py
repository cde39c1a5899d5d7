"""Fake Kubernetes API server for tests of the library and of the kubernetes stand-in, with scripted errors.

It stores objects in memory, sets uid and resourceVersion, and records each request. It does not validate objects or
field ownership. The tests of the sandbox cover that with a real API server.
"""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_COLLECTIONS = {
    "configmaps",
    "deployments",
    "endpoints",
    "events",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "replicasets",
    "statefulsets",
}


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class Api:
    """State of the server.

    `refusals` maps (method, path) to the Status that such requests return.

    `custom_kinds` maps a group and version to the kinds that CRDs define.
    """

    address: str = ""
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    refusals: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    custom_kinds: dict[str, list[str]] = field(default_factory=dict)
    stays_after_delete: bool = False
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Additional headers of each response."""

    @property
    def kubeconfig(self) -> str:
        return json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": self.address}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )

    def refuse(self, method: str, path: str, code: int, reason: str, message: str, **details: str) -> None:
        self.refusals[method, path] = {"code": code, "reason": reason, "message": message, "details": details}

    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append(request)
        refusal = self.refusals.get((request.method, request.path))
        if refusal is not None:
            return refusal["code"], refusal
        match request.method:
            case "GET":
                return self._get(request)
            case "POST":
                path = f"{request.path}/{request.body['metadata']['name']}"
                return self._create(request, path)
            case "PATCH":
                return self._patch(request)
            case _:
                return self._delete(request)

    def _get(self, request: Request) -> tuple[int, Any]:
        if request.path == "/version":
            return 200, {"gitVersion": "v1.35.4"}
        if (kinds := self.custom_kinds.get(request.path.removeprefix("/apis/"))) is not None:
            return 200, {"resources": [{"kind": kind} for kind in kinds]}
        if request.path in self.objects:
            return 200, self.objects[request.path]
        if request.path.rpartition("/")[2] in _COLLECTIONS:
            inside = [obj for path, obj in self.objects.items() if path.rpartition("/")[0] == request.path]
            return 200, {"items": inside}
        return _not_found(request.path)

    def _create(self, request: Request, path: str) -> tuple[int, Any]:
        if path in self.objects:
            name = path.rpartition("/")[2]
            return 409, {"reason": "AlreadyExists", "message": f'configmaps "{name}" already exists'}
        return 201, self._stored(request, path)

    def _patch(self, request: Request) -> tuple[int, Any]:
        if isinstance(request.body, list):
            obj = json.loads(json.dumps(self.objects[request.path]))
            for operation in request.body:
                obj["metadata"][operation["path"].rpartition("/")[2]] = operation["value"]
            self.objects[request.path] = obj
            return 200, obj
        return 200, self._stored(request, request.path)

    def _delete(self, request: Request) -> tuple[int, Any]:
        if request.path not in self.objects:
            return _not_found(request.path)
        if self.stays_after_delete:
            self.objects[request.path]["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
        else:
            del self.objects[request.path]
        return 200, {"status": "Success"}

    def _stored(self, request: Request, path: str) -> dict[str, Any]:
        manager = {
            "manager": request.query.get("fieldManager"),
            "operation": "Apply" if request.method == "PATCH" else "Update",
            "fieldsV1": {},
        }
        old = self.objects.get(path, {"metadata": {"uid": f"uid-of-{path}", "managedFields": []}})
        others = [entry for entry in old["metadata"]["managedFields"] if entry["manager"] != manager["manager"]]
        meta = {**old["metadata"], **request.body["metadata"], "managedFields": [*others, manager], "generation": 1}
        obj = {**request.body, "metadata": {**meta, "resourceVersion": str(len(self.requests))}}
        if request.query.get("dryRun") != "All":
            self.objects[path] = obj
        return obj


def _not_found(path: str) -> tuple[int, Any]:
    *_, plural, name = path.split("/")
    return 404, {"reason": "NotFound", "message": f'{plural} "{name}" not found', "details": {"kind": plural}}


@contextmanager
def serving() -> Generator[Api]:
    """Run the server on a free port of the loopback interface."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one segment per response: a second one would wait for the acknowledgement of the first

        def answer(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            code, content = 401, {"reason": "Unauthorized"}
            if not api.token or self.headers.get("Authorization") == f"Bearer {api.token}":
                code, content = api.answer(Request(self.command, url.path, query, body))
            # A watch returns one event of its object and ends.
            if "watch" in query and code == 200:
                content = _event(api, url.path, query["fieldSelector"].partition("=")[2])
            is_log = url.path.endswith("/log") and "text" in content
            text = content["text"].encode() if is_log else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            for name, value in api.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    api.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _event(api: Api, collection: str, name: str) -> dict[str, Any]:
    obj = api.objects.get(f"{collection}/{name}")
    return {"type": "MODIFIED", "object": obj} if obj else {"type": "DELETED", "object": {}}
