"""Check before the create whether the nodes of a cluster can run the pods of a StatefulSet or Deployment.

The result is a warning, not an error. An autoscaler or another part of the program can add missing nodes.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import ResourceHookArgs

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.kubernetes_names import ZONE
from eks_rocketmq.args.validation import parse_bytes, parse_cpu
from eks_rocketmq.pulumi_sdk.component import create_resource_hooks
from eks_rocketmq.pulumi_sdk.sdk_internals import is_dry_run
from eks_rocketmq.rocketmq.pods.placement import Nodes, Pods, find_obstacle

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""

_PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_NODES = "/api/v1/nodes"


def build_schedulable_hooks(name: str, provider: Mapping[str, str] | None) -> list[Any]:
    """Return hooks for a StatefulSet or Deployment that warn before the create if its pods would stay Pending.

    The hooks also run at preview.

    `name` is that of the resource; the hook is `<name>-schedulable`. `provider` has the kubeconfig and context of the
    cluster, when they are known. Without a kubeconfig, the hook does nothing.
    """
    dry_run = is_dry_run()

    async def warn(args: ResourceHookArgs) -> None:
        if not provider or "kubeconfig" not in provider:
            return
        try:
            lines = await asyncio.to_thread(_list_problems, provider, args.new_inputs or {}, dry_run)
        except Exception as error:  # noqa: BLE001 - deploying needs no permission to read nodes
            pulumi.log.debug(f"{args.name}: the cluster does not say whether its nodes take the pods ({error})")
            return
        for line in lines:
            pulumi.log.warn(f"{args.name}: {line}")

    return create_resource_hooks(f"{name}-schedulable", warn)


def parse_pods(manifest: Object) -> Pods:
    """Return the pods of a StatefulSet or Deployment, from its manifest."""
    spec = manifest["spec"]["template"]["spec"]
    requests = [container.get("resources", {}).get("requests", {}) for container in spec["containers"]]
    spread = [one for one in spec.get("topologySpreadConstraints", []) if one["whenUnsatisfiable"] == "DoNotSchedule"]
    return Pods(
        manifest["metadata"]["name"],
        int(manifest["spec"]["replicas"]),
        spec,
        cpu=sum(parse_cpu(str(one.get("cpu", "0"))) for one in requests),
        memory=sum(parse_bytes(str(one["memory"]), ARGS / "memory") for one in requests if "memory" in one),
        anti_affinity="requiredDuringSchedulingIgnoredDuringExecution"
        in spec.get("affinity", {}).get("podAntiAffinity", {}),
        zones=max((int(one.get("minDomains", 1)) for one in spread), default=1),
    )


def _parse_node(listed: Object) -> Nodes:
    labels, status = listed["metadata"].get("labels", {}), listed.get("status", {})
    allocatable = status.get("allocatable", {})
    return Nodes(
        count=1,
        zone=labels.get(ZONE, ""),
        labels={key: frozenset({value}) for key, value in labels.items()},
        taints=[{"value": "", **taint} for taint in listed.get("spec", {}).get("taints", [])],
        cpu=parse_cpu(str(allocatable["cpu"])) if "cpu" in allocatable else None,
        memory=parse_bytes(str(allocatable["memory"]), ARGS / "memory") if "memory" in allocatable else None,
        all_labels=True,
    )


def _list_problems(provider: Mapping[str, str], manifest: Object, dry_run: bool) -> list[str]:
    from eks_rocketmq.lookups.kubernetes_api import get_json  # noqa: PLC0415 - the import takes 250 ms; only creates need it

    def list_names(path: str) -> set[str]:
        return {one["metadata"]["name"] for one in get_json(provider, path)["items"]}

    problems: list[str] = []
    priority = manifest["spec"]["template"]["spec"].get("priorityClassName")
    if priority is not None and priority not in list_names(_PRIORITIES):
        problems.append(f"the cluster has no PriorityClass {priority!r}; it refuses the pods until it has")
    # The same update may create the StorageClass. At the time of the create it exists.
    claims = [] if dry_run else manifest["spec"].get("volumeClaimTemplates", [])
    classes = {claim["spec"]["storageClassName"] for claim in claims}
    if classes and (unknown := classes - list_names(_CLASSES)):
        problems += [
            f"the cluster has no StorageClass {name!r}; the claims stay Pending until it has" for name in unknown
        ]
    nodes = [_parse_node(one) for one in get_json(provider, _NODES)["items"]]
    if problem := find_obstacle(parse_pods(manifest), nodes):
        problems.append(f"its pods {problem}. They stay Pending until nodes are added that take them")
    return problems
