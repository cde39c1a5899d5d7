"""What a Prometheus operator and Grafana read: a monitor, alert rules and a dashboard, each if asked for."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.monitoring import grafana_panels
from eks_rocketmq.rocketmq.monitoring.alerts import AlertTargets, rule_groups
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import GrafanaPlan, MonitoringPlan
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.network import network_policies
from eks_rocketmq.rocketmq.pods import workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_OPERATOR = "monitoring.coreos.com/v1"
_MONITORS = {"pod": ("PodMonitor", "podMetricsEndpoints"), "service": ("ServiceMonitor", "endpoints")}
_GROUP_LABEL = "".join(letter if letter.isalnum() else "_" for letter in labels.GROUP_LABEL)


class Monitoring(ComponentResource):
    """A PodMonitor or ServiceMonitor over all roles with metrics, a PrometheusRule, a Grafana dashboard."""

    def __init__(  # noqa: PLR0913, PLR0917 - the plans that concern it
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: MonitoringPlan,
        targets: AlertTargets,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("Monitoring"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.MONITORING)
        if plan.monitor in _MONITORS:
            _monitor(scope, plan, *_MONITORS[plan.monitor])
        if plan.alerts is not None:
            _operated(
                scope,
                "PrometheusRule",
                "alerts",
                plan.alerts.labels,
                {"groups": rule_groups(targets, plan.alerts)},
            )
        if plan.grafana is not None:
            _grafana(scope, plan.grafana)
        self.register_outputs({})


def _monitor(scope: workload_objects.WorkloadScope, plan: MonitoringPlan, kind: str, endpoints: str) -> None:
    measured = {"key": "app.kubernetes.io/component", "operator": "In", "values": sorted(network_policies.MEASURED)}
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
    selector = {"matchLabels": {"app.kubernetes.io/name": labels.APP}, "matchExpressions": [measured]}
    _operated(scope, kind, "monitor", plan.labels, {"selector": selector, endpoints: [endpoint]})


def _operated(
    scope: workload_objects.WorkloadScope, kind: str, suffix: str, extra: dict[str, str], spec: dict[str, Any]
) -> None:
    """An object of the Prometheus operator, whose CRDs the cluster must have."""
    k8s.apiextensions.CustomResource(
        f"{scope.name}-{suffix}",
        api_version=_OPERATOR,
        kind=kind,
        metadata=_metadata(scope, scope.workload, extra),
        spec=spec,
        opts=child_options(scope.parent),
    )


def _grafana(scope: workload_objects.WorkloadScope, plan: GrafanaPlan) -> None:
    """A ConfigMap under one name for ever, unlike those of the roles.

    Grafana's sidecar makes a file of each key and takes it away with the ConfigMap. Of a new one that comes before the
    old one goes nothing would be left, and under another key Grafana would see two dashboards with one uid. Hence the
    delete-first replacement, and a key that the dashboard of another RocketMQ does not have.
    """
    k8s.core.v1.ConfigMap(
        f"{scope.name}-grafana",
        metadata=_metadata(scope, f"{scope.workload}-grafana", plan.labels, plan.annotations),
        data={f"rocketmq-{scope.deployment.namespace}.json": grafana_panels.as_json(scope.deployment.namespace)},
        opts=child_options(scope.parent),
    )


def _metadata(
    scope: workload_objects.WorkloadScope, name: str, extra: dict[str, str], annotations: dict[str, str] | None = None
) -> Any:  # noqa: ANN401 - see `objects.raw`
    metadata = scope.metadata(name, annotations or None)
    return workload_objects.raw({**metadata, "labels": {**extra, **metadata["labels"]}})
