"""Wording of the errors of access control, topics, external access, web console and monitoring."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.rocketmq.access.access import plan_access
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import plan_dashboard
from eks_rocketmq.rocketmq.declarations.topics import plan_topics, validate_queues
from eks_rocketmq.rocketmq.external.external_plan import check_tls_ports, plan_external
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import plan_monitoring
from eks_rocketmq.rocketmq.optional_parts import plan_optional_parts
from tests.unit.harness.rejections import Wording, check_wording

CLASS: Any = {"load_balancer_class": "example.com/lb"}
DASHBOARD: Any = {"login_secret": "login"}


def user(**fields: Any) -> Callable[[], object]:
    given: Any = {"users": [{"name": "orders", **fields}]}
    return lambda: plan_access(given)


def permission(resources: Sequence[str] = ("Topic:a",), **fields: Any) -> Callable[[], object]:
    return user(permissions=[{"resources": list(resources), "actions": ["Pub"], **fields}])


def topic(version: str = "5.5.0", **fields: Any) -> Callable[[], object]:
    given: Any = {"name": "a", **fields}
    return lambda: plan_topics([given], ["broker-a"], version, "rocketmq", mixed=False)


WORDING = [
    Wording(
        "user-password",
        user(password="short"),
        "access.users['orders'].password: the password is not accepted. Accepted: a string of 8 to 64 printable ASCII "
        "characters without blanks, quotes and backslashes. Choose another password, or leave it out to get a "
        "generated one.",
    ),
    Wording(
        "permission-empty-list",
        permission(actions=[]),
        "access.users['orders'].permissions[0].actions: the list is empty. Accepted: one item or more.",
    ),
    Wording(
        "permission-duplicate",
        permission(["Topic:a", "Topic:a"]),
        "access.users['orders'].permissions[0].resources[1]: the user has more than one permission for 'Topic:a'. "
        "Accepted: each resource once, as RocketMQ keeps one permission for each resource.",
    ),
    Wording(
        "permission-resource",
        permission(["Topics:a"]),
        "access.users['orders'].permissions[0].resources[0]: 'Topics:a' is no resource. Accepted: 'Topic:NAME', "
        "'Group:NAME' or 'Cluster:NAME', where NAME may end with '*', or '*' alone. Did you mean 'Topic'?",
    ),
    Wording(
        "permission-source",
        permission(source_ips=["10.0.0"]),
        "access.users['orders'].permissions[0].source_ips[0]: '10.0.0' is no address. Accepted: an address or a CIDR "
        "block, such as '10.0.0.0/8'.",
    ),
    Wording(
        "topic-mixed-type",
        topic(type="MIXED"),
        "topics['a'].type: brokers reject 'MIXED' unless 'enableMixedMessageType' is true. Accepted: 'NORMAL', 'FIFO', "
        "'DELAY', 'TRANSACTION', 'PRIORITY'. Choose one of these types, or set 'enableMixedMessageType' in config of "
        "every broker group.",
    ),
    Wording(
        "topic-type-version",
        topic("5.3.3", type="PRIORITY"),
        "topics['a'].type: 'PRIORITY' needs RocketMQ 5.4.0 or later, and version is '5.3.3'. Accepted: 'NORMAL', "
        "'FIFO', 'DELAY', 'TRANSACTION'.",
    ),
    Wording(
        "topic-unread-queues",
        lambda: validate_queues("orders 8 8\n", "orders 4 4\n"),
        "topics['orders'].queues: 4 is less than 8, the number of write queues before. Consumers would no longer read "
        "the other queues, and these may have unread messages. Accepted: 8 or more. Set topics['orders'].write_queues "
        "to 4, keep topics['orders'].queues, and update. Lower topics['orders'].queues when the last queues are "
        "drained.",
    ),
    Wording(
        "topic-write-queues",
        topic(queues=4, write_queues=5),
        "topics['a'].write_queues: 5 is more than topics['a'].queues, which is 4, and consumers do not read the other "
        "queues. Accepted: 1 to 4.",
    ),
    Wording(
        "topic-broker-groups",
        topic(broker_groups=[]),
        "topics['a'].broker_groups: the list is empty, so no broker group would have the topic. Accepted: one broker "
        "group or more. Leave the argument out for all broker groups.",
    ),
    Wording(
        "external-visibility",
        lambda: plan_external({}),
        "external: no setting decides whether the load balancer has public addresses, and clouds make it public by "
        "default. Set external.load_balancer_class, external.source_ranges, or the annotation of your cloud, such as "
        "'service.beta.kubernetes.io/aws-load-balancer-scheme: internal'. For AWS, network_load_balancer writes the "
        "annotations.",
    ),
    Wording(
        "external-hostname",
        lambda: plan_external({**CLASS, "hostname": "https://mq"}),
        "external.hostname: 'https://mq' is not accepted. Accepted: a host name, such as 'mq.example.com'.",
    ),
    Wording(
        "remoting-without-hostname",
        lambda: plan_external({**CLASS, "remoting": True}),
        "external.remoting: the proxies send remoting clients to external.hostname, which has no value. Set "
        "external.hostname.",
    ),
    Wording(
        "remoting-without-load-balancer",
        lambda: plan_external({"type": "NodePort", "remoting": True, "hostname": "mq"}),
        "external.remoting: the proxies send remoting clients to port 8080, which a Service of type 'NodePort' does "
        "not open. Set external.type to 'LoadBalancer'.",
    ),
    Wording(
        "port-of-remoting",
        lambda: plan_external({**CLASS, "remoting": True, "hostname": "mq", "port": 8080}),
        "external.port: 8080 is the port of remoting clients, and external.remoting is true. Accepted: any other port.",
    ),
    Wording(
        "tls-port",
        lambda: check_tls_ports(["443"], {"grpc": 8081, "remoting": 8080}, ARGS / "external" / "tls_ports"),
        "external.tls_ports: the Service has no port '443', so one of its ports would accept plain text. Accepted: "
        "8081 and 8080. Name an accepted port, set external.port to the port with TLS, or leave the argument out for "
        "TLS on all ports.",
    ),
    Wording(
        "dashboard-memory",
        lambda: plan_dashboard({**DASHBOARD, "memory": "256Mi"}),
        "dashboard.memory: '256Mi' is too little for the web console. Accepted: '512Mi' or more.",
    ),
    Wording(
        "dashboard-credentials",
        lambda: plan_optional_parts({"dashboard": DASHBOARD, "access": {}}),
        "dashboard.credentials_secret: a value is required with access, because brokers reject unsigned requests. "
        "Accepted: the name of a Secret with 'accessKey' and 'secretKey' of one of access.users.",
    ),
    Wording(
        "disabled-feature",
        lambda: plan_optional_parts({"monitoring": {"interval": "5s"}}),
        "monitoring.interval: the argument has no effect unless monitoring.monitor is 'pod' or 'service'. Leave the "
        "argument out, or set monitoring.monitor to 'pod' or 'service'.",
    ),
    Wording(
        "clients-without-cidr",
        lambda: plan_optional_parts({"external": CLASS, "network_policies": {"clients": [{"pod_labels": {}}]}}),
        "network_policies.clients: no entry has cidr, so the policies would block all clients of external. Add the "
        "addresses of the load balancer, or of the clients if it preserves their addresses.",
    ),
    Wording(
        "exporter-without-egress",
        lambda: plan_optional_parts(
            {"network_policies": {"egress": True}, "proxies": {"config": {"metricsExporterType": "OTLP_GRPC"}}}
        ),
        "proxies.config['metricsExporterType']: 'OTLP_GRPC' sends metrics to a collector. With "
        "network_policies.egress, the network policies allow connections to RocketMQ's own pods and to DNS servers "
        "only. Leave the key out and let Prometheus scrape the pods, or set network_policies.egress to false.",
    ),
    Wording(
        "scrape-interval",
        lambda: plan_monitoring({"interval": "30"}),
        "monitoring.interval: '30' is not accepted. Accepted: a time, such as '30s'.",
    ),
    Wording(
        "alert-label-reserved",
        lambda: plan_monitoring({"alerts": {"alert_labels": {"severity": "page"}}}),
        "monitoring.alerts.alert_labels: the alert rules set the label 'severity' themselves. Accepted: any other "
        "label.",
    ),
    Wording(
        "alert-label-name",
        lambda: plan_monitoring({"alerts": {"alert_labels": {"a-b": "x"}}}),
        "monitoring.alerts.alert_labels: 'a-b' is no name of a label of Prometheus. Accepted: letters, digits and '_', "
        "not beginning with a digit or '__', such as 'team'.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)
