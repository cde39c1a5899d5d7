"""Alert rules over the metrics that RocketMQ has. Pure.

Every metric was seen on real processes (tests/unit/data/metrics.json). What RocketMQ does not measure is how far slaves
are behind and who is in sync: a broker's readiness probe knows both, so readiness stands for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.args.validation import bytes_of
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import CRITICAL_DISK_PERCENT, AlertsPlan
from eks_rocketmq.rocketmq.naming import labels
from eks_rocketmq.rocketmq.roles.role_plans import BrokerGroupPlan

WRITABLE = 6  # read and write; a broker that only serves reads says 4
_SENDS = 'request_code=~"send_.*message.*"'
_QUEUED_REQUESTS = 1000  # of the 10,000 that a broker queues before it refuses
_FLUSH_BEHIND_BYTES = 256 * 1024**2
_DISPATCH_BEHIND_BYTES = 64 * 1024**2
_ELECTIONS = 3


@dataclass(frozen=True)
class Rule:
    """One alert. `lasting` is how long it must hold; texts may use Prometheus' templates."""

    name: str
    expression: str
    severity: str
    summary: str
    lasting: str = ""
    group: str = ""

    def manifest(self, alerts: AlertsPlan) -> dict[str, Any]:
        """As a PrometheusRule spells it."""
        chosen = {"severity": self.severity, **alerts.alert_labels}
        return {
            "alert": self.name,
            "expr": self.expression,
            **({"for": self.lasting} if self.lasting else {}),
            "labels": chosen | ({"broker_group": self.group} if self.group else {}),
            "annotations": {"summary": self.summary, "runbook_url": f"{alerts.runbook}#{self.name.lower()}"},
        }


@dataclass(frozen=True)
class AlertTargets:
    """What the alert rules watch."""

    namespace: str
    groups: Sequence[BrokerGroupPlan]
    controllers: int
    """Number of controllers."""


def rule_groups(targets: AlertTargets, alerts: AlertsPlan) -> list[dict[str, Any]]:
    """`spec.groups` of the PrometheusRule."""
    parts = {
        "groups": [rule for group in targets.groups for rule in _group(targets, group)],
        "brokers": [*_brokers(targets, alerts), *_disks(targets, alerts)],
        "consumers": [*_consumers(targets, alerts)],
        "controllers": [*_controllers(targets)],
        "targets": [*_targets(targets)],
        "kubernetes": [*_kubernetes(targets)] if alerts.kubernetes_metrics else [],
    }
    return [
        {"name": f"rocketmq-{targets.namespace}-{name}", "rules": [rule.manifest(alerts) for rule in rules]}
        for name, rules in parts.items()
        if rules
    ]


def _running(targets: AlertTargets, role: str) -> str:
    return f'count(up{{namespace="{targets.namespace}", container="{role}"}} == 1)'


def _group(targets: AlertTargets, group: BrokerGroupPlan) -> Iterator[Rule]:
    def fewer_than(members: int) -> str:
        # Nothing at all is said of a group without a living member, hence the zero; without controllers to say
        # anything, that zero would be a guess.
        living = f'max(active_broker_num{{namespace="{targets.namespace}", broker_set="{group.name}"}})'
        return f"({living} or vector(0)) < {members} and on () {_running(targets, labels.CONTROLLER)} > 0"

    yield Rule(
        "RocketMqGroupRefusesWrites",
        fewer_than(group.min_in_sync),
        "critical",
        f"Broker group {group.name} has {{{{ $value }}}} living members; a write needs {group.min_in_sync}.",
        lasting="1m",
        group=group.name,
    )
    if group.role.replicas > group.min_in_sync:
        yield Rule(
            "RocketMqMemberAway",
            fewer_than(group.role.replicas),
            "warning",
            f"Broker group {group.name} has {{{{ $value }}}} of {group.role.replicas} members.",
            lasting="10m",
            group=group.name,
        )


def _brokers(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    own = f'namespace="{targets.namespace}"'
    yield Rule(
        "RocketMqReadOnly",
        f"rocketmq_broker_permission{{{own}}} != {WRITABLE}",
        "warning",
        "Broker {{ $labels.pod }} runs and takes no writes.",
        lasting="15m",
    )
    yield Rule(
        "RocketMqSendLatency",
        "histogram_quantile(0.99, sum by (node_id, le) (rate(rocketmq_rpc_latency_milliseconds_bucket"
        f"{{{own}, {_SENDS}}}[5m]))) > {alerts.send_latency_milliseconds}",
        "warning",
        "Broker group {{ $labels.node_id }} answers 1 send in 100 after {{ $value | humanize }} ms or more.",
        lasting="10m",
    )
    yield Rule(
        "RocketMqSendsFail",
        "sum by (node_id, response_code) "
        f'(rate(rocketmq_rpc_latency_milliseconds_count{{{own}, {_SENDS}, response_code!="success"}}[5m])) > 0',
        "warning",
        "Broker group {{ $labels.node_id }} answers sends with {{ $labels.response_code }}.",
        lasting="5m",
    )
    yield Rule(
        "RocketMqRequestsQueue",
        f"rocketmq_processor_watermark{{{own}}} > {_QUEUED_REQUESTS}",
        "warning",
        "{{ $value }} requests wait for the {{ $labels.processor }} threads of broker {{ $labels.pod }}.",
        lasting="5m",
    )
    yield Rule(
        "RocketMqStoreBehind",
        f"rocketmq_storage_flush_behind_bytes{{{own}}} > {_FLUSH_BEHIND_BYTES} "
        f"or rocketmq_storage_dispatch_behind_bytes{{{own}}} > {_DISPATCH_BEHIND_BYTES}",
        "warning",
        "The volume of broker {{ $labels.pod }} is {{ $value | humanize1024 }}B behind what producers send.",
        lasting="5m",
    )


def _disks(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    steps = (
        ("RocketMqDiskFilling", alerts.disk_used_percent, "warning", "10m"),
        ("RocketMqDiskFull", CRITICAL_DISK_PERCENT, "critical", "5m"),
    )
    for name, percent, severity, lasting in steps:
        if alerts.kubernetes_metrics:
            claims = f'namespace="{targets.namespace}", persistentvolumeclaim=~"data-rocketmq-.+"'
            used = (
                f"100 * kubelet_volume_stats_used_bytes{{{claims}}} / kubelet_volume_stats_capacity_bytes{{{claims}}}"
            )
            text = "{{ $labels.persistentvolumeclaim }} is {{ $value | humanize }} % full."
            yield Rule(name, f"{used} > {percent}", severity, text, lasting)
            continue
        for group in targets.groups:
            size = bytes_of(group.role.storage, "storage")
            used = (
                f'100 * rocketmq_storage_size_bytes{{namespace="{targets.namespace}", node_id="{group.name}"}} / {size}'
            )
            text = f"Broker {{{{ $labels.pod }}}} uses {{{{ $value | humanize }}}} % of {group.role.storage}."
            yield Rule(name, f"{used} > {percent}", severity, text, lasting, group.name)


def _consumers(targets: AlertTargets, alerts: AlertsPlan) -> Iterator[Rule]:
    own = f'namespace="{targets.namespace}", is_system="false"'
    # Members of a group may all tell the same queue's lag; groups have queues of their own.
    lag = f"max by (node_id, topic, consumer_group, is_retry) (rocketmq_consumer_lag_messages{{{own}}})"
    yield Rule(
        "RocketMqConsumerLag",
        f"sum by (topic, consumer_group) ({lag}) > {alerts.consumer_lag_messages}",
        "warning",
        "Consumer group {{ $labels.consumer_group }} is {{ $value }} messages behind on {{ $labels.topic }}.",
        lasting="10m",
    )
    yield Rule(
        "RocketMqConsumerLate",
        f"max by (topic, consumer_group) (rocketmq_consumer_lag_latency_milliseconds{{{own}}}) / 1000 "
        f"> {alerts.consumer_lag_seconds}",
        "warning",
        "Consumer group {{ $labels.consumer_group }} is {{ $value | humanizeDuration }} behind on {{ $labels.topic }}.",
        lasting="5m",
    )
    dead = f"sum by (consumer_group) (rocketmq_send_to_dlq_messages_total{{{own}}}"
    rising = f"sum by (consumer_group) (increase(rocketmq_send_to_dlq_messages_total{{{own}}}[10m])) > 0"
    yield Rule(
        "RocketMqDeadLetters",
        # A counter appears with its first dead letters already in it, which no increase shows.
        f"{rising} or ({dead}) unless {dead} offset 10m))",
        "warning",
        "Consumer group {{ $labels.consumer_group }} gave up on messages.",
    )


def _controllers(targets: AlertTargets) -> Iterator[Rule]:
    replicas = targets.controllers
    running = _running(targets, labels.CONTROLLER)
    if replicas > 1:
        yield Rule(
            "RocketMqControllerAway",
            f"{running} < {replicas}",
            "warning",
            f"{{{{ $value }}}} of {replicas} controllers run; {replicas // 2 + 1} are needed to elect a master.",
            lasting="10m",
        )
    yield Rule(
        "RocketMqNoControllerQuorum",
        f"({running} or vector(0)) < {replicas // 2 + 1} and on () {_running(targets, labels.BROKER)} > 0",
        "critical",
        "Too few controllers run: a master that dies now is not replaced.",
        lasting="2m",
    )
    yield Rule(
        "RocketMqElections",
        "sum by (broker_set) (increase(election_total"
        f'{{namespace="{targets.namespace}", election_result="new_master_elected"}}[30m])) > {_ELECTIONS}',
        "warning",
        "Broker group {{ $labels.broker_set }} has changed its master more than "
        f"{_ELECTIONS} times within half an hour.",
    )


def _targets(targets: AlertTargets) -> Iterator[Rule]:
    own = f'namespace="{targets.namespace}"'
    yield Rule(
        "RocketMqMetricsMissing",
        f'absent(up{{{own}, container="{labels.BROKER}"}})',
        "warning",
        f"No broker in namespace {targets.namespace} is scraped: all other alerts are silent.",
        lasting="10m",
    )
    yield Rule(
        "RocketMqTargetDown",
        f'up{{{own}, container=~"{labels.BROKER}|{labels.CONTROLLER}|{labels.PROXY}"}} == 0',
        "warning",
        "{{ $labels.pod }} does not answer for its metrics.",
        lasting="5m",
    )
    yield Rule(
        "RocketMqNoProxy",
        f"(count(rocketmq_proxy_up{{{own}}} == 1) or vector(0)) < 1 and on () {_running(targets, labels.BROKER)} > 0",
        "critical",
        "No proxy runs: gRPC clients cannot send or receive.",
        lasting="2m",
    )


def _kubernetes(targets: AlertTargets) -> Iterator[Rule]:
    own = f'namespace="{targets.namespace}"'
    sets = "|".join(labels.group_name(group.name) for group in targets.groups)
    yield Rule(
        "RocketMqMemberOutOfSync",
        f'kube_statefulset_replicas{{{own}, statefulset=~"{sets}"}} '
        f'- kube_statefulset_status_replicas_ready{{{own}, statefulset=~"{sets}"}} > 0',
        "warning",
        "{{ $value }} members of {{ $labels.statefulset }} are not in sync with their master, or not there.",
        lasting="10m",
    )
    yield Rule(
        "RocketMqNoNameServer",
        f'kube_statefulset_status_replicas_ready{{{own}, statefulset="{labels.app(labels.NAME_SERVER)}"}} == 0',
        "critical",
        "No name server is ready: proxies and clients that start now find no broker.",
        lasting="2m",
    )
    yield Rule(
        "RocketMqRestarts",
        f'increase(kube_pod_container_status_restarts_total{{{own}, pod=~"{labels.APP}-.+"}}[30m]) > 2',
        "warning",
        "{{ $labels.pod }} restarts again and again.",
    )
    yield Rule(
        "RocketMqClaimPending",
        f'kube_persistentvolumeclaim_status_phase{{{own}, persistentvolumeclaim=~"data-{labels.APP}-.+", '
        'phase="Pending"} == 1',
        "warning",
        "{{ $labels.persistentvolumeclaim }} waits for its volume.",
        lasting="10m",
    )
