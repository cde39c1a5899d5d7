"""Arguments of monitoring: monitors, alert rules, Grafana dashboard."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.rocketmq.network.network_policy_args import PeerArgs


class AlertsArgs(TypedDict):
    """Alert rules in a PrometheusRule of the Prometheus operator."""

    labels: NotRequired[dict[str, str]]
    """Labels of the PrometheusRule, by which Prometheus selects rules. Default: `monitor_labels`."""
    alert_labels: NotRequired[dict[str, str]]
    """Labels of every alert in addition to `severity` and `broker_group`, such as `{"team": "messaging"}`. Default:
    none."""
    runbook_url: NotRequired[str]
    """URL of the runbook page; each alert links to an anchor in it. Default: `docs/troubleshooting/alerts.md`, a path
    in the repository."""
    kubernetes_metrics: NotRequired[bool]
    """Whether Prometheus also scrapes the kubelets and kube-state-metrics, as kube-prometheus-stack does. With false
    there are no alerts for unready members and name servers, for restarts and for Pending claims. Disk usage is then
    relative to the declared `storage`, which is too small after you grow a claim manually. Default: true."""
    disk_used_percent: NotRequired[int]
    """Warning threshold for the used part of a volume, in percent. The critical threshold is 85. From 85, the profiles
    `balanced` and `dev` delete the oldest messages. From 90, brokers reject writes. Default: 75."""
    consumer_lag_messages: NotRequired[int]
    """Warning threshold for the lag of a consumer group, in messages. Default: 100000."""
    consumer_lag_seconds: NotRequired[int]
    """Warning threshold for the age of the oldest message that a consumer group has not received, in seconds. Default:
    600."""
    send_latency_milliseconds: NotRequired[int]
    """Warning threshold for the 99th percentile of the brokers' send latency, in milliseconds. The histogram buckets
    end at 1, 3, 5, 7, 10, 100, 1000, 2000 and 3000; values in between are estimates. Default: 500."""


class GrafanaDashboardArgs(TypedDict):
    """Grafana dashboard in a ConfigMap that Grafana's sidecar loads."""

    labels: NotRequired[dict[str, str]]
    """Labels by which the sidecar selects the ConfigMap. Default: `{"grafana_dashboard": "1"}`."""
    annotations: NotRequired[dict[str, str]]
    """Annotations of the ConfigMap, such as `{"grafana_folder": "RocketMQ"}`. Default: none."""


Monitor = Annotated[Literal["pod", "service", "none"], Enumeration("Monitor")]


class MonitoringArgs(TypedDict):
    """Access to the metrics, monitors, alert rules and Grafana dashboard. Brokers, controllers and proxies always
    expose metrics on port 5557 in the Prometheus text format; name servers have no metrics."""

    monitor: NotRequired[Monitor]
    """Monitor for the Prometheus operator: `pod` creates a PodMonitor, `service` a ServiceMonitor, `none` neither. A
    monitor needs the operator's CRDs in the cluster. Default: `none`."""
    monitor_labels: NotRequired[dict[str, str]]
    """Labels of the monitor, by which Prometheus selects it, such as `{"release": "kube-prometheus-stack"}`. Default:
    none."""
    interval: NotRequired[str]
    """Scrape interval, such as `30s`. Default: `30s`."""
    scrapers: NotRequired[list[PeerArgs]]
    """Peers that may scrape the metrics, such as Prometheus' namespace. Default: every pod of the cluster."""
    alerts: NotRequired[AlertsArgs]
    """Alert rules; `{}` uses all defaults. Needs the CRDs of the Prometheus operator. Default: no rules."""
    grafana_dashboard: NotRequired[GrafanaDashboardArgs]
    """Grafana dashboard; `{}` uses all defaults. Default: no dashboard."""
