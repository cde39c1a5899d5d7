"""Objects that several roles make in the same way."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, Resource, ResourceHookBinding

from eks_rocketmq.pulumi_sdk.component import child_options
from eks_rocketmq.rocketmq.namespace.collisions import Workload
from eks_rocketmq.rocketmq.namespace.namespace_preflight import refuse_collisions
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.network import network_policies
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.pending_pods import pending_pod_hooks
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings
from eks_rocketmq.rocketmq.pods.tls_volumes import secured

LOGGING = {"logback.xml": (resources.files("eks_rocketmq.rocketmq.config") / "logback.xml").read_text(encoding="utf-8")}
"""What every JVM reads beside its own file, as a ConfigMap carries it."""

# A rolling restart takes every member through a drain and, at worst, through a recovery.
SET_TIMEOUTS = CustomTimeouts(create="30m", update="60m", delete="15m")


@dataclass(frozen=True)
class WorkloadScope:
    """Whose objects these are: names, labels and selector of one role, or of one broker group."""

    parent: ComponentResource
    name: str
    """Name in the state, the prefix of every child's."""
    deployment: DeploymentPlan
    namespace: Input[str]
    role: str
    group: str | None = None

    @property
    def workload(self) -> str:
        """Name of the set in Kubernetes."""
        return labels.app(self.role) if self.group is None else labels.group_name(self.group)

    @property
    def selector(self) -> dict[str, str]:
        """What picks the pods."""
        return labels.selector(self.role, self.group)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every object."""
        return labels.labels(self.role, self.deployment.version, self.group)

    def metadata(self, name: Input[str], annotations: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - see `raw`
        """Metadata of an object with that name."""
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": self.namespace,
            "labels": {**self.deployment.labels, **self.labels},
        }
        noted = {**self.deployment.annotations, **(annotations or {})}
        return raw(metadata | {"annotations": noted} if noted else metadata)

    def template(self, spec: Mapping[str, Any], pods: PodSettings) -> dict[str, Any]:
        """The template of the pods."""
        metadata: dict[str, Any] = {"labels": {**pods.labels, **self.labels}}
        return {"metadata": metadata | ({"annotations": pods.annotations} if pods.annotations else {}), "spec": spec}


def raw(manifest: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the SDK's types know another spelling only
    """Part of a manifest in Kubernetes' own spelling, which the SDK passes on; the unit tests hold it to the schema."""
    return manifest


def content_hash(data: Mapping[str, str]) -> str:
    """A short hash of what a ConfigMap holds."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:10]


def config_map(scope: WorkloadScope, data: Mapping[str, str]) -> Output[str]:
    """An immutable ConfigMap whose name carries a hash of its content; the result is that name.

    A changed file is another ConfigMap: pods roll from one to the other and back, and none reads a file half changed.
    """
    made = k8s.core.v1.ConfigMap(
        f"{scope.name}-config",
        metadata=scope.metadata(f"{scope.workload}-{content_hash(data)}"),
        data=data,
        immutable=True,
        opts=child_options(scope.parent),
    )
    return made.metadata.apply(lambda metadata: str(metadata.name))


def service(scope: WorkloadScope, ports: Mapping[str, int]) -> k8s.core.v1.Service:
    """A Service in front of the pods that are ready."""
    return k8s.core.v1.Service(
        f"{scope.name}-service",
        # Pulumi would wait 10 s for endpoints that the sets prove anyway.
        metadata=scope.metadata(scope.workload, {"pulumi.com/skipAwait": "true"}),
        spec=raw({"type": "ClusterIP", "selector": scope.selector, "ports": _service_ports(ports)}),
        opts=child_options(scope.parent),
    )


def peers_service(scope: WorkloadScope, ports: Mapping[str, int]) -> k8s.core.v1.Service:
    """The headless Service that gives every pod its host name, ready or not: peers must meet to become ready."""
    return k8s.core.v1.Service(
        f"{scope.name}-peers",
        metadata=scope.metadata(labels.peers_service(scope.workload), {"pulumi.com/skipAwait": "true"}),
        spec=raw(
            {
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": scope.selector,
                "ports": _service_ports(ports),
            }
        ),
        opts=child_options(scope.parent),
    )


def _service_ports(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in ports.items()]


def disruption_budget(scope: WorkloadScope) -> k8s.policy.v1.PodDisruptionBudget:
    """At most one pod may be taken away at a time, and none while one is not ready."""
    return k8s.policy.v1.PodDisruptionBudget(
        f"{scope.name}-disruption-budget",
        metadata=scope.metadata(scope.workload),
        spec=raw({"maxUnavailable": 1, "selector": {"matchLabels": scope.selector}}),
        opts=child_options(scope.parent),
    )


def network_policy(scope: WorkloadScope) -> None:
    """Opens exactly what the role needs, unless the caller wants no policies."""
    chosen = scope.deployment.network
    if chosen.policies:
        k8s.networking.v1.NetworkPolicy(
            f"{scope.name}-network-policy",
            metadata=scope.metadata(scope.workload),
            spec=raw(network_policies.policy(scope.role, scope.selector, chosen, scope.deployment.optional_roles)),
            opts=child_options(scope.parent),
        )


def stateful_set(  # noqa: PLR0913 - what differs between the sets
    scope: WorkloadScope,
    replicas: int,
    pod: dict[str, Any],
    *,
    pods: PodSettings,
    headless: Resource,
    credentials: Input[str] | None = None,
    claim: dict[str, Any] | None = None,
    min_ready_seconds: int = 0,
    protect: bool = False,
) -> k8s.apps.v1.StatefulSet:
    """A StatefulSet whose pods start at once and are replaced one by one.

    Args:
        scope: whose set.
        replicas: pods.
        pod: spec of a pod.
        pods: what the pods carry.
        headless: Service that gives the pods their host names.
        credentials: Secret with RocketMQ's own user; None for a role that has none.
        claim: spec of the claim `data` of each pod; None for a set without data.
        min_ready_seconds: how long a pod must be ready before the next one is replaced.
        protect: whether Pulumi refuses to delete or replace the set.
    """
    return k8s.apps.v1.StatefulSet(
        f"{scope.name}-set",
        metadata=scope.metadata(scope.workload),
        spec=raw(
            {
                **_kept(scope, claim),
                "replicas": replicas,
                # The API server drops a zero, and every preview would then add it again.
                **({"minReadySeconds": min_ready_seconds} if min_ready_seconds else {}),
                "updateStrategy": {"type": "RollingUpdate"},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "template": scope.template(secured(pod, scope.deployment.tls, credentials), pods),
            }
        ),
        opts=child_options(
            scope.parent,
            protect=protect or None,  # False would stop what the caller's own `protect` brings
            custom_timeouts=SET_TIMEOUTS,
            hooks=hooks(f"{scope.name}-set", scope, "StatefulSet", pods, replicas if claim else 0),
            # The pods look for each other under host names that exist only with this Service.
            depends_on=[headless],
        ),
    )


def hooks(name: str, scope: WorkloadScope, kind: str, pods: PodSettings, claims: int = 0) -> ResourceHookBinding:
    """What asks the cluster before the create of a workload, and after it when its pods do not become ready.

    Args:
        name: name of the resource.
        scope: whose workload.
        kind: `StatefulSet` or `Deployment`.
        pods: what the pods carry.
        claims: pods with a claim.
    """
    addressed = [scope.workload] if scope.role in {labels.NAME_SERVER, labels.PROXY} else []
    workload = Workload(
        namespace=scope.deployment.namespace,
        kind=kind,
        name=scope.workload,
        role=scope.role,
        selector=scope.selector,
        labels=scope.labels,
        pod_labels={**pods.labels, **scope.labels},
        services=[*addressed, *([labels.peers_service(scope.workload)] if kind == "StatefulSet" else [])],
        claims=[f"data-{scope.workload}-{ordinal}" for ordinal in range(claims)],
    )
    asked, refused = pending_pod_hooks(name, scope.parent), refuse_collisions(name, scope.parent, workload)
    before = [*(refused.before_create or []), *(asked.before_create or [])]
    return ResourceHookBinding(before_create=before or None, on_error=asked.on_error)


def _kept(scope: WorkloadScope, claim: dict[str, Any] | None) -> dict[str, Any]:
    """Fields whose change replaces the set: Pulumi deletes it, with all its pods, and makes another one."""
    fields: dict[str, Any] = {
        "serviceName": labels.peers_service(scope.workload),
        # Members wait for each other: started one by one, the first would never be ready.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": scope.selector},
    }
    if claim is not None:
        fields["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    return fields


def claim(storage_class: Input[str], size: str) -> dict[str, Any]:
    """Spec of a claim of one pod."""
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": size}},
    }
