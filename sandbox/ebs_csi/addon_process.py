"""Start and stop of EKS's side of the addon."""

import sys

from sandbox import processes
from sandbox.aws.addon_catalogue import EBS_CSI
from sandbox.cache.toolchain import Toolchain
from sandbox.ebs_csi import health, node_plugin
from sandbox.layout import REPOSITORY, SandboxInstance
from sandbox.polling import wait_until
from sandbox.processes import Process
from sandbox.progress import Report

NAME = "ebs-csi-addon"
ACTIVE_SECONDS = 120.0


class AddonError(Exception):
    """The addon exists but did not become ACTIVE."""


def start(instance: SandboxInstance, toolchain: Toolchain, report: Report) -> None:
    """Start the process. When the addon exists, wait for it as `settle` does.

    Requires the AWS APIs, the control plane and the nodes. Raises ProcessError or AddonError.
    """
    if not processes.is_alive(instance, NAME):
        health.observed_file(instance).unlink(missing_ok=True)
    argv = [sys.executable, "-m", "sandbox.ebs_csi.addon", instance.name, str(toolchain.bin / "ebs-csi")]
    processes.start(
        instance,
        Process(
            NAME,
            argv,
            netns=instance.control_netns,
            environment={"PYTHONPATH": str(REPOSITORY)},
            ready=health.observed_file(instance).exists,
        ),
    )
    settle(instance, report)


def settle(instance: SandboxInstance, report: Report) -> None:
    """Wait until the addon is ACTIVE, or its driver has found that it has no identity. Raises AddonError."""
    observed = health.observed_file(instance).read_text()
    if observed == health.ABSENT:
        report.detail("the EKS API has no addon aws-ebs-csi-driver, so the cluster has no EBS CSI driver")
        return
    final = {health.ACTIVE, health.DEGRADED} if observed == health.CHECKED else {health.ACTIVE}
    wait_until(lambda: health.read(instance) in final or not processes.is_alive(instance, NAME), ACTIVE_SECONDS)
    status = health.read(instance)
    if status == health.ACTIVE:
        return
    if observed == health.CHECKED and status == health.DEGRADED:
        report.detail(
            "the EBS CSI driver is not healthy: kubectl -n kube-system logs -l app=ebs-csi-controller --tail=200"
        )
        return
    raise AddonError(
        f"the addon {EBS_CSI} is {status} and not ACTIVE; look at the pods app=ebs-csi-controller in "
        f"kube-system\n{processes.log_tail(instance, NAME)}"
    )


def stop(instance: SandboxInstance) -> None:
    """Stop the driver, unmount its volumes and free their devices. Running pods lose their volumes."""
    processes.stop(instance, NAME)
    node_plugin.stop(instance)
