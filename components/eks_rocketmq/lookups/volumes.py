"""PersistentVolumes and the state of their claims. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.kubernetes_names import EBS_DRIVER

KubernetesObject = Mapping[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Volume:
    """A PersistentVolume and the state of its claim."""

    name: str
    uid: str
    claim: str
    """`namespace/name` of the claim; empty if the volume was never bound, even if it is reserved for a claim."""
    has_claim: bool
    """Whether the claim exists and is not being deleted."""
    stateful_set: str
    """`namespace/name` of the StatefulSet that owns the claim: Kubernetes deletes both. Empty if there is none."""
    size: str
    reclaim_policy: str
    phase: str
    driver: str
    volume_id: str
    """Id of the volume in AWS."""

    def __str__(self) -> str:
        """Return one line, such as `rocketmq/data-rocketmq-broker-a-0  100Gi  vol-0ab1  pvc-…`."""
        return f"{self.claim}  {self.size}  {self.volume_id}  {self.name}"


def read_volumes(volumes: Iterable[KubernetesObject], claims: Iterable[KubernetesObject]) -> list[Volume]:
    """Return the volumes of a cluster.

    `volumes` are all PersistentVolumes, and `claims` all PersistentVolumeClaims, as the API returns them.
    """
    by_uid = {claim["metadata"]["uid"]: claim["metadata"] for claim in claims}
    return [_read_volume(volume, by_uid) for volume in volumes]


def _read_volume(volume: KubernetesObject, claims: Mapping[str, KubernetesObject]) -> Volume:
    spec = volume["spec"]
    # A reference without a uid reserves the volume for a claim.
    reference = spec.get("claimRef") or {}
    claim = claims.get(reference.get("uid", ""))
    owners = (claim or {}).get("ownerReferences") or []
    stateful_set = next((each["name"] for each in owners if each["kind"] == "StatefulSet"), "")
    csi, in_tree = spec.get("csi"), spec.get("awsElasticBlockStore")
    return Volume(
        name=volume["metadata"]["name"],
        uid=volume["metadata"]["uid"],
        claim=f"{reference['namespace']}/{reference['name']}" if reference.get("uid") else "",
        has_claim=claim is not None and "deletionTimestamp" not in claim,
        stateful_set=f"{reference['namespace']}/{stateful_set}" if stateful_set else "",
        size=spec["capacity"]["storage"],
        reclaim_policy=spec["persistentVolumeReclaimPolicy"],
        phase=volume["status"]["phase"],
        # Kubernetes migrates in-tree volumes to the CSI driver.
        driver=csi["driver"] if csi else EBS_DRIVER if in_tree else "",
        volume_id=csi["volumeHandle"] if csi else in_tree["volumeID"] if in_tree else "",
    )
