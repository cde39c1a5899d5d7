"""Arguments of the NetworkPolicies."""

from typing import NotRequired, TypedDict


class PeerArgs(TypedDict):
    """Whom a NetworkPolicy lets through: pods by their labels and those of their namespaces, or addresses."""

    namespace_labels: NotRequired[dict[str, str]]
    """Labels of the peers' namespaces, such as `{"kubernetes.io/metadata.name": "shop"}`; `{}` is every namespace.
    Default: RocketMQ's own namespace."""
    pod_labels: NotRequired[dict[str, str]]
    """Labels of the peers' pods. Default: every pod of those namespaces."""
    cidr: NotRequired[str]
    """Addresses such as `10.0.0.0/16`, instead of labels: for what is not a pod of the cluster. Default: none."""


class NetworkPoliciesArgs(TypedDict):
    """Who may talk to whom. Policies need a network plugin that enforces them."""

    enabled: NotRequired[bool]
    """Whether NetworkPolicies are made. Without them everyone in the cluster reaches the controllers and name servers,
    which know no passwords. Default: true."""
    clients: NotRequired[list[PeerArgs]]
    """Who may talk to the proxies. Behind a load balancer the policies see its addresses, or the clients' where it
    keeps them: name them here as `cidr`. Default: everyone."""
    egress: NotRequired[bool]
    """Whether the policies also close what the pods open themselves, except what the roles need of each other, and DNS.
    Default: false."""
    dns: NotRequired[list[PeerArgs]]
    """Who answers DNS, with `egress`. With a cache on each node name its address as well, such as `169.254.20.10/32`.
    Default: pods labelled `k8s-app: kube-dns` in any namespace."""
