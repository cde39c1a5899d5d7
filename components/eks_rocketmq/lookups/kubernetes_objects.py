"""Lookups of Kubernetes objects for `eks-rocketmq` and for the checks before a create."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError

from eks_rocketmq.lookups.events import format_latest_event
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_api import get_json
from eks_rocketmq.lookups.volumes import Volume, read_volumes
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN


def find_object(provider: Mapping[str, Any], inputs: Mapping[str, Any]) -> ExistingResource | None:
    """Return the object with the kind and the name of `inputs`, with its annotations, or None.

    `provider` has the inputs of the Kubernetes provider.

    Raises:
        ApiException: the API server rejects the request.
        ConfigException: no readable kubeconfig exists.
        MaxRetryError: the API server cannot be reached.
    """
    id_ = get_import_id(inputs)
    if id_ is None:
        return None
    version, metadata = inputs["apiVersion"], inputs["metadata"]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    try:
        # The list contains subresources, such as `pods/eviction`, which can have the kind of their resource.
        resources = [each for each in get_json(provider, base)["resources"] if "/" not in each["name"]]
        kind = next((each for each in resources if each["kind"] == inputs["kind"]), None)
        if kind is None:
            return None
        parent = f"{base}/namespaces/{metadata.get('namespace') or 'default'}" if kind["namespaced"] else base
        found = get_json(provider, f"{parent}/{kind['name']}/{metadata['name']}")
    except NotFoundError:
        return None
    return ExistingResource(id_, found["metadata"].get("annotations") or {})


def list_volumes(provider: Mapping[str, Any]) -> list[Volume]:
    """Return all PersistentVolumes of a cluster with the state of their claims.

    Raises:
        ApiException: the API server rejects the request.
        ConfigException: no readable kubeconfig exists.
        MaxRetryError: the API server cannot be reached.
    """
    claims = get_json(provider, "/api/v1/persistentvolumeclaims")["items"]
    return read_volumes(get_json(provider, "/api/v1/persistentvolumes")["items"], claims)


def list_objects(provider: Mapping[str, Any], namespaces: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the workloads and claims of namespaces, by kind. Arguments and errors are those of `list_volumes`."""
    return {
        kind: [each for namespace in sorted(namespaces) for each in get_json(provider, path.format(namespace))["items"]]
        for kind, path in LISTED_KINDS.items()
    }


def get_last_warning(provider: Mapping[str, Any], volume: str) -> str:
    """Return reason and message of the latest warning event of a PersistentVolume; an empty text if there is none."""
    selector = f"involvedObject.kind=PersistentVolume,involvedObject.name={volume},type=Warning"
    return format_latest_event(get_json(provider, "/api/v1/events", fieldSelector=selector)["items"])


def get_import_id(inputs: Mapping[str, Any]) -> str | None:
    """Return the import id of a Kubernetes object: `namespace/name`, or `name` for a cluster-scoped object.

    None means that the object cannot exist: the provider generates its name, or only the update knows it.
    """
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not name or UNKNOWN in (name, namespace):
        return None
    return f"{namespace}/{name}" if namespace else name


CLAIM_KIND = "PersistentVolumeClaim"
LISTED_KINDS: Mapping[str, str] = {
    CLAIM_KIND: "/api/v1/namespaces/{}/persistentvolumeclaims",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}
"""Path of the list of each kind: the kinds that store data or run pods."""
