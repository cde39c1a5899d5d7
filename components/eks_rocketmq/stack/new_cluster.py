"""Settings of a new cluster."""

from collections.abc import Mapping
from dataclasses import dataclass

from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs


@dataclass(frozen=True)
class NewCluster:
    """What a stack makes that adopts no cluster. The program puts in what it alone knows: ids, issuer, provider."""

    network: NetworkArgs
    cluster: EksClusterArgs
    before_nodes: ClusterAddonsArgs
    after_nodes: ClusterAddonsArgs
    node_groups: Mapping[str, NodeGroupArgs]
    """By name of the component."""
    not_yet: str = ""
    """The error for what the stack file names and the cluster cannot have before it is made; empty for none."""
