"""Arguments of the access from outside the cluster."""

from typing import Annotated, Literal, NotRequired, TypedDict

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

ExternalType = Annotated[Literal["LoadBalancer", "NodePort"], Enumeration("ExternalType")]
TrafficPolicy = Annotated[Literal["Cluster", "Local"], Enumeration("TrafficPolicy")]


class ExternalArgs(TypedDict):
    """A second Service for the proxies, for clients outside of the cluster. gRPC clients get their own address back in
    every answer, so any address and port that leads to a proxy works."""

    type: NotRequired[ExternalType]
    """`LoadBalancer` or `NodePort`. A load balancer without `load_balancer_class`, `source_ranges` or an annotation
    that says whether it is internal is refused: clouds would put it on the internet. Default: `LoadBalancer`."""
    port: NotRequired[int]
    """Port for gRPC clients. Default: 8081."""
    node_port: NotRequired[int]
    """Port for gRPC clients on every node, 30000 to 32767. Default: Kubernetes picks one."""
    hostname: NotRequired[str]
    """Name under which clients reach it; stands in `external_endpoint` and in the annotation that external-dns reads.
    Default: the load balancer's own."""
    remoting: NotRequired[bool]
    """Whether clients that speak remoting may come in as well, on port 8080. The proxies then send *all* of them, those
    in the cluster too, to `hostname`, which must be given. Default: false."""
    annotations: NotRequired[dict[str, str]]
    """Annotations by which the cloud makes the load balancer. For AWS `networkLoadBalancer` of a stack file writes
    them, and in Python `network_load_balancer` of `eks_rocketmq.eks.network.load_balancer`. Default: none."""
    load_balancer_class: NotRequired[Replacing[str]]
    """Which controller makes the load balancer, such as `service.k8s.aws/nlb`. Changing this replaces the load
    balancer. Default: the cluster's own."""
    source_ranges: NotRequired[list[str]]
    """Addresses that the load balancer lets in, such as `["10.0.0.0/8"]`. Default: all."""
    traffic_policy: NotRequired[TrafficPolicy]
    """`Cluster`, or `Local`, which keeps clients' addresses and sends them only to nodes that run a proxy. Default:
    `Cluster`."""
