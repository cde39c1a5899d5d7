"""Alert rules over RocketMQ's metrics. Pure.

Every metric was seen on real processes (tests/unit/data/metrics.json). RocketMQ has no metric for the lag of slaves and
for the in-sync set. A broker's readiness probe checks both, so the rules use readiness instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.validation import parse_bytes
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import CRITICAL_DISK_PERCENT, AlertsPlan
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan

WRITABLE = 6  # read and write; a read-only broker reports 4
_SENDS = 'request_code=~"send_.*message.*"'
# Answers whose cause is the client. `no_permission` is also that of a read-only broker, which has an alert of its own.
_CLIENT_ERRORS = 'response_code!~"success|no_permission|topic_not_exist|message_illegal"'
_QUEUED_REQUESTS = 1000  # a broker rejects requests above 10,000 in the queue
_FLUSH_BEHIND_BYTES = 256 * 1024**2
_DISPATCH_BEHIND_BYTES = 64 * 1024**2
_ELECTIONS = 3


@dataclass(frozen=True)
class Rule:
    """Alert rule. `duration` is the field `for` of Prometheus. Texts may contain Prometheus templates."""

    name: str
    expression: str
    severity: str
    summary: str
    duration: str = ""
    group: str = ""

    def build_manifest(self, alerts: AlertsPlan) -> dict[str, Any]:
        """Return the rule in the format of a PrometheusRule."""
        alert_labels = {"severity": self.severity, **alerts.alert_labels}
        return {
            "alert": self.name,
            "expr": self.expression,
            **({"for": self.duration} if self.duration else {}),
            "labels": alert_labels | ({"broker_group": self.group} if self.group else {}),
            "annotations": {"summary": self.summary, "runbook_url": f"{alerts.runbook}#{self.name.lower()}"},
        }


@dataclass(frozen=True)
class AlertTargets:
    """Resources that the alert rules watch."""

    namespace: str
    groups: Sequence[BrokerGroupPlan]
    controllers: int
    """Number of controllers."""


def build_rule_groups(targets: AlertTargets, alerts: AlertsPlan) -> list[dict[str, Any]]:
    """Return `spec.groups` of the PrometheusRule."""
    parts = {
        "groups": [rule for group in targets.groups for rule in _build_group_rules(targets, group)],
        "brokers": [*_build_broker_rules(targets, alerts), *_build_disk_rules(targets, alerts)],
        "consumers": [*_build_consumer_rules(targets, alerts)],
        "controllers": [*_build_controller_rules(targets)],
        "targets": [*_build_target_rules(targets)],
        "kubernetes": [*_build_kubernetes_rules(targets)] if alerts.kubernetes_metrics else [],
    }
    return [
        {"name": f"rocketmq-{targets.namespace}-{name}", "rules": [rule.build_manifest(alerts) for rule in rules]}
        for name, rules in parts.items()
        if rules
    ]


def _count_running(targets: AlertTargets, role: str) -> str:
    return f'count(up{{namespace="{targets.namespace}", container="{role}"}} == 1)'


def _build_group_rules(targets: AlertTargets, group: BrokerGroupPlan) -> Iterator[Rule]:
    def build_expression(members: int) -> str:
        # Controllers report no series for a group without active members, so a missing series counts as zero. That
        # holds only while a controller runs.
        active = f'max(active_broker_num{{namespace="{targets.namespace}", broker_set="{group.name}"}})'
        return f"({active} or vector(0)) < {members} and on () {_count_running(targets, labels.CONTROLLER)} > 0"

    yield Rule(
        "RocketMqGroupRefusesWrites",
        build_expression(group.min_in_sync),
        "critical",
        f"Broker group {group.name} has {{{{ $value }}}} living members; a write needs {group.min_in_sync}.",
        duration="1m",
        group=group.name,
    )
    if group.role.replicas > group.min_in_sync:
        yield Rule(
            "RocketMqMemberAway",
            build_expression(group.role.replicas),
            "warning",
            f"Broker group {group.name} has {{{{ $value }}}} of {group.role.replicas} members.",
            duration="10m",
            group=group.name,
        )


def _build_broker_rules(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    selector = f'namespace="{targets.namespace}"'
    yield Rule(
        "RocketMqReadOnly",
        f"rocketmq_broker_permission{{{selector}}} != {WRITABLE}",
        "warning",
        "Broker {{ $labels.pod }} runs and takes no writes.",
        duration="15m",
    )
    yield Rule(
        "RocketMqSendLatency",
        "histogram_quantile(0.99, sum by (node_id, le) (rate(rocketmq_rpc_latency_milliseconds_bucket"
        f"{{{selector}, {_SENDS}}}[5m]))) > {alerts.send_latency_milliseconds}",
        "warning",
        "Broker group {{ $labels.node_id }} answers 1 send in 100 after {{ $value | humanize }} ms or more.",
        duration="10m",
    )
    yield Rule(
        "RocketMqSendsFail",
        "sum by (node_id, response_code) "
        f'(rate(rocketmq_rpc_latency_milliseconds_count{{{selector}, {_SENDS}, response_code!="success"}}[5m])) > 0',
        "warning",
        "Broker group {{ $labels.node_id }} answers sends with {{ $labels.response_code }}.",
        duration="5m",
    )
    sends = f"rocketmq_rpc_latency_milliseconds_count{{{selector}, {_SENDS}"
    yield Rule(
        "RocketMqSendsRefused",
        # All members can be alive while too few are in sync, which no other metric of RocketMQ says.
        f"sum by (node_id) (rate({sends}, {_CLIENT_ERRORS}}}[2m])) / sum by (node_id) (rate({sends}}}[2m])) > 0.5",
        "critical",
        "Broker group {{ $labels.node_id }} refuses {{ $value | humanizePercentage }} of the sends.",
        duration="1m",
    )
    yield Rule(
        "RocketMqRequestsQueue",
        f"rocketmq_processor_watermark{{{selector}}} > {_QUEUED_REQUESTS}",
        "warning",
        "{{ $value }} requests wait for the {{ $labels.processor }} threads of broker {{ $labels.pod }}.",
        duration="5m",
    )
    yield Rule(
        "RocketMqStoreBehind",
        f"rocketmq_storage_flush_behind_bytes{{{selector}}} > {_FLUSH_BEHIND_BYTES} "
        f"or rocketmq_storage_dispatch_behind_bytes{{{selector}}} > {_DISPATCH_BEHIND_BYTES}",
        "warning",
        "The volume of broker {{ $labels.pod }} is {{ $value | humanize1024 }}B behind what producers send.",
        duration="5m",
    )


def _build_disk_rules(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    steps = (
        ("RocketMqDiskFilling", alerts.disk_used_percent, "warning", "10m"),
        ("RocketMqDiskFull", CRITICAL_DISK_PERCENT, "critical", "5m"),
    )
    for name, percent, severity, duration in steps:
        if alerts.kubernetes_metrics:
            claims = f'namespace="{targets.namespace}", persistentvolumeclaim=~"data-rocketmq-.+"'
            used = (
                f"100 * kubelet_volume_stats_used_bytes{{{claims}}} / kubelet_volume_stats_capacity_bytes{{{claims}}}"
            )
            text = "{{ $labels.persistentvolumeclaim }} is {{ $value | humanize }} % full."
            yield Rule(name, f"{used} > {percent}", severity, text, duration)
            continue
        for group in targets.groups:
            size = parse_bytes(group.role.storage, ARGS / "storage")
            used = (
                f'100 * rocketmq_storage_size_bytes{{namespace="{targets.namespace}", node_id="{group.name}"}} / {size}'
            )
            text = f"Broker {{{{ $labels.pod }}}} uses {{{{ $value | humanize }}}} % of {group.role.storage}."
            yield Rule(name, f"{used} > {percent}", severity, text, duration, group.name)


def _build_consumer_rules(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    selector = f'namespace="{targets.namespace}", is_system="false"'
    # Several members of a group can report the lag of the same queue. Queues of different groups are different.
    lag = f"max by (node_id, topic, consumer_group, is_retry) (rocketmq_consumer_lag_messages{{{selector}}})"
    yield Rule(
        "RocketMqConsumerLag",
        f"sum by (topic, consumer_group) ({lag}) > {alerts.consumer_lag_messages}",
        "warning",
        "Consumer group {{ $labels.consumer_group }} is {{ $value }} messages behind on {{ $labels.topic }}.",
        duration="10m",
    )
    yield Rule(
        "RocketMqConsumerLate",
        f"max by (topic, consumer_group) (rocketmq_consumer_lag_latency_milliseconds{{{selector}}}) / 1000 "
        f"> {alerts.consumer_lag_seconds}",
        "warning",
        "Consumer group {{ $labels.consumer_group }} is {{ $value | humanizeDuration }} behind on {{ $labels.topic }}.",
        duration="5m",
    )
    dead_letters = f"sum by (consumer_group) (rocketmq_send_to_dlq_messages_total{{{selector}}}"
    increase = f"sum by (consumer_group) (increase(rocketmq_send_to_dlq_messages_total{{{selector}}}[10m])) > 0"
    yield Rule(
        "RocketMqDeadLetters",
        # The first sample of a counter already includes the first dead letters, so `increase` misses them.
        f"{increase} or ({dead_letters}) unless {dead_letters} offset 10m))",
        "warning",
        "Consumer group {{ $labels.consumer_group }} gave up on messages.",
    )


def _build_controller_rules(targets: AlertTargets) -> Iterator[Rule]:
    replicas = targets.controllers
    running = _count_running(targets, labels.CONTROLLER)
    if replicas > 1:
        yield Rule(
            "RocketMqControllerAway",
            f"{running} < {replicas}",
            "warning",
            f"{{{{ $value }}}} of {replicas} controllers run; {replicas // 2 + 1} are needed to elect a master.",
            duration="10m",
        )
    yield Rule(
        "RocketMqNoControllerQuorum",
        f"({running} or vector(0)) < {replicas // 2 + 1} and on () {_count_running(targets, labels.BROKER)} > 0",
        "critical",
        "Too few controllers run: a master that dies now is not replaced.",
        duration="2m",
    )
    yield Rule(
        "RocketMqElections",
        "sum by (broker_set) (increase(election_total"
        f'{{namespace="{targets.namespace}", election_result="new_master_elected"}}[30m])) > {_ELECTIONS}',
        "warning",
        "Broker group {{ $labels.broker_set }} has changed its master more than "
        f"{_ELECTIONS} times within half an hour.",
    )


def _build_target_rules(targets: AlertTargets) -> Iterator[Rule]:
    selector = f'namespace="{targets.namespace}"'
    yield Rule(
        "RocketMqMetricsMissing",
        f'absent(up{{{selector}, container="{labels.BROKER}"}})',
        "warning",
        f"No broker in namespace {targets.namespace} is scraped: the alerts about brokers and consumers are silent.",
        duration="10m",
    )
    yield Rule(
        "RocketMqTargetDown",
        f'up{{{selector}, container=~"{labels.BROKER}|{labels.CONTROLLER}|{labels.PROXY}"}} == 0',
        "warning",
        "{{ $labels.pod }} does not answer for its metrics.",
        duration="5m",
    )
    yield Rule(
        "RocketMqNoProxy",
        f"(count(rocketmq_proxy_up{{{selector}}} == 1) or vector(0)) < 1 "
        f"and on () {_count_running(targets, labels.BROKER)} > 0",
        "critical",
        "No proxy runs: gRPC clients cannot send or receive.",
        duration="2m",
    )


def _build_kubernetes_rules(targets: AlertTargets) -> Iterator[Rule]:
    selector = f'namespace="{targets.namespace}"'
    sets = "|".join(labels.format_set_name(group.name) for group in targets.groups)
    name_server = labels.format_app_label(labels.NAME_SERVER)
    yield Rule(
        "RocketMqMemberOutOfSync",
        f'kube_statefulset_replicas{{{selector}, statefulset=~"{sets}"}} '
        f'- kube_statefulset_status_replicas_ready{{{selector}, statefulset=~"{sets}"}} > 0',
        "warning",
        "{{ $value }} members of {{ $labels.statefulset }} are not in sync with their master, or not there.",
        duration="10m",
    )
    yield Rule(
        "RocketMqNoNameServer",
        f'kube_statefulset_status_replicas_ready{{{selector}, statefulset="{name_server}"}} == 0',
        "critical",
        "No name server is ready: proxies and clients that start now find no broker.",
        duration="2m",
    )
    yield Rule(
        "RocketMqRestarts",
        f'increase(kube_pod_container_status_restarts_total{{{selector}, pod=~"{labels.APP}-.+"}}[30m]) > 2',
        "warning",
        "{{ $labels.pod }} restarts again and again.",
    )
    yield Rule(
        "RocketMqClaimPending",
        f'kube_persistentvolumeclaim_status_phase{{{selector}, persistentvolumeclaim=~"data-{labels.APP}-.+", '
        'phase="Pending"} == 1',
        "warning",
        "{{ $labels.persistentvolumeclaim }} waits for its volume.",
        duration="10m",
    )
