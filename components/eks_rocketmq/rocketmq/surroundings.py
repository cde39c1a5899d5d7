"""What is optional around a RocketMQ, decided and checked: network, metrics, clients from outside, console. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.rocketmq import ports
from eks_rocketmq.rocketmq.broker_config import Value
from eks_rocketmq.rocketmq.network import EVERY_POD, Network, cidr, network, peers
from eks_rocketmq.rocketmq.options import AlertsArgs, DashboardArgs, ExternalArgs, MonitoringArgs
from eks_rocketmq.rocketmq.pod_settings import object_annotations, object_labels
from eks_rocketmq.validation import (
    between,
    bytes_of,
    cpu,
    digest,
    dns_subdomain,
    image,
    image_reference,
    image_tag,
    matching,
    one_of,
    qualified_name,
    refuse_beside,
    refuse_empty,
)

MONITORS = ("pod", "service", "none")
EXTERNAL_TYPES = ("LoadBalancer", "NodePort")
TRAFFIC_POLICIES = ("Cluster", "Local")
NODE_PORTS = (30000, 32767)
CRITICAL_DISK_PERCENT = 85
DASHBOARD_IMAGE = "apacherocketmq/rocketmq-dashboard"
RUNBOOK = "docs/operations.md"

# How clouds are told whether a load balancer has public addresses; most give it some when nothing is said.
_SCHEMES = (
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
    "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
    "service.beta.kubernetes.io/oci-load-balancer-internal",
    "service.beta.kubernetes.io/openstack-internal-load-balancer",
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
    "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
)

_TLS_PORTS = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports"

METRIC_KEYS: Mapping[str, Value] = {"metricsExporterType": "PROM", "metricsPromExporterPort": ports.METRICS}
"""Keys of brokers, controllers and proxies: metrics are always there for whoever may scrape."""
_METRIC_PLACE = frozenset({"metricsPromExporterHost", "metricsPromExporterPort"})  # policies and monitors know it
EXTERNAL_KEYS = frozenset({"useEndpointPortFromRequest", "remotingAccessAddr"})

# These proxies run with the exporter's number. That of 5.4.0 was seen to exit at its name, which 5.5.0 reads.
_NUMBERED = frozenset({"5.3.3", "5.4.0"})
_EXPORTERS = ("DISABLE", "OTLP_GRPC", "PROM", "LOG")
_CONSOLE_FLOOR = 512 * 1024**2
_DURATION = re.compile(r"[1-9]\d*(ms|s|m|h)")
_ALERT_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_ALERTS_OWN = frozenset({"alertname", "severity", "broker_group"})
_HOSTNAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclass(frozen=True)
class Alerts:
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
class Grafana:
    """Labels and annotations of the Grafana dashboard's ConfigMap."""

    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True)
class Monitoring:
    """What is made of the metrics."""

    monitor: str
    labels: dict[str, str]
    interval: str
    alerts: Alerts | None
    grafana: Grafana | None


@dataclass(frozen=True)
class External:
    """The proxies' Service for clients from outside."""

    type: str
    port: int
    node_port: int | None
    hostname: str | None
    remoting: bool
    annotations: dict[str, str]
    load_balancer_class: str | None
    source_ranges: list[str]
    traffic_policy: str

    @property
    def ports(self) -> dict[str, int]:
        """Ports of the Service by name."""
        return {"grpc": self.port, **({"remoting": ports.PROXY_REMOTING} if self.remoting else {})}


@dataclass(frozen=True)
class Dashboard:
    """The web console."""

    image: str
    memory: int
    """Limit in MiB."""
    cpu: str
    login_secret: str
    credentials_secret: str | None


@dataclass(frozen=True)
class Surroundings:
    """What is not given is None: then nothing of it is made."""

    network: Network = field(default_factory=Network)
    monitoring: Monitoring | None = None
    external: External | None = None
    dashboard: Dashboard | None = None

    @property
    def proxy_keys(self) -> dict[str, Value]:
        """Keys of the proxies alone."""
        if self.external is None:
            return {}
        # Else a proxy puts its own port into the answers, whatever port the client came by.
        keys: dict[str, Value] = {"useEndpointPortFromRequest": True}
        if self.external.remoting:
            keys["remotingAccessAddr"] = str(self.external.hostname)
        return keys

    @property
    def fixed_keys(self) -> frozenset[str]:
        """Keys that a user cannot set beside these."""
        # What is made of the metrics needs Prometheus' form; without, they may go elsewhere.
        fixed = _METRIC_PLACE | ({"metricsExporterType"} if self.monitoring else set())
        return fixed | (EXTERNAL_KEYS if self.external else frozenset())


def surroundings(args: Mapping[str, Any]) -> Surroundings:
    """The choices in the arguments of a RocketMQ.

    Raises:
        ValueError: for the first argument that cannot be, saying what was given and what is accepted.
    """
    metrics: MonitoringArgs | None = args.get("monitoring")
    console: DashboardArgs | None = args.get("dashboard")
    outside: ExternalArgs | None = args.get("external")
    result = Surroundings(
        network=network(
            args.get("network_policies", {}),
            scrapers=_scrapers(metrics or {}),
            dashboard_clients=peers(console.get("clients", []), "dashboard.clients") if console else None,
        ),
        monitoring=None if metrics is None else _monitoring(metrics),
        external=None if outside is None else _external(outside),
        dashboard=None if console is None else _dashboard(console),
    )
    _refuse_useless(args)
    _check_clients(result)
    if result.dashboard and result.dashboard.credentials_secret is None and "access" in args:
        msg = (
            "dashboard has no credentials_secret beside access; brokers refuse whoever does not sign: give the name of "
            "a Secret with accessKey and secretKey of one of access.users"
        )
        raise ValueError(msg)
    return result


def _refuse_useless(args: Mapping[str, Any]) -> None:
    policies, metrics = args.get("network_policies", {}), args.get("monitoring", {})
    given = {
        f"{option}.{name}": value not in (False, {})  # an empty list of peers lets nobody in, which is something
        for option in ("network_policies", "monitoring", "dashboard")
        for name, value in args.get(option, {}).items()
    }
    if not policies.get("enabled", True):
        peers_and_more = [f"network_policies.{name}" for name in ("clients", "egress", "dns")]
        peers_and_more += ["monitoring.scrapers", "dashboard.clients"]
        refuse_beside(given, peers_and_more, "network_policies.enabled false, which makes no policies")
    if not policies.get("egress", False):
        refuse_beside(
            given,
            ["network_policies.dns"],
            "network_policies.egress false, which lets pods ask anyone",
            "leave it out, or set network_policies.egress to true",
        )
    if metrics.get("monitor", "none") == "none":
        # A PrometheusRule without labels of its own has those of the monitor.
        ruled = "labels" not in metrics.get("alerts", {"labels": {}})
        refuse_beside(
            given,
            ["monitoring.interval"] if ruled else ["monitoring.interval", "monitoring.monitor_labels"],
            "monitoring.monitor 'none', which makes no monitor",
            "leave it out, or set monitoring.monitor to 'pod' or 'service'",
        )


def as_proxies_read(version: str, keys: Mapping[str, Value]) -> dict[str, Value]:
    """The proxies' keys with the exporter as that version's JSON has it."""
    if version not in _NUMBERED:
        return dict(keys)
    return {**keys, "metricsExporterType": _EXPORTERS.index(str(keys["metricsExporterType"]))}


def _scrapers(args: MonitoringArgs) -> list[dict[str, Any]]:
    return peers(args["scrapers"], "monitoring.scrapers") if "scrapers" in args else EVERY_POD


def _monitoring(args: MonitoringArgs) -> Monitoring:
    what = "monitoring.grafana_dashboard"
    labels = object_labels(args.get("monitor_labels", {}), "monitoring.monitor_labels")
    alerts, grafana = args.get("alerts"), args.get("grafana_dashboard")
    return Monitoring(
        monitor=one_of(args.get("monitor", "none"), MONITORS, "monitoring.monitor"),
        labels=labels,
        interval=matching(_DURATION, args.get("interval", "30s"), "monitoring.interval", "a time such as '30s'"),
        alerts=None if alerts is None else _alerts(alerts, labels),
        grafana=None
        if grafana is None
        else Grafana(
            object_labels(grafana.get("labels", {"grafana_dashboard": "1"}), f"{what}.labels"),
            object_annotations(grafana.get("annotations", {}), f"{what}.annotations"),
        ),
    )


def _alerts(args: AlertsArgs, labels: dict[str, str]) -> Alerts:
    what = "monitoring.alerts"
    return Alerts(
        labels=object_labels(args.get("labels", labels), f"{what}.labels"),
        alert_labels=_alert_labels(args.get("alert_labels", {}), f"{what}.alert_labels"),
        runbook=args.get("runbook_url", RUNBOOK),
        kubernetes_metrics=args.get("kubernetes_metrics", True),
        disk_used_percent=between(
            args.get("disk_used_percent", 75), 1, CRITICAL_DISK_PERCENT - 1, f"{what}.disk_used_percent"
        ),
        consumer_lag_messages=between(
            args.get("consumer_lag_messages", 100_000), 1, 10**15, f"{what}.consumer_lag_messages"
        ),
        consumer_lag_seconds=between(args.get("consumer_lag_seconds", 600), 1, 10**9, f"{what}.consumer_lag_seconds"),
        # Above the last bucket that ends, no percentile can be.
        send_latency_milliseconds=between(
            args.get("send_latency_milliseconds", 500), 1, 2999, f"{what}.send_latency_milliseconds"
        ),
    )


def _alert_labels(given: Mapping[str, str], what: str) -> dict[str, str]:
    for name in given:
        if name in _ALERTS_OWN:
            msg = f"{what}: {name} is set by the rules; accepted is any other label"
            raise ValueError(msg)
        if not _ALERT_LABEL.fullmatch(name):
            msg = (
                f"{what}: {name!r} is no name of a label of Prometheus; accepted are letters, digits and '_', such as "
                "'team'"
            )
            raise ValueError(msg)
    return dict(given)


def _external(args: ExternalArgs) -> External:
    what = "external"
    hostname = args.get("hostname")
    node_port = args.get("node_port")
    made_by = args.get("load_balancer_class")
    if "source_ranges" in args:
        refuse_empty(args["source_ranges"], f"{what}.source_ranges", "all addresses")
    result = External(
        type=one_of(args.get("type", "LoadBalancer"), EXTERNAL_TYPES, f"{what}.type"),
        port=between(args.get("port", ports.PROXY_GRPC), 1, 65535, f"{what}.port"),
        node_port=None if node_port is None else between(node_port, *NODE_PORTS, f"{what}.node_port"),
        hostname=None
        if hostname is None
        else matching(_HOSTNAME, hostname, f"{what}.hostname", "a host name such as 'mq.example.com'"),
        remoting=args.get("remoting", False),
        annotations=object_annotations(args.get("annotations", {}), f"{what}.annotations"),
        load_balancer_class=None if made_by is None else qualified_name(made_by, f"{what}.load_balancer_class"),
        source_ranges=[cidr(one, f"{what}.source_ranges") for one in args.get("source_ranges", [])],
        traffic_policy=one_of(args.get("traffic_policy", "Cluster"), TRAFFIC_POLICIES, f"{what}.traffic_policy"),
    )
    _check_external(result)
    if named := result.annotations.get(_TLS_PORTS):
        check_tls_ports(named.split(","), result.ports, f"{what}.annotations[{_TLS_PORTS!r}]")
    return result


def check_tls_ports(named: Iterable[str], there: Mapping[str, int], what: str) -> None:
    """Refuse TLS on a port that the Service does not have: the port that it has would take plain text.

    Args:
        named: numbers or names of the ports that speak TLS.
        there: ports of the Service by name.
        what: how an error names them.

    Raises:
        ValueError: naming the port and those of the Service.
    """
    accepted = {"*", *there, *map(str, there.values())}
    for port in named:
        if port.strip() not in accepted:
            numbers = " and ".join(map(str, there.values()))
            msg = (
                f"{what} names {port.strip()}, and external has no such port, so port {numbers} would take plain text; "
                f"accepted is {numbers}: name it, set external.port to {port.strip()}, or leave it out for TLS on all "
                "ports"
            )
            raise ValueError(msg)


def _check_external(external: External) -> None:
    balanced = external.type == "LoadBalancer"
    told = external.load_balancer_class or external.source_ranges or any(map(external.annotations.get, _SCHEMES))
    if balanced and not told:
        msg = (
            "external.type is 'LoadBalancer' and nothing says whether it may have public addresses; clouds would put "
            "it on the internet. Give load_balancer_class, source_ranges, or the annotation by which your cloud is "
            f"told, such as '{_SCHEMES[0]}: internal'; networkLoadBalancer in a stack file, or "
            "eks_rocketmq.eks.load_balancer, writes those of AWS"
        )
        raise ValueError(msg)
    if not balanced and (external.load_balancer_class or external.source_ranges):
        msg = (
            "external.load_balancer_class and source_ranges are for type 'LoadBalancer'; with 'NodePort' leave them out"
        )
        raise ValueError(msg)
    if external.remoting and external.hostname is None:
        msg = "external.remoting is true without hostname; give the name that the proxies send remoting clients to"
        raise ValueError(msg)
    if external.remoting and not balanced:
        msg = (
            "external.remoting is true with type 'NodePort'; the proxies tell remoting clients port "
            f"{ports.PROXY_REMOTING}, which no node port can be: take type 'LoadBalancer'"
        )
        raise ValueError(msg)
    if external.remoting and external.port == ports.PROXY_REMOTING:
        msg = f"external.port is {external.port}, the port of remoting clients; accepted is any other"
        raise ValueError(msg)


def _check_clients(result: Surroundings) -> None:
    """Clients from outside come with addresses, not with labels."""
    clients = result.network.clients
    if result.network.policies and result.external and clients is not None and not any("ipBlock" in p for p in clients):
        msg = (
            "network_policies.clients names no cidr, so the policies would keep out everyone who comes by external; "
            "add the load balancer's addresses, or the clients' where it keeps them"
        )
        raise ValueError(msg)


def _dashboard(args: DashboardArgs) -> Dashboard:
    memory = bytes_of(args.get("memory", "1Gi"), "dashboard.memory")
    if memory < _CONSOLE_FLOOR:
        msg = f"dashboard.memory is {args.get('memory')}; accepted is 512Mi or more"
        raise ValueError(msg)
    credentials = args.get("credentials_secret")
    return Dashboard(
        image=image_reference(
            image(args.get("image", DASHBOARD_IMAGE), "dashboard.image"),
            image_tag(args.get("version", "2.1.0"), "dashboard.version"),
            digest(args["image_digest"], "dashboard.image_digest") if "image_digest" in args else None,
        ),
        memory=memory // 1024**2,
        cpu=cpu(args.get("cpu", "100m"), "dashboard.cpu"),
        login_secret=dns_subdomain(args["login_secret"], "dashboard.login_secret"),
        credentials_secret=None if credentials is None else dns_subdomain(credentials, "dashboard.credentials_secret"),
    )
