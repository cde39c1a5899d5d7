"""What all objects of one RocketMQ have in common. Pure."""

from dataclasses import dataclass

from eks_rocketmq.rocketmq.config.tls import TlsPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.network.network_policies import NetworkPolicyPlan
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings


@dataclass(frozen=True)
class DeploymentPlan:
    """Settings that every role needs. Addresses are `host:port` of every member by ordinal."""

    namespace: str
    version: str
    image: str
    zones: int
    """Zones that the profile spreads the members of a role over."""
    labels: dict[str, str]
    annotations: dict[str, str]
    protect_data: bool
    name_server_addresses: list[str]
    controller_addresses: list[str]
    tls: TlsPlan | None
    network: NetworkPolicyPlan
    other_pods: PodSettings
    """Settings of the pods that have no arguments of their own: declarations and web console."""
    optional_roles: frozenset[str]
    """Roles that exist only because the arguments ask for them."""

    @property
    def ready_name_server(self) -> str:
        """`host:port` that leads to ready name servers only: a proxy that connects to a stopped one exits."""
        return f"{labels.app(labels.NAME_SERVER)}.{self.namespace}.svc:{ports.NAME_SERVER}"

    @property
    def proxy_endpoint(self) -> str:
        """`host:port` for gRPC clients in the cluster."""
        return f"{labels.app(labels.PROXY)}.{self.namespace}.svc:{ports.PROXY_GRPC}"
