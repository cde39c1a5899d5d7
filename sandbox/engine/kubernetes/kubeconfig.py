"""Kubeconfig: cluster, namespace and credentials."""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine.kubernetes.errors import UnreachableError
from sandbox.engine.provider.values import JsonObject

_CONFIGURATION_HELP = (
    "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have: \n\n"
    " \t • set up the provider as per "
    "https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n "
)


@dataclass(frozen=True)
class Cluster:
    """Address and certificate authority of the API server. `ca_pem` is empty for the system's authorities."""

    server: str
    ca_pem: str = ""
    insecure: bool = False
    server_name: str = ""


@dataclass(frozen=True)
class User:
    """Credentials: the first of token, client certificate and exec plugin is used."""

    token: str = ""
    certificate_pem: str = ""
    key_pem: str = ""
    exec_plugin: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Access:
    """Cluster, user and namespace of one context."""

    cluster: Cluster
    user: User
    namespace: str


def load(given: object) -> JsonObject:
    """Parse a kubeconfig from its text, the path of its file, or an object.

    The default is the files of KUBECONFIG, or ~/.kube/config; empty without such a file.
    Raises UnreachableError for a text that is not a kubeconfig.
    """
    if isinstance(given, dict):
        return given
    if given:
        return _parse(_text_of(str(given)))
    merged: JsonObject = {}
    ambient = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    for path in ambient.split(os.pathsep):
        if path and Path(path).is_file():
            merged = _merged(merged, _parse(Path(path).read_text()))
    return merged


def access(config: JsonObject, context: str = "", cluster: str = "", namespace: str = "") -> Access:
    """Resolve a context, by default the current one; `cluster` and `namespace` override those of the context.

    Raises UnreachableError when the kubeconfig has no server for it.
    """
    chosen = _entry(config, "contexts", "context", context or str(config.get("current-context") or ""))
    found = _entry(config, "clusters", "cluster", cluster or str(chosen.get("cluster") or ""))
    if not found.get("server"):
        raise UnreachableError(
            f"{_CONFIGURATION_HELP}invalid configuration: no configuration has been provided, try setting "
            "KUBERNETES_MASTER environment variable"
        )
    user = _entry(config, "users", "user", str(chosen.get("user") or ""))
    return Access(
        Cluster(
            server=str(found["server"]).rstrip("/"),
            ca_pem=_material(found, "certificate-authority"),
            insecure=bool(found.get("insecure-skip-tls-verify")),
            server_name=str(found.get("tls-server-name") or ""),
        ),
        User(
            token=str(user.get("token") or _file_text(user.get("tokenFile"))),
            certificate_pem=_material(user, "client-certificate"),
            key_pem=_material(user, "client-key"),
            exec_plugin=dict(user.get("exec") or {}),
        ),
        namespace or str(chosen.get("namespace") or "default"),
    )


def active_cluster(given: object, context: object, cluster: object) -> JsonObject | None:
    """Return the cluster entry that a provider with these settings uses; None without one."""
    if not given:
        return None
    config = load(given)
    chosen = _entry(config, "contexts", "context", str(context or config.get("current-context") or ""))
    found = _entry(config, "clusters", "cluster", str(cluster or chosen.get("cluster") or ""))
    return found or None


def _text_of(path_or_text: str) -> str:
    expanded = os.path.expanduser(path_or_text)  # noqa: PTH111 - Path() fails for a text with NUL or a long text
    try:
        is_file = Path(expanded).is_file()
    except OSError:
        is_file = False
    return Path(expanded).read_text() if is_file else path_or_text


def _parse(text: str) -> JsonObject:
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        parsed = None
        reason = str(error)
    else:
        reason = "it is no mapping"
    if not isinstance(parsed, dict):
        raise UnreachableError(f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {reason}")
    return parsed


def _merged(first: JsonObject, second: JsonObject) -> JsonObject:
    """Merge two kubeconfigs as kubectl does: the first entry of a name wins."""
    result = {**second, **{key: value for key, value in first.items() if value}}
    for section in ("clusters", "contexts", "users"):
        entries = [*(first.get(section) or []), *(second.get(section) or [])]
        seen: dict[str, Any] = {}
        for entry in entries:
            seen.setdefault(entry["name"], entry)
        result[section] = list(seen.values())
    return result


def _entry(config: JsonObject, section: str, key: str, name: str) -> JsonObject:
    for entry in config.get(section) or []:
        if entry.get("name") == name:
            return dict(entry.get(key) or {})
    return {}


def _material(entry: Mapping[str, object], key: str) -> str:
    """Return PEM text from `KEY-data` (base64), or from the file at `KEY`."""
    data = entry.get(f"{key}-data")
    if not data:
        return _file_text(entry.get(key))
    try:
        return base64.b64decode(str(data), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnreachableError(f"{_CONFIGURATION_HELP}{key}-data is no base64 text of a PEM file: {error}") from error


def _file_text(path: object) -> str:
    if not path:
        return ""
    try:
        return Path(str(path)).read_text().strip()
    except OSError as error:
        raise UnreachableError(f"{_CONFIGURATION_HELP}unable to read {path}: {error.strerror}") from error


def exec_key(plugin: JsonObject) -> str:
    """Return a key that is equal for exec plugins with the same configuration."""
    return json.dumps(plugin, sort_keys=True)
