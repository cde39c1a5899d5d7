"""Errors of the components' own checks in the words of a stack file: `brokerGroups` for `broker_groups`."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from eks_rocketmq.eks.cluster_addons import ClusterAddonsArgs
from eks_rocketmq.eks.ebs_csi_addon import EbsCsiAddonArgs
from eks_rocketmq.eks.eks_cluster import EksClusterArgs
from eks_rocketmq.eks.network import NetworkArgs
from eks_rocketmq.eks.node_group import NodeGroupArgs
from eks_rocketmq.eks.storage_class import EbsStorageClassArgs
from eks_rocketmq.external import StackExternalArgs
from eks_rocketmq.rocketmq.arguments import RocketMqArgs
from eks_rocketmq.shape import camel, field_names

_SPELLED: Mapping[str, str] = {
    name: camel(name)
    for wanted in (
        RocketMqArgs, NetworkArgs, EksClusterArgs, NodeGroupArgs, ClusterAddonsArgs, EbsCsiAddonArgs,
        EbsStorageClassArgs, StackExternalArgs,
    )
    for name in field_names(wanted)
    if "_" in name
}  # fmt: skip
_FIELD = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b")


@contextmanager
def as_spelled(key: str = "") -> Generator[None]:
    """Errors of a component's own checks, with the names of arguments as the stack file spells them.

    Args:
        key: where it stands in the stack file; nothing where the check says it.

    Raises:
        ValueError: what was raised within, in those words.
    """
    try:
        yield
    except ValueError as error:
        told = _FIELD.sub(lambda found: _SPELLED[found[0]], str(error))
        raise ValueError(f"{key}: {told}" if key else told) from error
