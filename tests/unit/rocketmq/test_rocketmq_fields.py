"""Effect of every argument field: no field is accepted, validated and then ignored.

A deployment for each field would take minutes. Instead, each field must change the plan, and rendering must read every
field of the plan.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.rocketmq import rocket_mq
from eks_rocketmq.rocketmq.access.access import AccessArgs, PermissionArgs, UserArgs
from eks_rocketmq.rocketmq.config.tls import TlsArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs
from eks_rocketmq.rocketmq.declarations.topics import ConsumerGroupArgs, TopicArgs
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_args import AlertsArgs, GrafanaDashboardArgs, MonitoringArgs
from eks_rocketmq.rocketmq.network.network_policy_args import NetworkPoliciesArgs, PeerArgs
from eks_rocketmq.rocketmq.plan import RocketMqPlan, plan
from eks_rocketmq.rocketmq.pods.pod_args import (
    NodeAffinityArgs,
    NodeMatchArgs,
    NodePreferenceArgs,
    PodsArgs,
    TolerationArgs,
)
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs, NameServersArgs, ProxiesArgs
from tests.unit.fields import Pair, Place, fields_of, rows_of, types_in
from tests.unit.harness import run
from tests.unit.rocketmq_case import ARGS, args, deploy, group

DIGEST = f"sha256:{'0' * 64}"
LABELS = {"team": "shop"}
PEER = {"namespace_labels": LABELS}
PODS = {"labels": LABELS}
USER = {"name": "orders"}
PERMISSION = {"resources": ["Topic:a"], "actions": ["Pub"]}
ALERTS: Mapping[str, Any] = {"monitor": "none", "alerts": {}}
LOAD_BALANCER = {"load_balancer_class": "example.com/lb"}
INTERNAL = {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}}
DASHBOARD = {"login_secret": "login"}
MATCH = {"key": "disk", "operator": "In", "values": ["a"]}
PREFERENCE = {"weight": 1, "match": [MATCH]}

PLACES: Mapping[Any, Place] = {
    RocketMqArgs: Place(
        dict,
        {},
        {
            "namespace": "mq",
            "create_namespace": False,
            "pod_security": "baseline",
            "version": "5.4.0",
            "image": "mirror.example/rocketmq",
            "image_digest": DIGEST,
            "image_pull_policy": "Always",
            "image_pull_secrets": ["mirror"],
            "storage_class": "gp3",
            "profile": "balanced",
            "min_in_sync_replicas": 1,
            "labels": LABELS,
            "annotations": LABELS,
            "pods": PODS,
            "broker_groups": group(name="b"),
            "name_servers": {"replicas": 3},
            "controllers": {"replicas": 5},
            "proxies": {"replicas": 3},
            "access": {},
            "tls": {"secret_name": "tls"},
            "topics": [{"name": "a"}],
            "consumer_groups": [{"name": "a"}],
            "agent": False,
            "protect_data": False,
            "network_policies": {"clients": [PEER]},
            "monitoring": {},
            "external": LOAD_BALANCER,
            "dashboard": DASHBOARD,
        },
    ),
    BrokerGroupArgs: Place(
        lambda fields: {"broker_groups": [fields]},
        ARGS["broker_groups"][0],
        {
            "name": "b",
            "replicas": 5,
            "memory": "8Gi",
            "cpu": "1",
            "storage": "200Gi",
            "storage_class": "gp3",
            "min_in_sync_replicas": 1,
            "config": {"flushDiskType": "SYNC_FLUSH"},
            "pods": PODS,
        },
    ),
    NameServersArgs: Place(
        lambda fields: {"name_servers": fields},
        {},
        {"replicas": 3, "memory": "1Gi", "cpu": "1", "config": {"enableTopicList": False}, "pods": PODS},
    ),
    ControllersArgs: Place(
        lambda fields: {"controllers": fields},
        {},
        {
            "replicas": 5,
            "memory": "1Gi",
            "cpu": "1",
            "storage": "20Gi",
            "storage_class": "gp3",
            "config": {"electMasterMaxRetryCount": 5},
            "pods": PODS,
        },
    ),
    ProxiesArgs: Place(
        lambda fields: {"proxies": fields},
        {},
        {"replicas": 3, "memory": "2Gi", "cpu": "1", "config": {"userPropertyMaxNum": 64}, "pods": PODS},
    ),
    PodsArgs: Place(
        lambda fields: {"pods": fields},
        {},
        {
            "zones": ["a", "b", "c"],
            "node_selector": LABELS,
            "node_affinity": {"required": [MATCH]},
            "tolerations": [{}],
            "priority_class": "high",
            "labels": LABELS,
            "annotations": LABELS,
            "environment": {"TZ": "UTC"},
            "java_options": ["-Xss512k"],
        },
    ),
    NodeAffinityArgs: Place(
        lambda fields: {"pods": {"node_affinity": fields}},
        {},
        {"required": [MATCH], "preferred": [PREFERENCE]},
    ),
    NodeMatchArgs: Place(
        lambda fields: {"pods": {"node_affinity": {"required": [fields]}}},
        MATCH,
        {"key": "other", "operator": "NotIn", "values": ["b"]},
    ),
    NodePreferenceArgs: Place(
        lambda fields: {"pods": {"node_affinity": {"preferred": [fields]}}},
        PREFERENCE,
        {"weight": 2, "match": [{**MATCH, "values": ["b"]}]},
    ),
    TolerationArgs: Place(
        lambda fields: {"pods": {"tolerations": [fields]}},
        {"key": "dedicated", "effect": "NoExecute"},
        {"key": "other", "value": "mq", "effect": "NoSchedule", "seconds": 60},
    ),
    AccessArgs: Place(
        lambda fields: {"access": fields},
        {},
        {"mode": "permissive", "users": [USER], "internal_generation": 2},
    ),
    UserArgs: Place(
        lambda fields: {"access": {"users": [fields]}},
        USER,
        {
            "name": "other",
            "password": "Chosen-by-a-person",
            "password_version": 2,
            "type": "Super",
            "enabled": False,
            "permissions": [PERMISSION],
        },
    ),
    PermissionArgs: Place(
        lambda fields: {"access": {"users": [{**USER, "permissions": [fields]}]}},
        PERMISSION,
        {"resources": ["Topic:b"], "actions": ["Sub"], "decision": "Deny", "source_ips": ["10.0.0.0/8"]},
    ),
    TlsArgs: Place(
        lambda fields: {"tls": fields},
        {"secret_name": "tls"},
        {"secret_name": "other", "mode": "enforcing", "authority": "ca.crt"},
    ),
    TopicArgs: Place(
        lambda fields: {"topics": [fields], "broker_groups": [*group(), *group(name="b")]},
        {"name": "a"},
        {"name": "c", "type": "FIFO", "queues": 4, "write_queues": 4, "permission": "R", "broker_groups": ["b"]},
    ),
    ConsumerGroupArgs: Place(
        lambda fields: {"consumer_groups": [fields]},
        {"name": "a"},
        {"name": "b", "ordered": True, "max_retries": 3, "broadcast": False, "consume": False},
    ),
    NetworkPoliciesArgs: Place(
        lambda fields: {"network_policies": fields},
        {"egress": True},
        {"enabled": Pair({}, {"enabled": False}), "clients": [PEER], "egress": False, "dns": [PEER]},
    ),
    PeerArgs: Place(
        lambda fields: {"network_policies": {"clients": [fields]}},
        PEER,
        {"namespace_labels": {}, "pod_labels": LABELS, "cidr": Pair({"cidr": "10.0.0.0/16"}, {"cidr": "10.1.0.0/16"})},
    ),
    MonitoringArgs: Place(
        lambda fields: {"monitoring": fields},
        {"monitor": "pod"},
        {
            "monitor": "service",
            "monitor_labels": LABELS,
            "interval": "60s",
            "scrapers": [PEER],
            "alerts": {},
            "grafana_dashboard": {},
        },
    ),
    AlertsArgs: Place(
        lambda fields: {"monitoring": {"alerts": fields}},
        {},
        {
            "labels": LABELS,
            "alert_labels": LABELS,
            "runbook_url": "https://example.com/runbook",
            "kubernetes_metrics": False,
            "disk_used_percent": 60,
            "consumer_lag_messages": 10,
            "consumer_lag_seconds": 10,
            "send_latency_milliseconds": 100,
        },
    ),
    GrafanaDashboardArgs: Place(
        lambda fields: {"monitoring": {"grafana_dashboard": fields}},
        {},
        {"labels": LABELS, "annotations": LABELS},
    ),
    ExternalArgs: Place(
        lambda fields: {"external": fields},
        {**LOAD_BALANCER, "hostname": "mq.example.com"},
        {
            "type": Pair({"type": "LoadBalancer", **INTERNAL}, {"type": "NodePort", **INTERNAL}),
            "port": 443,
            "node_port": 30123,
            "hostname": "other.example.com",
            "remoting": True,
            "annotations": LABELS,
            "load_balancer_class": "example.com/other",
            "source_ranges": ["10.0.0.0/8"],
            "traffic_policy": "Local",
        },
    ),
    DashboardArgs: Place(
        lambda fields: {"dashboard": fields},
        DASHBOARD,
        {
            "login_secret": "other",
            "credentials_secret": "credentials",
            "version": "2.0.0",
            "image": "mirror.example/dashboard",
            "image_digest": DIGEST,
            "memory": "2Gi",
            "cpu": "1",
            "clients": [PEER],
        },
    ),
}


def test_every_argument_field_has_a_row() -> None:
    assert rows_of(PLACES) == fields_of(types_in(RocketMqArgs))


def planned(changes: dict[str, Any]) -> RocketMqPlan:
    return dataclasses.replace(plan(args(**changes)), warnings=[])


# The component passes these fields to its resources without the plan.
UNPLANNED_FIELDS = [(type_, "storage_class") for type_ in (RocketMqArgs, BrokerGroupArgs, ControllersArgs)]


@pytest.mark.parametrize("type_", PLACES, ids=lambda type_: type_.__name__)
def test_every_field_changes_the_plan(type_: Any) -> None:
    unplanned = [field for other, field in UNPLANNED_FIELDS if other is type_]
    assert PLACES[type_].swallowed(planned) == unplanned


@pytest.mark.parametrize(("type_", "field"), UNPLANNED_FIELDS)
def test_unplanned_field_changes_the_registered_resources(type_: Any, field: str) -> None:
    before, after = (deploy(**changes) for changes in PLACES[type_].pair(field))
    assert [r.name for urn, r in before.resources.items() if after.resources[urn].inputs != r.inputs] != []


EVERYTHING: dict[str, Any] = {
    "access": {"users": [USER, {"name": "admin", "password": "Chosen-by-a-person"}]},
    "tls": {"secret_name": "tls", "authority": "ca.crt"},
    "topics": [{"name": "a"}],
    "monitoring": {"monitor": "pod", "alerts": {}, "grafana_dashboard": {}},
    "network_policies": {"egress": True},
    "external": {**LOAD_BALANCER, "hostname": "mq.example.com", "remoting": True, "annotations": LABELS},
    "dashboard": {**DASHBOARD, "credentials_secret": "credentials"},
}


def test_rendering_reads_every_field_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    unread: set[str] = set()

    def watch(part: object) -> None:
        """Record the fields of the dataclasses in a plan, and remove each field when it is read."""
        if isinstance(part, list | tuple):
            for item in part:
                watch(item)
        # Only errors read the path of an argument.
        if dataclasses.is_dataclass(part) and not isinstance(part, ArgumentPath):
            watched = type(part)
            fields = {field.name for field in dataclasses.fields(part)}
            values = [getattr(part, name) for name in fields]
            unread.update(f"{watched.__name__}.{name}" for name in fields)

            def read(self: object, name: str) -> Any:
                unread.discard(f"{watched.__name__}.{name}")
                return object.__getattribute__(self, name)

            monkeypatch.setattr(watched, "__getattribute__", read)
            for value in values:
                watch(value)

    def watched_plan(given: Any) -> RocketMqPlan:
        result = plan(given)
        watch(result)
        return result

    monkeypatch.setattr(rocket_mq, "plan", watched_plan)
    run(lambda: RocketMq("rocketmq", args(**EVERYTHING)))
    # No setting renders the overhead of the JVM. It is the rest of the memory limit.
    # The mode of access control is in the plans of the roles: their keys and the annotations of their StatefulSets.
    assert unread == {"Memory.fixed", "AccessPlan.mode"}
