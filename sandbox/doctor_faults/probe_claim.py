"""Claims and pods that show a fault, in namespace `default`. Their label names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import pins
from sandbox.doctor_faults.fault_context import FaultContext, FaultError
from sandbox.doctor_faults.saved_resources import Saved, Unsaved
from sandbox.ebs_csi.manifests import DRIVER
from sandbox.layout import ZONE_LABEL, Node
from sandbox.polling import wait_until

NAMESPACE, NAME = "default", "fault"
LABEL = "sandbox-fault"
_EVENT_SECONDS = 120.0
_KINDS = "pods,persistentvolumeclaims,persistentvolumes,storageclasses"
_LABELLED = {"labels": {LABEL: "true"}}
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Probe(Unsaved):
    """All objects with the label."""

    def restore(self, context: FaultContext, saved: Saved) -> None:  # noqa: ARG002 - there were none
        """Delete the objects and the volumes that the driver has created for them."""
        selected = ("-n", NAMESPACE, "-l", f"{LABEL}=true")
        names = {each["metadata"]["name"] for each in context.get("pvc", *selected)}
        context.kubectl(*("delete", "pods"), *selected, "--grace-period=1", "--ignore-not-found")
        context.kubectl("delete", _KINDS, *selected, "--ignore-not-found")
        bound = [
            each["metadata"]["name"]
            for each in context.get("pv")
            if each["spec"].get("claimRef", {}).get("namespace") == NAMESPACE
            and each["spec"]["claimRef"]["name"] in names
        ]
        if bound:
            context.kubectl("wait", "--for=delete", "--timeout=90s", *(f"pv/{each}" for each in bound))


def show(context: FaultContext) -> None:
    """Create a class, a claim and a pod that uses it."""
    context.apply([storage_class(), claim(), pod()])


def await_event(context: FaultContext, text: str, kind: str = "PersistentVolumeClaim", name: str = NAME) -> None:
    """Wait for an event of the object with this text. Case does not matter."""
    (subject,) = context.get("-n", NAMESPACE, kind, name)
    uid = subject["metadata"]["uid"]  # events of an earlier object with the same name do not count
    selector = f"--field-selector=involvedObject.kind={kind},involvedObject.name={name}"

    def seen() -> bool:
        events = context.get("-n", NAMESPACE, "events", selector)
        own = [each for each in events if each["involvedObject"].get("uid") == uid]
        return any(text.lower() in (each.get("message") or "").lower() for each in own)

    if not wait_until(seen, _EVENT_SECONDS, every=0.3):
        raise FaultError(f"{kind} {NAMESPACE}/{name} has no event with {text!r} after {_EVENT_SECONDS:.0f} s")


def storage_class(provisioner: str = DRIVER, parameters: Mapping[str, str] | None = None) -> Manifest:
    """Return the class of the claims."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": NAME, **_LABELLED},
        "provisioner": provisioner,
        "parameters": dict(parameters or {}),
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def claim(name: str = NAME, class_name: str | None = NAME, volume: str = "", **spec: Any) -> Manifest:  # noqa: ANN401
    """Return a claim with further fields of its spec. Without a class the cluster's default class counts."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": NAMESPACE, **_LABELLED},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **({} if class_name is None else {"storageClassName": class_name}),
            **({"volumeName": volume} if volume else {}),
            **spec,
        },
    }


def pod(name: str = NAME, claims: tuple[str, ...] = (NAME,), **spec: Any) -> Manifest:  # noqa: ANN401 (fields of a pod)
    """Return a pod that uses claims and does nothing."""
    requests = spec.pop("requests", {"cpu": "1m", "memory": "4Mi"})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, **_LABELLED},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "pause",
                    "image": pins.PAUSE_IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {"requests": requests},
                    "volumeMounts": [{"name": each, "mountPath": f"/{each}"} for each in claims],
                }
            ],
            "volumes": [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims],
            **spec,
        },
    }


def volume(name: str, zone: str = "") -> Manifest:
    """Return a PersistentVolume of an EBS volume that does not exist; in a zone if one is given."""
    expression = {"key": ZONE_LABEL, "operator": "In", "values": [zone]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, **_LABELLED},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "storageClassName": "",
            "persistentVolumeReclaimPolicy": "Retain",
            "csi": {"driver": DRIVER, "volumeHandle": f"vol-{name}"},
            **({"nodeAffinity": affinity} if zone else {}),
        },
    }


def in_zone(node: Node) -> dict[str, Any]:
    """Return the field of a pod that keeps it in the zone of a node."""
    return {"nodeSelector": {ZONE_LABEL: node.zone}}
