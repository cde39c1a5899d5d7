"""What is optional around a RocketMQ, decided and checked: network, metrics, clients from outside, console. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eks_rocketmq.args.validation import (
    refuse_beside,
)
from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.config.metrics import METRIC_ADDRESS_KEYS
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DashboardPlan, plan_dashboard
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.external.external_plan import EXTERNAL_KEYS, ExternalPlan, plan_external
from eks_rocketmq.rocketmq.monitoring.monitoring_args import MonitoringArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_plan import MonitoringPlan, plan_monitoring
from eks_rocketmq.rocketmq.network.network_policies import EVERY_POD, NetworkPolicyPlan, peers, plan_network_policies


@dataclass(frozen=True)
class OptionalParts:
    """What is not given is None: then nothing of it is made."""

    network: NetworkPolicyPlan = field(default_factory=NetworkPolicyPlan)
    monitoring: MonitoringPlan | None = None
    external: ExternalPlan | None = None
    dashboard: DashboardPlan | None = None

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
        fixed = METRIC_ADDRESS_KEYS | ({"metricsExporterType"} if self.monitoring else set())
        return fixed | (EXTERNAL_KEYS if self.external else frozenset())


def plan_optional_parts(args: Mapping[str, Any]) -> OptionalParts:
    """The choices in the arguments of a RocketMQ.

    Raises:
        ValueError: for the first argument that cannot be, saying what was given and what is accepted.
    """
    metrics: MonitoringArgs | None = args.get("monitoring")
    console: DashboardArgs | None = args.get("dashboard")
    outside: ExternalArgs | None = args.get("external")
    result = OptionalParts(
        network=plan_network_policies(
            args.get("network_policies", {}),
            scrapers=_scrapers(metrics or {}),
            dashboard_clients=peers(console.get("clients", []), "dashboard.clients") if console else None,
        ),
        monitoring=None if metrics is None else plan_monitoring(metrics),
        external=None if outside is None else plan_external(outside),
        dashboard=None if console is None else plan_dashboard(console),
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


def _scrapers(args: MonitoringArgs) -> list[dict[str, Any]]:
    return peers(args["scrapers"], "monitoring.scrapers") if "scrapers" in args else EVERY_POD


def _check_clients(result: OptionalParts) -> None:
    """Clients from outside come with addresses, not with labels."""
    clients = result.network.clients
    if result.network.policies and result.external and clients is not None and not any("ipBlock" in p for p in clients):
        msg = (
            "network_policies.clients names no cidr, so the policies would keep out everyone who comes by external; "
            "add the load balancer's addresses, or the clients' where it keeps them"
        )
        raise ValueError(msg)
