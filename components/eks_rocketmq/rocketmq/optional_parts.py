"""Plans of the optional parts: network policies, monitoring, external access, web console. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError, ErrorCollector, raise_all
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.metrics import METRIC_ADDRESS_KEYS
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DashboardPlan, plan_dashboard
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.external.external_plan import EXTERNAL_KEYS, ExternalPlan, plan_external
from eks_rocketmq.rocketmq.monitoring.monitoring_args import MonitoringArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import MonitoringPlan, plan_monitoring
from eks_rocketmq.rocketmq.network.network_policies import (
    EVERY_POD,
    NetworkPolicyPlan,
    build_peers,
    plan_network_policies,
)


@dataclass(frozen=True)
class OptionalParts:
    """Plans of the optional parts. A part that is None is not created."""

    network: NetworkPolicyPlan = field(default_factory=NetworkPolicyPlan)
    monitoring: MonitoringPlan | None = None
    external: ExternalPlan | None = None
    dashboard: DashboardPlan | None = None

    @property
    def proxy_keys(self) -> dict[str, Value]:
        """Proxy keys for external access."""
        if self.external is None:
            return {}
        # Without it a proxy answers with its own port, not with the port that the client connected to.
        keys: dict[str, Value] = {"useEndpointPortFromRequest": True}
        if self.external.remoting:
            keys["remotingAccessAddr"] = str(self.external.hostname)
        return keys

    @property
    def fixed_keys(self) -> frozenset[str]:
        """Keys that the user's `config` must not set."""
        # Monitors and alerts need the Prometheus exporter. Without them, the user may choose another one.
        fixed = METRIC_ADDRESS_KEYS | ({"metricsExporterType"} if self.monitoring else set())
        return fixed | (EXTERNAL_KEYS if self.external else frozenset())


def plan_optional_parts(args: Mapping[str, Any]) -> OptionalParts:
    """Return the plans of the optional parts of a RocketMQ.

    Raise ValueError for an argument that is not accepted.
    """
    monitoring: MonitoringArgs | None = args.get("monitoring")
    dashboard: DashboardArgs | None = args.get("dashboard")
    external: ExternalArgs | None = args.get("external")
    result = OptionalParts(
        network=plan_network_policies(
            args.get("network_policies", {}),
            scrapers=_plan_scrapers(monitoring or {}),
            dashboard_clients=build_peers(dashboard.get("clients", []), ARGS / "dashboard" / "clients")
            if dashboard
            else None,
        ),
        monitoring=None if monitoring is None else plan_monitoring(monitoring),
        external=None if external is None else plan_external(external),
        dashboard=None if dashboard is None else plan_dashboard(dashboard),
    )
    _reject_unused_args(args)
    _check_clients(result)
    _check_exporters(args, result)
    if result.dashboard and result.dashboard.credentials_secret is None and "access" in args:
        raise ArgumentError(
            ARGS / "dashboard" / "credentials_secret",
            "dashboard-credentials",
            "a value is required with {access}, because brokers reject unsigned requests",
            accepted="the name of a Secret with 'accessKey' and 'secretKey' of one of {users}",
            access=ARGS / "access",
            users=ARGS / "access" / "users",
        )
    return result


def _reject_unused_args(args: Mapping[str, Any]) -> None:
    policies, monitoring = args.get("network_policies", {}), args.get("monitoring", {})
    errors = ErrorCollector()

    def reject(names: Iterable[str], part: str, switch: ArgumentPath, needed: str) -> None:
        for name in names:
            # An empty list of peers has an effect: it denies all.
            if args.get(part, {}).get(name, False) not in (False, {}):
                errors.add(
                    ArgumentError(
                        ARGS / part / name,
                        "disabled-feature",
                        "the argument has no effect unless {switch} is {needed}",
                        remedy="Leave the argument out, or set {switch} to {needed}",
                        switch=switch,
                        needed=needed,
                    )
                )

    if not policies.get("enabled", True):
        enabled = ARGS / "network_policies" / "enabled"
        reject(("clients", "egress", "dns"), "network_policies", enabled, "true")
        reject(("scrapers",), "monitoring", enabled, "true")
        reject(("clients",), "dashboard", enabled, "true")
    elif not policies.get("egress", False):
        reject(("dns",), "network_policies", ARGS / "network_policies" / "egress", "true")
    if monitoring.get("monitor", "none") == "none":
        # A PrometheusRule without labels in its arguments gets the labels of the monitor.
        uses_monitor_labels = "labels" not in monitoring.get("alerts", {"labels": {}})
        unused = ("interval",) if uses_monitor_labels else ("interval", "monitor_labels")
        reject(unused, "monitoring", ARGS / "monitoring" / "monitor", "'pod' or 'service'")
    errors.raise_errors()


def _plan_scrapers(args: MonitoringArgs) -> list[dict[str, Any]]:
    return build_peers(args["scrapers"], ARGS / "monitoring" / "scrapers") if "scrapers" in args else EVERY_POD


def _check_clients(result: OptionalParts) -> None:
    """Reject policies without a CIDR block if there are external clients, which no label selector matches."""
    clients = result.network.clients
    if result.network.enabled and result.external and clients is not None and not any("ipBlock" in p for p in clients):
        raise ArgumentError(
            ARGS / "network_policies" / "clients",
            "clients-without-cidr",
            "no entry has {cidr}, so the policies would block all clients of {external}",
            remedy="Add the addresses of the load balancer, or of the clients if it preserves their addresses",
            cidr=Names(("cidr",)),
            external=ARGS / "external",
        )


@raise_all
def _check_exporters(args: Mapping[str, Any], result: OptionalParts) -> Iterator[ArgumentError]:
    """Reject metrics that the pods send to a collector if the policies allow no connection to it."""
    groups, key = ARGS / "broker_groups", "metricsExporterType"
    roles = [(groups.index(index, each), each) for index, each in enumerate(args.get("broker_groups", []))]
    roles += [(ARGS / role, args.get(role, {})) for role in ("controllers", "proxies")]
    for path, given in roles if result.network.egress else ():
        if given.get("config", {}).get(key) == "OTLP_GRPC":
            yield ArgumentError(
                (path / "config").key(key),
                "exporter-without-egress",
                "{given!r} sends metrics to a collector. With {egress}, the network policies allow connections to "
                "RocketMQ's own pods and to DNS servers only",
                remedy="Leave the key out and let Prometheus scrape the pods, or set {egress} to false",
                given=given["config"][key],
                egress=ARGS / "network_policies" / "egress",
            )
