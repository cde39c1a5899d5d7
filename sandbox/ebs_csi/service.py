"""Start and stop EKS's side of the addon."""

import sys

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.ebs_csi import health, nodes
from sandbox.place import REPOSITORY, Place
from sandbox.polling import until
from sandbox.processes import Process
from sandbox.progress import Report

NAME = "ebs-csi-addon"
ACTIVE_SECONDS = 120.0


class AddonError(Exception):
    """The addon exists but did not become ACTIVE."""


def start(place: Place, toolchain: Toolchain, report: Report) -> None:
    """Carry out the addon from now on; when it exists, wait until it is ACTIVE.

    The AWS APIs, the control plane and the nodes must run. Raises ProcessError or AddonError.
    """
    if not processes.alive(place, NAME):
        health.observed_file(place).unlink(missing_ok=True)
    argv = [sys.executable, "-m", "sandbox.ebs_csi.addon", place.name, str(toolchain.bin / "ebs-csi")]
    processes.start(
        place,
        Process(
            NAME,
            argv,
            netns=place.control_netns,
            environment={"PYTHONPATH": str(REPOSITORY)},
            ready=health.observed_file(place).exists,
        ),
    )
    if health.observed_file(place).read_text() == health.ABSENT:
        report.detail("the EKS API has no addon aws-ebs-csi-driver, so the cluster has no EBS CSI driver")
        return
    _wait_until_active(place)


def stop(place: Place) -> None:
    """End everything of the driver: processes, mounts, loop devices. Pods must have ended, or lose their volumes."""
    processes.stop(place, NAME)
    nodes.stop(place)


def _wait_until_active(place: Place) -> None:
    until(lambda: health.read(place) == health.ACTIVE or not processes.alive(place, NAME), ACTIVE_SECONDS)
    if (status := health.read(place)) != health.ACTIVE:
        raise AddonError(
            f"the addon {health.ADDON} is {status} and not ACTIVE; look at the pods app=ebs-csi-controller in "
            f"kube-system\n{processes.log_tail(place, NAME)}"
        )
