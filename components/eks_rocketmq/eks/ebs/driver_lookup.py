"""Lookup of an EBS CSI driver's controller in a cluster. Read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.dynamic.exceptions import NotFoundError

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.kubernetes_names import POD_IDENTITY_AGENT
from eks_rocketmq.doctor.collectors.kubernetes_parsers import is_driver, parse_workload
from eks_rocketmq.doctor.facts.cluster_facts import Facts, Unreadable
from eks_rocketmq.doctor.facts.fact_queries import find_driver_version
from eks_rocketmq.doctor.policies.permissions import build_volume_tags
from eks_rocketmq.eks.ebs.self_managed_driver import NAMESPACE, RESTART_ANNOTATION, DriverNames
from eks_rocketmq.lookups.existing_resource import ExistingResource
from eks_rocketmq.lookups.kubernetes_api import get_json, list_pods

_MANAGER_LABEL = "app.kubernetes.io/managed-by"
_EKS = "EKS"
_ROLE_VARIABLE = "AWS_ROLE_ARN"
_AUTO_MODE = "/apis/storage.k8s.io/v1/csidrivers/ebs.csi.eks.amazonaws.com"
_DEPLOYMENTS = "/apis/apps/v1/deployments"


@dataclass(frozen=True)
class ControllerState:
    """State that decides whether the pods of a controller must restart."""

    restarted_for: str | None
    """Role ARN in the pod template's annotation, which a restart by this stack set."""
    pod_roles: tuple[str | None, ...]
    """Role ARN of each running pod; None for a pod without a role."""


@dataclass(frozen=True)
class VolumeTags:
    """Tags that a driver sets on each volume that it creates."""

    deployment: str
    """Deployment of the driver, as `namespace/name`."""
    tags: Mapping[str, str]


def find_controller(provider: Mapping[str, Any]) -> ExistingResource | None:
    """Return the Deployment of a driver that EKS does not manage, with the id `namespace/name`; None if there is none.

    A Deployment that an addon left with `preserve` has the label of EKS. A new addon adopts it.

    Raises:
        ApiException: if the cluster rejects the request.
        ConfigException: if there is no readable kubeconfig.
        MaxRetryError: if the cluster is not reachable.
    """
    for each in get_json(provider, _DEPLOYMENTS)["items"]:
        metadata = each["metadata"]
        labels = metadata.get("labels") or {}
        if is_driver(each) and labels.get(_MANAGER_LABEL) != _EKS:
            return ExistingResource(f"{metadata['namespace']}/{metadata['name']}")
    return None


def has_auto_mode(provider: Mapping[str, Any]) -> bool:
    """Return whether the cluster has the driver of EKS Auto Mode. Errors are those of `find_controller`."""
    try:
        get_json(provider, _AUTO_MODE)
    except NotFoundError:
        return False
    return True


def has_agent(provider: Mapping[str, Any]) -> bool:
    """Return whether the cluster has the agent of EKS Pod Identity. Nodes of EKS Auto Mode include it.

    Errors are those of `find_controller`.
    """
    try:
        get_json(provider, f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{POD_IDENTITY_AGENT}")
    except NotFoundError:
        return has_auto_mode(provider)
    return True


def find_volume_tags(provider: Mapping[str, Any], names: DriverNames) -> VolumeTags | None:
    """Return the tags that the driver sets on volumes; None if there is no driver, or its arguments do not tell.

    Errors are those of `find_controller`.
    """
    try:
        manifest = get_json(provider, f"/apis/apps/v1/namespaces/{names.namespace}/deployments/{names.deployment}")
    except NotFoundError:
        return None
    driver = parse_workload("Deployment", manifest)
    if driver is None or driver.cluster_id is None:
        return None
    unread = Unreadable("", "", "")
    version = find_driver_version(Facts(unread, unread, workloads=(driver,)))
    return VolumeTags(driver.id_, {**build_volume_tags(driver.cluster_id, version), **dict(driver.extra_tags)})


def read_controller(provider: Mapping[str, Any], names: DriverNames) -> ControllerState:
    """Read the state of a controller, its service account and its pods.

    Raises:
        ValueError: if the cluster has no such Deployment or service account, or they do not belong together.
        ApiException: if the cluster rejects the request.
        ConfigException: if there is no readable kubeconfig.
        MaxRetryError: if the cluster is not reachable.
    """
    namespace = names.namespace
    path = ARGS / "self_managed"
    deployment = _read_object(
        provider, f"/apis/apps/v1/namespaces/{namespace}/deployments", names.deployment, path / "deployment"
    )
    template = deployment["spec"]["template"]
    account = template["spec"].get("serviceAccountName") or "default"
    if account != names.service_account:
        raise ArgumentError(
            path / "service_account",
            "driver-service-account",
            "{given!r} is not the service account of Deployment {deployment!r}",
            accepted="{account!r}",
            given=names.service_account,
            deployment=f"{namespace}/{names.deployment}",
            account=account,
        )
    # Only its existence matters.
    _read_object(provider, f"/api/v1/namespaces/{namespace}/serviceaccounts", account, path / "service_account")
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    pods = list_pods(provider, namespace, labels)
    return ControllerState(
        restarted_for=_get_annotations(template).get(RESTART_ANNOTATION),
        pod_roles=tuple(_get_pod_role(pod) for pod in pods if _runs_as(account, pod)),
    )


def _read_object(provider: Mapping[str, Any], collection: str, name: str, path: ArgumentPath) -> dict[str, Any]:
    try:
        return get_json(provider, f"{collection}/{name}")
    except NotFoundError:
        raise ArgumentError(
            path,
            "driver-object-missing",
            "{given!r} does not exist in the cluster ({collection}/{given})",
            accepted="the name that the driver was installed with",
            remedy="If the cluster has no driver, let the program install the EKS addon instead",
            given=name,
            collection=collection,
        ) from None


def _get_annotations(manifest: Mapping[str, Any]) -> dict[str, str]:
    return (manifest.get("metadata") or {}).get("annotations") or {}


def _runs_as(account: str, pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod["spec"].get("serviceAccountName") == account


def _get_pod_role(pod: Mapping[str, Any]) -> str | None:
    variables = [each for container in pod["spec"]["containers"] for each in container.get("env") or []]
    return next((each.get("value") for each in variables if each["name"] == _ROLE_VARIABLE), None)
