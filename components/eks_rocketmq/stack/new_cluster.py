"""Settings of a new cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.addons.cluster_addons_args import ClusterAddonsArgs
from eks_rocketmq.eks.cluster.eks_cluster_args import EksClusterArgs
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs


@dataclass(frozen=True)
class NewCluster:
    """Arguments of the components of a new cluster. The program adds ids, issuer and provider."""

    network: NetworkArgs
    cluster: EksClusterArgs
    before_nodes: ClusterAddonsArgs
    after_nodes: ClusterAddonsArgs
    node_groups: Mapping[str, NodeGroupArgs]
    """Arguments by name of the component."""
    missing_objects: Sequence[ArgumentMessage] = ()
    """Settings that need what the cluster cannot have before it exists."""
