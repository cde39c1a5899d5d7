"""What a Prometheus operator and Grafana read: a monitor, alert rules and a dashboard, each if asked for."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.rocketmq import labels, network, objects, panels
from eks_rocketmq.rocketmq.alerts import rule_groups
from eks_rocketmq.rocketmq.plan import Plan
from eks_rocketmq.rocketmq.surroundings import Grafana
from eks_rocketmq.rocketmq.surroundings import Monitoring as Choices

_OPERATOR = "monitoring.coreos.com/v1"
_MONITORS = {"pod": ("PodMonitor", "podMetricsEndpoints"), "service": ("ServiceMonitor", "endpoints")}
_GROUP_LABEL = "".join(letter if letter.isalnum() else "_" for letter in labels.GROUP_LABEL)


class Monitoring(ComponentResource):
    """A PodMonitor or ServiceMonitor over all roles with metrics, a PrometheusRule, a Grafana dashboard."""

    def __init__(
        self, name: str, plan: Plan, choices: Choices, namespace: Input[str], opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(type_token("Monitoring"), name, {}, opts)
        scope = objects.Scope(self, name, plan, namespace, labels.MONITORING)
        if choices.monitor in _MONITORS:
            _monitor(scope, choices, *_MONITORS[choices.monitor])
        if choices.alerts is not None:
            _operated(
                scope,
                "PrometheusRule",
                "alerts",
                choices.alerts.labels,
                {"groups": rule_groups(plan, choices.alerts)},
            )
        if choices.grafana is not None:
            _grafana(scope, choices.grafana)
        self.register_outputs({})


def _monitor(scope: objects.Scope, choices: Choices, kind: str, endpoints: str) -> None:
    measured = {"key": "app.kubernetes.io/component", "operator": "In", "values": sorted(network.MEASURED)}
    endpoint = {
        "port": "metrics",
        "path": "/metrics",
        "interval": choices.interval,
        "relabelings": [
            {
                "sourceLabels": [f"__meta_kubernetes_pod_label_{_GROUP_LABEL}"],
                "regex": "(.+)",
                "targetLabel": "broker_group",
            }
        ],
    }
    selector = {"matchLabels": {"app.kubernetes.io/name": labels.APP}, "matchExpressions": [measured]}
    _operated(scope, kind, "monitor", choices.labels, {"selector": selector, endpoints: [endpoint]})


def _operated(scope: objects.Scope, kind: str, suffix: str, extra: dict[str, str], spec: dict[str, Any]) -> None:
    """An object of the Prometheus operator, whose CRDs the cluster must have."""
    k8s.apiextensions.CustomResource(
        f"{scope.name}-{suffix}",
        api_version=_OPERATOR,
        kind=kind,
        metadata=_metadata(scope, scope.workload, extra),
        spec=spec,
        opts=child_options(scope.parent),
    )


def _grafana(scope: objects.Scope, choices: Grafana) -> None:
    """A ConfigMap under one name for ever, unlike those of the roles.

    Grafana's sidecar makes a file of each key and takes it away with the ConfigMap. Of a new one that comes before the
    old one goes nothing would be left, and under another key Grafana would see two dashboards with one uid. Hence the
    delete-first replacement, and a key that the dashboard of another RocketMQ does not have.
    """
    k8s.core.v1.ConfigMap(
        f"{scope.name}-grafana",
        metadata=_metadata(scope, f"{scope.workload}-grafana", choices.labels, choices.annotations),
        data={f"rocketmq-{scope.plan.namespace}.json": panels.as_json(scope.plan.namespace)},
        opts=child_options(scope.parent),
    )


def _metadata(scope: objects.Scope, name: str, extra: dict[str, str], annotations: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - see `objects.raw`
    metadata = scope.metadata(name, annotations or None)
    return objects.raw({**metadata, "labels": {**extra, **metadata["labels"]}})
