"""The proxies' second Service, for clients outside of the cluster."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, type_token
from eks_rocketmq.rocketmq.external.external_plan import ExternalPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import workload_objects
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_HOSTNAME_ANNOTATION = "external-dns.alpha.kubernetes.io/hostname"
_SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


class ExternalAccess(ComponentResource):
    """A LoadBalancer or NodePort Service in front of the proxies."""

    endpoint: Output[str]
    """`host:port` for gRPC clients outside of the cluster."""

    def __init__(
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: ExternalPlan,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("ExternalAccess"), name, {}, opts)
        scope = workload_objects.WorkloadScope(self, name, deployment, namespace, labels.PROXY)
        balanced = plan.type == "LoadBalancer"
        annotations = {
            **({_HOSTNAME_ANNOTATION: plan.hostname} if plan.hostname else {}),
            **plan.annotations,
            # A load balancer is worth waiting for: one that never comes is an error here, not a name without address.
            **({} if balanced else _SKIP_AWAIT),
        }
        made = k8s.core.v1.Service(
            f"{name}-service",
            metadata=scope.metadata(f"{scope.workload}-external", annotations or None),
            spec=workload_objects.raw(_spec(scope, plan)),
            opts=child_options(self, custom_timeouts=CustomTimeouts(create="15m", update="15m", delete="15m")),
        )
        # The cluster fills these in; they are there once Pulumi has waited.
        self.endpoint = (
            made.status.apply(lambda status: _balanced(plan, status))
            if balanced
            else made.spec.apply(lambda spec: _on_nodes(plan, spec))
        )
        self.register_outputs({"endpoint": self.endpoint})


def _spec(scope: workload_objects.WorkloadScope, external: ExternalPlan) -> dict[str, Any]:
    grpc: dict[str, Any] = {
        "name": "grpc",
        "port": external.port,
        "targetPort": ports.PROXY_GRPC,
        "protocol": "TCP",
    }
    if external.node_port is not None:
        grpc["nodePort"] = external.node_port
    remoting = {
        "name": "remoting",
        "port": ports.PROXY_REMOTING,
        "targetPort": ports.PROXY_REMOTING,
        "protocol": "TCP",
    }
    asked = {
        "loadBalancerClass": external.load_balancer_class,
        "loadBalancerSourceRanges": external.source_ranges,
    }
    return {
        "type": external.type,
        "selector": scope.selector,
        "externalTrafficPolicy": external.traffic_policy,
        "ports": [grpc, *([remoting] if external.remoting else [])],
        **{field: value for field, value in asked.items() if value},
    }


def _balanced(external: ExternalPlan, status: Any) -> str:  # noqa: ANN401 - the SDK's output type
    """Where a client connects: under our own name, else where the cloud says.

    A refresh may find that the cloud has taken the address away.
    """
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    found = (ingress[0].hostname or ingress[0].ip) if ingress else None
    return f"{external.hostname or found or '<pending>'}:{external.port}"


def _on_nodes(external: ExternalPlan, spec: Any) -> str:  # noqa: ANN401 - the SDK's output type
    return f"{external.hostname or '<any node>'}:{spec.ports[0].node_port}"
