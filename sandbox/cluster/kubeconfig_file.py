"""Kubeconfig files of the cluster's parts, of webhooks and of the sandbox itself."""

from pathlib import Path

import yaml

from sandbox.layout import CLUSTER, SandboxInstance


def render(
    instance: SandboxInstance, user: str, server: str | None = None, credentials: dict[str, str] | None = None
) -> str:
    """Return a kubeconfig as YAML. By default for the API server, with the certificate of `user` in `instance.pki`."""
    if credentials is None:
        credentials = {
            "client-certificate": str(instance.pki / f"{user}.crt"),
            "client-key": str(instance.pki / f"{user}.key"),
        }
    authority = str(instance.pki / "ca.crt")
    cluster = {"server": server or instance.api_endpoint, "certificate-authority": authority}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": CLUSTER, "context": {"cluster": CLUSTER, "user": user}}],
            "current-context": CLUSTER,
        }
    )


def write(instance: SandboxInstance, user: str, path: Path) -> Path:
    """Write the kubeconfig of `user` to `path`, readable by root only, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(render(instance, user))
    return path
