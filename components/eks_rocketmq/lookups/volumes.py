"""PersistentVolumes and what became of their claims. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""
EBS_DRIVER = "ebs.csi.aws.com"


@dataclass(frozen=True)
class Volume:
    """A PersistentVolume and what became of its claim."""

    name: str
    uid: str
    claim: str
    """`namespace/name` of the claim, empty when it never had one."""
    claimed: bool
    """The claim is there and stays."""
    owned: bool
    """The claim goes with its StatefulSet, which says so."""
    size: str
    policy: str
    phase: str
    driver: str
    handle: str
    """Id of the volume in AWS."""

    def __str__(self) -> str:
        """One line for a person, such as `rocketmq/data-rocketmq-broker-a-0  100Gi  vol-0ab1  pvc-…`."""
        return f"{self.claim}  {self.size}  {self.handle}  {self.name}"


def read_volumes(volumes: Iterable[Object], claims: Iterable[Object]) -> list[Volume]:
    """The volumes of a cluster.

    Args:
        volumes: all PersistentVolumes, as the API gives them.
        claims: all PersistentVolumeClaims.
    """
    by_uid = {claim["metadata"]["uid"]: claim["metadata"] for claim in claims}
    return [_read_volume(volume, by_uid) for volume in volumes]


def _read_volume(volume: Object, claims: Mapping[str, Object]) -> Volume:
    spec = volume["spec"]
    reference = spec.get("claimRef")
    claim = claims.get(reference.get("uid", "")) if reference else None
    csi, in_tree = spec.get("csi"), spec.get("awsElasticBlockStore")
    return Volume(
        name=volume["metadata"]["name"],
        uid=volume["metadata"]["uid"],
        claim=f"{reference['namespace']}/{reference['name']}" if reference else "",
        claimed=claim is not None and "deletionTimestamp" not in claim,
        owned=claim is not None and bool(claim.get("ownerReferences")),
        size=spec["capacity"]["storage"],
        policy=spec["persistentVolumeReclaimPolicy"],
        phase=volume["status"]["phase"],
        # Kubernetes hands volumes of the in-tree kind to the CSI driver.
        driver=csi["driver"] if csi else EBS_DRIVER if in_tree else "",
        handle=csi["volumeHandle"] if csi else in_tree["volumeID"] if in_tree else "",
    )
