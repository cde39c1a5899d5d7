"""Settings that need what a cluster cannot have in the update that creates it. Pure.

Once the cluster exists, others can install what is missing, so the check applies to the create of the cluster only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from eks_rocketmq.args.argument_path import ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.stack_file import NAMESPACES_OF_EVERY_CLUSTER
from eks_rocketmq.stack.stack_paths import LOAD_BALANCER, NODE_GROUPS, ROCKETMQ, list_roles

_CLASS_OF_EKS = "gp2"
_OPERATOR = "the CRDs of the Prometheus operator"
_BALANCER = "a controller that creates the load balancer"
_REMEDY = "Leave the argument out of the first `pulumi up`, install what is missing, and set it again"


def list_missing_objects(
    rocketmq: RocketMqArgs,
    class_name: str,
    balancer: Mapping[str, Any] | None,
    unschedulable: ArgumentMessage | None = None,
) -> list[ArgumentMessage]:
    """Return a message for each argument that needs what a new cluster cannot have.

    Args:
        class_name: StorageClass of the stack.
        balancer: `networkLoadBalancer` of the stack file, or None.
        unschedulable: why pods stay Pending until the cluster has an autoscaler.
    """
    found = [
        ArgumentMessage(
            path,
            "not-in-a-new-cluster",
            "the cluster cannot have {needed} before this update has created it",
            remedy=_REMEDY,
            values={"needed": needed},
        )
        for path, needed in (
            *_list_objects({**rocketmq}, class_name),
            *_list_software({**rocketmq}),
            *_list_balancer_needs({**rocketmq}, balancer),
        )
    ]
    if unschedulable is not None:
        found.append(
            ArgumentMessage(
                NODE_GROUPS,
                "no-autoscaler-yet",
                "groups rely on an autoscaler, which the cluster cannot have before this update has created it. "
                "Without it, {reason}",
                remedy="Leave {autoscaled} out of the first `pulumi up`, install the autoscaler, and set it again",
                values={"reason": unschedulable, "autoscaled": Names(("autoscaled",))},
            )
        )
    return found


def _list_objects(rocketmq: Mapping[str, Any], class_name: str) -> Iterator[tuple[ArgumentPath, str]]:
    """Yield arguments that name Kubernetes objects, each with the object."""
    namespace = rocketmq["namespace"]
    if not rocketmq.get("create_namespace", True) and namespace not in NAMESPACES_OF_EVERY_CLUSTER:
        yield ROCKETMQ / "create_namespace", f"the namespace {namespace!r}"
    tls, dashboard = rocketmq.get("tls", {}), rocketmq.get("dashboard", {})
    secrets: dict[ArgumentPath, str | None] = {
        ROCKETMQ / "tls" / "secret_name": tls.get("secret_name"),
        ROCKETMQ / "dashboard" / "login_secret": dashboard.get("login_secret"),
        ROCKETMQ / "dashboard" / "credentials_secret": dashboard.get("credentials_secret"),
    }
    pull_secrets = ROCKETMQ / "image_pull_secrets"
    secrets |= {pull_secrets.index(i): name for i, name in enumerate(rocketmq.get("image_pull_secrets", []))}
    for path, name in secrets.items():
        if name is not None:
            yield path, f"the Secret {name!r} in namespace {namespace!r}"
    for path, holder in {ROCKETMQ: rocketmq, **list_roles(rocketmq)}.items():
        name = holder.get("pods", {}).get("priority_class", "system-")
        if not name.startswith("system-"):
            yield path / "pods" / "priority_class", f"the PriorityClass {name!r}"
    for path, role in list_roles(rocketmq).items():
        name = role.get("storage_class", class_name)
        if name not in (class_name, _CLASS_OF_EKS):
            yield path / "storage_class", f"the StorageClass {name!r}"


def _list_software(rocketmq: Mapping[str, Any]) -> Iterator[tuple[ArgumentPath, str]]:
    """Yield arguments that need software which the stack does not install."""
    metrics = rocketmq.get("monitoring", {})
    if rocketmq.get("image_pull_policy") == "Never":
        yield ROCKETMQ / "image_pull_policy", "nodes that have the image already"
    if metrics.get("monitor", "none") != "none":
        yield ROCKETMQ / "monitoring" / "monitor", _OPERATOR
    if "alerts" in metrics:
        yield ROCKETMQ / "monitoring" / "alerts", _OPERATOR


def _list_balancer_needs(
    rocketmq: Mapping[str, Any], balancer: Mapping[str, Any] | None
) -> Iterator[tuple[ArgumentPath, str]]:
    if balancer is None:
        if "load_balancer_class" in rocketmq.get("external", {}):
            yield ROCKETMQ / "external" / "load_balancer_class", _BALANCER
        return
    yield LOAD_BALANCER, "the AWS Load Balancer Controller"
    for key, name in {"subnets": "subnets", "securityGroups": "security_groups"}.items():
        if balancer.get(key):
            yield LOAD_BALANCER / name, "a network"
