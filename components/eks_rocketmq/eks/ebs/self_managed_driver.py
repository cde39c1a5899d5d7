"""An EBS CSI driver that Helm or kubectl installed: its names, and when its pods must be restarted. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.validation import dns_label, dns_subdomain

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
"""Annotation of a service account that the pod identity webhook of EKS reads when a pod is created."""
RESTART_ANNOTATION = "eks-rocketmq/restarted-for-role"
"""Annotation of the pod template; a changed value rolls the Deployment."""

NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "ebs-csi-controller-sa"  # https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html
DEPLOYMENT = "ebs-csi-controller"


@dataclass(frozen=True)
class DriverNames:
    """Where the controller of the driver is; the defaults are those of its Helm chart."""

    namespace: str = NAMESPACE
    service_account: str = SERVICE_ACCOUNT
    deployment: str = DEPLOYMENT


def parse_driver_names(given: Mapping[str, str]) -> DriverNames:
    """Return the names from a `SelfManagedDriverArgs`.

    Raises:
        ValueError: for a name that Kubernetes does not accept.
    """
    names = DriverNames(**given)
    dns_label(names.namespace, "self_managed.namespace")
    dns_subdomain(names.service_account, "self_managed.service_account")
    dns_subdomain(names.deployment, "self_managed.deployment")
    return names


def get_restart_annotations(role: str, restarted_for: str | None, pod_roles: Iterable[str | None]) -> dict[str, str]:
    """Return the annotations of the pod template that this stack owns.

    Pods get the role only when they are created, so pods without it are restarted by a changed template. Pods that have
    it need no restart. An annotation of an earlier restart stays: taking it off would restart the pods again.

    Args:
        role: ARN of the role.
        restarted_for: what the template has now.
        pod_roles: the role of each running pod.
    """
    current = all(each == role for each in pod_roles)
    return {} if current and restarted_for is None else {RESTART_ANNOTATION: role}
