"""Component with the second Service of the proxies, for clients outside the cluster."""

from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions

from eks_rocketmq.pulumi_sdk.component import child_options, collect_outputs, type_token
from eks_rocketmq.rocketmq.external.external_plan import ExternalPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods import workload_resources
from eks_rocketmq.rocketmq.pods.deployment_plan import DeploymentPlan

_HOSTNAME_ANNOTATION = "external-dns.alpha.kubernetes.io/hostname"


class ExternalAccess(ComponentResource):
    """LoadBalancer or NodePort Service for the proxies."""

    endpoint: Output[str]
    """`host:port` for gRPC clients outside the cluster."""
    load_balancer_address: Output[str | None]
    """Host name or IP address that the cloud gave to the load balancer. None with a node port."""

    def __init__(
        self,
        name: str,
        deployment: DeploymentPlan,
        plan: ExternalPlan,
        namespace: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token("ExternalAccess"), name, {}, opts)
        scope = workload_resources.WorkloadScope(self, name, deployment, namespace, labels.PROXY)
        is_load_balancer = plan.type == "LoadBalancer"
        annotations = {
            **({_HOSTNAME_ANNOTATION: plan.hostname} if plan.hostname else {}),
            **plan.annotations,
            # Pulumi waits for a load balancer. If it is never provisioned, the update fails here, and the endpoint does
            # not become a name without an address.
            **({} if is_load_balancer else workload_resources.SKIP_AWAIT),
        }
        created = k8s.core.v1.Service(
            f"{name}-service",
            metadata=scope.build_metadata(f"{scope.workload}-external", annotations or None),
            spec=workload_resources.pass_manifest(_build_service_spec(scope, plan)),
            opts=child_options(self, custom_timeouts=CustomTimeouts(create="15m", update="15m", delete="15m")),
        )
        # The cluster sets these fields. They are known after Pulumi's wait.
        if is_load_balancer:
            self.load_balancer_address = created.status.apply(_find_address)
            host = self.load_balancer_address.apply(lambda address: plan.hostname or address or "<pending>")
            self.endpoint = Output.format("{}:{}", host, plan.port)
        else:
            self.load_balancer_address = Output.from_input(None)
            port = created.spec.apply(_find_node_port)
            self.endpoint = Output.format("{}:{}", plan.hostname or "<any node>", port)
        self.register_outputs(collect_outputs(self, ExternalAccess))


def _build_service_spec(scope: workload_resources.WorkloadScope, external: ExternalPlan) -> dict[str, Any]:
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
    optional = {
        "loadBalancerClass": external.load_balancer_class,
        "loadBalancerSourceRanges": external.source_ranges,
    }
    return {
        "type": external.type,
        "selector": scope.selector,
        "externalTrafficPolicy": external.traffic_policy,
        "ports": [grpc, *([remoting] if external.remoting else [])],
        **{field: value for field, value in optional.items() if value},
    }


def _find_address(status: Any) -> str | None:  # noqa: ANN401 - the SDK's output type
    """Return the address of a load balancer. After a refresh it can be missing, if the cloud removed it."""
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    return (ingress[0].hostname or ingress[0].ip) if ingress else None


def _find_node_port(spec: Any) -> int:  # noqa: ANN401 - the SDK's output type
    return spec.ports[0].node_port
