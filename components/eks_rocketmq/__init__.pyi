"""The public names and nothing else; see `__init__.py`."""

from eks_rocketmq.eks.cluster_addons import AddonArgs, ClusterAddons, ClusterAddonsArgs, VpcCniArgs
from eks_rocketmq.eks.ebs_csi_addon import (
    EbsCsiAddon,
    EbsCsiAddonArgs,
    EbsCsiConfigurationArgs,
    SelfManagedDriverArgs,
)
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
from eks_rocketmq.rocketmq.access import AccessArgs, PermissionArgs, UserArgs
from eks_rocketmq.rocketmq.arguments import (
    BrokerGroupArgs,
    ControllersArgs,
    NameServersArgs,
    NodeAffinityArgs,
    NodeMatchArgs,
    NodePreferenceArgs,
    PodsArgs,
    ProxiesArgs,
    RocketMqArgs,
    TolerationArgs,
)
from eks_rocketmq.rocketmq.cluster import RocketMq
from eks_rocketmq.rocketmq.declared import ConsumerGroupArgs, TopicArgs
from eks_rocketmq.rocketmq.options import (
    AlertsArgs,
    DashboardArgs,
    ExternalArgs,
    GrafanaDashboardArgs,
    MonitoringArgs,
    NetworkPoliciesArgs,
    PeerArgs,
)
from eks_rocketmq.rocketmq.tls import TlsArgs

__all__ = [
    "AccessArgs",
    "AccessEntryArgs",
    "AccessPolicyArgs",
    "AddonArgs",
    "AlertsArgs",
    "BrokerGroupArgs",
    "ClusterAddons",
    "ClusterAddonsArgs",
    "ClusterOidcProvider",
    "ClusterOidcProviderArgs",
    "ClusterTimeoutsArgs",
    "ConsumerGroupArgs",
    "ControllersArgs",
    "DashboardArgs",
    "EbsCsiAddon",
    "EbsCsiAddonArgs",
    "EbsCsiConfigurationArgs",
    "EbsStorageClass",
    "EbsStorageClassArgs",
    "EksCluster",
    "EksClusterArgs",
    "ExistingEksCluster",
    "ExistingEksClusterArgs",
    "ExternalArgs",
    "GrafanaDashboardArgs",
    "IrsaRole",
    "IrsaRoleArgs",
    "MonitoringArgs",
    "NameServersArgs",
    "Network",
    "NetworkArgs",
    "NetworkPoliciesArgs",
    "NodeAffinityArgs",
    "NodeGroup",
    "NodeGroupArgs",
    "NodeMatchArgs",
    "NodePreferenceArgs",
    "NodeTaintArgs",
    "PeerArgs",
    "PermissionArgs",
    "PodsArgs",
    "ProxiesArgs",
    "RocketMq",
    "RocketMqArgs",
    "SelfManagedDriverArgs",
    "ServiceAccountArgs",
    "TlsArgs",
    "TolerationArgs",
    "TopicArgs",
    "TrustedClusterArgs",
    "UserArgs",
    "VpcCniArgs",
]

__version__: str
