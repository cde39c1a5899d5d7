"""Component with the monitor, the alert rules and the Grafana dashboard."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.monitoring import grafana_panels
from eks_rocketmq.rocketmq.monitoring.alerts import AlertTargets, build_rule_groups
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import GrafanaPlan, MonitoringPlan
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.network import network_policies
from eks_rocketmq.rocketmq.pods import workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_OPERATOR = "monitoring.coreos.com/v1"
_MONITORS = {"pod": ("PodMonitor", "podMetricsEndpoints"), "service": ("ServiceMonitor", "endpoints")}
_GROUP_LABEL = "".join(letter if letter.isalnum() else "_" for letter in labels.GROUP_LABEL)


class Monitoring(ComponentResource):
    """PodMonitor or ServiceMonitor for all roles with metrics, PrometheusRule, Grafana dashboard; all are optional."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans of the role
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: MonitoringPlan,
        targets: AlertTargets,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Monitoring"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.MONITORING)
        if plan.monitor in _MONITORS:
            _create_monitor(scope, plan, *_MONITORS[plan.monitor])
        if plan.alerts is not None:
            _create_operator_resource(
                scope,
                "PrometheusRule",
                "alerts",
                plan.alerts.labels,
                {"groups": build_rule_groups(targets, plan.alerts)},
            )
        if plan.grafana is not None:
            _create_grafana_config_map(scope, plan.grafana)
        self.register_outputs({})


def _create_monitor(scope: workload_resources.WorkloadScope, plan: MonitoringPlan, kind: str, endpoints: str) -> None:
    has_metrics = {
        "key": "app.kubernetes.io/component",
        "operator": "In",
        "values": sorted(network_policies.METRIC_ROLES),
    }
    endpoint = {
        "port": "metrics",
        "path": "/metrics",
        "interval": plan.interval,
        "relabelings": [
            {
                "sourceLabels": [f"__meta_kubernetes_pod_label_{_GROUP_LABEL}"],
                "regex": "(.+)",
                "targetLabel": "broker_group",
            }
        ],
    }
    selector = {"matchLabels": {"app.kubernetes.io/name": labels.APP}, "matchExpressions": [has_metrics]}
    _create_operator_resource(scope, kind, "monitor", plan.labels, {"selector": selector, endpoints: [endpoint]})


def _create_operator_resource(
    scope: workload_resources.WorkloadScope, kind: str, suffix: str, extra_labels: dict[str, str], spec: dict[str, Any]
) -> None:
    """Create an object of the Prometheus operator. The cluster must have its CRDs."""
    k8s.apiextensions.CustomResource(
        f"{scope.name}-{suffix}",
        api_version=_OPERATOR,
        kind=kind,
        metadata=_build_metadata(scope, scope.workload, extra_labels),
        spec=spec,
        opts=child_options(scope.parent),
    )


def _create_grafana_config_map(scope: workload_resources.WorkloadScope, plan: GrafanaPlan) -> None:
    """Create the ConfigMap of the dashboard. Its name does not change with its content, unlike those of the roles.

    Grafana's sidecar writes a file for each key and deletes the file with the ConfigMap. If a new ConfigMap with the
    same key existed before the old one is deleted, the deletion would remove the new file. With another key, Grafana
    would see two dashboards with one uid. So a replacement deletes first, and the key contains the namespace.
    """
    k8s.core.v1.ConfigMap(
        f"{scope.name}-grafana",
        metadata=_build_metadata(scope, f"{scope.workload}-grafana", plan.labels, plan.annotations),
        data={
            f"rocketmq-{scope.deployment.namespace}.json": grafana_panels.render_dashboard(scope.deployment.namespace)
        },
        opts=child_options(scope.parent),
    )


def _build_metadata(
    scope: workload_resources.WorkloadScope,
    name: str,
    extra_labels: dict[str, str],
    annotations: dict[str, str] | None = None,
) -> Any:  # noqa: ANN401 - see `pass_manifest`
    metadata = scope.build_metadata(name, annotations or None)
    return workload_resources.pass_manifest({**metadata, "labels": {**metadata["labels"], **extra_labels}})
