"""Plans of the optional parts: network policies, monitoring, external access, web console. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.validation import reject_ignored_args
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

    Raises:
        ValueError: for the first argument that is not accepted, with its value and what is accepted.
    """
    monitoring: MonitoringArgs | None = args.get("monitoring")
    dashboard: DashboardArgs | None = args.get("dashboard")
    external: ExternalArgs | None = args.get("external")
    result = OptionalParts(
        network=plan_network_policies(
            args.get("network_policies", {}),
            scrapers=_plan_scrapers(monitoring or {}),
            dashboard_clients=build_peers(dashboard.get("clients", []), "dashboard.clients") if dashboard else None,
        ),
        monitoring=None if monitoring is None else plan_monitoring(monitoring),
        external=None if external is None else plan_external(external),
        dashboard=None if dashboard is None else plan_dashboard(dashboard),
    )
    _reject_unused_args(args)
    _check_clients(result)
    if result.dashboard and result.dashboard.credentials_secret is None and "access" in args:
        msg = (
            "dashboard has no credentials_secret beside access; brokers refuse whoever does not sign: give the name of "
            "a Secret with accessKey and secretKey of one of access.users"
        )
        raise ValueError(msg)
    return result


def _reject_unused_args(args: Mapping[str, Any]) -> None:
    policies, monitoring = args.get("network_policies", {}), args.get("monitoring", {})
    given = {
        f"{option}.{name}": value not in (False, {})  # an empty list of peers does have an effect: it denies all
        for option in ("network_policies", "monitoring", "dashboard")
        for name, value in args.get(option, {}).items()
    }
    if not policies.get("enabled", True):
        policy_inputs = [f"network_policies.{name}" for name in ("clients", "egress", "dns")]
        policy_inputs += ["monitoring.scrapers", "dashboard.clients"]
        reject_ignored_args(given, policy_inputs, "network_policies.enabled false, which makes no policies")
    if not policies.get("egress", False):
        reject_ignored_args(
            given,
            ["network_policies.dns"],
            "network_policies.egress false, which lets pods ask anyone",
            "leave it out, or set network_policies.egress to true",
        )
    if monitoring.get("monitor", "none") == "none":
        # A PrometheusRule without labels in its arguments gets the labels of the monitor.
        uses_monitor_labels = "labels" not in monitoring.get("alerts", {"labels": {}})
        reject_ignored_args(
            given,
            ["monitoring.interval"] if uses_monitor_labels else ["monitoring.interval", "monitoring.monitor_labels"],
            "monitoring.monitor 'none', which makes no monitor",
            "leave it out, or set monitoring.monitor to 'pod' or 'service'",
        )


def _plan_scrapers(args: MonitoringArgs) -> list[dict[str, Any]]:
    return build_peers(args["scrapers"], "monitoring.scrapers") if "scrapers" in args else EVERY_POD


def _check_clients(result: OptionalParts) -> None:
    """Reject policies without a CIDR block if there are external clients, which no label selector matches."""
    clients = result.network.clients
    if result.network.enabled and result.external and clients is not None and not any("ipBlock" in p for p in clients):
        msg = (
            "network_policies.clients names no cidr, so the policies would keep out everyone who comes by external; "
            "add the load balancer's addresses, or the clients' where it keeps them"
        )
        raise ValueError(msg)
