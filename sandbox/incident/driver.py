"""The EBS CSI driver of the incident: before 1.49 a claim's event names the cause, since then the driver's log does."""

import json
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.addon_catalogue import CATALOGUE, EBS_CSI
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster.client import kubectl
from sandbox.cluster.netns import inside
from sandbox.ebs_csi import health, service
from sandbox.ebs_csi.addon import eks_client
from sandbox.place import CLUSTER, Place
from sandbox.polling import until
from sandbox.progress import Report

CONTROLLER = "app=ebs-csi-controller"
_ADDON = {"clusterName": CLUSTER, "addonName": EBS_CSI}
_REMOVED_SECONDS = 60.0


class DriverError(Exception):
    """The sandbox cannot have that driver; the message says why."""


def version(given: str) -> str:
    """The addon version of a driver, such as `v1.48.0-eksbuild.1` of `1.48`.

    Raises DriverError for one that there is not.
    """
    versions = CATALOGUE[EBS_CSI].versions
    found = [each for each in versions if f"{each.removeprefix('v')}.".startswith((f"{given}.", f"{given}-"))]
    if not found:
        accepted = ", ".join(sorted({each.removeprefix("v").rpartition(".")[0].partition("-")[0] for each in versions}))
        raise DriverError(f"there is no EBS CSI driver {given!r}; accepted are {accepted} and their first two numbers")
    return found[0]


def use(place: Place, report: Report, given: str) -> bool:
    """Install that driver instead of the one that runs, and say whether it was another one.

    Raises DriverError for one that there is not, and while volumes need the one that runs; AddonError.
    """
    wanted = version(given)
    with inside(place.control_netns):
        eks = eks_client(place)
        addon = _addon(eks)
        if addon.get("addonVersion") == wanted:
            return False
        if health.read(place) == health.ACTIVE and _has_volumes(place):
            raise DriverError(
                f"the driver {addon.get('addonVersion')} has volumes to serve, so it is not replaced by {wanted}; "
                "`make down` first"
            )
        if addon:
            eks.delete_addon(**_ADDON)
        until(lambda: health.observed_file(place).read_text() == health.ABSENT, _REMOVED_SECONDS)
        role = {"serviceAccountRoleArn": addon["serviceAccountRoleArn"]} if "serviceAccountRoleArn" in addon else {}
        eks.create_addon(**_ADDON, addonVersion=wanted, **role)
    until(lambda: health.observed_file(place).read_text() != health.ABSENT, _REMOVED_SECONDS)
    service.settle(place, report)
    return True


def log(place: Place, toolchain: Toolchain) -> str:
    """Why the driver is not healthy, in the words of its log; empty while it is."""
    listed = json.loads(kubectl(place, toolchain, "-n", "kube-system", "get", "pods", "-l", CONTROLLER, "-o", "json"))
    for pod in listed["items"]:
        (state,) = pod["status"].get("containerStatuses") or [{}]
        if state.get("restartCount") and not state.get("ready"):
            name = pod["metadata"]["name"]
            text = kubectl(place, toolchain, "-n", "kube-system", "logs", name, "--tail=50")
            if lines := [line for line in text.splitlines() if "Failed health check" in line]:
                return lines[0]
    return ""


def _addon(eks: Any) -> dict[str, str]:  # noqa: ANN401 (boto3 makes its clients at run time)
    try:
        return eks.describe_addon(**_ADDON)["addon"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise


def _has_volumes(place: Place) -> bool:
    return any(place.volumes.glob("vol-*"))
