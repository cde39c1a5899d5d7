"""Access from outside the cluster: choices, checked. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.field_metadata import accepted_values
from eks_rocketmq.args.validation import between, matching, one_of, qualified_name, refuse_empty
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs, ExternalType, TrafficPolicy
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.rocketmq.network.network_policies import cidr
from eks_rocketmq.rocketmq.pods.pod_settings import object_annotations

EXTERNAL_TYPES = accepted_values(ExternalType)
TRAFFIC_POLICIES = accepted_values(TrafficPolicy)
NODE_PORTS = (30000, 32767)
# How clouds are told whether a load balancer has public addresses; most give it some when nothing is said.
_SCHEMES = (
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
    """The proxies' Service for clients from outside."""

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
    what = "external"
    hostname = args.get("hostname")
    node_port = args.get("node_port")
    made_by = args.get("load_balancer_class")
    if "source_ranges" in args:
        refuse_empty(args["source_ranges"], f"{what}.source_ranges", "all addresses")
    result = ExternalPlan(
        type=one_of(args.get("type", "LoadBalancer"), EXTERNAL_TYPES, f"{what}.type"),
        port=between(args.get("port", ports.PROXY_GRPC), 1, 65535, f"{what}.port"),
        node_port=None if node_port is None else between(node_port, *NODE_PORTS, f"{what}.node_port"),
        hostname=None
        if hostname is None
        else matching(_HOSTNAME, hostname, f"{what}.hostname", "a host name such as 'mq.example.com'"),
        remoting=args.get("remoting", False),
        annotations=object_annotations(args.get("annotations", {}), f"{what}.annotations"),
        load_balancer_class=None if made_by is None else qualified_name(made_by, f"{what}.load_balancer_class"),
        source_ranges=[cidr(one, f"{what}.source_ranges") for one in args.get("source_ranges", [])],
        traffic_policy=one_of(args.get("traffic_policy", "Cluster"), TRAFFIC_POLICIES, f"{what}.traffic_policy"),
    )
    _check_external(result)
    if named := result.annotations.get(_TLS_PORTS):
        check_tls_ports(named.split(","), result.ports, f"{what}.annotations[{_TLS_PORTS!r}]")
    return result


def check_tls_ports(named: Iterable[str], there: Mapping[str, int], what: str) -> None:
    """Refuse TLS on a port that the Service does not have: the port that it has would take plain text.

    Args:
        named: numbers or names of the ports that speak TLS.
        there: ports of the Service by name.
        what: how an error names them.

    Raises:
        ValueError: naming the port and those of the Service.
    """
    accepted = {"*", *there, *map(str, there.values())}
    for port in named:
        if port.strip() not in accepted:
            numbers = " and ".join(map(str, there.values()))
            msg = (
                f"{what} names {port.strip()}, and external has no such port, so port {numbers} would take plain text; "
                f"accepted is {numbers}: name it, set external.port to {port.strip()}, or leave it out for TLS on all "
                "ports"
            )
            raise ValueError(msg)


def _check_external(external: ExternalPlan) -> None:
    balanced = external.type == "LoadBalancer"
    told = external.load_balancer_class or external.source_ranges or any(map(external.annotations.get, _SCHEMES))
    if balanced and not told:
        msg = (
            "external.type is 'LoadBalancer' and nothing says whether it may have public addresses; clouds would put "
            "it on the internet. Give load_balancer_class, source_ranges, or the annotation by which your cloud is "
            f"told, such as '{_SCHEMES[0]}: internal'; networkLoadBalancer in a stack file, or "
            "eks_rocketmq.eks.network.load_balancer, writes those of AWS"
        )
        raise ValueError(msg)
    if not balanced and (external.load_balancer_class or external.source_ranges):
        msg = (
            "external.load_balancer_class and source_ranges are for type 'LoadBalancer'; with 'NodePort' leave them out"
        )
        raise ValueError(msg)
    if external.remoting and external.hostname is None:
        msg = "external.remoting is true without hostname; give the name that the proxies send remoting clients to"
        raise ValueError(msg)
    if external.remoting and not balanced:
        msg = (
            "external.remoting is true with type 'NodePort'; the proxies tell remoting clients port "
            f"{ports.PROXY_REMOTING}, which no node port can be: take type 'LoadBalancer'"
        )
        raise ValueError(msg)
    if external.remoting and external.port == ports.PROXY_REMOTING:
        msg = f"external.port is {external.port}, the port of remoting clients; accepted is any other"
        raise ValueError(msg)
