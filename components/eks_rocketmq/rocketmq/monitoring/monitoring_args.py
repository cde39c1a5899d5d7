"""Arguments of monitoring: monitors, alerts, Grafana."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration
from eks_rocketmq.rocketmq.network.network_policy_args import PeerArgs


class AlertsArgs(TypedDict):
    """Alert rules, as a PrometheusRule of the Prometheus operator."""

    labels: NotRequired[dict[str, str]]
    """Labels of the PrometheusRule, by which a Prometheus picks its rules. Default: `monitor_labels`."""
    alert_labels: NotRequired[dict[str, str]]
    """Labels of every alert beside `severity` and `broker_group`, such as `{"team": "messaging"}`. Default: none."""
    runbook_url: NotRequired[str]
    """Address of the page whose anchors the alerts point to. Default:
    `docs/troubleshooting/alerts.md`, to be read in the repository."""
    kubernetes_metrics: NotRequired[bool]
    """Whether the Prometheus also has the metrics of the kubelets and of kube-state-metrics, as kube-prometheus-stack
    does. Without them there are no alerts on members out of sync and on restarts, and the disk is measured against the
    declared `storage`, which is too small once a claim was grown by hand. Default: true."""
    disk_used_percent: NotRequired[int]
    """Used part of a broker's volume, in percent, that warns. RocketMQ begins to delete messages early at 85 and
    refuses writes at 90; 85 is critical. Default: 75."""
    consumer_lag_messages: NotRequired[int]
    """Messages that a consumer group has before it and that warn. Default: 100000."""
    consumer_lag_seconds: NotRequired[int]
    """Age in seconds of the oldest message that a consumer group has not taken, and that warns. Default: 600."""
    send_latency_milliseconds: NotRequired[int]
    """99th percentile of what brokers take to answer a send, in milliseconds, that warns. Brokers count in buckets that
    end at 1, 3, 5, 7, 10, 100, 1000, 2000 and 3000; in between it is an estimate. Default: 500."""


class GrafanaDashboardArgs(TypedDict):
    """A Grafana dashboard in a ConfigMap, which Grafana's sidecar loads."""

    labels: NotRequired[dict[str, str]]
    """Labels by which the sidecar finds it. Default: `{"grafana_dashboard": "1"}`."""
    annotations: NotRequired[dict[str, str]]
    """Annotations, such as `{"grafana_folder": "RocketMQ"}`. Default: none."""


Monitor = Annotated[Literal["pod", "service", "none"], Enumeration("Monitor")]


class MonitoringArgs(TypedDict):
    """Who reads the metrics and what is made of them. Brokers, controllers and proxies always have them, on port 5557
    in the text form of Prometheus; name servers have none."""

    monitor: NotRequired[Monitor]
    """What tells a Prometheus operator to scrape: `pod` makes a PodMonitor, `service` a ServiceMonitor, `none` leaves
    it to you. The first two need the operator's CRDs in the cluster. Default: `none`."""
    monitor_labels: NotRequired[dict[str, str]]
    """Labels of the monitor, by which a Prometheus picks it, such as `{"release": "kube-prometheus-stack"}`. Default:
    none."""
    interval: NotRequired[str]
    """How often to scrape, such as `30s`. Default: `30s`."""
    scrapers: NotRequired[list[PeerArgs]]
    """Who may reach the metrics, such as Prometheus' namespace. Default: every pod of the cluster."""
    alerts: NotRequired[AlertsArgs]
    """Alert rules; `{}` takes all defaults. Needs the CRDs of the Prometheus operator. Default: none are made."""
    grafana_dashboard: NotRequired[GrafanaDashboardArgs]
    """A Grafana dashboard; `{}` takes all defaults. Default: none is made."""
