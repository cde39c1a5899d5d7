"""The public names and nothing else; see `__init__.py`."""

from eks_rocketmq.eks.cluster_addons import AddonArgs, ClusterAddons, ClusterAddonsArgs, VpcCniArgs
from eks_rocketmq.eks.ebs_csi_addon import EbsCsiAddon, EbsCsiAddonArgs, EbsCsiConfigurationArgs
from eks_rocketmq.eks.eks_cluster import (
    AccessEntryArgs,
    AccessPolicyArgs,
    ClusterTimeoutsArgs,
    EksCluster,
    EksClusterArgs,
)
from eks_rocketmq.eks.existing_cluster import ExistingEksCluster, ExistingEksClusterArgs
from eks_rocketmq.eks.irsa_role import IrsaRole, IrsaRoleArgs, ServiceAccountArgs, TrustedClusterArgs
from eks_rocketmq.eks.network import Network, NetworkArgs
from eks_rocketmq.eks.node_group import NodeGroup, NodeGroupArgs, NodeTaintArgs
from eks_rocketmq.eks.oidc_provider import ClusterOidcProvider, ClusterOidcProviderArgs
from eks_rocketmq.eks.storage_class import EbsStorageClass, EbsStorageClassArgs
from eks_rocketmq.rocketmq.arguments import (
    BrokerGroupArgs,
    ControllersArgs,
    NameServersArgs,
    PodsArgs,
    ProxiesArgs,
    RocketMqArgs,
    TolerationArgs,
)
from eks_rocketmq.rocketmq.cluster import RocketMq

__all__ = [
    "AccessEntryArgs",
    "AccessPolicyArgs",
    "AddonArgs",
    "BrokerGroupArgs",
    "ClusterAddons",
    "ClusterAddonsArgs",
    "ClusterOidcProvider",
    "ClusterOidcProviderArgs",
    "ClusterTimeoutsArgs",
    "ControllersArgs",
    "EbsCsiAddon",
    "EbsCsiAddonArgs",
    "EbsCsiConfigurationArgs",
    "EbsStorageClass",
    "EbsStorageClassArgs",
    "EksCluster",
    "EksClusterArgs",
    "ExistingEksCluster",
    "ExistingEksClusterArgs",
    "IrsaRole",
    "IrsaRoleArgs",
    "NameServersArgs",
    "Network",
    "NetworkArgs",
    "NodeGroup",
    "NodeGroupArgs",
    "NodeTaintArgs",
    "PodsArgs",
    "ProxiesArgs",
    "RocketMq",
    "RocketMqArgs",
    "ServiceAccountArgs",
    "TolerationArgs",
    "TrustedClusterArgs",
    "VpcCniArgs",
]
