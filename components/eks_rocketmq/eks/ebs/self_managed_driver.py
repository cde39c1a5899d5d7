"""Names and restart annotations of a self-managed EBS CSI driver. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.validation import validate_dns_label, validate_dns_subdomain

RESTART_ANNOTATION = "eks-rocketmq/restarted-for-role"
"""Annotation of the pod template. A changed value restarts the pods of the Deployment."""

NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "ebs-csi-controller-sa"  # https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html
DEPLOYMENT = "ebs-csi-controller"


@dataclass(frozen=True)
class DriverNames:
    """Names of the driver's controller; the defaults are those of its Helm chart."""

    namespace: str = NAMESPACE
    service_account: str = SERVICE_ACCOUNT
    deployment: str = DEPLOYMENT


def parse_driver_names(args: Mapping[str, str]) -> DriverNames:
    """Return the validated names from a `SelfManagedDriverArgs`."""
    names, path = DriverNames(**args), ARGS / "self_managed"
    validate_dns_label(names.namespace, path / "namespace")
    validate_dns_subdomain(names.service_account, path / "service_account")
    validate_dns_subdomain(names.deployment, path / "deployment")
    return names


def get_restart_annotations(role: str, restarted_for: str | None, pod_roles: Iterable[str | None]) -> dict[str, str]:
    """Return the annotations of the pod template that this stack owns.

    Pods get the role at their creation, so a changed template restarts pods without it. Pods with the role do not
    restart. The annotation of an earlier restart stays, because its removal would restart the pods again.

    Args:
        role: ARN of the role.
        restarted_for: value of the annotation in the current template.
        pod_roles: role ARN of each running pod.
    """
    all_have_role = all(pod_role == role for pod_role in pod_roles)
    return {} if all_have_role and restarted_for is None else {RESTART_ANNOTATION: role}
