"""Plan of monitoring. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import validate_choice, validate_pattern, validate_range
from eks_rocketmq.rocketmq.monitoring.monitoring_args import AlertsArgs, Monitor, MonitoringArgs
from eks_rocketmq.rocketmq.pods.pod_settings import validate_annotations, validate_custom_labels

MONITORS = get_accepted_values(Monitor)
DISK_PERCENT = 75
"""Default of `disk_used_percent`."""
CRITICAL_DISK_PERCENT = 85
RUNBOOK = "docs/troubleshooting/alerts.md"
_DURATION = re.compile(r"[1-9]\d*(ms|s|m|h)", re.ASCII)
_ALERT_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_ALERT_LABELS = frozenset({"alertname", "severity", "broker_group"})


@dataclass(frozen=True)
class AlertsPlan:
    """Thresholds and labels of the alert rules."""

    labels: dict[str, str]
    alert_labels: dict[str, str]
    runbook: str
    kubernetes_metrics: bool
    disk_used_percent: int
    consumer_lag_messages: int
    consumer_lag_seconds: int
    send_latency_milliseconds: int


@dataclass(frozen=True)
class GrafanaPlan:
    """Labels and annotations of the Grafana dashboard's ConfigMap."""

    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True)
class MonitoringPlan:
    """Validated settings of monitor, alert rules and Grafana dashboard."""

    monitor: str
    labels: dict[str, str]
    interval: str
    alerts: AlertsPlan | None
    grafana: GrafanaPlan | None


def plan_monitoring(args: MonitoringArgs) -> MonitoringPlan:
    """Return the plan of monitoring.

    Raise ValueError for the first argument that is not accepted.
    """
    path = ARGS / "monitoring"
    labels = validate_custom_labels(args.get("monitor_labels", {}), path / "monitor_labels")
    alerts, grafana = args.get("alerts"), args.get("grafana_dashboard")
    return MonitoringPlan(
        monitor=validate_choice(args.get("monitor", "none"), MONITORS, path / "monitor"),
        labels=labels,
        interval=validate_pattern(
            _DURATION, args.get("interval", "30s"), path / "interval", "scrape-interval", "a time, such as '30s'"
        ),
        alerts=None if alerts is None else _plan_alerts(alerts, labels, path / "alerts"),
        grafana=None
        if grafana is None
        else GrafanaPlan(
            validate_custom_labels(
                grafana.get("labels", {"grafana_dashboard": "1"}), path / "grafana_dashboard" / "labels"
            ),
            validate_annotations(grafana.get("annotations", {}), path / "grafana_dashboard" / "annotations"),
        ),
    )


def _plan_alerts(args: AlertsArgs, labels: dict[str, str], path: ArgumentPath) -> AlertsPlan:
    return AlertsPlan(
        labels=validate_custom_labels(args.get("labels", labels), path / "labels"),
        alert_labels=_validate_alert_labels(args.get("alert_labels", {}), path / "alert_labels"),
        runbook=args.get("runbook_url", RUNBOOK),
        kubernetes_metrics=args.get("kubernetes_metrics", True),
        disk_used_percent=validate_range(
            args.get("disk_used_percent", DISK_PERCENT),
            1,
            CRITICAL_DISK_PERCENT - 1,
            path / "disk_used_percent",
        ),
        consumer_lag_messages=validate_range(
            args.get("consumer_lag_messages", 100_000), 1, 10**15, path / "consumer_lag_messages"
        ),
        consumer_lag_seconds=validate_range(
            args.get("consumer_lag_seconds", 600), 1, 10**9, path / "consumer_lag_seconds"
        ),
        # A percentile is never above the upper bound of the last finite bucket.
        send_latency_milliseconds=validate_range(
            args.get("send_latency_milliseconds", 500), 1, 2999, path / "send_latency_milliseconds"
        ),
    )


def _validate_alert_labels(given: Mapping[str, str], path: ArgumentPath) -> dict[str, str]:
    for name in given:
        if name in _RESERVED_ALERT_LABELS:
            raise ArgumentError(
                path,
                "alert-label-reserved",
                "the alert rules set the label {given!r} themselves",
                accepted="any other label",
                given=name,
            )
        if not _ALERT_LABEL.fullmatch(name):
            raise ArgumentError(
                path,
                "alert-label-name",
                "{given!r} is no name of a label of Prometheus",
                accepted="letters, digits and '_', not beginning with a digit or '__', such as 'team'",
                given=name,
            )
    return dict(given)
