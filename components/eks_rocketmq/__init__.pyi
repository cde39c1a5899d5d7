"""Public names of the library; see `__init__.py`."""

from eks_rocketmq.eks.addons.cluster_addons import ClusterAddons
from eks_rocketmq.eks.addons.cluster_addons_args import AddonArgs, ClusterAddonsArgs, VpcCniArgs
from eks_rocketmq.eks.cluster.eks_cluster import EksCluster
from eks_rocketmq.eks.cluster.eks_cluster_args import (
    AccessEntryArgs,
    AccessPolicyArgs,
    ClusterTimeoutsArgs,
    EksClusterArgs,
)
from eks_rocketmq.eks.cluster.existing_cluster import ExistingEksCluster
from eks_rocketmq.eks.cluster.existing_cluster_args import ExistingEksClusterArgs
from eks_rocketmq.eks.ebs.ebs_csi_addon import EbsCsiAddon
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs, EbsCsiConfigurationArgs, SelfManagedDriverArgs
from eks_rocketmq.eks.ebs.storage_class import EbsStorageClass
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.eks.iam.irsa_role import IrsaRole
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs, ServiceAccountArgs, TrustedClusterArgs
from eks_rocketmq.eks.iam.oidc_provider import ClusterOidcProvider
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.eks.network.network import Network
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.eks.nodes.node_group import NodeGroup
from eks_rocketmq.eks.nodes.node_group_args import NodeGroupArgs, NodeTaintArgs
from eks_rocketmq.rocketmq.access.access import AccessArgs, PermissionArgs, UserArgs
from eks_rocketmq.rocketmq.config.tls import TlsArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs
from eks_rocketmq.rocketmq.declarations.topics import ConsumerGroupArgs, TopicArgs
from eks_rocketmq.rocketmq.external.external_args import ExternalArgs
from eks_rocketmq.rocketmq.monitoring.monitoring_args import AlertsArgs, GrafanaDashboardArgs, MonitoringArgs
from eks_rocketmq.rocketmq.network.network_policy_args import NetworkPoliciesArgs, PeerArgs
from eks_rocketmq.rocketmq.pods.pod_args import (
    NodeAffinityArgs,
    NodeMatchArgs,
    NodePreferenceArgs,
    PodsArgs,
    TolerationArgs,
)
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.rocketmq.roles.role_args import BrokerGroupArgs, ControllersArgs, NameServersArgs, ProxiesArgs

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
