"""Plan of external access. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.field_metadata import get_accepted_values
from eks_rocketmq.args.validation import (
    reject_empty,
    reject_ignored_args,
    validate_choice,
    validate_pattern,
    validate_qualified_name,
    validate_range,
)
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs, ExternalType, TrafficPolicy
from eks_rocketmq.rocketmq.naming import ports
from eks_rocketmq.rocketmq.network.network_policies import validate_cidr
from eks_rocketmq.rocketmq.pods.pod_settings import validate_annotations

_PATH = ARGS / "external"
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

    Raise ValueError for an argument that is not accepted.
    """
    hostname = args.get("hostname")
    node_port = args.get("node_port")
    load_balancer_class = args.get("load_balancer_class")
    if "source_ranges" in args:
        reject_empty(args["source_ranges"], _PATH / "source_ranges", "all addresses")
    result = ExternalPlan(
        type=validate_choice(args.get("type", "LoadBalancer"), EXTERNAL_TYPES, _PATH / "type"),
        port=validate_range(args.get("port", ports.PROXY_GRPC), 1, 65535, _PATH / "port"),
        node_port=None if node_port is None else validate_range(node_port, *NODE_PORTS, _PATH / "node_port"),
        hostname=None
        if hostname is None
        else validate_pattern(
            _HOSTNAME, hostname, _PATH / "hostname", "external-hostname", "a host name, such as 'mq.example.com'"
        ),
        remoting=args.get("remoting", False),
        annotations=validate_annotations(args.get("annotations", {}), _PATH / "annotations"),
        load_balancer_class=None
        if load_balancer_class is None
        else validate_qualified_name(load_balancer_class, _PATH / "load_balancer_class"),
        source_ranges=[
            validate_cidr(source, (_PATH / "source_ranges").index(index))
            for index, source in enumerate(args.get("source_ranges", []))
        ],
        traffic_policy=validate_choice(
            args.get("traffic_policy", "Cluster"), TRAFFIC_POLICIES, _PATH / "traffic_policy"
        ),
    )
    if result.type == "LoadBalancer":
        _check_visibility(result)
    else:
        reject_ignored_args(
            args, ["load_balancer_class", "source_ranges"], _PATH, _PATH / "type", f"is {result.type!r}"
        )
    if result.remoting:
        _check_remoting(result)
    if tls_ports := result.annotations.get(_TLS_PORTS):
        check_tls_ports(tls_ports.split(","), result.ports, (_PATH / "annotations").key(_TLS_PORTS))
    return result


def check_tls_ports(
    tls_ports: Iterable[str], service_ports: Mapping[str, int], path: ArgumentPath, port: ArgumentPath = _PATH / "port"
) -> None:
    """Reject TLS on a port that the Service does not have, because its real port would accept plain text.

    `tls_ports` are numbers or names of ports, or `*`. `port` is the path of the Service's port, for the remedy. Raise
    ValueError with the port and the ports of the Service.
    """
    accepted = {"*", *service_ports, *map(str, service_ports.values())}
    for given in tls_ports:
        if given.strip() not in accepted:
            raise ArgumentError(
                path,
                "tls-port",
                "the Service has no port {given!r}, so one of its ports would accept plain text",
                accepted="{ports}",
                remedy="Name an accepted port, set {port} to the port with TLS, or leave the argument out for TLS on "
                "all ports",
                given=given.strip(),
                ports=" and ".join(map(str, service_ports.values())),
                port=port,
            )


def _check_visibility(external: ExternalPlan) -> None:
    if (
        external.load_balancer_class
        or external.source_ranges
        or any(map(external.annotations.get, _SCHEME_ANNOTATIONS))
    ):
        return
    raise ArgumentError(
        _PATH,
        "external-visibility",
        "no setting decides whether the load balancer has public addresses, and clouds make it public by default",
        remedy="Set {load_balancer_class}, {source_ranges}, or the annotation of your cloud, such as "
        "'{annotation}: internal'. For AWS, {network_load_balancer} writes the annotations",
        load_balancer_class=_PATH / "load_balancer_class",
        source_ranges=_PATH / "source_ranges",
        annotation=_SCHEME_ANNOTATIONS[0],
        network_load_balancer=Names(("network_load_balancer",)),
    )


def _check_remoting(external: ExternalPlan) -> None:
    if external.hostname is None:
        raise ArgumentError(
            _PATH / "remoting",
            "remoting-without-hostname",
            "the proxies send remoting clients to {hostname}, which has no value",
            remedy="Set {hostname}",
            hostname=_PATH / "hostname",
        )
    if external.type != "LoadBalancer":
        raise ArgumentError(
            _PATH / "remoting",
            "remoting-without-load-balancer",
            "the proxies send remoting clients to port {port}, which a Service of type {given!r} does not open",
            remedy="Set {type} to 'LoadBalancer'",
            port=ports.PROXY_REMOTING,
            given=external.type,
            type=_PATH / "type",
        )
    if external.port == ports.PROXY_REMOTING:
        raise ArgumentError(
            _PATH / "port",
            "port-of-remoting",
            "{given} is the port of remoting clients, and {remoting} is true",
            accepted="any other port",
            given=external.port,
            remoting=_PATH / "remoting",
        )
