"""Facts from the JSON of Kubernetes objects. Pure. Of environment variables only the listed ones are read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eks_rocketmq.args.kubernetes_names import ZONE
from eks_rocketmq.lookups.kubernetes_quantities import parse_quantity
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.status.status_facts import ClaimStatus, PodStatus, WorkloadStatus

Manifest = Mapping[str, Any]
"""A Kubernetes object as JSON."""
_REVISION = "controller-revision-hash"
_GROWTH = {
    "Resizing": "the volume grows",
    "FileSystemResizePending": "the file system grows next",
    "ModifyingVolume": "the volume is modified",
}
_GROWTH_ERRORS = ("ControllerResizeError", "NodeResizeError", "ModifyVolumeError")


def map_zones(nodes: Iterable[Manifest]) -> dict[str, str]:
    """Return the zone of each node."""
    return {each["metadata"]["name"]: (each["metadata"].get("labels") or {}).get(ZONE, "") for each in nodes}


def is_finished(pod: Manifest) -> bool:
    """Return whether a pod has ended and will not start again."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def parse_pod(pod: Manifest, zones: Mapping[str, str]) -> PodStatus:
    """Return a pod. `zones` has the zone of each node."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    own = metadata.get("labels") or {}
    role = own.get("app.kubernetes.io/component", "")
    container = next((each for each in spec["containers"] if each["name"] == role), spec["containers"][0])
    state: Manifest = next((c for c in status.get("containerStatuses") or [] if c["name"] == container["name"]), {})
    leaving = "deletionTimestamp" in metadata
    ready = bool(state.get("ready")) and not leaving
    claims = [each["persistentVolumeClaim"]["claimName"] for each in spec.get("volumes") or []
              if "persistentVolumeClaim" in each]  # fmt: skip
    return PodStatus(
        name=metadata["name"],
        role=role,
        group=own.get(labels.GROUP_LABEL, ""),
        address=status.get("podIP") or "",
        node=spec.get("nodeName") or "",
        zone=zones.get(spec.get("nodeName") or "", ""),
        ready=ready,
        running="running" in (state.get("state") or {}),
        reason="" if ready else "Terminating" if leaving else _explain(status, state),
        restarts=int(state.get("restartCount") or 0),
        image=str(container.get("image") or ""),
        claim=next(iter(claims), ""),
        has_tls=any(each["name"] == "TLS" for each in container.get("env") or []),
        readiness_port=int(((container.get("readinessProbe") or {}).get("httpGet") or {}).get("port") or 0),
    )


def _explain(status: Manifest, state: Manifest) -> str:
    """Return why a pod is not ready."""
    current = state.get("state") or {}
    waiting = (current.get("waiting") or current.get("terminated") or {}).get("reason")
    if waiting:
        return str(waiting)
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        return str(scheduled.get("reason") or "Unschedulable")
    if "running" in current:
        return "starting" if state.get("started") is False else "not ready"
    return str(status.get("phase") or "Unknown")


def parse_workload(kind: str, manifest: Manifest, pods: Iterable[Manifest]) -> WorkloadStatus:
    """Return a StatefulSet or Deployment. `kind` is one of them. `pods` are all pods of the namespace."""
    metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status") or {}
    own = metadata.get("labels") or {}
    template = spec["template"]["spec"]
    variables = {
        each["name"]: each.get("value") for container in template["containers"] for each in container.get("env") or []
    }
    spread = [each for each in template.get("topologySpreadConstraints") or [] if each.get("topologyKey") == ZONE]
    return WorkloadStatus(
        kind=kind,
        name=metadata["name"],
        role=own.get("app.kubernetes.io/component", ""),
        group=own.get(labels.GROUP_LABEL, ""),
        version=own.get("app.kubernetes.io/version", ""),
        desired=int(spec.get("replicas", 1)),
        updated=_count_updated(kind, metadata, status, pods),
        min_in_sync=int(variables.get("MIN_IN_SYNC") or 0),
        min_zones=max((int(each.get("minDomains") or 0) for each in spread), default=0),
    )


def _count_updated(kind: str, metadata: Manifest, status: Manifest, pods: Iterable[Manifest]) -> int:
    if metadata.get("generation", 0) != status.get("observedGeneration", metadata.get("generation", 0)):
        return 0  # the controller has not seen the change yet
    if kind == "Deployment":
        return int(status.get("updatedReplicas") or 0)
    owned = [
        each["metadata"].get("labels") or {}
        for each in pods
        if any(owner["name"] == metadata["name"] for owner in each["metadata"].get("ownerReferences") or [])
    ]
    return sum(each.get(_REVISION) == status.get("updateRevision") for each in owned)


def parse_claim(claim: Manifest) -> ClaimStatus:
    """Return a claim, with the step of its growth."""
    spec, status = claim["spec"], claim.get("status") or {}
    requested = parse_quantity((spec.get("resources") or {}).get("requests", {}).get("storage", ""))
    capacity = parse_quantity((status.get("capacity") or {}).get("storage", ""))
    conditions: Sequence[Manifest] = [each for each in status.get("conditions") or [] if each.get("status") == "True"]
    steps = [_GROWTH[each["type"]] for each in conditions if each["type"] in _GROWTH]
    errors = [str(each.get("message") or each["type"]) for each in conditions if each["type"] in _GROWTH_ERRORS]
    errors += [value for value in (status.get("allocatedResourceStatuses") or {}).values() if "Infeasible" in value]
    bound = status.get("phase") == "Bound"
    waiting = "the volume has not begun to grow" if bound and requested > capacity else ""
    return ClaimStatus(
        name=claim["metadata"]["name"],
        phase=status.get("phase") or "Pending",
        storage_class=spec.get("storageClassName") or "",
        requested=requested,
        capacity=capacity,
        resizing=next(iter(steps), waiting),
        resize_error=next(iter(errors), ""),
    )
