"""Readiness of a Service: stable endpoints and no unready pod."""

from typing_extensions import override

from sandbox.engine.kubernetes.kinds import ENDPOINTS
from sandbox.engine.kubernetes.readiness.rule import Progress, Related, Rule
from sandbox.engine.provider.values import JsonObject

_SETTLE_SECONDS = 10.0


class ServiceRule(Rule):
    """Done ten seconds after the last change of the endpoints, when no matching pod is unready.

    A headless Service, one without selector and an ExternalName are done at once. A Service without pods is accepted.
    """

    related = (ENDPOINTS,)
    first_lines = ("[1/3] Finding Pods to direct traffic to",)

    def __init__(self, *, settled: bool = False) -> None:
        """With `settled`, do not wait for stable endpoints; a refresh uses it."""
        self._always_settled = settled
        self._version: str | None = None
        self._changed_at: float | None = None
        self._targets = False
        self._pending = False
        self._allocated = False
        self._waits_for_pods = True

    @override
    def observe(self, live: JsonObject, related: Related, now: float) -> Progress:
        spec = live["spec"]
        balancer = (live.get("status") or {}).get("loadBalancer") or {}
        self._allocated = spec.get("type") != "LoadBalancer" or bool(balancer.get("ingress"))
        self._waits_for_pods = bool(
            spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None" and spec.get("selector")
        )
        if not self._waits_for_pods:
            return Progress(done=self._allocated)
        self._judge_endpoints(live, related, now)
        settled = self._changed_at is not None and now - self._changed_at >= _SETTLE_SECONDS
        settled = settled or self._always_settled
        if self._allocated and settled and not self._pending:
            return Progress(done=True, lines=["Service initialization complete"])
        allocating = settled and self._targets
        return Progress(done=False, lines=["[2/3] Attempting to allocate IP address to Service"] if allocating else [])

    @override
    def passes_at_timeout(self) -> bool:
        return self._allocated and not self._pending

    @override
    def errors(self, live: JsonObject, related: Related) -> list[str]:
        if live["spec"].get("clusterIP") == "None" or live["spec"].get("type") == "ExternalName":
            return []
        lines = []
        if not self._targets:
            lines.append(
                "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not "
                "match labels on any Pods"
            )
        if not self._allocated:
            lines.append("Service was not allocated an IP address; does your cloud provider support this?")
        return lines

    def _judge_endpoints(self, live: JsonObject, related: Related, now: float) -> None:
        name = live["metadata"]["name"]
        found = next((e for e in related.get(ENDPOINTS.name, []) if e["metadata"]["name"] == name), None)
        version = found["metadata"]["resourceVersion"] if found else None
        if version == self._version:
            return
        self._version = version
        self._changed_at = now
        subsets = (found or {}).get("subsets") or []
        self._targets = any(subset.get("addresses") for subset in subsets)
        self._pending = any(subset.get("notReadyAddresses") for subset in subsets)
