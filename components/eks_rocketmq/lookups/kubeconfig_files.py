"""Cluster of EKS that the current kubeconfig is for."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

_ARN = re.compile(r"arn:[a-z-]+:eks:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):cluster/(?P<name>[\w-]+)")
_ENDPOINT = re.compile(r"https://[0-9A-F]+\.\w+\.(?P<region>[a-z0-9-]+)\.eks\.amazonaws\.com")
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):role/")
_NAME_OPTIONS = ("--cluster-name", "--cluster-id", "-i", "--name")
_ROLE_OPTIONS = ("--role-arn", "--role", "-r")


@dataclass(frozen=True)
class EksContext:
    """EKS cluster of a kubeconfig context. A value that the kubeconfig does not contain is empty."""

    cluster: str = ""
    region: str = ""
    profile: str = ""
    """Profile of the AWS CLI that the kubeconfig uses for its tokens."""
    account: str = ""
    """Account of the cluster, or else of the role that the kubeconfig assumes for its tokens."""
    endpoint: str = ""
    """URL of the API server, if it is that of EKS. That of a proxy tells nothing about the cluster."""

    def override(self, *, cluster: str, region: str, profile: str) -> "EksContext":
        """Return the context with the values that are not empty."""
        given = {"cluster": cluster, "region": region, "profile": profile}
        return replace(self, **{name: value for name, value in given.items() if value})


def read_eks_context(kubeconfig: str = "", context: str = "") -> EksContext:
    """Return the EKS cluster of a context.

    `kubeconfig` is a path, or content as YAML or JSON. If it is empty, the default of kubectl applies. `context` is the
    name of the context. If it is empty, the current one applies.
    """
    documents = _read_documents(kubeconfig)
    name = context or next((each["current-context"] for each in documents if each.get("current-context")), "")
    found = _find(documents, "contexts", name).get("context") or {}
    cluster, user = found.get("cluster", ""), found.get("user", "")
    command = (_find(documents, "users", user).get("user") or {}).get("exec") or {}
    arguments = [str(each) for each in command.get("args") or []]
    environment = {each.get("name"): each.get("value") for each in command.get("env") or []}
    arn = next((match for each in (cluster, user, name) if (match := _ARN.search(str(each)))), None)
    server = (_find(documents, "clusters", cluster).get("cluster") or {}).get("server", "")
    endpoint = _ENDPOINT.match(server)
    names, roles = ([find_option(arguments, each) for each in options] for options in (_NAME_OPTIONS, _ROLE_OPTIONS))
    role = next((match for each in roles if (match := _ROLE_ARN.match(each))), None)
    return EksContext(
        next((each for each in names if each), arn["name"] if arn else ""),
        find_option(arguments, "--region")
        or (arn["region"] if arn else "")
        or (endpoint["region"] if endpoint else "")
        or environment.get("AWS_REGION", ""),
        find_option(arguments, "--profile") or environment.get("AWS_PROFILE", ""),
        next((each["account"] for each in (arn, role) if each), ""),
        server if endpoint else "",
    )


def _read_documents(kubeconfig: str) -> list[Mapping[str, Any]]:
    if (content := _parse(kubeconfig)) is not None:
        return [content]
    paths = kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return [_read(Path(each)) for each in paths.split(os.pathsep) if each]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return _parse(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError):
        return {}


def _parse(text: str) -> Mapping[str, Any] | None:
    """Return a kubeconfig; None for any other text, such as a path."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, Mapping) else None


def _find(documents: Sequence[Mapping[str, Any]], kind: str, name: str) -> Mapping[str, Any]:
    entries = [each for document in documents for each in document.get(kind) or []]
    return next((each for each in entries if each.get("name") == name), {})


def find_option(arguments: Sequence[str], option: str) -> str:
    """Return the value of a command-line option; an empty text if it is not given."""
    for index, each in enumerate(arguments):
        if each == option and index + 1 < len(arguments):
            return arguments[index + 1]
        if each.startswith(f"{option}="):
            return each.partition("=")[2]
    return ""
