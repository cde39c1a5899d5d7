"""The controller of an EBS CSI driver in a cluster, as the Kubernetes API shows it. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError

from eks_rocketmq.eks.ebs.self_managed_driver import RESTART_ANNOTATION, ROLE_ANNOTATION, DriverNames
from eks_rocketmq.lookups.found import Found
from eks_rocketmq.lookups.kubernetes_api import get

_CONTROLLER = "ebs-csi-controller"
_IMAGE = "aws-ebs-csi-driver"
_DRIVER_LABEL = ("app.kubernetes.io/name", "aws-ebs-csi-driver")
_MANAGER_LABEL = "app.kubernetes.io/managed-by"
_EKS = "EKS"
_ROLE_VARIABLE = "AWS_ROLE_ARN"
_AUTO_MODE = "/apis/storage.k8s.io/v1/csidrivers/ebs.csi.eks.amazonaws.com"
_DEPLOYMENTS = "/apis/apps/v1/deployments"


@dataclass(frozen=True)
class ControllerState:
    """What decides whether the pods of a controller must be restarted."""

    annotated_role: str | None
    """Role in the annotation of the service account."""
    restarted_for: str | None
    """Role in the annotation of the pod template that a restart of this stack set."""
    pod_roles: tuple[str | None, ...]
    """Role of each running pod, None for one without a role."""


def find_controller(provider: Mapping[str, Any]) -> Found | None:
    """The Deployment of a driver that EKS does not manage; its id is `namespace/name`.

    What an addon leaves behind with `preserve` has the label of EKS, and a new addon takes it over.

    Raises:
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    for each in get(provider, _DEPLOYMENTS)["items"]:
        metadata = each["metadata"]
        labels = metadata.get("labels") or {}
        if _is_driver(each, labels) and labels.get(_MANAGER_LABEL) != _EKS:
            return Found(f"{metadata['namespace']}/{metadata['name']}")
    return None


def has_auto_mode(provider: Mapping[str, Any]) -> bool:
    """Whether the cluster has the driver of EKS Auto Mode. Errors as for `find_controller`."""
    try:
        get(provider, _AUTO_MODE)
    except NotFoundError:
        return False
    return True


def read_controller(provider: Mapping[str, Any], names: DriverNames) -> ControllerState:
    """The controller with its service account and pods.

    Raises:
        ValueError: when the cluster has no such Deployment or service account, or they do not belong together.
        ApiException: when the cluster refuses the question.
        ConfigException: when there is no kubeconfig that can be read.
        MaxRetryError: when the cluster cannot be reached.
    """
    namespace = names.namespace
    deployment = _read_object(
        provider, f"/apis/apps/v1/namespaces/{namespace}/deployments", names.deployment, "deployment"
    )
    template = deployment["spec"]["template"]
    account = template["spec"].get("serviceAccountName") or "default"
    if account != names.service_account:
        msg = (
            f"self_managed.service_account is {names.service_account!r}; Deployment {namespace}/{names.deployment} "
            f"runs as {account!r}. Give that name"
        )
        raise ValueError(msg)
    found = _read_object(provider, f"/api/v1/namespaces/{namespace}/serviceaccounts", account, "service_account")
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = get(provider, f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)["items"]
    return ControllerState(
        annotated_role=_get_annotations(found).get(ROLE_ANNOTATION),
        restarted_for=_get_annotations(template).get(RESTART_ANNOTATION),
        pod_roles=tuple(_get_pod_role(pod) for pod in pods if _runs_as(account, pod)),
    )


def _read_object(provider: Mapping[str, Any], folder: str, name: str, argument: str) -> dict[str, Any]:
    try:
        return get(provider, f"{folder}/{name}")
    except NotFoundError:
        msg = (
            f"self_managed.{argument} is {name!r}; the cluster has no such object ({folder}/{name}). Accepted is the "
            "name that the driver was installed with. Without a driver, leave self_managed out (`ebsCsiDriver: create`)"
        )
        raise ValueError(msg) from None


def _is_driver(deployment: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if deployment["metadata"]["name"] == _CONTROLLER or labels.get(_DRIVER_LABEL[0]) == _DRIVER_LABEL[1]:
        return True
    images = [each.get("image", "") for each in deployment["spec"]["template"]["spec"]["containers"]]
    return any(image.rsplit("/", 1)[-1].split("@")[0].split(":")[0] == _IMAGE for image in images)


def _get_annotations(thing: Mapping[str, Any]) -> dict[str, str]:
    return (thing.get("metadata") or {}).get("annotations") or {}


def _runs_as(account: str, pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod["spec"].get("serviceAccountName") == account


def _get_pod_role(pod: Mapping[str, Any]) -> str | None:
    variables = [each for container in pod["spec"]["containers"] for each in container.get("env") or []]
    return next((each.get("value") for each in variables if each["name"] == _ROLE_VARIABLE), None)
