"""Keys of the metrics exporter. Pure."""

from collections.abc import Mapping

from eks_rocketmq.rocketmq.config.broker_config import Value
from eks_rocketmq.rocketmq.naming import ports

METRIC_KEYS: Mapping[str, Value] = {"metricsExporterType": "PROM", "metricsPromExporterPort": ports.METRICS}
"""Keys of brokers, controllers and proxies. Metrics are always enabled."""
METRIC_ADDRESS_KEYS = frozenset({"metricsPromExporterHost", "metricsPromExporterPort"})
"""Keys that network policies and monitors depend on."""
# Proxies of these versions read the exporter type as a number. The proxy of 5.4.0 was seen to exit when it reads the
# name; the proxy of 5.5.0 reads the name.
_NUMERIC_EXPORTER_VERSIONS = frozenset({"5.3.3", "5.4.0"})
_EXPORTERS = ("DISABLE", "OTLP_GRPC", "PROM", "LOG")


def encode_exporter_type(version: str, keys: Mapping[str, Value]) -> dict[str, Value]:
    """Return the proxies' keys with the exporter type as the version reads it from JSON."""
    if version not in _NUMERIC_EXPORTER_VERSIONS:
        return dict(keys)
    return {**keys, "metricsExporterType": _EXPORTERS.index(str(keys["metricsExporterType"]))}
