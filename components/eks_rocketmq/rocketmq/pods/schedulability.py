"""Whether the nodes of a cluster take the pods of a set or deployment, asked before it is created.

The answer is a warning and no error: an autoscaler, or another part of the program, may add what is missing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ResourceHookArgs

from eks_rocketmq.args.validation import bytes_of
from eks_rocketmq.pulumi_sdk.component import resource_hooks
from eks_rocketmq.pulumi_sdk.sdk_internals import is_dry_run
from eks_rocketmq.rocketmq.pods.placement import ZONE, Nodes, Pods, obstacle

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

_PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_NODES = "/api/v1/nodes"


def schedulable(name: str, provider: Mapping[str, str] | None) -> list[Any]:
    """Hooks for a set or deployment: they warn before the create, at preview too, when its pods would stay Pending.

    Args:
        name: name of the resource; the hook is `<name>-schedulable`.
        provider: kubeconfig and context of the cluster, once they are known; without a kubeconfig no cluster is asked.
    """
    dry_run = is_dry_run()

    async def warn(args: ResourceHookArgs) -> None:
        if not provider or "kubeconfig" not in provider:
            return
        try:
            lines = await asyncio.to_thread(_missing, provider, args.new_inputs or {}, dry_run)
        except Exception as error:  # noqa: BLE001 - a role that may not read nodes may still deploy
            pulumi.log.debug(f"{args.name}: the cluster does not say whether its nodes take the pods ({error})")
            return
        for line in lines:
            pulumi.log.warn(f"{args.name}: {line}")

    return resource_hooks(f"{name}-schedulable", warn)


def nodes_of(listed: Sequence[Object]) -> list[Nodes]:
    """Return nodes as the API server lists them."""
    return [_node(one) for one in listed]


def pods_of(manifest: Object) -> Pods:
    """Return the pods of the manifest of a StatefulSet or Deployment."""
    spec = manifest["spec"]["template"]["spec"]
    requests = [container.get("resources", {}).get("requests", {}) for container in spec["containers"]]
    spread = [one for one in spec.get("topologySpreadConstraints", []) if one["whenUnsatisfiable"] == "DoNotSchedule"]
    return Pods(
        manifest["metadata"]["name"],
        int(manifest["spec"]["replicas"]),
        spec,
        cpu=sum(_thousandths(str(one.get("cpu", "0"))) for one in requests),
        memory=sum(bytes_of(str(one["memory"]), "memory") for one in requests if "memory" in one),
        apart="requiredDuringSchedulingIgnoredDuringExecution" in spec.get("affinity", {}).get("podAntiAffinity", {}),
        zones=max((int(one.get("minDomains", 1)) for one in spread), default=1),
    )


def _node(listed: Object) -> Nodes:
    labels, status = listed["metadata"].get("labels", {}), listed.get("status", {})
    room = status.get("allocatable", {})
    return Nodes(
        count=1,
        zone=labels.get(ZONE, ""),
        labels={key: frozenset({value}) for key, value in labels.items()},
        taints=[{"value": "", **taint} for taint in listed.get("spec", {}).get("taints", [])],
        cpu=_thousandths(str(room["cpu"])) if "cpu" in room else None,
        memory=bytes_of(str(room["memory"]), "memory") if "memory" in room else None,
        all_labels=True,
    )


def _thousandths(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def _missing(provider: Mapping[str, str], manifest: Object, dry_run: bool) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import get  # noqa: PLC0415 - a quarter of a second that only a create needs

    def names(path: str) -> set[str]:
        return {one["metadata"]["name"] for one in get(provider, path)["items"]}

    found: list[str] = []
    priority = manifest["spec"]["template"]["spec"].get("priorityClassName")
    if priority is not None and priority not in names(_PRIORITIES):
        found.append(f"the cluster has no PriorityClass {priority!r}; it refuses the pods until it has")
    # A class may be made in the same update; by the time of the create it is there.
    claims = [] if dry_run else manifest["spec"].get("volumeClaimTemplates", [])
    classes = {claim["spec"]["storageClassName"] for claim in claims}
    if classes and (unknown := classes - names(_CLASSES)):
        found += [f"the cluster has no StorageClass {name!r}; the claims stay Pending until it has" for name in unknown]
    if told := obstacle(pods_of(manifest), nodes_of(get(provider, _NODES)["items"])):
        found.append(f"its pods {told}. They stay Pending until nodes are added that take them")
    return found
