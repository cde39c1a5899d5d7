"""Keys of the metrics exporter. Pure."""

from collections.abc import Mapping

from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.naming import ports

METRIC_KEYS: Mapping[str, Value] = {"metricsExporterType": "PROM", "metricsPromExporterPort": ports.METRICS}
"""Keys of brokers, controllers and proxies: metrics are always there for whoever may scrape."""
METRIC_ADDRESS_KEYS = frozenset({"metricsPromExporterHost", "metricsPromExporterPort"})  # policies and monitors know it
# These proxies run with the exporter's number. That of 5.4.0 was seen to exit at its name, which 5.5.0 reads.
_NUMBERED = frozenset({"5.3.3", "5.4.0"})
_EXPORTERS = ("DISABLE", "OTLP_GRPC", "PROM", "LOG")


def as_proxies_read(version: str, keys: Mapping[str, Value]) -> dict[str, Value]:
    """The proxies' keys with the exporter as that version's JSON has it."""
    if version not in _NUMBERED:
        return dict(keys)
    return {**keys, "metricsExporterType": _EXPORTERS.index(str(keys["metricsExporterType"]))}
