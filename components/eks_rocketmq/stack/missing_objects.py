"""What a stack file names and a cluster that is made in the same update cannot have. Pure.

Once the cluster is there, others may put all of it in, so only the create of the cluster is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from eks_rocketmq.stack.stack_file import NAMESPACES_OF_EVERY_CLUSTER

_ROLES = ("nameServers", "controllers", "proxies")
_CLASSES_OF_EKS = "gp2"
_OPERATOR = "the CRDs of the Prometheus operator"
_BALANCER = "a controller that makes the load balancer"


def not_yet(values: Mapping[str, Any], unscaled: str = "") -> str:
    """Return the error for what a new cluster cannot have, or an empty text.

    Args:
        values: the settings by key.
        unscaled: why pods wait until there is an autoscaler, where they do.
    """
    found = [f"{path} needs {what}" for path, what in (*_objects(values), *_software(values))]
    found += [f"autoscaled in nodeGroups needs an autoscaler ({unscaled})"] if unscaled else []
    if not found:
        return ""
    return (
        "newCluster makes the cluster in this update, and it cannot have yet what these settings need:\n  "
        + "\n  ".join(found)
        + "\nAccepted at the first `pulumi up` is a stack file without them. Leave them out, run `pulumi up`, put what "
        "is missing into the cluster, and set them again"
    )


def _objects(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield settings that name objects of Kubernetes, and which."""
    namespace = values["namespace"]
    if not values["createNamespace"] and namespace not in NAMESPACES_OF_EVERY_CLUSTER:
        yield "createNamespace false", f"the namespace {namespace!r}"
    secrets = {
        "tls.secretName": values["tls"].get("secretName"),
        "dashboard.loginSecret": values["dashboard"].get("loginSecret"),
        "dashboard.credentialsSecret": values["dashboard"].get("credentialsSecret"),
    }
    secrets |= {f"imagePullSecrets[{i}]": name for i, name in enumerate(values["imagePullSecrets"])}
    for path, name in secrets.items():
        if name is not None:
            yield path, f"the Secret {name!r} in namespace {namespace!r}"
    places = {"pods": values["pods"]} | {f"{role}.pods": values[role].get("pods", {}) for role in _ROLES}
    groups = {f"brokerGroups[{group['name']!r}]": group for group in values["brokerGroups"]}
    places |= {f"{place}.pods": group.get("pods", {}) for place, group in groups.items()}
    for path, pods in places.items():
        name = pods.get("priorityClass", "system-")
        if not name.startswith("system-"):
            yield f"{path}.priorityClass", f"the PriorityClass {name!r}"
    for path, claim in {"controllers": values["controllers"], **groups}.items():
        name = claim.get("storageClass", values["storageClass"])
        if name not in (values["storageClass"], _CLASSES_OF_EKS):
            yield f"{path}.storageClass", f"the StorageClass {name!r}"


def _software(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield settings that need software which the stack does not install."""
    metrics, outside = values["monitoring"], values["external"]
    if values["imagePullPolicy"] == "Never":
        yield "imagePullPolicy 'Never'", "nodes that have the image already"
    if metrics.get("monitor", "none") != "none":
        yield f"monitoring.monitor {metrics['monitor']!r}", _OPERATOR
    if "alerts" in metrics:
        yield "monitoring.alerts", _OPERATOR
    balancer = outside.get("networkLoadBalancer")
    if balancer is not None:
        yield "external.networkLoadBalancer", "the AWS Load Balancer Controller"
        for field in ("subnets", "securityGroups"):
            if balancer.get(field):
                yield f"external.networkLoadBalancer.{field}", "a network, which is made in this update as well"
    if "loadBalancerClass" in outside:
        yield f"external.loadBalancerClass {outside['loadBalancerClass']!r}", _BALANCER
