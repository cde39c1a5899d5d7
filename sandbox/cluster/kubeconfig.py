"""Kubeconfig files with client certificates, for the parts of the cluster and for the sandbox's own work."""

from pathlib import Path

import yaml

from sandbox.place import CLUSTER, Place


def render(place: Place, identity: str, namespace: str | None = None) -> str:
    """The kubeconfig of the certificate `identity` in `place.pki`, as YAML."""
    context: dict[str, str] = {"cluster": CLUSTER, "user": identity}
    if namespace:
        context["namespace"] = namespace
    pair = {
        "client-certificate": str(place.pki / f"{identity}.crt"),
        "client-key": str(place.pki / f"{identity}.key"),
    }
    server = {"server": place.api_endpoint, "certificate-authority": str(place.pki / "ca.crt")}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": server}],
            "users": [{"name": identity, "user": pair}],
            "contexts": [{"name": CLUSTER, "context": context}],
            "current-context": CLUSTER,
        }
    )


def write(place: Place, identity: str, path: Path) -> Path:
    """Write the kubeconfig of `identity` to `path`, readable by root alone, and give the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(render(place, identity))
    return path
