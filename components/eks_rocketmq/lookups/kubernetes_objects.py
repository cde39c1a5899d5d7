"""What `eks-rocketmq` and the preflight ask of a cluster."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError

from eks_rocketmq.lookups.events import format_latest_event
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_api import get_json
from eks_rocketmq.lookups.volumes import Volume, read_volumes
from eks_rocketmq.pulumi_sdk.engine_values import UNKNOWN


def find_object(kubeconfig: str, inputs: Mapping[str, Any]) -> ExistingResource | None:
    """The object in the cluster of a kubeconfig that has kind and name of `inputs`, with its annotations, or None.

    Raises:
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    id_ = get_import_id(inputs)
    if id_ is None:
        return None
    provider, version, metadata = {"kubeconfig": kubeconfig}, inputs["apiVersion"], inputs["metadata"]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    try:
        # A subresource, such as `pods/eviction`, is listed beside its resource and can have the same kind.
        served = [each for each in get_json(provider, base)["resources"] if "/" not in each["name"]]
        kind = next((each for each in served if each["kind"] == inputs["kind"]), None)
        if kind is None:
            return None
        folder = f"{base}/namespaces/{metadata.get('namespace') or 'default'}" if kind["namespaced"] else base
        found = get_json(provider, f"{folder}/{kind['name']}/{metadata['name']}")
    except NotFoundError:
        return None
    return ExistingResource(id_, found["metadata"].get("annotations") or {})


def list_volumes(provider: Mapping[str, Any]) -> list[Volume]:
    """Every PersistentVolume of a cluster, with what became of its claim.

    Args:
        provider: inputs of the Kubernetes provider.

    Raises:
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    claims = get_json(provider, "/api/v1/persistentvolumeclaims")["items"]
    return read_volumes(get_json(provider, "/api/v1/persistentvolumes")["items"], claims)


def list_objects(provider: Mapping[str, Any], namespaces: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Workloads and claims of some namespaces, by kind. Arguments and errors as for `list_volumes`."""
    spaces = sorted(namespaces)
    return {
        kind: [each for space in spaces for each in get_json(provider, path.format(space))["items"]]
        for kind, path in LISTED_KINDS.items()
    }


def get_last_warning(provider: Mapping[str, Any], volume: str) -> str:
    """What was last said about a PersistentVolume, in the driver's own words; empty when nothing was."""
    about = f"involvedObject.kind=PersistentVolume,involvedObject.name={volume},type=Warning"
    return format_latest_event(get_json(provider, "/api/v1/events", fieldSelector=about)["items"])


def get_import_id(inputs: Mapping[str, Any]) -> str | None:
    """The import id of a Kubernetes object: `namespace/name`, or `name` where there is no namespace.

    None for an object whose name the provider will make up, or that is not known before the update: it cannot exist.
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
"""Path of the list of each kind that is looked for: what holds data, and what runs."""
