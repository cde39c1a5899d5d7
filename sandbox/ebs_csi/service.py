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
    """Carry out the addon from now on; when it exists, wait for it as `settle` does.

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
    settle(place, report)


def settle(place: Place, report: Report) -> None:
    """Wait until the addon is ACTIVE, or until its driver has found that it has no identity. Raises AddonError."""
    observed = health.observed_file(place).read_text()
    if observed == health.ABSENT:
        report.detail("the EKS API has no addon aws-ebs-csi-driver, so the cluster has no EBS CSI driver")
        return
    status = _settled(place)
    if status == health.ACTIVE:
        return
    if observed == health.CHECKED and status == health.DEGRADED:
        report.detail("the EBS CSI driver is not healthy: kubectl -n kube-system logs -l app=ebs-csi-controller")
        return
    raise AddonError(
        f"the addon {health.ADDON} is {status} and not ACTIVE; look at the pods app=ebs-csi-controller in "
        f"kube-system\n{processes.log_tail(place, NAME)}"
    )


def stop(place: Place) -> None:
    """End everything of the driver: processes, mounts, loop devices. Pods must have ended, or lose their volumes."""
    processes.stop(place, NAME)
    nodes.stop(place)


def _settled(place: Place) -> str | None:
    """Status of the addon once it is ACTIVE, or once it will not be."""
    final = {health.ACTIVE}
    if health.observed_file(place).read_text() == health.CHECKED:
        final.add(health.DEGRADED)
    until(lambda: health.read(place) in final or not processes.alive(place, NAME), ACTIVE_SECONDS)
    return health.read(place)
