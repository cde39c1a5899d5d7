"""Problems of volume provisioners that the events of a claim do not show. Pure.

Since version 1.49, the EBS CSI driver does not become healthy without valid credentials. Its pods restart repeatedly,
with the reason in their logs. The event of a claim only says that the claim waits for a volume.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

NAMESPACE = "kube-system"
CONTROLLERS: Mapping[str, str] = {"ebs.csi.aws.com": "app=ebs-csi-controller"}
"""Label of a driver's controller pods, by provisioner. The EKS addon and the Helm chart use the same label."""
_ANNOTATIONS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_IN_TREE = {"kubernetes.io/aws-ebs": "ebs.csi.aws.com"}
_MAX_LENGTH = 1000


def find_provisioner(claim: Object) -> str:
    """Return the provisioner that a claim waits for; empty before the claim has a StorageClass."""
    annotations = claim["metadata"].get("annotations") or {}
    name = next((annotations[key] for key in _ANNOTATIONS if key in annotations), "")
    return _IN_TREE.get(name, name)


def describe_controller_problem(provisioner: str, pods: Sequence[Object], log: Callable[[str, str], str]) -> str:
    """Return the problem of a driver's controller pods in one line; empty if one of them is ready.

    Args:
        provisioner: name of the driver.
        pods: pods of its controller.
        log: function that returns the end of a container's log, given the names of pod and container.
    """
    command = f"kubectl -n {NAMESPACE} logs -l {CONTROLLERS[provisioner]} --all-containers --prefix"
    if not pods:
        return f"driver {provisioner} has no controller pod with the label {CONTROLLERS[provisioner]} in {NAMESPACE}"
    states = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses") or []]
    if any(all(each.get("ready") for each in pod["status"].get("containerStatuses") or [{}]) for pod in pods):
        return ""
    restarts = sum(each.get("restartCount", 0) for each in states)
    summary = f"the controller of driver {provisioner} is not ready ({restarts} restarts)"
    reason = next(
        (line for pod in pods for name in _list_unready(pod) if (line := find_log_error(log(_get_name(pod), name)))), ""
    )
    return f"{summary}, its log says: {reason}" if reason else f"{summary}; see `{command}`"


def find_log_error(text: str) -> str:
    """Return the line of a log with the failed health check, or else the last error; empty without an error."""
    lines = [line for line in text.splitlines() if line]
    health = [line for line in lines if "Failed health check" in line]
    errors = health or [line for line in lines if line.startswith(("E", "F"))]
    return errors[-1][:_MAX_LENGTH] if errors else ""


def _list_unready(pod: Object) -> list[str]:
    return [each["name"] for each in pod["status"].get("containerStatuses") or [] if not each.get("ready")]


def _get_name(pod: Object) -> str:
    return pod["metadata"]["name"]
