"""Cluster DNS as on EKS: two CoreDNS pods behind the service `kube-system/kube-dns`."""

from typing import Any

import yaml

from sandbox.cluster import templates
from sandbox.cluster.kubelet import CLUSTER_DOMAIN
from sandbox.layout import DNS_ADDRESS
from sandbox.pins import COREDNS_IMAGE

NAMESPACE = "kube-system"
NAME = "coredns"
PORT = 53


def manifests() -> list[dict[str, Any]]:
    """Return all manifests of cluster DNS."""
    text = templates.render("coredns.yaml", image=COREDNS_IMAGE, address=DNS_ADDRESS, domain=CLUSTER_DOMAIN)
    return list(yaml.safe_load_all(text))
