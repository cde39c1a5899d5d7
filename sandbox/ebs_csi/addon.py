"""EKS's side of the addon: a process that makes the cluster match the EKS API.

Run as `python -m sandbox.ebs_csi.addon SANDBOX PROGRAM` in the control namespace. PROGRAM is the driver's executable.
"""

import logging
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3.exceptions
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError

from sandbox.aws import env_file
from sandbox.aws.addon_catalogue import EBS_CSI
from sandbox.ebs_csi import health, manifests, node_plugin
from sandbox.ebs_csi.addon_configuration import AddonConfiguration, ConfigurationError, parse
from sandbox.ebs_csi.cluster_client import ClusterClient
from sandbox.layout import CLUSTER, REGION, SandboxInstance
from sandbox.processes import ProcessError

POLL_SECONDS = 1.0
LATE_SECONDS = 20.0
# Transient failures of the API server and the AWS APIs. The next step tries again.
TRANSIENT = (BotoCoreError, ClientError, ApiException, DynamicApiError, ProcessError, urllib3.exceptions.HTTPError)

log = logging.getLogger("addon")


@dataclass
class Reconciler:
    """Makes the cluster match the EKS API, one step at a time."""

    instance: SandboxInstance
    program: Path
    eks: Any
    cluster: ClusterClient
    applied: list[manifests.Manifest] | None = None
    """Objects that this process applied last. None before its first step."""
    late: float = 0.0
    """Time at which an unhealthy controller counts as permanently unhealthy."""

    def step(self) -> None:
        """Read the EKS API once and apply what differs."""
        addon = self._describe()
        if addon is None:
            self._remove()
        else:
            self._maintain(addon)
        health.observed_file(self.instance).write_text(_observed(addon))

    def _describe(self) -> dict[str, Any] | None:
        """Return the addon; None when it does not exist or is being deleted."""
        addon = describe_addon(self.eks)
        return None if addon is None or addon.get("status") == "DELETING" else addon

    def _maintain(self, addon: dict[str, Any]) -> None:
        try:
            configuration = parse(addon.get("configurationValues"))
        except ConfigurationError as error:
            health.write(self.instance, health.conflict(str(error)))
            return
        role = addon.get("serviceAccountRoleArn") or None
        version = addon["addonVersion"]
        wanted = manifests.addon_manifests(role, configuration, self.instance.aws_endpoint_for_pods, version)
        if wanted != self.applied:
            self._withdraw(wanted)
            self.cluster.apply(wanted)
            self.applied = wanted
            self.late = time.monotonic() + LATE_SECONDS
            log.info("applied %s with role %s and %s", version, role, configuration)
        node_plugin.ensure(self.instance, self.program, configuration.attach_limit)
        late = manifests.checks_ec2(version) and time.monotonic() > self.late
        self._report(health.assess(self.cluster.controller(), health.read(self.instance), late=late))

    def _withdraw(self, wanted: list[manifests.Manifest]) -> None:
        """Delete the objects of an earlier configuration that this one does not have."""
        names = {(each["kind"], each["metadata"]["name"]) for each in wanted}
        gone = [each for each in self.applied or () if (each["kind"], each["metadata"]["name"]) not in names]
        self.cluster.delete(gone)

    def _report(self, now: health.Health) -> None:
        before = health.read(self.instance)
        health.write(self.instance, now)
        if now["status"] != before:
            log.info("status %s, before %s", now["status"], before)

    def _remove(self) -> None:
        if self.applied != []:
            full = AddonConfiguration(default_storage_class=True)
            self.cluster.delete(
                manifests.addon_manifests(None, full, self.instance.aws_endpoint_for_pods, manifests.UNCHECKED)
            )
            self.applied = []
            health.remove(self.instance)
            log.info("the addon is not in the EKS API: its objects are deleted")
        if self._is_self_managed(self.cluster.controller()):
            # Helm's chart includes the node plugin.
            node_plugin.ensure(self.instance, self.program, None)
        else:
            node_plugin.stop_idle(self.instance)

    @staticmethod
    def _is_self_managed(controller: dict[str, Any] | None) -> bool:
        labels = controller["metadata"].get("labels") or {} if controller else {}
        return controller is not None and not manifests.LABELS.items() <= labels.items()


def describe_addon(eks: Any) -> dict[str, Any] | None:  # noqa: ANN401 (boto3 makes its clients at run time)
    """Return the addon in the EKS API, None when it does not exist."""
    try:
        return eks.describe_addon(clusterName=CLUSTER, addonName=EBS_CSI)["addon"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


def _observed(addon: dict[str, Any] | None) -> str:
    if addon is None:
        return health.ABSENT
    return health.CHECKED if manifests.checks_ec2(addon["addonVersion"]) else health.PRESENT


def eks_client(instance: SandboxInstance) -> Any:  # noqa: ANN401 (boto3 makes its clients at run time)
    """Return an EKS client with the credentials of the account's root."""
    credentials = env_file.read(instance.root / "aws-root.env")
    return boto3.client(
        "eks",
        region_name=REGION,
        endpoint_url=instance.aws_endpoint,
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
    )


def main(name: str, program: str) -> None:
    """Reconcile until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    instance = SandboxInstance(name)
    cluster = ClusterClient(instance.admin_kubeconfig, instance.run / "ebs-csi-discovery.json")
    reconciler = Reconciler(instance, Path(program), eks_client(instance), cluster)
    problem = ""
    while not ended.is_set():
        try:
            reconciler.step()
            problem = ""
        except TRANSIENT as error:
            if str(error) != problem:
                problem = str(error)
                log.warning("will try again: %s", problem)
        ended.wait(POLL_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
