"""Objects of the snapshot API, bound by hand: the sandbox has no snapshot controller."""

from typing import Any

from sandbox.doctor_faults.probe_claim import NAME, NAMESPACE
from sandbox.ebs_csi.manifests import DRIVER

_GROUP = "snapshot.storage.k8s.io"
KINDS = {"VolumeSnapshot": f"volumesnapshots.{_GROUP}", "VolumeSnapshotContent": f"volumesnapshotcontents.{_GROUP}"}
"""CustomResourceDefinition of each kind. Their deletion deletes the objects too."""
DATA_SOURCE = {"apiGroup": _GROUP, "kind": "VolumeSnapshot", "name": NAME}
"""Source of a claim that is filled from the snapshot."""


def build_definitions() -> list[dict[str, Any]]:
    """Return the definitions of both kinds, without the schemas of the official ones."""
    return [_definition(kind, name) for kind, name in KINDS.items()]


def _definition(kind: str, name: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # The API server reserves the group for definitions that name their review.
        "metadata": {
            "name": name,
            "annotations": {
                "api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"
            },
        },
        "spec": {
            "group": _GROUP,
            "names": {"kind": kind, "plural": name.partition(".")[0], "singular": kind.lower()},
            "scope": "Namespaced" if kind == "VolumeSnapshot" else "Cluster",
            "versions": [version],
        },
    }


def bind_snapshot(handle: str) -> list[dict[str, Any]]:
    """Return a VolumeSnapshot and its content for a snapshot of EC2, as the controller leaves them."""
    api = f"{_GROUP}/v1"
    return [
        {
            "apiVersion": api,
            "kind": "VolumeSnapshotContent",
            "metadata": {"name": NAME},
            "spec": {
                "deletionPolicy": "Retain",
                "driver": DRIVER,
                "source": {"snapshotHandle": handle},
                "volumeSnapshotRef": {"name": NAME, "namespace": NAMESPACE},
            },
            "status": {"snapshotHandle": handle, "readyToUse": True},
        },
        {
            "apiVersion": api,
            "kind": "VolumeSnapshot",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"source": {"volumeSnapshotContentName": NAME}},
            "status": {"boundVolumeSnapshotContentName": NAME, "readyToUse": True},
        },
    ]
