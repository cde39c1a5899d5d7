"""EBS CSI driver of the incident. Before 1.49 a claim's event names the cause, later the driver's log does."""

import json

from sandbox.aws.addon_catalogue import CATALOGUE, EBS_CSI
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.kubectl import kubectl
from sandbox.cluster.netns import inside
from sandbox.ebs_csi import addon_process, health
from sandbox.ebs_csi.addon import describe_addon, eks_client
from sandbox.layout import CLUSTER, SandboxInstance
from sandbox.polling import wait_until
from sandbox.progress import Report

CONTROLLER = "app=ebs-csi-controller"
_ADDON = {"clusterName": CLUSTER, "addonName": EBS_CSI}
_REMOVED_SECONDS = 60.0


class DriverError(Exception):
    """The sandbox cannot install that driver; the message says why."""


def version(given: str) -> str:
    """Return the addon version of a driver, such as `v1.48.0-eksbuild.1` for `1.48`.

    Raises DriverError for an unknown version.
    """
    versions = CATALOGUE[EBS_CSI].versions
    found = [each for each in versions if f"{each.removeprefix('v')}.".startswith((f"{given}.", f"{given}-"))]
    if not found:
        accepted = ", ".join(sorted({each.removeprefix("v").rpartition(".")[0].partition("-")[0] for each in versions}))
        raise DriverError(f"there is no EBS CSI driver {given!r}; accepted are {accepted} and their first two numbers")
    return found[0]


def use(instance: SandboxInstance, report: Report, given: str) -> bool:
    """Install that driver instead of the installed one. Return whether it differs.

    Raises DriverError for an unknown version, and while volumes need the installed driver; AddonError.
    """
    wanted = version(given)
    with inside(instance.control_netns):
        eks = eks_client(instance)
        addon = describe_addon(eks) or {}
        if addon.get("addonVersion") == wanted:
            return False
        if health.read(instance) == health.ACTIVE and any(instance.volumes.glob("vol-*")):
            raise DriverError(
                f"the driver {addon.get('addonVersion')} has volumes to serve, so it is not replaced by {wanted}; "
                "`make down` first"
            )
        if addon:
            eks.delete_addon(**_ADDON)
        wait_until(lambda: health.observed_file(instance).read_text() == health.ABSENT, _REMOVED_SECONDS)
        role = {"serviceAccountRoleArn": addon["serviceAccountRoleArn"]} if "serviceAccountRoleArn" in addon else {}
        eks.create_addon(**_ADDON, addonVersion=wanted, **role)
    wait_until(lambda: health.observed_file(instance).read_text() != health.ABSENT, _REMOVED_SECONDS)
    addon_process.settle(instance, report)
    return True


def log(instance: SandboxInstance, toolchain: Toolchain) -> str:
    """Return the line of the driver's log that names its failed health check, empty while it is healthy."""
    listed = json.loads(
        kubectl(instance, toolchain, "-n", "kube-system", "get", "pods", "-l", CONTROLLER, "-o", "json")
    )
    for pod in listed["items"]:
        (state,) = pod["status"].get("containerStatuses") or [{}]
        if state.get("restartCount") and not state.get("ready"):
            name = pod["metadata"]["name"]
            text = kubectl(instance, toolchain, "-n", "kube-system", "logs", name, "--tail=50")
            if lines := [line for line in text.splitlines() if "Failed health check" in line]:
                return lines[0]
    return ""
