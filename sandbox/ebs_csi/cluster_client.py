"""Kubernetes client of EKS's side of the addon: apply, delete, read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubernetes import client, config, dynamic
from kubernetes.dynamic.exceptions import NotFoundError

from sandbox.ebs_csi.manifests import CONTROLLER, LABELS, NAMESPACE, Manifest

FIELD_MANAGER = "eks"
NOT_FOUND = 404


class ClusterClient:
    """Client with the rights of the cluster's administrator, as EKS has them."""

    def __init__(self, kubeconfig: Path, discovery_cache: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig))
        self._apps = client.AppsV1Api(api)
        self._dynamic = dynamic.DynamicClient(api, cache_file=str(discovery_cache))

    def apply(self, objects: Sequence[Manifest]) -> None:
        """Apply with server-side apply. Repeatable. EKS takes over fields of other managers."""
        for each in objects:
            self._kind(each).server_side_apply(
                body=each,
                name=each["metadata"]["name"],
                namespace=each["metadata"].get("namespace"),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
            )

    def delete(self, objects: Sequence[Manifest]) -> None:
        """Delete the existing objects with the labels of the addon, in reverse order."""
        for each in reversed(objects):
            name, namespace = each["metadata"]["name"], each["metadata"].get("namespace")
            try:
                found = self._kind(each).get(name=name, namespace=namespace).to_dict()
                if LABELS.items() <= (found["metadata"].get("labels") or {}).items():
                    self._kind(each).delete(name=name, namespace=namespace, body={"propagationPolicy": "Background"})
            except NotFoundError:
                continue

    def controller(self) -> dict[str, Any] | None:
        """Return the controller's Deployment, None when it does not exist."""
        try:
            found = self._apps.read_namespaced_deployment(CONTROLLER, NAMESPACE)
        except client.ApiException as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return self._apps.api_client.sanitize_for_serialization(found)

    def _kind(self, each: Manifest) -> dynamic.Resource:
        return self._dynamic.resources.get(api_version=each["apiVersion"], kind=each["kind"])
