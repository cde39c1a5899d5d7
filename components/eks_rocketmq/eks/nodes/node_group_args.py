"""Arguments of a node group."""

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from pulumi import Input

from eks_rocketmq.args.field_metadata import Enumeration, Replacing
from eks_rocketmq.args.kubernetes_names import TaintEffect

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
    """A taint, which repels pods without a matching toleration."""

    key: str
    """Key of the taint, such as `dedicated`."""
    value: NotRequired[str]
    """Value of the taint. Default: empty."""
    effect: NotRequired[TaintEffect]
    """Effect of the taint: `NoSchedule` (default), `NoExecute` or `PreferNoSchedule`."""


class NodeGroupArgs(TypedDict):
    """Arguments of a `NodeGroup`."""

    cluster_name: Replacing[Input[str]]
    """Name of the cluster. Changing it replaces the groups."""
    subnet_ids: Replacing[Input[Sequence[Input[str]]]]
    """Private subnets of the nodes, one for each zone. Changing them replaces the groups; each new group is created
    first."""
    zone_count: NotRequired[int]
    """Number of subnets. Required if `subnet_ids` is an output, such as that of `Network`. Default: the length of
    `subnet_ids`."""
    per_zone: NotRequired[Replacing[bool]]
    """Create one EKS node group for each zone. Default: True. An EBS volume belongs to one zone. A group over several
    zones may start its next node in another zone, where the pod with the volume cannot start. False: one group over all
    zones. Changing it replaces the group of the first zone and deletes or creates the others, with their nodes."""
    zone_by_zone: NotRequired[bool]
    """Create and update the zones' groups one after the other. Default: True. Parallel updates evict two members of a
    broker group at a time: the disruption budget blocks the second one, and EKS gives up after 15 minutes. False is
    faster at the first creation."""
    instance_types: Replacing[list[str]]
    """Instance types of one architecture, such as `m7i.large` (x86_64) or `m7g.large` (arm64). Changing them replaces
    the groups; each new group is created first."""
    min_size: NotRequired[int]
    """Minimum number of nodes per group, with `per_zone` per zone. Default: `desired_size`."""
    desired_size: NotRequired[int]
    """Desired number of nodes per group, with `per_zone` per zone. Default: 1."""
    max_size: NotRequired[int]
    """Maximum number of nodes per group, with `per_zone` per zone. Default: `desired_size`."""
    autoscaled: NotRequired[bool]
    """Let an autoscaler, which you install, set the number of nodes after the creation. Default: False."""
    capacity_type: NotRequired[Replacing[CapacityType]]
    """`ON_DEMAND` (default) or `SPOT`, which AWS can interrupt with two minutes' notice. Changing it replaces the
    groups; each new group is created first."""
    ami_type: NotRequired[Replacing[AmiType]]
    """AMI type: `AL2023_x86_64_STANDARD`, `AL2023_ARM_64_STANDARD`, `BOTTLEROCKET_x86_64`, `BOTTLEROCKET_ARM_64`,
    `BOTTLEROCKET_x86_64_FIPS` or `BOTTLEROCKET_ARM_64_FIPS`. Default: Amazon Linux 2023 for the architecture of the
    instance types. Changing it replaces the groups; each new group is created first."""
    version: NotRequired[Input[str]]
    """Kubernetes version of the nodes, the cluster's or up to three minor versions older. Give the cluster's version to
    upgrade the nodes with the cluster. Default: the cluster's version at the creation, without later upgrades."""
    release_version: NotRequired[str]
    """AMI release version, such as `1.35.2-20260715`. Default: the newest at the creation, without later upgrades."""
    disk_size: NotRequired[int]
    """Size in GiB of the nodes' disk for images and logs, at least 20. Messages are on volume claims. The disk is an
    encrypted gp3 volume. Default: 50. A change is a rolling update of the nodes."""
    disk_kms_key_arn: NotRequired[Input[str]]
    """KMS key of the disk. Default: the AWS managed key for EBS. A change is a rolling update of the nodes."""
    metadata_hop_limit: NotRequired[int]
    """Hop limit of the instance metadata service, 1 to 64. Default: 1, so that no pod can use the node role. The EBS
    CSI driver's node pods then read the metadata from Kubernetes, and assume one volume and one network interface. With
    2 they get the actual limits of the instance. A change is a rolling update of the nodes."""
    labels: NotRequired[dict[str, str]]
    """Labels of the nodes. Labels of Kubernetes and EKS, such as `node-role.kubernetes.io/broker`, are rejected: nodes
    with them do not join. Default: only those of EKS."""
    taints: NotRequired[list[NodeTaintArgs]]
    """Taints of the nodes. Default: none."""
    max_unavailable: NotRequired[int]
    """Number of nodes of a group that are updated at the same time, 1 to 100. Default: 1."""
    update_strategy: NotRequired[NodeUpdateStrategy]
    """`DEFAULT` (default): start new nodes first. `MINIMAL`: stop old nodes first, for scarce capacity."""
    force_update: NotRequired[bool]
    """Continue an update even if a disruption budget blocks an eviction. Default: False, the update fails."""
    node_repair: NotRequired[bool]
    """Let EKS replace unhealthy nodes. Default: True."""
    role_arn: NotRequired[Replacing[Input[str]]]
    """ARN of the node role. Default: a new role. Changing it replaces the groups."""
    managed_policies: NotRequired[list[str]]
    """Additional policies of the new role, without `role_arn`. Give AWS managed policies by path and name, such as
    `AmazonSSMManagedInstanceCore`, and customer managed policies by ARN. Default: only those to join the cluster and to
    pull images."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of groups, role, instances, volumes and network interfaces. Default: only the stack's ownership tag."""
