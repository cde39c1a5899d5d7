"""Why a provisioner makes no volume, for claims whose events do not say it. Pure.

Since 1.49 the EBS CSI driver does not become healthy without a working identity. Its pods then restart again and again
with the reason in their logs, and a claim's event only says that the claim waits for a volume.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

NAMESPACE = "kube-system"
CONTROLLERS: Mapping[str, str] = {"ebs.csi.aws.com": "app=ebs-csi-controller"}
"""Label of a driver's controller pods by provisioner. EKS's addon and the Helm chart give them the same one."""
_ANNOTATIONS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_IN_TREE = {"kubernetes.io/aws-ebs": "ebs.csi.aws.com"}
_LONGEST = 1000


def provisioner_of(claim: Object) -> str:
    """Return the provisioner that a claim waits for; empty before a class is found for it."""
    noted = claim["metadata"].get("annotations") or {}
    name = next((noted[key] for key in _ANNOTATIONS if key in noted), "")
    return _IN_TREE.get(name, name)


def controller_problem(provisioner: str, pods: Sequence[Object], log: Callable[[str, str], str]) -> str:
    """Return what is wrong with the pods of a driver's controller, in one line; empty when one of them is ready.

    Args:
        provisioner: name of the driver.
        pods: of its controller.
        log: the end of the log of a container, from pod and container.
    """
    look = f"kubectl -n {NAMESPACE} logs -l {CONTROLLERS[provisioner]} --all-containers --prefix"
    if not pods:
        return f"driver {provisioner} has no controller pod with the label {CONTROLLERS[provisioner]} in {NAMESPACE}"
    states = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses") or []]
    if any(all(each.get("ready") for each in pod["status"].get("containerStatuses") or [{}]) for pod in pods):
        return ""
    restarts = sum(each.get("restartCount", 0) for each in states)
    head = f"the controller of driver {provisioner} is not ready ({restarts} restarts)"
    reason = next((line for pod in pods for name in _unready(pod) if (line := telling(log(_name(pod), name)))), "")
    return f"{head}, its log says: {reason}" if reason else f"{head}; see `{look}`"


def telling(text: str) -> str:
    """Return the line of a log that says why a driver is not healthy, or the last error; empty without one."""
    lines = [line for line in text.splitlines() if line]
    health = [line for line in lines if "Failed health check" in line]
    errors = health or [line for line in lines if line.startswith(("E", "F"))]
    return errors[-1][:_LONGEST] if errors else ""


def _unready(pod: Object) -> list[str]:
    return [each["name"] for each in pod["status"].get("containerStatuses") or [] if not each.get("ready")]


def _name(pod: Object) -> str:
    return pod["metadata"]["name"]
