"""Arguments of a node group."""

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing

TaintEffect = Annotated[Literal["NoSchedule", "NoExecute", "PreferNoSchedule"], Enumeration("TaintEffect")]
CapacityType = Annotated[Literal["ON_DEMAND", "SPOT"], Enumeration("CapacityType")]
AmiType = Annotated[
    Literal[
        "AL2023_x86_64_STANDARD",
        "AL2023_ARM_64_STANDARD",
        "BOTTLEROCKET_x86_64",
        "BOTTLEROCKET_ARM_64",
        "BOTTLEROCKET_x86_64_FIPS",
        "BOTTLEROCKET_ARM_64_FIPS",
    ],
    Enumeration("AmiType"),
]
NodeUpdateStrategy = Annotated[Literal["DEFAULT", "MINIMAL"], Enumeration("NodeUpdateStrategy")]


class NodeTaintArgs(TypedDict):
    """A taint, which keeps away pods that do not tolerate it."""

    key: str
    """Its key, such as `dedicated`."""
    value: NotRequired[str]
    """Its value; default: empty."""
    effect: NotRequired[TaintEffect]
    """`NoSchedule` (default), `NoExecute` or `PreferNoSchedule`."""


class NodeGroupArgs(TypedDict):
    """Which machines, where, and how many."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the groups."""
    subnet_ids: Replacing[Input[Sequence[Input[str]]]]
    """Private subnets of the nodes, one for each zone. Changing them replaces the groups, the new one first."""
    zone_count: NotRequired[int]
    """How many subnets there are; needed when they are computed, as those of `Network`. Default: as many as are
    listed."""
    per_zone: NotRequired[bool]
    """One group of EKS for each zone; default: True. An EBS volume lives in one zone, and a group over several may put
    its next node into another one, where the pod that owns the volume cannot start. False: one group over all."""
    zone_by_zone: NotRequired[bool]
    """Create and update the groups of the zones one after the other; default: True. Updated at once, they evict two
    members of a broker group at a time: the disruption budget holds the second, and EKS gives up after 15 minutes.
    False is faster at the first create."""
    instance_types: Replacing[list[str]]
    """Types such as `m7i.large`, of one architecture; `m7g.large` and the like are arm64. Changing them replaces the
    groups, the new one first."""
    min_size: NotRequired[int]
    """Fewest nodes of a group, with `per_zone` of a zone; default: `desired_size`."""
    desired_size: NotRequired[int]
    """Nodes of a group, with `per_zone` of a zone; default: 1."""
    max_size: NotRequired[int]
    """Most nodes of a group, with `per_zone` of a zone; default: `desired_size`."""
    autoscaled: NotRequired[bool]
    """Leave the number of nodes to an autoscaler once the group exists; default: False."""
    capacity_type: NotRequired[Replacing[CapacityType]]
    """`ON_DEMAND` (default) or `SPOT`, which AWS takes back with two minutes' notice. Changing it replaces the
    groups, the new one first."""
    ami_type: NotRequired[Replacing[AmiType]]
    """Image; default: Amazon Linux 2023 for the architecture of the instance types. `AL2023_x86_64_STANDARD`,
    `AL2023_ARM_64_STANDARD`, `BOTTLEROCKET_x86_64`, `BOTTLEROCKET_ARM_64`, `BOTTLEROCKET_x86_64_FIPS` or
    `BOTTLEROCKET_ARM_64_FIPS`. Changing it replaces the groups, the new one first."""
    version: NotRequired[Input[str]]
    """Kubernetes version of the nodes, the cluster's or up to three older; default: the cluster's at the create, and
    then what they have. Give the cluster's version and the nodes follow its upgrades."""
    release_version: NotRequired[str]
    """Release of the image, such as `1.35.2-20260715`; default: the newest at the create, and then what they have."""
    disk_size: NotRequired[int]
    """Size in GiB of the nodes' own disk (images, logs; messages live on claims), 20 at least; default: 50. It is an
    encrypted gp3 volume. Changing it rolls the nodes."""
    disk_kms_key_arn: NotRequired[Input[str]]
    """KMS key of that disk; default: AWS's own for EBS. Changing it rolls the nodes."""
    metadata_hop_limit: NotRequired[int]
    """How far answers of the instance metadata service travel, 1 to 64; default: 1, so that no pod takes the node's
    role. The EBS CSI driver's node pods then ask Kubernetes instead and assume one volume and one network interface:
    2 gives them the true limits of the instance. Changing it rolls the nodes."""
    labels: NotRequired[dict[str, str]]
    """Labels of the nodes; default: none but EKS's own. Those of Kubernetes and of EKS are refused, such as
    `node-role.kubernetes.io/broker`: nodes do not join with them."""
    taints: NotRequired[list[NodeTaintArgs]]
    """Taints of the nodes; default: none."""
    max_unavailable: NotRequired[int]
    """Nodes of a group that an update takes at a time, 1 to 100; default: 1."""
    update_strategy: NotRequired[NodeUpdateStrategy]
    """`DEFAULT` (default; new nodes first) or `MINIMAL` (old nodes first, where capacity is scarce)."""
    force_update: NotRequired[bool]
    """Let an update go on where a disruption budget refuses an eviction; default: False, it fails."""
    node_repair: NotRequired[bool]
    """Let EKS replace a node that it finds unhealthy; default: True."""
    role_arn: NotRequired[Replacing[Input[str]]]
    """Role of the nodes; default: one is made. Changing it replaces the groups."""
    managed_policies: NotRequired[list[str]]
    """Further policies of the role that is made, without `role_arn`: of AWS by path and name, such as
    `AmazonSSMManagedInstanceCore`, of an account by ARN; default: none beside those to join and to pull images."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of groups, role, instances, volumes and network interfaces; default: only the stack's own mark."""
