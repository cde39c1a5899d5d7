"""The few calls that EKS's side makes to the cluster: apply, delete, read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubernetes import client, config, dynamic
from kubernetes.dynamic.exceptions import NotFoundError

from sandbox.ebs_csi.manifests import CONTROLLER, LABELS, NAMESPACE, Manifest

FIELD_MANAGER = "eks"
NOT_FOUND = 404


class Cluster:
    """The cluster, with the rights of its administrator, as EKS has them."""

    def __init__(self, kubeconfig: Path, discovery_cache: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig))
        self._apps = client.AppsV1Api(api)
        self._dynamic = dynamic.DynamicClient(api, cache_file=str(discovery_cache))

    def apply(self, objects: Sequence[Manifest]) -> None:
        """Server-side apply; a second time changes nothing. EKS takes over fields that others set."""
        for each in objects:
            self._kind(each).server_side_apply(
                body=each,
                name=each["metadata"]["name"],
                namespace=each["metadata"].get("namespace"),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
            )

    def delete(self, objects: Sequence[Manifest]) -> None:
        """Delete what is there and has the labels of the addon, last applied first."""
        for each in reversed(objects):
            name, namespace = each["metadata"]["name"], each["metadata"].get("namespace")
            try:
                found = self._kind(each).get(name=name, namespace=namespace).to_dict()
                if LABELS.items() <= (found["metadata"].get("labels") or {}).items():
                    self._kind(each).delete(name=name, namespace=namespace, body={"propagationPolicy": "Background"})
            except NotFoundError:
                continue

    def controller(self) -> dict[str, Any] | None:
        """The controller's Deployment, None when it is missing."""
        try:
            found = self._apps.read_namespaced_deployment(CONTROLLER, NAMESPACE)
        except client.ApiException as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return self._apps.api_client.sanitize_for_serialization(found)

    def _kind(self, each: Manifest) -> dynamic.Resource:
        return self._dynamic.resources.get(api_version=each["apiVersion"], kind=each["kind"])
