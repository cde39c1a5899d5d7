"""Arguments of external access."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

ExternalType = Annotated[Literal["LoadBalancer", "NodePort"], Enumeration("ExternalType")]
TrafficPolicy = Annotated[Literal["Cluster", "Local"], Enumeration("TrafficPolicy")]


class ExternalArgs(TypedDict):
    """Second Service of the proxies, for clients outside the cluster. The proxies answer gRPC clients with the address
    that the client used, so any address and port that leads to a proxy works."""

    type: NotRequired[ExternalType]
    """`LoadBalancer` or `NodePort`. A load balancer needs `load_balancer_class`, `source_ranges` or an annotation that
    decides whether it is internal. Otherwise it is rejected, because clouds make it public by default. Default:
    `LoadBalancer`."""
    port: NotRequired[int]
    """Port for gRPC clients. Default: 8081."""
    node_port: NotRequired[int]
    """Port for gRPC clients on every node, 30000 to 32767. Default: assigned by Kubernetes."""
    hostname: NotRequired[str]
    """Host name of the Service for clients. It is part of `external_endpoint` and of the annotation that external-dns
    reads. Default: the load balancer's host name."""
    remoting: NotRequired[bool]
    """Whether the Service also accepts remoting clients, on port 8080. The proxies then send *all* remoting clients to
    `hostname`, including clients in the cluster. Requires `hostname`. Default: false."""
    annotations: NotRequired[dict[str, str]]
    """Annotations that configure the load balancer in the cloud. For AWS, `networkLoadBalancer` in a stack file or
    `network_load_balancer` of `eks_rocketmq.eks.network.load_balancer` in Python writes them. Default: none."""
    load_balancer_class: NotRequired[Replacing[str]]
    """Class of the controller that provisions the load balancer, such as `service.k8s.aws/nlb`. Changing this replaces
    the load balancer. Default: the cluster's default."""
    source_ranges: NotRequired[list[str]]
    """CIDR blocks from which the load balancer accepts connections, such as `["10.0.0.0/8"]`. Default: all."""
    traffic_policy: NotRequired[TrafficPolicy]
    """External traffic policy: `Cluster`, or `Local`, which preserves client addresses and routes only to nodes with a
    proxy. Default: `Cluster`."""
