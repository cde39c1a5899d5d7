"""From an AWS account, or a cluster that someone else made, to an Apache RocketMQ that keeps its messages on EBS.

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
The public names stand in `__init__.pyi`, once, for type checkers and for this module: each is imported when it is first
asked for, so that a program with RocketMQ alone never loads the AWS SDK.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

_HOMES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of names, read from the stub


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of every public type
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
