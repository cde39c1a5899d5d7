"""Settings that all roles of a RocketMQ deployment share. Pure."""

from dataclasses import dataclass

from eks_rocketmq.rocketmq.config.tls import TlsPlan
from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.network.network_policies import NetworkPolicyPlan
from eks_rocketmq.rocketmq.pods.pod_settings import PodSettings


@dataclass(frozen=True)
class DeploymentPlan:
    """Settings that every role needs. Addresses are `host:port` of each member, by ordinal."""

    namespace: str
    version: str
    image: str
    zones: int
    """Number of zones over which the profile spreads the members of a role."""
    labels: dict[str, str]
    annotations: dict[str, str]
    protect_data: bool
    name_server_addresses: list[str]
    controller_addresses: list[str]
    tls: TlsPlan | None
    access_annotations: dict[str, str]
    """Annotations of the StatefulSets, for the checks of the next update."""
    network: NetworkPolicyPlan
    other_pods: PodSettings
    """Settings of the pods without separate arguments: declarations and web console."""
    optional_roles: frozenset[str]
    """Optional roles that the arguments enable."""
    agent: bool
    """Whether the agent runs in the JVMs."""

    @property
    def ready_name_server(self) -> str:
        """`host:port` of the Service with ready name servers only. A proxy exits if it connects to a stopped one."""
        return f"{labels.format_app_label(labels.NAME_SERVER)}.{self.namespace}.svc:{ports.NAME_SERVER}"

    @property
    def proxy_endpoint(self) -> str:
        """`host:port` for gRPC clients in the cluster."""
        return f"{labels.format_app_label(labels.PROXY)}.{self.namespace}.svc:{ports.PROXY_GRPC}"
