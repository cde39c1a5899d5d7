"""EKS's side of the addon, a process of its own: what the EKS API says is carried out in the cluster.

Run as `python -m sandbox.ebs_csi.addon PLACE PROGRAM` in the control namespace; PROGRAM is the driver's executable.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import urllib3.exceptions
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError

from sandbox.ebs_csi import health, manifests, nodes
from sandbox.ebs_csi.cluster import Cluster
from sandbox.ebs_csi.configuration import Configuration, ConfigurationError, parse
from sandbox.place import CLUSTER, REGION, Place
from sandbox.processes import ProcessError

POLL_SECONDS = 1.0
LATE_SECONDS = 20.0
# The API server or the AWS APIs are not there for a moment; the next look will tell.
PASSING = (BotoCoreError, ClientError, ApiException, DynamicApiError, ProcessError, urllib3.exceptions.HTTPError)

log = logging.getLogger("addon")


class KubernetesApi(Protocol):
    """What is used of `Cluster`."""

    def apply(self, objects: Sequence[manifests.Manifest]) -> None: ...

    def delete(self, objects: Sequence[manifests.Manifest]) -> None: ...

    def controller(self) -> dict[str, Any] | None: ...


@dataclass
class Reconciler:
    """Makes the cluster as the EKS API says, one step at a time."""

    place: Place
    program: Path
    eks: Any
    cluster: KubernetesApi
    applied: list[manifests.Manifest] | None = None
    """What this process applied last; None before its first look."""
    late: float = 0.0
    """When a controller that is not healthy by then is taken for one that will not be."""

    def step(self) -> None:
        """Look once at the EKS API and carry out what differs."""
        addon = self._describe()
        if addon is None:
            self._remove()
        else:
            self._maintain(addon)
        health.observed_file(self.place).write_text(_observed(addon))

    def _describe(self) -> dict[str, Any] | None:
        """The addon, None when there is none or when it is to go."""
        try:
            addon = self.eks.describe_addon(clusterName=CLUSTER, addonName=health.ADDON)["addon"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return None if addon.get("status") == "DELETING" else addon

    def _maintain(self, addon: dict[str, Any]) -> None:
        try:
            configuration = parse(addon.get("configurationValues"))
        except ConfigurationError as error:
            health.write(self.place, health.conflict(str(error)))
            return
        role = addon.get("serviceAccountRoleArn") or None
        version = addon["addonVersion"]
        wanted = manifests.objects(role, configuration, self.place.aws_endpoint_for_pods, version)
        if wanted != self.applied:
            self._withdraw(wanted)
            self.cluster.apply(wanted)
            self.applied = wanted
            self.late = time.monotonic() + LATE_SECONDS
            log.info("applied %s with role %s and %s", version, role, configuration)
        nodes.ensure(self.place, self.program, configuration.attach_limit)
        late = manifests.checks_ec2(version) and time.monotonic() > self.late
        self._report(health.assess(self.cluster.controller(), health.read(self.place), late=late))

    def _withdraw(self, wanted: list[manifests.Manifest]) -> None:
        """Delete what an earlier configuration asked for and this one does not."""
        names = {(each["kind"], each["metadata"]["name"]) for each in wanted}
        gone = [each for each in self.applied or () if (each["kind"], each["metadata"]["name"]) not in names]
        self.cluster.delete(gone)

    def _report(self, now: health.Health) -> None:
        before = health.read(self.place)
        health.write(self.place, now)
        if now["status"] != before:
            log.info("status %s, before %s", now["status"], before)

    def _remove(self) -> None:
        if self.applied != []:
            full = Configuration(default_storage_class=True)
            self.cluster.delete(manifests.objects(None, full, self.place.aws_endpoint_for_pods, manifests.UNCHECKED))
            self.applied = []
            health.remove(self.place)
            log.info("the addon is not in the EKS API: its objects are deleted")
        if self._is_self_managed(self.cluster.controller()):
            # Helm's chart brings the plugin of the nodes along.
            nodes.ensure(self.place, self.program, None)
        else:
            nodes.stop_idle(self.place)

    @staticmethod
    def _is_self_managed(controller: dict[str, Any] | None) -> bool:
        labels = controller["metadata"].get("labels") or {} if controller else {}
        return controller is not None and not manifests.LABELS.items() <= labels.items()


def _observed(addon: dict[str, Any] | None) -> str:
    if addon is None:
        return health.ABSENT
    return health.CHECKED if manifests.checks_ec2(addon["addonVersion"]) else health.PRESENT


def eks_client(place: Place) -> Any:  # noqa: ANN401, boto3 makes its clients at run time
    """EKS acts with the sandbox's root credentials, not with those of any user."""
    lines = (place.root / "aws-root.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return boto3.client(
        "eks",
        region_name=REGION,
        endpoint_url=place.aws_endpoint,
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )


def main(name: str, program: str) -> None:
    """Reconcile until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    place = Place(name)
    cluster = Cluster(place.admin_kubeconfig, place.run / "ebs-csi-discovery.json")
    reconciler = Reconciler(place, Path(program), eks_client(place), cluster)
    problem = ""
    while not ended.is_set():
        try:
            reconciler.step()
            problem = ""
        except PASSING as error:
            if str(error) != problem:
                problem = str(error)
                log.warning("will try again: %s", problem)
        ended.wait(POLL_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
