"""Arguments of the NetworkPolicies."""

from typing import NotRequired, TypedDict


class PeerArgs(TypedDict):
    """Peer of a NetworkPolicy: pods, selected by their labels and by labels of their namespaces, or a CIDR block."""

    namespace_labels: NotRequired[dict[str, str]]
    """Labels of the namespaces, such as `{"kubernetes.io/metadata.name": "shop"}`; `{}` selects every namespace.
    Default: the namespace of RocketMQ."""
    pod_labels: NotRequired[dict[str, str]]
    """Labels of the pods. Default: every pod of the namespaces."""
    cidr: NotRequired[str]
    """CIDR block such as `10.0.0.0/16`, for peers that are not pods of the cluster. Not with labels. Default: none."""


class NetworkPoliciesArgs(TypedDict):
    """NetworkPolicies of the roles. They need a network plugin that enforces them."""

    enabled: NotRequired[bool]
    """Whether NetworkPolicies are created. Without them, every pod of the cluster can connect to the controllers and
    name servers, which have no authentication. Default: true."""
    clients: NotRequired[list[PeerArgs]]
    """Peers that may connect to the proxies. Behind a load balancer, the policies see its addresses, or those of the
    clients if it preserves them: add them here as `cidr`. Default: all."""
    egress: NotRequired[bool]
    """Whether the policies also restrict egress. Connections between the roles and DNS remain allowed. Default:
    false."""
    dns: NotRequired[list[PeerArgs]]
    """DNS servers, with `egress`. With a DNS cache on each node, add its address too, such as `169.254.20.10/32`.
    Default: pods with the label `k8s-app: kube-dns` in any namespace."""
