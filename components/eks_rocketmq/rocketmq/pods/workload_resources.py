"""Kubernetes resources of a workload: ConfigMap, Services, disruption budget, network policy, StatefulSet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Alias, ComponentResource, CustomTimeouts, Input, Output, Resource, ResourceHookBinding

from eks_rocketmq.lookups.create_checks import OWNER_TAG, get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import child_options
from eks_rocketmq.rocketmq.agent import read_jar
from eks_rocketmq.rocketmq.namespace.collisions import Workload
from eks_rocketmq.rocketmq.namespace.namespace_preflight import build_collision_hooks
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.network import network_policies
from eks_rocketmq.rocketmq.pods import probes
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan
from eks_rocketmq.rocketmq.pods.mode_preflight import build_mode_hooks
from eks_rocketmq.rocketmq.pods.pending_pods import build_pending_pod_hooks
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings
from eks_rocketmq.rocketmq.pods.rollout_preflight import build_member_hooks, build_rollout_hooks
from eks_rocketmq.rocketmq.pods.tls_volumes import add_tls_and_credentials

_LOGBACK = (resources.files("eks_rocketmq.rocketmq.config") / "logback.xml").read_text(encoding="utf-8")
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Annotation of a Service whose readiness Pulumi does not wait for."""

# In a rolling restart every member drains, and in the worst case recovers its store.
SET_TIMEOUTS = CustomTimeouts(create="30m", update="60m", delete="15m")


@dataclass(frozen=True)
class WorkloadScope:
    """Names, labels and selector of the resources of one role or one broker group."""

    parent: ComponentResource
    name: str
    """Pulumi name of the component, prefix of the names of its children."""
    deployment: DeploymentPlan
    namespace: Input[str]
    role: str
    group: str | None = None

    @property
    def workload(self) -> str:
        """Name of the workload in Kubernetes."""
        return labels.format_app_label(self.role) if self.group is None else labels.format_set_name(self.group)

    @property
    def selector(self) -> dict[str, str]:
        """Selector of the pods."""
        return labels.build_selector(self.role, self.group)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every object."""
        return labels.build_labels(self.role, self.deployment.version, self.group)

    def build_metadata(self, name: Input[str], annotations: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - see `pass_manifest`
        """Return the metadata of an object with that name."""
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": self.namespace,
            "labels": {**self.deployment.labels, **self.labels},
        }
        merged_annotations = {**self.deployment.annotations, **(annotations or {})}
        return pass_manifest(metadata | {"annotations": merged_annotations} if merged_annotations else metadata)

    def build_template(self, spec: Mapping[str, Any], pods: PodSettings) -> dict[str, Any]:
        """Return the pod template."""
        metadata: dict[str, Any] = {"labels": {**pods.labels, **self.labels}}
        return {"metadata": metadata | ({"annotations": pods.annotations} if pods.annotations else {}), "spec": spec}


def pass_manifest(manifest: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the SDK's types use another spelling
    """Return part of a manifest, typed as an SDK input.

    The SDK passes the spelling of Kubernetes on unchanged. The unit tests validate manifests against the schema.
    """
    return manifest


def hash_content(data: Mapping[str, str]) -> str:
    """Return a short hash of the data of a ConfigMap or Secret."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:10]


def create_config_map(
    scope: WorkloadScope, data: Mapping[str, str], binary_data: Mapping[str, str] | None = None
) -> Output[str]:
    """Create an immutable ConfigMap and return its name, which ends with a hash of its content.

    A changed file creates another ConfigMap. A rolling restart moves the pods to it, and no pod reads a file that
    changes while it runs. The Pulumi name has the hash too: each content is a resource of its own, and the former one
    stays until the update succeeds. As a replaced resource it would stay under the same name after a failed update, and
    the change could not be reverted.
    """
    content = hash_content({**data, **(binary_data or {})})
    created = k8s.core.v1.ConfigMap(
        f"{scope.name}-config-{content}",
        metadata=scope.build_metadata(f"{scope.workload}-{content}"),
        data=data,
        binary_data=binary_data or None,
        immutable=True,
        opts=child_options(scope.parent, aliases=[Alias(name=f"{scope.name}-config")]),
    )
    return get_name(created)


def create_process_files(scope: WorkloadScope, data: Mapping[str, str], *scripts: str, ready: str = "") -> Output[str]:
    """Create the ConfigMap with the files of a RocketMQ process, and return its name.

    It has `data`, the scripts, the logging configuration, and the agent or the scripts of the probes. `ready` is the
    script of the readiness probe without the agent.
    """
    agent = scope.deployment.agent
    probe_scripts = probes.AGENT_SCRIPTS if agent else (*probes.ALIVE_SCRIPTS, *([ready] if ready else []))
    files = {**data, "logback.xml": _LOGBACK, **probes.read_scripts(*scripts, *probe_scripts)}
    return create_config_map(scope, files, read_jar() if agent else None)


def create_single_pod_config_map(scope: WorkloadScope, data: Mapping[str, str]) -> Output[str]:
    """Create the ConfigMap of the pod of `create_single_pod` as `create_config_map` does, and return its name.

    It is deleted before its replacement is created, so a preview shows which lines change.
    """
    created = k8s.core.v1.ConfigMap(
        f"{scope.name}-config",
        metadata=scope.build_metadata(f"{scope.workload}-{hash_content(data)}"),
        data=data,
        immutable=True,
        opts=child_options(scope.parent, delete_before_replace=True),
    )
    return get_name(created)


def get_name(created: k8s.core.v1.ConfigMap | k8s.core.v1.Secret) -> Output[str]:
    """Return the name of an object in Kubernetes."""
    return created.metadata.apply(lambda metadata: str(metadata.name))


def create_service(scope: WorkloadScope, ports: Mapping[str, int]) -> k8s.core.v1.Service:
    """Create the Service for the ready pods."""
    return k8s.core.v1.Service(
        f"{scope.name}-service",
        # Pulumi would wait 10 s for endpoints. Its wait for the workload already ensures ready pods.
        metadata=scope.build_metadata(scope.workload, SKIP_AWAIT),
        spec=pass_manifest({"type": "ClusterIP", "selector": scope.selector, "ports": _build_service_ports(ports)}),
        opts=child_options(scope.parent),
    )


def create_peers_service(scope: WorkloadScope, ports: Mapping[str, int]) -> k8s.core.v1.Service:
    """Create the headless Service that gives every pod its host name.

    It includes pods that are not ready, because peers must connect to each other to become ready.
    """
    return k8s.core.v1.Service(
        f"{scope.name}-peers",
        metadata=scope.build_metadata(labels.format_peers_service(scope.workload), SKIP_AWAIT),
        spec=pass_manifest(
            {
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": scope.selector,
                "ports": _build_service_ports(ports),
            }
        ),
        opts=child_options(scope.parent),
    )


def create_member_services(scope: WorkloadScope, replicas: int, port: int) -> list[dict[str, Any]]:
    """Create a Service for each pod of a StatefulSet, and return the entries of the hosts files of its clients.

    With them, a client resolves the host names without DNS, which may lose half of all queries for 40 s together with a
    node, and finds a restarted pod under the same address.
    """
    hosts = labels.list_pod_hosts(scope.workload, replicas, scope.deployment.namespace)
    return [build_host_alias(_create_member_service(scope, ordinal, port), host) for ordinal, host in enumerate(hosts)]


def _create_member_service(scope: WorkloadScope, ordinal: int, port: int) -> k8s.core.v1.Service:
    pod = labels.format_pod_name(scope.workload, ordinal)
    return k8s.core.v1.Service(
        f"{scope.name}-{ordinal}",
        metadata=scope.build_metadata(pod, SKIP_AWAIT),
        spec=pass_manifest(
            {
                "type": "ClusterIP",
                # Peers must connect to each other to become ready.
                "publishNotReadyAddresses": True,
                "selector": {**scope.selector, "statefulset.kubernetes.io/pod-name": pod},
                # Without the port of the metrics, which a ServiceMonitor would scrape twice.
                "ports": _build_service_ports({"remoting": port}),
            }
        ),
        opts=child_options(scope.parent),
    )


def build_host_alias(service: k8s.core.v1.Service, host: str) -> dict[str, Any]:
    """Return the entry of a pod's hosts file for a Service."""
    # Before the create, a dry run returns an address that the Service does not get. The ID is unknown until then.
    address = Output.all(service.spec.cluster_ip, service.id).apply(lambda known: known[0])
    return {"ip": address, "hostnames": [host]}


def _build_service_ports(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in ports.items()]


def create_disruption_budget(scope: WorkloadScope) -> k8s.policy.v1.PodDisruptionBudget:
    """Create a disruption budget that allows one unavailable pod at a time."""
    return k8s.policy.v1.PodDisruptionBudget(
        f"{scope.name}-disruption-budget",
        metadata=scope.build_metadata(scope.workload),
        spec=pass_manifest({"maxUnavailable": 1, "selector": {"matchLabels": scope.selector}}),
        opts=child_options(scope.parent),
    )


def create_network_policy(scope: WorkloadScope) -> None:
    """Create the network policy with the connections that the role needs, unless policies are disabled."""
    plan = scope.deployment.network
    if plan.enabled:
        k8s.networking.v1.NetworkPolicy(
            f"{scope.name}-network-policy",
            metadata=scope.build_metadata(scope.workload),
            spec=pass_manifest(
                network_policies.build_policy_spec(scope.role, scope.selector, plan, scope.deployment.optional_roles)
            ),
            opts=child_options(scope.parent),
        )


def create_stateful_set(  # noqa: PLR0913 - the differences between the StatefulSets
    scope: WorkloadScope,
    replicas: int,
    pod: dict[str, Any],
    *,
    config: str,
    pods: PodSettings,
    headless: Resource,
    credentials: Input[str] | None = None,
    claim: dict[str, Any] | None = None,
    min_ready_seconds: int = 0,
    protect: bool = False,
) -> k8s.apps.v1.StatefulSet:
    """Create a StatefulSet whose pods start in parallel and are updated one by one.

    Args:
        config: text of the configuration file.
        headless: Service that gives the pods their host names.
        credentials: Secret of the internal user; None for a role without credentials.
        claim: spec of the claim `data` of each pod; None without data.
        min_ready_seconds: seconds that a pod must be ready before the next one is updated.
        protect: whether Pulumi refuses to delete or replace the StatefulSet.
    """
    return k8s.apps.v1.StatefulSet(
        f"{scope.name}-set",
        metadata=scope.build_metadata(
            scope.workload, build_workload_annotations(config) | scope.deployment.access_annotations
        ),
        spec=pass_manifest(
            {
                **_build_immutable_fields(scope, claim),
                "replicas": replicas,
                # The API server drops a zero, and every preview would then add it again.
                **({"minReadySeconds": min_ready_seconds} if min_ready_seconds else {}),
                "updateStrategy": {"type": "RollingUpdate"},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "template": scope.build_template(add_tls_and_credentials(pod, scope.deployment.tls, credentials), pods),
            }
        ),
        opts=child_options(
            scope.parent,
            protect=protect or None,  # False would override the `protect` that the component inherits
            custom_timeouts=SET_TIMEOUTS,
            hooks=build_workload_hooks(
                f"{scope.name}-set", scope, "StatefulSet", pods, replicas, has_claims=claim is not None
            ),
            # The pods connect to each other by host names that exist only with this Service.
            depends_on=[headless],
        ),
    )


def build_workload_annotations(config: str) -> dict[str, str]:
    """Return the annotations of a StatefulSet or Deployment with a configuration file."""
    return {labels.CONFIG_ANNOTATION: config, **get_ownership_tags()}


def create_single_pod(
    scope: WorkloadScope,
    pod: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
    before_update: list[Any] | None = None,
) -> k8s.apps.v1.Deployment:
    """Create a Deployment with one pod, which is deleted before its replacement is created.

    `annotations` are those of the Deployment. `before_update` are hooks before its update.
    """
    pending = build_pending_pod_hooks(f"{scope.name}-deployment", scope.parent)
    return k8s.apps.v1.Deployment(
        f"{scope.name}-deployment",
        metadata=scope.build_metadata(scope.workload, annotations),
        spec=pass_manifest(
            {
                "replicas": 1,
                "selector": {"matchLabels": scope.selector},
                "strategy": {"type": "Recreate"},
                "template": scope.build_template(pod, scope.deployment.other_pods),
            }
        ),
        opts=child_options(
            scope.parent,
            custom_timeouts=CustomTimeouts(create="10m", update="10m", delete="5m"),
            hooks=ResourceHookBinding(
                before_create=pending.before_create, before_update=before_update or None, on_error=pending.on_error
            ),
        ),
    )


def build_workload_hooks(  # noqa: PLR0913 - what a collision can concern
    name: str, scope: WorkloadScope, kind: str, pods: PodSettings, members: int = 0, *, has_claims: bool = False
) -> ResourceHookBinding:
    """Return the hooks before the create and the update of a workload, and after a failed rollout.

    `name` is that of the resource. `kind` is `StatefulSet` or `Deployment`. `members` is the number of pods of a
    StatefulSet.
    """
    pod_names = [labels.format_pod_name(scope.workload, ordinal) for ordinal in range(members)]
    workload = Workload(
        namespace=scope.deployment.namespace,
        kind=kind,
        name=scope.workload,
        role=scope.role,
        selector=scope.selector,
        labels=scope.labels,
        pod_labels={**pods.labels, **scope.labels},
        services=_list_services(scope, pod_names),
        claims=[f"data-{pod}" for pod in pod_names] if has_claims else [],
        owner=get_ownership_tags()[OWNER_TAG],
        enforces_access=scope.deployment.access_annotations.get(labels.ACCESS_MODE_ANNOTATION) == "enforcing",
    )
    pending = build_pending_pod_hooks(name, scope.parent)
    collisions = build_collision_hooks(name, scope.parent, workload)
    before_create = [*(collisions.before_create or []), *(pending.before_create or [])]
    before_update = []
    if scope.role == labels.CONTROLLER:
        # The members of the quorum are fixed. Kubernetes would change their number without an error.
        before_update += build_member_hooks(name, scope.parent, workload)
    if kind == "StatefulSet":
        before_update += build_mode_hooks(name, scope.parent, workload)
    if has_claims:
        before_update += build_rollout_hooks(name, scope.parent, workload)
    return ResourceHookBinding(
        before_create=before_create or None, before_update=before_update or None, on_error=pending.on_error
    )


def _list_services(scope: WorkloadScope, pod_names: Sequence[str]) -> list[str]:
    """Return the names of the Services of a workload. `pod_names` are those of a StatefulSet."""
    names = [scope.workload] if scope.role in {labels.NAME_SERVER, labels.PROXY} else []
    names += [labels.format_peers_service(scope.workload)] if pod_names else []
    return names + (list(pod_names) if scope.role in {labels.NAME_SERVER, labels.CONTROLLER} else [])


def _build_immutable_fields(scope: WorkloadScope, claim: dict[str, Any] | None) -> dict[str, Any]:
    """Return the immutable fields of a StatefulSet. A change deletes the set with all its pods and recreates it."""
    fields: dict[str, Any] = {
        "serviceName": labels.format_peers_service(scope.workload),
        # Members wait for each other. If they started one by one, the first would never become ready.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": scope.selector},
    }
    if claim is not None:
        fields["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    return fields


def build_claim(storage_class: Input[str], size: str) -> dict[str, Any]:
    """Return the spec of the claim of one pod."""
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": size}},
    }
