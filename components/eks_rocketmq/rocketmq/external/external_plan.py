"""Plan of external access. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import (
    reject_empty,
    validate_choice,
    validate_pattern,
    validate_qualified_name,
    validate_range,
)
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs, ExternalType, TrafficPolicy
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.rocketmq.network.network_policies import validate_cidr
from eks_rocketmq.rocketmq.pods.pod_settings import validate_annotations

EXTERNAL_TYPES = get_accepted_values(ExternalType)
TRAFFIC_POLICIES = get_accepted_values(TrafficPolicy)
NODE_PORTS = (30000, 32767)
# Annotations that decide whether a load balancer has public addresses. Without one, most clouds assign public ones.
_SCHEME_ANNOTATIONS = (
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
    "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
    "service.beta.kubernetes.io/oci-load-balancer-internal",
    "service.beta.kubernetes.io/openstack-internal-load-balancer",
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
    "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
)
_TLS_PORTS = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports"
EXTERNAL_KEYS = frozenset({"useEndpointPortFromRequest", "remotingAccessAddr"})
_HOSTNAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclass(frozen=True)
class ExternalPlan:
    """Validated settings of the proxies' external Service."""

    type: str
    port: int
    node_port: int | None
    hostname: str | None
    remoting: bool
    annotations: dict[str, str]
    load_balancer_class: str | None
    source_ranges: list[str]
    traffic_policy: str

    @property
    def ports(self) -> dict[str, int]:
        """Ports of the Service by name."""
        return {"grpc": self.port, **({"remoting": ports.PROXY_REMOTING} if self.remoting else {})}


def plan_external(args: ExternalArgs) -> ExternalPlan:
    """Return the plan of external access.

    Raises:
        ValueError: for the first argument that is not accepted.
    """
    path = "external"
    hostname = args.get("hostname")
    node_port = args.get("node_port")
    load_balancer_class = args.get("load_balancer_class")
    if "source_ranges" in args:
        reject_empty(args["source_ranges"], f"{path}.source_ranges", "all addresses")
    result = ExternalPlan(
        type=validate_choice(args.get("type", "LoadBalancer"), EXTERNAL_TYPES, f"{path}.type"),
        port=validate_range(args.get("port", ports.PROXY_GRPC), 1, 65535, f"{path}.port"),
        node_port=None if node_port is None else validate_range(node_port, *NODE_PORTS, f"{path}.node_port"),
        hostname=None
        if hostname is None
        else validate_pattern(_HOSTNAME, hostname, f"{path}.hostname", "a host name such as 'mq.example.com'"),
        remoting=args.get("remoting", False),
        annotations=validate_annotations(args.get("annotations", {}), f"{path}.annotations"),
        load_balancer_class=None
        if load_balancer_class is None
        else validate_qualified_name(load_balancer_class, f"{path}.load_balancer_class"),
        source_ranges=[validate_cidr(one, f"{path}.source_ranges") for one in args.get("source_ranges", [])],
        traffic_policy=validate_choice(
            args.get("traffic_policy", "Cluster"), TRAFFIC_POLICIES, f"{path}.traffic_policy"
        ),
    )
    _check_external(result)
    if tls_ports := result.annotations.get(_TLS_PORTS):
        check_tls_ports(tls_ports.split(","), result.ports, f"{path}.annotations[{_TLS_PORTS!r}]")
    return result


def check_tls_ports(tls_ports: Iterable[str], service_ports: Mapping[str, int], path: str) -> None:
    """Reject TLS on a port that the Service does not have, because its real port would accept plain text.

    Args:
        tls_ports: numbers or names of the ports with TLS.
        service_ports: ports of the Service by name.
        path: path of the input, for errors.

    Raises:
        ValueError: with the port and the ports of the Service.
    """
    accepted = {"*", *service_ports, *map(str, service_ports.values())}
    for port in tls_ports:
        if port.strip() not in accepted:
            numbers = " and ".join(map(str, service_ports.values()))
            msg = (
                f"{path} names {port.strip()}, and external has no such port, so port {numbers} would take plain text; "
                f"accepted is {numbers}: name it, set external.port to {port.strip()}, or leave it out for TLS on all "
                "ports"
            )
            raise ValueError(msg)


def _check_external(external: ExternalPlan) -> None:
    is_load_balancer = external.type == "LoadBalancer"
    has_visibility = (
        external.load_balancer_class
        or external.source_ranges
        or any(map(external.annotations.get, _SCHEME_ANNOTATIONS))
    )
    if is_load_balancer and not has_visibility:
        msg = (
            "external.type is 'LoadBalancer' and nothing says whether it may have public addresses; clouds would put "
            "it on the internet. Give load_balancer_class, source_ranges, or the annotation by which your cloud is "
            f"told, such as '{_SCHEME_ANNOTATIONS[0]}: internal'; networkLoadBalancer in a stack file, or "
            "eks_rocketmq.eks.network.load_balancer, writes those of AWS"
        )
        raise ValueError(msg)
    if not is_load_balancer and (external.load_balancer_class or external.source_ranges):
        msg = (
            "external.load_balancer_class and source_ranges are for type 'LoadBalancer'; with 'NodePort' leave them out"
        )
        raise ValueError(msg)
    if external.remoting and external.hostname is None:
        msg = "external.remoting is true without hostname; give the name that the proxies send remoting clients to"
        raise ValueError(msg)
    if external.remoting and not is_load_balancer:
        msg = (
            "external.remoting is true with type 'NodePort'; the proxies tell remoting clients port "
            f"{ports.PROXY_REMOTING}, which no node port can be: take type 'LoadBalancer'"
        )
        raise ValueError(msg)
    if external.remoting and external.port == ports.PROXY_REMOTING:
        msg = f"external.port is {external.port}, the port of remoting clients; accepted is any other"
        raise ValueError(msg)
