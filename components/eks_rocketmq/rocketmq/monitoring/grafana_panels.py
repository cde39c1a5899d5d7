"""Grafana dashboard: rows of panels as data, and the JSON that Grafana imports. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.short_names import shorten_name
from eks_rocketmq.rocketmq.naming import labels

_MAX_UID_LENGTH = 40  # of Grafana
_SCHEMA = 39  # of Grafana 11; newer versions migrate it on load
_WIDTH, _COLUMNS, _HEIGHT = 24, 3, 8
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_RATE = "$__rate_interval"


@dataclass(frozen=True)
class Panel:
    """Time series panel. `queries` are pairs of PromQL and legend; `OWN` is a placeholder for the namespace matcher."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    text: str = ""


def _build_panel(title: str, unit: str, query: str, legend: str, text: str = "") -> Panel:
    return Panel(title, unit, ((query, legend),), text)


_SENDS = 'OWN, request_code=~"send_.*message.*"'
_ROLES = "|".join((labels.NAME_SERVER, labels.BROKER, labels.CONTROLLER, labels.PROXY))
_POD = f'OWN, pod=~"{labels.APP}-.+", container=~"{_ROLES}"'
_APPLICATIONS = 'OWN, is_system="false"'


def _build_percentile(percent: int) -> tuple[str, str]:
    buckets = f"sum by (node_id, le) (rate(rocketmq_rpc_latency_milliseconds_bucket{{{_SENDS}}}[{_RATE}]))"
    return f"histogram_quantile(0.{percent}, {buckets})", f"{{{{node_id}}}} p{percent}"


ROWS: dict[str, tuple[Panel, ...]] = {
    "State": (
        _build_panel("Living members", "short", "max by (broker_set) (active_broker_num{OWN})", "{{broker_set}}"),
        _build_panel(
            "Brokers that take writes",
            "short",
            "count by (node_id) (rocketmq_broker_permission{OWN} == 6)",
            "{{node_id}}",
        ),
        Panel(
            "Running",
            "short",
            (
                (f'count(up{{OWN, container="{labels.CONTROLLER}"}} == 1)', "controllers"),
                ("count(rocketmq_proxy_up{OWN} == 1)", "proxies"),
            ),
        ),
    ),
    "Messages": (
        _build_panel(
            "Messages in",
            "cps",
            f"sum by (topic) (rate(rocketmq_messages_in_total{{{_APPLICATIONS}}}[{_RATE}]))",
            "{{topic}}",
        ),
        _build_panel(
            "Messages out",
            "cps",
            f"sum by (topic, consumer_group) (rate(rocketmq_messages_out_total{{{_APPLICATIONS}}}[{_RATE}]))",
            "{{consumer_group}} of {{topic}}",
        ),
        Panel(
            "Bytes",
            "Bps",
            (
                (f"sum(rate(rocketmq_throughput_in_total{{OWN}}[{_RATE}]))", "in"),
                (f"sum(rate(rocketmq_throughput_out_total{{OWN}}[{_RATE}]))", "out"),
            ),
        ),
        Panel(
            "Time to answer a send",
            "ms",
            (_build_percentile(50), _build_percentile(99)),
            "Estimated between 10, 100 and 1000 ms.",
        ),
        _build_panel(
            "Sends that fail",
            "cps",
            "sum by (node_id, response_code) "
            f'(rate(rocketmq_rpc_latency_milliseconds_count{{{_SENDS}, response_code!="success"}}[{_RATE}]))',
            "{{node_id}} {{response_code}}",
        ),
        _build_panel(
            "Connections",
            "short",
            "sum by (node_id, protocol_type) (rocketmq_producer_connections{OWN})",
            "{{node_id}} {{protocol_type}}",
        ),
    ),
    "Consumers": (
        _build_panel(
            "Messages behind",
            "short",
            "sum by (topic, consumer_group) (max by (node_id, topic, consumer_group, is_retry) "
            '(rocketmq_consumer_lag_messages{OWN, is_system="false"}))',
            "{{consumer_group}} of {{topic}}",
        ),
        _build_panel(
            "Time behind",
            "ms",
            'max by (topic, consumer_group) (rocketmq_consumer_lag_latency_milliseconds{OWN, is_system="false"})',
            "{{consumer_group}} of {{topic}}",
        ),
        _build_panel(
            "Given out and not acknowledged",
            "short",
            "sum by (topic, consumer_group) (max by (node_id, topic, consumer_group, is_retry) "
            '(rocketmq_consumer_inflight_messages{OWN, is_system="false"}))',
            "{{consumer_group}} of {{topic}}",
        ),
        _build_panel(
            "Dead letters",
            "cps",
            f"sum by (consumer_group) (rate(rocketmq_send_to_dlq_messages_total{{OWN}}[{_RATE}]))",
            "{{consumer_group}}",
        ),
        _build_panel("Delayed messages", "short", "max by (topic) (rocketmq_timing_messages{OWN})", "{{topic}}"),
        _build_panel(
            "Delayed messages late",
            "ms",
            "max by (node_id) (rocketmq_timer_dequeue_latency_milliseconds{OWN})",
            "{{node_id}}",
        ),
    ),
    "Brokers": (
        _build_panel("Volume used", "bytes", "rocketmq_storage_size_bytes{OWN}", "{{pod}}"),
        _build_panel("Oldest message", "ms", "rocketmq_storage_message_reserve_time_milliseconds{OWN}", "{{pod}}"),
        Panel(
            "Behind what was sent",
            "bytes",
            (
                ("rocketmq_storage_flush_behind_bytes{OWN}", "{{pod}} to the disk"),
                ("rocketmq_storage_dispatch_behind_bytes{OWN}", "{{pod}} to the queues"),
            ),
        ),
        _build_panel(
            "Requests that wait",
            "short",
            "max by (pod, processor) (rocketmq_processor_watermark{OWN}) > 0",
            "{{pod}} {{processor}}",
        ),
        _build_panel(
            "Memory", "bytes", f"container_memory_working_set_bytes{{{_POD}}}", "{{pod}}", "From the kubelet."
        ),
        _build_panel(
            "CPU",
            "short",
            f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{_POD}}}[{_RATE}]))",
            "{{pod}}",
            "From the kubelet.",
        ),
    ),
    "Controllers": (
        _build_panel(
            "Masters elected",
            "short",
            'sum by (broker_set) (increase(election_total{OWN, election_result="new_master_elected"}[1h]))',
            "{{broker_set}}",
        ),
        _build_panel(
            "Time to answer",
            "µs",
            "histogram_quantile(0.99, sum by (request_type, le) "
            f"(rate(request_latency_microseconds_bucket{{OWN}}[{_RATE}])))",
            "{{request_type}} p99",
        ),
        _build_panel("Log on the volume", "bytes", "dledger_disk_usage_bytes{OWN}", "{{pod}}"),
    ),
}


def build_dashboard(namespace: str) -> dict[str, Any]:
    """Return the dashboard for the RocketMQ in a namespace."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        panels.append(_build_row(len(panels) + 1, title, top))
        top += 1
        for index, panel in enumerate(row):
            panels.append(_build_graph(len(panels) + 1, panel, namespace, index, top))
        top += -(-len(row) // _COLUMNS) * _HEIGHT
    return {
        "uid": shorten_name(f"rocketmq-{namespace}", _MAX_UID_LENGTH),
        "title": f"RocketMQ {namespace}",
        "tags": ["rocketmq"],
        "timezone": "browser",
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                    "hide": 0,
                }
            ]
        },
        "annotations": {"list": []},
        "panels": panels,
    }


def render_dashboard(namespace: str) -> str:
    """Render the dashboard as JSON for the ConfigMap."""
    return json.dumps(build_dashboard(namespace), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _build_row(number: int, title: str, top: int) -> dict[str, Any]:
    index = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": index, "panels": []}


def _build_graph(number: int, panel: Panel, namespace: str, index: int, top: int) -> dict[str, Any]:
    width = _WIDTH // _COLUMNS
    own = f'namespace="{namespace}"'
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": _DATASOURCE,
        "gridPos": {
            "x": index % _COLUMNS * width,
            "y": top + index // _COLUMNS * _HEIGHT,
            "w": width,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": query.replace("OWN", own),
                "legendFormat": legend,
            }
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }
